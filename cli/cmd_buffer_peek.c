/* esteira buffer peek. */
#include "buffer_view.h"
#include "decode.h"

#include "base/jsonw.h"
#include "codec/entry.h"
#include "codec/json.h"
#include "codec/wire.h"
#include "config/line.h"
#include "config/nearest.h"

#include <string.h>

enum { COUNT_DEFAULT = 10, PLACE = 64, BOOTS_MAX = 256 };

struct peek {
    struct buffer_view view;
    struct decoder decoder;
    struct est_json *json;
    const struct est_type_config *type;
    struct est_buffer_stream stream; /* being shown */
    size_t left;                     /* entries still to show */
    uint64_t shown;
    char boots[BOOTS_MAX][EST_BOOT_LEN + 1]; /* with refused entries */
    size_t n_boots;
};

/* --- showing --- */

static struct est_view schema_header(const struct est_entry *e)
{
    for (size_t i = 0; i < e->n_headers; i++)
        if (est_view_is(e->headers[i].name, EST_WIRE_HEADER))
            return e->headers[i].value;
    return EST_VIEW_NONE;
}

static est_err decode(struct peek *p, const struct est_buffer_entry *e,
                      const struct est_value **ret, struct est_why *why)
{
    struct est_entry entry;
    est_err err = est_entry_read(e->record, &entry, why);

    if (err == EST_OK)
        err = decoder_read(&p->decoder, p->type->name, entry.value, schema_header(&entry), why);
    est_json_clear(p->json);
    if (err == EST_OK)
        err = est_json_parse(p->json, est_buf_view(&p->decoder.event), ret, NULL);
    return err;
}

static void show_json(struct peek *p, const struct est_buffer_entry *e)
{
    struct est_buf *b = out_json_begin(&p->view.cli->out, "waiting");

    est_json_put_name(b, "boot");
    est_json_put_str(b, p->stream.boot);
    est_json_put_name(b, "stream_id");
    est_json_put_str(b, e->stream_id);
    est_json_put_name(b, "id");
    est_json_put_string(b, e->id);
    est_json_put_name(b, "chain");
    est_json_put_string(b, e->chain);
    est_json_put_name(b, "event");
    est_buf_put_view(b, est_buf_view(&p->decoder.event));
    out_json_end(&p->view.cli->out);
}

/* A person gets place, id, chain and name before the payload. */
static void show_line(struct peek *p, const struct est_buffer_entry *e,
                      const struct est_value *event)
{
    struct out *o = &p->view.cli->out;
    struct est_view name = est_json_string(est_json_get(event, "event"));

    est_buf_clear(&o->line);
    est_buf_printf(&o->line, "%s  %.*s  %.*s  %.*s  ", e->stream_id, (int)e->id.len, e->id.data,
                   (int)e->chain.len, e->chain.data, (int)name.len, name.data ? name.data : "?");
    est_json_put_value(&o->line, est_json_get(event, "payload"));
    est_buf_putc(&o->line, '\n');
    out_put(o, est_buf_view(&o->line));
    est_buf_clear(&o->line);
}

static void show(struct peek *p, const struct est_buffer_entry *e)
{
    const struct est_value *event = NULL;
    struct est_why why = {.code = EST_OK};
    char place[PLACE];
    est_err err = e->record.data == NULL
                      ? est_why_set(&why, EST_ERR_INVALID, "the entry is none of Esteira's")
                      : decode(p, e, &event, &why);

    p->left--;
    p->shown++;
    est_line_printf(place, sizeof(place), "%.8s %s", p->stream.boot, e->stream_id);
    if (err != EST_OK)
        out_talk(&p->view.cli->out, TEXT_PEEK_BROKEN, OUT_ARGS(place, why.text, est_err_code(err)));
    else if (p->view.cli->out.json)
        show_json(p, e);
    else
        show_line(p, e, event);
}

/* --- reading --- */

static void on_read(void *arg, est_err err, const struct est_buffer_entry *entries, size_t n,
                    bool end)
{
    struct peek *p = arg;

    (void)end;
    for (size_t i = 0; i < n && p->left > 0; i++)
        show(p, &entries[i]);
    buffer_view_on_done(&p->view, err);
}

static est_err peek_boot(struct peek *p, const char *boot)
{
    size_t count = p->left < EST_BUFFER_ENTRIES_MAX ? p->left : EST_BUFFER_ENTRIES_MAX;

    memcpy(p->stream.boot, boot, sizeof(p->stream.boot));
    p->stream.type = p->type->name;
    return buffer_view_await(&p->view,
                             est_buffer_peek(p->view.buffer, &p->stream, p->view.cli->args.refused,
                                             NULL, count, on_read, p));
}

/* Boots that have refused entries of the type: they outlive their boot's place on the list. */
static void on_refused_set(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct peek *p = arg;
    struct est_view type = est_view_str(p->type->name);

    for (size_t i = 0; err == EST_OK && i < est_redis_n(r) && p->n_boots < BOOTS_MAX; i++) {
        struct est_view v = est_redis_text(est_redis_item(r, i));
        if (v.len != EST_BOOT_LEN + 1 + type.len || v.data[EST_BOOT_LEN] != '/' ||
            !est_view_eq(est_view(v.data + EST_BOOT_LEN + 1, type.len), type))
            continue;
        est_line_copy(p->boots[p->n_boots++], EST_BOOT_LEN + 1, est_view(v.data, EST_BOOT_LEN));
    }
    buffer_view_on_done(&p->view, err);
}

static est_err peek_refused(struct peek *p)
{
    const char *begin = p->view.cli->args.boot != NULL ? p->view.cli->args.boot : "";
    char key[EST_BUFFER_INSTANCE_MAX + 16];
    est_err err;

    est_line_printf(key, sizeof(key), "%srefused", p->view.cfg->redis_prefix);
    const struct est_view args[] = {EST_VIEW_LIT("SMEMBERS"), est_view_str(key)};
    err = buffer_view_await(&p->view,
                            est_redis_command(p->view.store.redis, 2, args, on_refused_set, p));
    for (size_t i = 0; err == EST_OK && p->left > 0 && i < p->n_boots; i++)
        if (strncmp(p->boots[i], begin, strlen(begin)) == 0)
            err = peek_boot(p, p->boots[i]);
    return err;
}

static est_err peek_waiting(struct peek *p, const struct buffer_row *only)
{
    const char *before = "";
    est_err err = EST_OK;

    for (size_t i = 0; err == EST_OK && p->left > 0 && i < p->view.n; i++) {
        const char *boot = p->view.rows[i].boot;
        if (strcmp(boot, before) != 0 && (only == NULL || strcmp(boot, only->boot) == 0))
            err = peek_boot(p, boot);
        before = boot;
    }
    return err;
}

static int peek_all(struct peek *p)
{
    const struct args *a = &p->view.cli->args;
    const struct buffer_row *only = NULL;
    est_err err;

    if (a->boot != NULL && !a->refused) {
        only = buffer_view_find(&p->view, a->boot);
        if (only == NULL)
            return EXIT_NO;
    }
    err = a->refused ? peek_refused(p) : peek_waiting(p, only);
    if (err != EST_OK)
        return buffer_view_fail(&p->view, err);
    return p->shown > 0 ? EXIT_FINE : EXIT_NO;
}

static int run(struct peek *p, struct cli *cli, const struct est_config *cfg)
{
    int code = EXIT_FINE;

    if (!buffer_view_open(&p->view, cli, cfg, &code))
        return code;
    p->left = cli->args.count > 0 ? cli->args.count : COUNT_DEFAULT;
    if (decoder_open(&p->decoder, cfg, cli->args.timeout) == EST_OK &&
        est_json_new(NULL, &p->json) == EST_OK) {
        code = peek_all(p);
    } else {
        code = EXIT_IO;
        out_failure(&cli->out, EST_ERR_NOMEM, NULL, code);
    }
    est_json_free(p->json);
    decoder_close(&p->decoder);
    buffer_view_close(&p->view);
    return code;
}

int cmd_buffer_peek(struct cli *cli)
{
    struct peek p = {.left = 0};
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    p.type = est_config_type(cfg, cli->words[0]);
    code = p.type != NULL ? run(&p, cli, cfg) : cli_unknown_type(cli, cfg, cli->words[0]);
    est_config_free(cfg);
    return code;
}
