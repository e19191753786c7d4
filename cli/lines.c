#include "lines.h"

#include "base/id.h"
#include "base/jsonw.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { ID_ROOM = 64 };

est_err lines_init(struct lines *ls, FILE *file,
                   void (*refuse)(void *arg, uint64_t number, const char *why), void *arg)
{
    *ls = (struct lines){.file = file, .refuse = refuse, .arg = arg};
    est_buf_init(&ls->body, (size_t)LINES_BATCH_BYTES + LINES_LINE_MAX + ID_ROOM);
    return est_json_new(NULL, &ls->json);
}

void lines_fini(struct lines *ls)
{
    est_json_free(ls->json);
    est_buf_fini(&ls->body);
    free(ls->raw); /* getline's */
}

static struct est_view raw_line(const struct lines *ls)
{
    size_t n = ls->raw_len;

    while (n > 0 && (ls->raw[n - 1] == '\n' || ls->raw[n - 1] == '\r'))
        n--;
    return est_view_trim(est_view(ls->raw, n));
}

/* False at the end of the file. */
static bool read_raw(struct lines *ls)
{
    ssize_t n = getline(&ls->raw, &ls->raw_cap, ls->file);

    if (n < 0)
        return false;
    ls->raw_len = (size_t)n;
    ls->bytes += (size_t)n;
    ls->number++;
    return true;
}

/* Why a line cannot be sent, or NULL. */
static const char *check(struct lines *ls, struct est_view text, bool *ret_has_id)
{
    struct est_reject reject;
    const struct est_value *event;
    est_err err;

    if (text.len > LINES_LINE_MAX)
        return est_err_text(EST_ERR_TOO_LARGE);
    est_json_clear(ls->json);
    err = est_json_parse(ls->json, text, &event, &reject);
    if (err != EST_OK)
        return est_err_text(err);
    if (est_json_type(event) != EST_JSON_OBJECT)
        return est_err_text(EST_ERR_EVENT_SHAPE);
    *ret_has_id = est_json_get(event, "id") != NULL;
    return NULL;
}

/* `{"id":"…",` before the rest of the object. */
static void put_with_id(struct est_buf *out, struct est_view text)
{
    char id[EST_UUID_LEN + 1];
    struct est_view rest = est_view_trim(est_view(text.data + 1, text.len - 1));

    est_uuid7(est_clock_wall(), id);
    est_buf_puts(out, "{\"id\":");
    est_json_put_str(out, id);
    est_buf_puts(out, rest.data[0] == '}' ? "" : ",");
    est_buf_put_view(out, rest);
}

static void add(struct lines *ls, struct est_view text)
{
    struct line *l = &ls->batch[ls->n];
    const char *why;
    bool has_id = false;

    if (text.len == 0)
        return;
    why = check(ls, text, &has_id);
    if (why != NULL) {
        ls->refuse(ls->arg, ls->number, why);
        return;
    }
    *l = (struct line){.number = ls->number, .offset = ls->body.len};
    if (has_id)
        est_buf_put_view(&ls->body, text);
    else
        put_with_id(&ls->body, text);
    l->len = ls->body.len - l->offset;
    est_buf_putc(&ls->body, '\n');
    ls->n++;
}

/* A line that would make the batch too long is held for the next one. */
static bool is_full(const struct lines *ls)
{
    return ls->n == LINES_BATCH ||
           (ls->n > 0 && ls->body.len + ls->raw_len + ID_ROOM > LINES_BATCH_BYTES);
}

est_err lines_next(struct lines *ls)
{
    est_buf_clear(&ls->body);
    ls->n = 0;
    while (ls->has_held || (!ls->at_end && read_raw(ls))) {
        ls->has_held = is_full(ls);
        if (ls->has_held)
            return est_buf_err(&ls->body);
        add(ls, raw_line(ls));
    }
    ls->at_end = true;
    if (ferror(ls->file))
        return EST_ERR_IO;
    return est_buf_err(&ls->body);
}

void lines_retain(struct lines *ls, bool (*keep)(void *arg, struct est_view line), void *arg)
{
    size_t kept = 0, at = 0;

    for (size_t i = 0; i < ls->n; i++) {
        struct line l = ls->batch[i];
        if (!keep(arg, est_view(ls->body.data + l.offset, l.len)))
            continue;
        memmove(ls->body.data + at, ls->body.data + l.offset, l.len + 1);
        l.offset = at;
        at += l.len + 1;
        ls->batch[kept++] = l;
    }
    ls->n = kept;
    est_buf_truncate(&ls->body, at);
}
