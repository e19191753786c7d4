/* esteira dlq show, diff: one dead letter, without what it says of people unless --raw asks. */
#include "decode.h"
#include "dlq.h"
#include "mask.h"

#include "base/jsonw.h"
#include "codec/avro_write.h"
#include "codec/json.h"
#include "codec/wire.h"
#include "config/line.h"

#include <stdio.h>
#include <string.h>

enum { CELL = 400, BODY_MAX = 64 * 1024 * 1024 };

struct show {
    struct dlq dlq;
    struct decoder decoder;
    struct est_json *json;
    uint64_t shown, differing;
};

/* --- the event --- */

static est_err decode(struct show *s, const struct dlq_entry *e, const struct est_value **ret,
                      struct est_why *why)
{
    est_err err = decoder_read(&s->decoder, e->type, est_kafka_msg_value(e->msg),
                               est_kafka_msg_header(e->msg, EST_WIRE_HEADER), why);

    est_json_clear(s->json);
    if (err == EST_OK)
        err = est_json_parse(s->json, est_buf_view(&s->decoder.event), ret, NULL);
    return err;
}

static void put_hex(struct est_buf *b, struct est_view v)
{
    for (size_t i = 0; i < v.len; i++)
        est_buf_printf(b, "%02x", (unsigned char)v.data[i]);
}

/* --- a line each --- */

static void say(struct show *s, enum text name, const char *value)
{
    out_say(&s->dlq.cli->out, TEXT_DLQ_FIELD,
            OUT_ARGS(lang_text(s->dlq.cli->out.lang, name), value));
}

static void say_view(struct show *s, enum text name, struct est_view v)
{
    char cell[CELL];

    if (v.len == 0)
        return;
    dlq_text(v, cell, sizeof(cell));
    say(s, name, cell);
}

static void say_number(struct show *s, enum text name, uint64_t n)
{
    char cell[24];

    (void)snprintf(cell, sizeof(cell), "%llu", (unsigned long long)n);
    if (n > 0)
        say(s, name, cell);
}

static void say_time(struct show *s, enum text name, est_us at)
{
    char cell[EST_RFC3339_LEN + 1];

    est_rfc3339_format(at, cell);
    if (at != 0)
        say(s, name, cell);
}

static void say_place(struct show *s, enum text name, struct est_view topic, int32_t partition,
                      int64_t offset)
{
    char text[CELL / 2], cell[CELL];

    dlq_text(topic, text, sizeof(text));
    est_line_printf(cell, sizeof(cell), "%s#%d:%lld", text, (int)partition, (long long)offset);
    if (topic.len > 0)
        say(s, name, cell);
}

/* A foreign program's message may repeat what it was given; ours never does. */
static void say_message(struct show *s, const struct est_deadletter *dl)
{
    char cell[CELL];

    if (dl->writer == EST_DEADLETTER_ESTEIRA || s->dlq.cli->args.raw) {
        say_view(s, TEXT_DLQ_MESSAGE, dl->message);
    } else if (dl->message.len > 0) {
        est_line_printf(cell, sizeof(cell), "%zu B (--raw)", dl->message.len);
        say(s, TEXT_DLQ_MESSAGE, cell);
    }
}

static void say_letter(struct show *s, const struct dlq_entry *e)
{
    const struct est_deadletter *dl = &e->letter;

    if (s->shown > 0)
        out_put(&s->dlq.cli->out, EST_VIEW_LIT("\n"));
    say_view(s, TEXT_DLQ_ID, dl->id);
    say_view(s, TEXT_DLQ_TYPE, est_view_str(e->type));
    say(s, TEXT_DLQ_STATE, lang_text(s->dlq.cli->out.lang, dlq_state_text(e->state)));
    say_view(s, TEXT_DLQ_CLASS, dl->class);
    say_number(s, TEXT_DLQ_STATUS, dl->status);
    say_message(s, dl);
    say_number(s, TEXT_DLQ_ATTEMPTS, dl->attempts);
    say_time(s, TEXT_DLQ_FIRST, dl->first_failed_at);
    say_time(s, TEXT_DLQ_LAST, dlq_time(e));
    say_number(s, TEXT_DLQ_REPLAYS, dl->replays);
    say_view(s, TEXT_DLQ_GROUP, dl->group);
    say_place(s, TEXT_DLQ_FROM, dl->topic, dl->partition, dl->offset);
    say_place(s, TEXT_DLQ_IN, est_view_str(e->source->topic), est_kafka_msg_partition(e->msg),
              est_kafka_msg_offset(e->msg));
}

/* Headers by name and size: their values name people too. */
static void put_headers(struct show *s, const struct dlq_entry *e)
{
    struct est_buf *b = &s->dlq.cli->out.line;
    size_t n = 0;
    const struct est_record_header *h = est_kafka_msg_headers(e->msg, &n);
    char name[CELL], value[CELL];

    for (size_t i = 0; i < n; i++) {
        dlq_text(est_view_str(h[i].name), name, sizeof(name));
        dlq_text(h[i].value, value, sizeof(value));
        if (s->dlq.cli->args.raw)
            est_buf_printf(b, "  %s: %s\n", name, value);
        else
            est_buf_printf(b, "  %s  %zu B\n", name, h[i].value.len);
    }
}

static void put_event(struct show *s, const struct dlq_entry *e)
{
    struct est_buf *b = &s->dlq.cli->out.line;
    const struct est_value *event = NULL;
    struct est_why why = {.code = EST_OK};
    est_err err = decode(s, e, &event, &why);

    if (err == EST_OK && s->dlq.cli->args.raw) {
        est_buf_put_view(b, est_buf_view(&s->decoder.event));
        est_buf_putc(b, '\n');
    } else if (err == EST_OK) {
        mask_put(b, event);
    } else {
        est_buf_printf(b, "  %s   [%s]\n", why.text[0] != '\0' ? why.text : est_err_text(err),
                       est_err_code(err));
        if (s->dlq.cli->args.raw)
            put_hex(b, est_kafka_msg_value(e->msg));
        est_buf_puts(b, s->dlq.cli->args.raw ? "\n" : "");
    }
}

static void show_text(struct show *s, const struct dlq_entry *e)
{
    struct out *o = &s->dlq.cli->out;

    say_letter(s, e);
    out_say(o, TEXT_DLQ_HEADERS, OUT_ARGS(""));
    est_buf_clear(&o->line);
    put_headers(s, e);
    out_put(o, est_buf_view(&o->line));
    out_say(o, TEXT_DLQ_EVENT, OUT_ARGS(""));
    est_buf_clear(&o->line);
    put_event(s, e);
    out_put(o, est_buf_view(&o->line));
    est_buf_clear(&o->line);
}

/* The whole record only with --raw: the event, or what cannot be read of it. */
static void show_json(struct show *s, const struct dlq_entry *e)
{
    struct est_buf *b = out_json_begin(&s->dlq.cli->out, "dlq_entry");
    const struct est_value *event = NULL;
    struct est_why why = {.code = EST_OK};

    dlq_put_json(b, e);
    est_json_put_name(b, "message");
    est_json_put_string(b, e->letter.writer == EST_DEADLETTER_ESTEIRA || s->dlq.cli->args.raw
                               ? e->letter.message
                               : EST_VIEW_LIT(""));
    if (s->dlq.cli->args.raw && decode(s, e, &event, &why) == EST_OK) {
        est_json_put_name(b, "event");
        est_buf_put_view(b, est_buf_view(&s->decoder.event));
    } else if (s->dlq.cli->args.raw) {
        est_json_put_name(b, "value_hex");
        est_buf_putc(b, '"');
        put_hex(b, est_kafka_msg_value(e->msg));
        est_buf_putc(b, '"');
    }
    out_json_end(&s->dlq.cli->out);
}

static void show_one(struct show *s, const struct dlq_entry *e)
{
    if (s->dlq.cli->out.json)
        show_json(s, e);
    else
        show_text(s, e);
}

/* --- against the schema of today --- */

/* As the shim would take it if it came now. EST_OK: it would. */
static est_err judge(struct show *s, const struct dlq_entry *e, struct est_reject *rj)
{
    const struct est_type_config *type = est_config_type(s->dlq.cfg, e->type);
    const struct est_schema *sc = NULL;
    struct est_inbound *in = NULL;
    struct est_event ev = {.id = e->letter.id};
    struct est_why why = {.code = EST_OK};
    struct est_buf body;
    est_err err;

    if (type == NULL)
        return est_reject_set(rj, EST_ERR_NOTFOUND, "no type has this topic");
    err = est_schemas_load(s->decoder.schemas, type->schema_path, &sc, &why);
    if (err != EST_OK)
        return est_reject_set(rj, err, "%s", why.text);
    est_buf_init(&body, BODY_MAX);
    err = est_inbound_new(NULL, &in);
    if (err == EST_OK)
        err = est_inbound_parse(in, EST_INBOUND_JSON, est_buf_view(&s->decoder.event), NULL, 0, rj);
    if (err == EST_OK)
        err = est_inbound_event(in, 0, &ev, rj);
    if (err == EST_OK)
        err = est_avro_write_event(sc, in, 0, &ev, &body, rj);
    est_inbound_free(in);
    est_buf_fini(&body);
    return err;
}

static void diff_json(struct show *s, const struct dlq_entry *e, est_err err,
                      const struct est_reject *rj)
{
    struct est_buf *b = out_json_begin(&s->dlq.cli->out, "dlq_diff");

    dlq_put_json(b, e);
    est_json_put_name(b, "fits");
    est_buf_puts(b, err == EST_OK ? "true" : "false");
    if (err != EST_OK) {
        est_json_put_name(b, "code");
        est_json_put_str(b, est_err_code(err));
        est_json_put_name(b, "pointer");
        est_json_put_str(b, rj->pointer);
        est_json_put_name(b, "detail");
        est_json_put_str(b, rj->detail[0] != '\0' ? rj->detail : est_err_text(err));
    }
    out_json_end(&s->dlq.cli->out);
}

static void diff_text(struct show *s, const struct dlq_entry *e, est_err err,
                      const struct est_reject *rj)
{
    struct out *o = &s->dlq.cli->out;
    char place[DLQ_TOPIC_MAX + 40], status[16];

    dlq_place(e, place, sizeof(place));
    (void)snprintf(status, sizeof(status), "%u", e->letter.status);
    out_say(o, TEXT_DLQ_DIFF_HEAD, OUT_ARGS(place));
    say_view(s, TEXT_DLQ_CLASS, e->letter.class);
    if (e->letter.status != 0)
        say(s, TEXT_DLQ_STATUS, status);
    say_message(s, &e->letter);
    if (err == EST_OK)
        out_mark(o, MARK_OK, TEXT_DLQ_FITS, OUT_ARGS(e->type));
    else
        out_mark(o, MARK_BAD, TEXT_DLQ_DIFFERS,
                 OUT_ARGS(rj->pointer[0] != '\0' ? rj->pointer : "/",
                          rj->detail[0] != '\0' ? rj->detail : est_err_text(err),
                          est_err_code(err)));
    if (!s->dlq.cli->args.raw || s->decoder.event.len == 0)
        return;
    out_put(o, est_buf_view(&s->decoder.event));
    out_put(o, EST_VIEW_LIT("\n"));
}

static void diff_one(struct show *s, const struct dlq_entry *e)
{
    struct est_reject rj = {.code = EST_OK};
    const struct est_value *event = NULL;
    struct est_why why = {.code = EST_OK};
    est_err err = decode(s, e, &event, &why);

    if (err != EST_OK)
        (void)est_reject_set(&rj, err, "%s", why.text[0] != '\0' ? why.text : est_err_text(err));
    else
        err = judge(s, e, &rj);
    s->differing += err != EST_OK;
    if (s->dlq.cli->out.json)
        diff_json(s, e, err, &rj);
    else
        diff_text(s, e, err, &rj);
}

/* --- the commands --- */

static int each(struct show *s, void (*one)(struct show *s, const struct dlq_entry *e))
{
    const struct cli *cli = s->dlq.cli;
    uint64_t max = cli->args.count > 0 ? cli->args.count : UINT64_MAX;
    struct dlq_entry e;
    int code = EXIT_FINE;

    while (s->shown < max && dlq_await(&s->dlq, &e, &code) == EST_OK) {
        if (e.fits && (cli->n_words == 0 || dlq_is_named(&e, cli->words[0]))) {
            one(s, &e);
            s->shown++;
        }
        est_kafka_msg_free(e.msg);
    }
    if (code != EXIT_FINE || s->shown > 0)
        return code;
    out_error_text(&s->dlq.cli->out, TEXT_DLQ_NOT_FOUND,
                   OUT_ARGS(cli->n_words > 0 ? cli->words[0] : ""), NULL, EXIT_NO);
    return EXIT_NO;
}

static int run(struct cli *cli, void (*one)(struct show *s, const struct dlq_entry *e),
               uint64_t *ret_differing)
{
    struct show s = {.shown = 0};
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    if (dlq_open(&s.dlq, cli, cfg, (1U << DLQ_STATES) - 1, &code)) {
        if (decoder_open(&s.decoder, cfg, cli->args.timeout) == EST_OK &&
            est_json_new(NULL, &s.json) == EST_OK) {
            code = each(&s, one);
        } else {
            code = EXIT_IO;
            out_failure(&cli->out, EST_ERR_NOMEM, NULL, code);
        }
        est_json_free(s.json);
        decoder_close(&s.decoder);
        dlq_close(&s.dlq);
    }
    est_config_free(cfg);
    *ret_differing = s.differing;
    return code;
}

int cmd_dlq_show(struct cli *cli)
{
    uint64_t differing = 0;

    return run(cli, show_one, &differing);
}

int cmd_dlq_diff(struct cli *cli)
{
    uint64_t differing = 0;
    int code = run(cli, diff_one, &differing);

    return code == EXIT_FINE && differing > 0 ? EXIT_NO : code;
}
