#include "buffer_view.h"

#include "base/mem.h"
#include "config/line.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- answers --- */

void buffer_view_on_done(void *arg, est_err err)
{
    struct buffer_view *v = arg;

    v->done = true;
    v->err = err;
    v->fence = est_buffer_fence(v->buffer);
}

void buffer_view_on_flag(void *arg, est_err err, bool flag)
{
    struct buffer_view *v = arg;

    v->flag = flag;
    buffer_view_on_done(v, err);
}

void buffer_view_on_claim(void *arg, est_err err, bool got, const char *holder)
{
    struct buffer_view *v = arg;

    (void)snprintf(v->holder, sizeof(v->holder), "%s", holder);
    buffer_view_on_flag(v, err, got);
}

est_err buffer_view_await(struct buffer_view *v, est_err sent)
{
    if (sent != EST_OK)
        return sent;
    store_await(&v->store, &v->done);
    v->done = false;
    return v->err;
}

int buffer_view_fail(struct buffer_view *v, est_err err)
{
    struct est_why why = {.code = err};

    est_line_printf(why.text, sizeof(why.text), "%s",
                    v->store.detail[0] != '\0' && !v->store.up ? v->store.detail
                                                               : est_err_text(err));
    out_failure(&v->cli->out, err, &why, store_exit(err));
    return store_exit(err);
}

/* --- taking stock --- */

static struct buffer_row *add_row(struct buffer_view *v, const struct est_buffer_boot *b)
{
    struct buffer_row *row;

    if (v->n == v->cap) {
        size_t cap = v->cap > 0 ? v->cap * 2 : 64;
        struct buffer_row *rows = est_realloc(v->rows, cap * sizeof(*rows));
        if (rows == NULL)
            return NULL;
        v->rows = rows;
        v->cap = cap;
    }
    row = &v->rows[v->n++];
    *row = (struct buffer_row){.adopt = b->adopt, .lease_left = b->lease_left};
    memcpy(row->boot, b->boot, sizeof(row->boot));
    memcpy(row->instance, b->instance, sizeof(row->instance));
    memcpy(row->holder, b->holder, sizeof(row->holder));
    return row;
}

static void on_boots(void *arg, est_err err, const struct est_buffer_boot *boots, size_t n)
{
    struct buffer_view *v = arg;

    v->n = 0;
    for (size_t i = 0; err == EST_OK && i < n; i++) {
        for (size_t t = 0; t < boots[i].n_types || t == 0; t++) {
            const struct est_buffer_type *type = t < boots[i].n_types ? &boots[i].types[t] : NULL;
            struct buffer_row *row = add_row(v, &boots[i]);
            if (row == NULL)
                err = EST_ERR_NOMEM;
            if (row == NULL || type == NULL)
                break;
            est_line_copy(row->type, sizeof(row->type), est_view_str(type->type));
            row->entries = type->entries;
            row->bytes = type->bytes;
            row->oldest = type->oldest_age;
        }
    }
    buffer_view_on_done(v, err);
}

est_err buffer_view_refresh(struct buffer_view *v)
{
    return buffer_view_await(v, est_buffer_boots(v->buffer, on_boots, v));
}

/* --- life --- */

static est_err open_parts(struct buffer_view *v, struct est_why *why)
{
    struct est_buffer_options opt = {.prefix = v->cfg->redis_prefix,
                                     .token = v->token,
                                     .instance = "esteira",
                                     .lease = v->cfg->redis_lease};
    est_err err = fetch_open(&v->fetch, "", why);

    if (err == EST_OK)
        err = store_open(&v->store, &v->fetch, v->cfg, NULL, v->cli->args.timeout, why);
    if (err != EST_OK)
        return err;
    opt.redis = v->store.redis;
    err = est_buffer_new(&opt, &v->buffer, why);
    if (err == EST_OK && (err = buffer_view_refresh(v)) != EST_OK)
        (void)est_why_set(why, err, "%s", est_err_text(err));
    return err;
}

est_err buffer_view_try(struct buffer_view *v, struct cli *cli, const struct est_config *cfg,
                        struct est_why *why)
{
    est_err err;

    *v = (struct buffer_view){.cli = cli, .cfg = cfg};
    est_boot_id(v->token);
    err = open_parts(v, why);
    if (err != EST_OK)
        buffer_view_close(v);
    return err;
}

bool buffer_view_open(struct buffer_view *v, struct cli *cli, const struct est_config *cfg,
                      int *ret_code)
{
    struct est_why why = {.code = EST_OK};
    est_err err = buffer_view_try(v, cli, cfg, &why);

    if (err == EST_OK)
        return true;
    *ret_code = store_exit(err);
    out_failure(&cli->out, err, &why, *ret_code);
    return false;
}

void buffer_view_close(struct buffer_view *v)
{
    store_close(&v->store);
    est_buffer_free(v->buffer);
    fetch_close(&v->fetch);
    est_free(v->rows);
}

/* --- boots --- */

const struct buffer_row *buffer_view_find(struct buffer_view *v, const char *begin)
{
    const struct buffer_row *found = NULL;
    enum text wrong = TEXT_BOOT_NONE;

    for (size_t i = 0; i < v->n; i++) {
        const struct buffer_row *row = &v->rows[i];
        if (strncmp(row->boot, begin, strlen(begin)) != 0)
            continue;
        if (found != NULL && strcmp(found->boot, row->boot) != 0)
            wrong = TEXT_BOOT_MANY;
        if (found == NULL)
            found = row;
    }
    if (found != NULL && wrong != TEXT_BOOT_MANY)
        return found;
    out_error_text(&v->cli->out, wrong, OUT_ARGS(begin), NULL, EXIT_NO);
    return NULL;
}

void buffer_view_holder(const struct buffer_view *v, const struct buffer_row *row, char *out,
                        size_t size)
{
    enum est_lang lang = v->cli->out.lang;
    const char *name = NULL;

    if (row->holder[0] == '\0')
        name = lang_text(lang, row->adopt ? TEXT_HELD_ADOPT : TEXT_HELD_NOBODY);
    else if (strcmp(row->holder, row->boot) == 0)
        name = lang_text(lang, TEXT_HELD_ITSELF);
    for (size_t i = 0; name == NULL && i < v->n; i++)
        if (strcmp(v->rows[i].boot, row->holder) == 0)
            name = v->rows[i].instance;
    est_line_printf(out, size, "%s", name != NULL ? name : row->holder);
}
