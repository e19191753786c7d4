#include "avro_read.h"

#include "decode.h"
#include "moment.h"
#include "schema_plan.h"
#include "text.h"

#include <string.h>

/* --- where the fields of an event are --- */

static const struct est_plan *plan_of(const struct est_schema *sc, enum est_plan_role role)
{
    return sc->plan->fields[sc->role[role]].plan;
}

static est_err fault_at(const struct est_schema *sc, size_t field, const char *text,
                        struct est_why *reterr)
{
    struct est_view name = sc->plan->fields[field].name;

    return est_why_set(reterr, EST_ERR_AVRO, "/%.*s: %s", (int)name.len, name.data, text);
}

/* The bytes of each role's field. The writer's order of fields is its own, ours is fixed, and extra
 * comes after the payload it is part of: so the record is cut up before anything is written. */
static est_err locate(const struct est_schema *sc, struct est_view body,
                      struct est_view ret[EST_PLAN_ROLE__COUNT], struct est_why *reterr)
{
    struct est_cursor c = est_cursor_of(body);

    if (!sc->is_event)
        return est_why_set(reterr, EST_ERR_AVRO, "the schema is not one of an event");
    for (size_t i = 0; i < sc->plan->n; i++) {
        const unsigned char *from = c.at;
        if (!est_cursor_skip(&c, sc->plan->fields[i].plan))
            return fault_at(sc, i, "the bytes are not of the schema", reterr);
        ret[sc->role_of[i]] = est_view((const char *)from, (size_t)(c.at - from));
    }
    if (est_cursor_left(&c) > 0)
        return est_why_set(reterr, EST_ERR_AVRO, "%zu bytes are left over", est_cursor_left(&c));
    return EST_OK;
}

static int64_t long_of(struct est_view field)
{
    struct est_cursor c = est_cursor_of(field);
    int64_t n = 0;

    (void)est_cursor_long(&c, &n); /* located, so it is one */
    return n;
}

static struct est_view bytes_of(struct est_view field)
{
    struct est_cursor c = est_cursor_of(field);
    struct est_view v = EST_VIEW_NONE;

    (void)est_cursor_bytes(&c, &v); /* located, so they are */
    return v;
}

/* What stands in a nullable field behind its branch number; absent for null. */
static struct est_view under(struct est_view field, const struct est_plan *p)
{
    struct est_cursor c = est_cursor_of(field);
    int64_t branch = 0;

    (void)est_cursor_long(&c, &branch);
    if (branch == (int64_t)p->null_branch)
        return EST_VIEW_NONE;
    return est_view((const char *)c.at, est_cursor_left(&c));
}

/* Far times saturate: struct est_event counts microseconds. */
static est_us time_of(struct est_view field)
{
    const int64_t most = INT64_MAX / 1000;
    int64_t ms = long_of(field);

    return (ms > most ? most : ms < -most ? -most : ms) * 1000;
}

static void envelope(const struct est_schema *sc, const struct est_view f[EST_PLAN_ROLE__COUNT],
                     struct est_event *ret)
{
    struct est_view sequence =
        under(f[EST_PLAN_ROLE_SEQUENCE], plan_of(sc, EST_PLAN_ROLE_SEQUENCE));

    *ret = (struct est_event){
        .id = bytes_of(f[EST_PLAN_ROLE_ID]),
        .event = bytes_of(f[EST_PLAN_ROLE_EVENT]),
        .source = bytes_of(f[EST_PLAN_ROLE_SOURCE]),
        .tenant = bytes_of(f[EST_PLAN_ROLE_TENANT]),
        .dedup_id = bytes_of(f[EST_PLAN_ROLE_DEDUP_ID]),
        .occurred_at = time_of(f[EST_PLAN_ROLE_OCCURRED_AT]),
        .received_at = time_of(f[EST_PLAN_ROLE_RECEIVED_AT]),
        .sequence = sequence.data ? long_of(sequence) : 0,
        .has_sequence = sequence.data != NULL,
    };
}

est_err est_avro_read_envelope(const struct est_schema *sc, struct est_view body,
                               struct est_event *ret_ev, struct est_why *reterr)
{
    struct est_view fields[EST_PLAN_ROLE__COUNT];
    struct est_event ev;
    est_err err = locate(sc, body, fields, reterr);

    if (err)
        return err;
    envelope(sc, fields, &ev);
    if (!est_text_is_utf8(ev.id) || !est_text_is_utf8(ev.event) || !est_text_is_utf8(ev.source) ||
        !est_text_is_utf8(ev.tenant) || !est_text_is_utf8(ev.dedup_id))
        return est_why_set(reterr, EST_ERR_AVRO, "the envelope holds text that is not UTF-8");
    *ret_ev = ev;
    return EST_OK;
}

/* --- writing the event --- */

static bool put_text(struct est_buf *out, struct est_view name, struct est_view text)
{
    est_buf_put_view(out, name);
    return est_text_put(out, text);
}

/* False when a text is no UTF-8. */
static bool put_envelope(struct est_buf *out, struct est_view type, const struct est_event *ev,
                         const struct est_view f[EST_PLAN_ROLE__COUNT])
{
    if (!put_text(out, EST_VIEW_LIT("{\"id\":"), ev->id) ||
        !put_text(out, EST_VIEW_LIT(",\"event\":"), ev->event) ||
        !put_text(out, EST_VIEW_LIT(",\"type\":"), type) ||
        !put_text(out, EST_VIEW_LIT(",\"source\":"), ev->source) ||
        !put_text(out, EST_VIEW_LIT(",\"tenant\":"), ev->tenant) ||
        !put_text(out, EST_VIEW_LIT(",\"dedup_id\":"), ev->dedup_id))
        return false;
    est_buf_puts(out, ",\"occurred_at\":");
    est_moment_put(out, long_of(f[EST_PLAN_ROLE_OCCURRED_AT]));
    est_buf_puts(out, ",\"received_at\":");
    est_moment_put(out, long_of(f[EST_PLAN_ROLE_RECEIVED_AT]));
    if (ev->has_sequence) {
        est_buf_puts(out, ",\"sequence\":");
        est_buf_put_i64(out, ev->sequence);
    }
    est_buf_puts(out, ",\"payload\":");
    return true;
}

/* Names that put_envelope writes. A sender's own "type" or "received_at" stays in the log, but
 * gives way here to what the belt knows. */
static bool is_written(struct est_view name, const struct est_event *ev)
{
    static const char *const names[] = {"id",          "event",       "type",
                                        "source",      "tenant",      "payload",
                                        "occurred_at", "received_at", "dedup_id"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (est_view_is(name, names[i]))
            return true;
    return ev->has_sequence && est_view_is(name, "sequence");
}

static void put_unnamed(struct est_decode *d, const struct est_event *ev)
{
    size_t idx, max;
    yyjson_val *members = est_decode_extra_of(d, NULL), *key, *val;

    if (!yyjson_is_obj(members))
        return;
    yyjson_obj_foreach(members, idx, max, key, val) {
        if (is_written(est_json_tree_text(key), ev))
            continue;
        est_buf_putc(d->out, ',');
        (void)est_text_put(d->out, est_json_tree_text(key));
        est_buf_putc(d->out, ':');
        est_json_put_value(d->out, (const struct est_value *)val);
    }
}

static est_err parse_extra(const struct est_schema *sc, struct est_json *js, struct est_view field,
                           struct est_decode *d)
{
    struct est_view text = under(field, plan_of(sc, EST_PLAN_ROLE_EXTRA));
    const struct est_value *v = NULL;
    est_err err = EST_OK;

    if (text.data != NULL)
        err = est_json_parse(js, bytes_of(text), &v, NULL);
    if (err == EST_ERR_NOMEM)
        return est_why_set(d->why, err, "%s", est_err_text(err));
    if (err || (v != NULL && est_json_type(v) != EST_JSON_OBJECT))
        return fault_at(sc, sc->role[EST_PLAN_ROLE_EXTRA], "not the text of a JSON object", d->why);
    d->extra = (yyjson_val *)(uintptr_t)v;
    return EST_OK;
}

static est_err put_event(const struct est_schema *sc, struct est_view type,
                         const struct est_view f[EST_PLAN_ROLE__COUNT], const struct est_event *ev,
                         struct est_decode *d)
{
    struct est_path step = {NULL, EST_VIEW_LIT("payload"), 0};
    _Alignas(16) char memory[4096];
    struct est_json js;
    est_err err;

    est_json_tree_init_with(&js, memory, sizeof(memory));
    err = parse_extra(sc, &js, f[EST_PLAN_ROLE_EXTRA], d);
    if (err == EST_OK && !put_envelope(d->out, type, ev, f))
        err = est_why_set(d->why, EST_ERR_AVRO, "the envelope holds text that is not UTF-8");
    if (err == EST_OK) {
        d->in = est_cursor_of(f[EST_PLAN_ROLE_PAYLOAD]);
        err = est_decode_value(d, plan_of(sc, EST_PLAN_ROLE_PAYLOAD), &step);
    }
    if (err == EST_OK && est_cursor_left(&d->in) > 0)
        err = est_decode_fault(d, &step, "a block that is not as long as it says");
    if (err == EST_OK)
        put_unnamed(d, ev);
    est_buf_putc(d->out, '}');
    est_json_tree_fini(&js);
    return err;
}

/* `err`, or what the buffers have to say; `out` is cut back to `start` on failure. */
static est_err settle(struct est_decode *d, size_t start, est_err err)
{
    if (err == EST_OK)
        err = est_buf_err(d->out);
    if (err == EST_ERR_NOMEM || err == EST_ERR_FULL)
        (void)est_why_set(d->why, err, "%s", est_err_text(err));
    if (err)
        est_buf_truncate(d->out, start);
    est_buf_fini(d->scratch);
    return err;
}

est_err est_avro_read_event(const struct est_schema *sc, struct est_view type, struct est_view body,
                            struct est_buf *out, struct est_event *ret_ev, struct est_why *reterr)
{
    struct est_view fields[EST_PLAN_ROLE__COUNT];
    struct est_buf scratch;
    struct est_decode d = {{0}, out, reterr, &scratch, NULL, true};
    struct est_event ev;
    size_t start = out->len;
    est_err err = locate(sc, body, fields, reterr);

    if (err)
        return err;
    envelope(sc, fields, &ev);
    est_buf_init(&scratch, SIZE_MAX / 4); /* twice the bytes of a field at most */
    err = settle(&d, start, put_event(sc, type, fields, &ev, &d));
    if (err == EST_OK && ret_ev != NULL)
        *ret_ev = ev;
    return err;
}

est_err est_avro_read_json(const struct est_schema *sc, struct est_view body, struct est_buf *out,
                           struct est_why *reterr)
{
    struct est_buf scratch;
    struct est_decode d = {est_cursor_of(body), out, reterr, &scratch, NULL, false};
    size_t start = out->len;
    est_err err;

    est_buf_init(&scratch, SIZE_MAX / 4);
    err = est_decode_value(&d, sc->plan, NULL);
    if (err == EST_OK && est_cursor_left(&d.in) > 0)
        err = est_why_set(reterr, EST_ERR_AVRO, "%zu bytes are left over", est_cursor_left(&d.in));
    return settle(&d, start, err);
}
