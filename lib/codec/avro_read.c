#include "avro_read.h"

#include "decode.h"
#include "moment.h"
#include "schema_plan.h"
#include "text.h"

#include "base/assert.h"

#include <string.h>

enum {
    EXTRA_HEAD_MAX = 11, /* a branch of one byte and a length of ten */
    EXTRA_TRIES = 8      /* braces looked at from the end */
};

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

/* A record, cut up: the writer's order of fields is its own, ours is fixed, and extra comes after
 * the payload it is part of. */
struct record {
    struct est_event ev;
    int64_t occurred_ms, received_ms;
    struct est_view payload; /* its bytes */
    struct est_view extra;   /* its text; absent for null */
    const char *end;         /* of all of it */
    bool is_guessed;         /* where the payload ends was not walked to */
};

/* Far times saturate: struct est_event counts microseconds. */
static est_us time_of(int64_t ms)
{
    const int64_t most = INT64_MAX / 1000;

    return (ms > most ? most : ms < -most ? -most : ms) * 1000;
}

static bool take_sequence(struct est_cursor *c, const struct est_plan *p, struct est_event *ev)
{
    if (!est_cursor_branch(c, &p))
        return false;
    ev->has_sequence = p->kind != EST_PLAN_NULL;
    return !ev->has_sequence || est_cursor_long(c, &ev->sequence);
}

static bool take_payload(struct est_cursor *c, const struct est_plan *p, struct est_view *ret)
{
    const unsigned char *from = c->at;

    if (!est_cursor_skip(c, p))
        return false;
    *ret = est_view((const char *)from, (size_t)(c->at - from));
    return true;
}

/* The plan is that of the role: schema.c has seen to it. */
static bool take_field(struct est_cursor *c, enum est_plan_role role, const struct est_plan *p,
                       struct record *r)
{
    switch (role) {
    case EST_PLAN_ROLE_ID: return est_cursor_bytes(c, &r->ev.id);
    case EST_PLAN_ROLE_EVENT: return est_cursor_bytes(c, &r->ev.event);
    case EST_PLAN_ROLE_SOURCE: return est_cursor_bytes(c, &r->ev.source);
    case EST_PLAN_ROLE_TENANT: return est_cursor_bytes(c, &r->ev.tenant);
    case EST_PLAN_ROLE_DEDUP_ID: return est_cursor_bytes(c, &r->ev.dedup_id);
    case EST_PLAN_ROLE_OCCURRED_AT: return est_cursor_long(c, &r->occurred_ms);
    case EST_PLAN_ROLE_RECEIVED_AT: return est_cursor_long(c, &r->received_ms);
    case EST_PLAN_ROLE_SEQUENCE: return take_sequence(c, p, &r->ev);
    case EST_PLAN_ROLE_PAYLOAD: return take_payload(c, p, &r->payload);
    case EST_PLAN_ROLE_EXTRA: return est_cursor_maybe_bytes(c, p, &r->extra);
    case EST_PLAN_ROLE_CHAIN: return est_cursor_skip(c, p); /* no part of the event */
    default: EST_UNREACHABLE("a role of a field");
    }
}

/* The bytes in front of a text: the number of its branch, and its length. */
static size_t text_head(size_t len, size_t branch, unsigned char out[EXTRA_HEAD_MAX])
{
    uint64_t left = (uint64_t)len << 1;
    size_t n = 0;

    for (out[n++] = (unsigned char)(branch << 1); left > 0x7f; left >>= 7)
        out[n++] = (unsigned char)(left | 0x80);
    out[n++] = (unsigned char)left;
    return n;
}

/* Cuts `extra` off the end of `rest`, if it is an object's text there, as we write it. */
static bool cut_text(struct est_view *rest, size_t branch, struct est_view *ret)
{
    unsigned char head[EXTRA_HEAD_MAX];
    size_t at = rest->len;
    const char *brace;

    for (unsigned tries = 0; tries < EXTRA_TRIES; tries++) {
        if ((brace = memrchr(rest->data, '{', at)) == NULL)
            return false;
        at = (size_t)(brace - rest->data);
        size_t len = rest->len - at, n = text_head(len, branch, head);
        if (n <= at && memcmp(brace - n, head, n) == 0) {
            *ret = est_view(brace, len);
            rest->len = at - n;
            return true;
        }
    }
    return false;
}

/* What is left of the record is payload and extra. To find the border by stepping over the payload
 * costs a fifth of decoding, so it is looked for from the end, where records as we write them
 * show it. False when it cannot be told. A wrong one is never taken, for a payload says itself
 * where it ends: the decoder fails, and the record is read once more, strictly. */
static bool find_border(const struct est_schema *sc, struct est_view rest, struct record *r)
{
    const struct est_plan *p = plan_of(sc, EST_PLAN_ROLE_EXTRA);
    size_t last;

    if (rest.len == 0)
        return false;
    last = (unsigned char)rest.data[rest.len - 1];
    if (last == p->null_branch << 1)
        rest.len--;
    else if (last != '}' || !cut_text(&rest, 1 - p->null_branch, &r->extra))
        return false;
    r->payload = rest;
    r->is_guessed = true;
    return true;
}

/* All up to the payload, in the order of the schemas that we ship. */
static bool take_usual(struct est_cursor *c, const struct est_schema *sc, struct record *r)
{
    struct est_event *ev = &r->ev;

    return (!sc->has_chain || est_cursor_skip(c, sc->plan->fields[0].plan)) &&
           est_cursor_bytes(c, &ev->id) && est_cursor_bytes(c, &ev->event) &&
           est_cursor_bytes(c, &ev->source) && est_cursor_bytes(c, &ev->tenant) &&
           est_cursor_long(c, &r->occurred_ms) && est_cursor_long(c, &r->received_ms) &&
           est_cursor_bytes(c, &ev->dedup_id) &&
           take_sequence(c, plan_of(sc, EST_PLAN_ROLE_SEQUENCE), ev);
}

/* The same as cut_up() for a record as we write it. False: it is to be cut up field by field. */
static bool cut_up_usual(const struct est_schema *sc, struct est_cursor *c, struct record *r)
{
    return sc->is_usual && take_usual(c, sc, r) && find_border(sc, est_cursor_rest(c), r);
}

/* Strictly: every byte is looked at, also of a payload that nobody reads. */
static est_err cut_up(const struct est_schema *sc, struct est_view body, bool strictly,
                      struct record *ret, struct est_why *reterr)
{
    struct est_cursor c = est_cursor_of(body);

    *ret = (struct record){.end = (const char *)c.end};
    if (!sc->is_event)
        return est_why_set(reterr, EST_ERR_AVRO, "the schema is not one of an event");
    if (strictly || !cut_up_usual(sc, &c, ret)) {
        c = est_cursor_of(body);
        *ret = (struct record){.end = (const char *)c.end};
        for (size_t i = 0; i < sc->plan->n; i++)
            if (!take_field(&c, sc->role_of[i], sc->plan->fields[i].plan, ret))
                return fault_at(sc, i, "the bytes are not of the schema", reterr);
        if (est_cursor_left(&c) > 0)
            return est_why_set(reterr, EST_ERR_AVRO, "%zu bytes are left over",
                               est_cursor_left(&c));
    }
    ret->ev.occurred_at = time_of(ret->occurred_ms);
    ret->ev.received_at = time_of(ret->received_ms);
    return EST_OK;
}

est_err est_avro_read_envelope(const struct est_schema *sc, struct est_view body,
                               struct est_event *ret_ev, struct est_why *reterr)
{
    struct record r;
    est_err err = cut_up(sc, body, true, &r, reterr);

    if (err)
        return err;
    if (!est_text_is_utf8(r.ev.id) || !est_text_is_utf8(r.ev.event) ||
        !est_text_is_utf8(r.ev.source) || !est_text_is_utf8(r.ev.tenant) ||
        !est_text_is_utf8(r.ev.dedup_id))
        return est_why_set(reterr, EST_ERR_AVRO, "the envelope holds text that is not UTF-8");
    *ret_ev = r.ev;
    return EST_OK;
}

/* --- writing the event --- */

/* `end` is where the record ends that the text lies in. */
static inline bool put_text(struct est_buf *out, struct est_view name, struct est_view text,
                            const char *end)
{
    est_buf_put_view(out, name);
    return end - (text.data + text.len) >= EST_BUF_SLACK ? est_text_put_padded(out, text)
                                                         : est_text_put(out, text);
}

/* Mostly they are the same, for most senders leave it to us to say when it happened. */
static void put_times(struct est_buf *out, int64_t occurred_ms, int64_t received_ms)
{
    char text[EST_MOMENT_MAX];
    size_t n = est_moment_text(occurred_ms, text);

    est_buf_put_view(out, EST_VIEW_LIT(",\"occurred_at\":"));
    est_buf_put(out, text, n);
    if (received_ms != occurred_ms)
        n = est_moment_text(received_ms, text);
    est_buf_put_view(out, EST_VIEW_LIT(",\"received_at\":"));
    est_buf_put(out, text, n);
}

/* False when a text is no UTF-8. */
static bool put_envelope(struct est_buf *out, struct est_view type, const struct record *r)
{
    const struct est_event *ev = &r->ev;

    if (!put_text(out, EST_VIEW_LIT("{\"id\":"), ev->id, r->end) ||
        !put_text(out, EST_VIEW_LIT(",\"event\":"), ev->event, r->end) ||
        !put_text(out, EST_VIEW_LIT(",\"type\":"), type, type.data + type.len) ||
        !put_text(out, EST_VIEW_LIT(",\"source\":"), ev->source, r->end) ||
        !put_text(out, EST_VIEW_LIT(",\"tenant\":"), ev->tenant, r->end) ||
        !put_text(out, EST_VIEW_LIT(",\"dedup_id\":"), ev->dedup_id, r->end))
        return false;
    put_times(out, r->occurred_ms, r->received_ms);
    if (ev->has_sequence) {
        est_buf_put_view(out, EST_VIEW_LIT(",\"sequence\":"));
        est_buf_put_i64(out, ev->sequence);
    }
    est_buf_put_view(out, EST_VIEW_LIT(",\"payload\":"));
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
    const struct est_extra_object *o = est_extra_of(&d->extra, NULL);

    for (size_t i = 0; o != NULL && i < o->n; i++) {
        if (is_written(o->members[i].name, ev))
            continue;
        est_buf_putc(d->out, ',');
        est_extra_put(d->out, &o->members[i]);
    }
}

static est_err parse_extra(const struct est_schema *sc, struct est_json *js, struct est_view text,
                           struct est_decode *d)
{
    est_err err;

    d->extra = (struct est_extra){0};
    err = text.data != NULL ? est_extra_read(js, text, &d->extra) : EST_OK;
    if (err == EST_ERR_NOMEM)
        return est_why_set(d->why, err, "%s", est_err_text(err));
    if (err)
        return fault_at(sc, sc->role[EST_PLAN_ROLE_EXTRA], "not the text of a JSON object", d->why);
    return EST_OK;
}

static est_err put_event(const struct est_schema *sc, struct est_view type, const struct record *r,
                         struct est_decode *d)
{
    struct est_path step = {NULL, EST_VIEW_LIT("payload"), 0};
    _Alignas(16) char memory[4096];
    struct est_json js;
    est_err err;

    est_json_tree_init_with(&js, memory, sizeof(memory));
    err = parse_extra(sc, &js, r->extra, d);
    if (err == EST_OK && !put_envelope(d->out, type, r))
        err = est_why_set(d->why, EST_ERR_AVRO, "the envelope holds text that is not UTF-8");
    if (err == EST_OK) {
        d->in = est_cursor_of(r->payload);
        err = est_decode_value(d, plan_of(sc, EST_PLAN_ROLE_PAYLOAD), &step);
    }
    if (err == EST_OK && est_cursor_left(&d->in) > 0)
        err = est_decode_fault(d, &step, "a block that is not as long as it says");
    if (err == EST_OK)
        put_unnamed(d, &r->ev);
    est_buf_putc(d->out, '}');
    est_json_tree_fini(&js);
    return err;
}

static est_err read_event(const struct est_schema *sc, struct est_view type, struct est_view body,
                          bool strictly, struct est_decode *d, struct record *r)
{
    est_err err = cut_up(sc, body, strictly, r, d->why);

    return err ? err : put_event(sc, type, r, d);
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
    struct est_buf scratch;
    struct est_decode d = {{0}, out, reterr, &scratch, {0}, true};
    size_t start = out->len;
    struct record r;
    est_err err;

    est_buf_init(&scratch, SIZE_MAX / 4); /* twice the bytes of a field at most */
    err = read_event(sc, type, body, false, &d, &r);
    if (err == EST_ERR_AVRO && r.is_guessed) {
        est_buf_truncate(out, start);
        err = read_event(sc, type, body, true, &d, &r);
    }
    err = settle(&d, start, err);
    if (err == EST_OK && ret_ev != NULL)
        *ret_ev = r.ev;
    return err;
}

est_err est_avro_read_json(const struct est_schema *sc, struct est_view body, struct est_buf *out,
                           struct est_why *reterr)
{
    struct est_buf scratch;
    struct est_decode d = {est_cursor_of(body), out, reterr, &scratch, {0}, false};
    size_t start = out->len;
    est_err err;

    est_buf_init(&scratch, SIZE_MAX / 4);
    err = est_decode_value(&d, sc->plan, NULL);
    if (err == EST_OK && est_cursor_left(&d.in) > 0)
        err = est_why_set(reterr, EST_ERR_AVRO, "%zu bytes are left over", est_cursor_left(&d.in));
    return settle(&d, start, err);
}
