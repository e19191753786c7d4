#include "entry.h"

#include "base/clock.h"
#include "base/jsonw.h"
#include "codec/json.h"

#include <stddef.h>
#include <stdio.h>

static est_err refuse(struct est_reject *rj, const char *pointer, const char *detail)
{
    if (rj != NULL) {
        rj->code = EST_ERR_EVENT_SHAPE;
        (void)snprintf(rj->pointer, sizeof(rj->pointer), "%s", pointer);
        (void)snprintf(rj->detail, sizeof(rj->detail), "%s", detail);
    }
    return EST_ERR_EVENT_SHAPE;
}

/* The texts of the envelope. An id may come as an integer: its digits are the id. */
static const struct member {
    const char *name, *pointer;
    size_t place; /* of its view in struct entry */
    size_t max;
    bool is_id;
    const char *detail;
} members[] = {
#define PLACE(m) offsetof(struct entry, m)
    {"event", "/event", PLACE(event), ENTRY_EVENT_MAX, false,
     "event must be a non-empty string of at most 128 bytes"},
    {"id", "/id", PLACE(id), ENTRY_ID_MAX, true, "id must be a string of at most 256 bytes"},
    {"dedup_id", "/dedup_id", PLACE(dedup_id), ENTRY_ID_MAX, true,
     "dedup_id must be a string of at most 256 bytes"},
    {"tenant", "/tenant", PLACE(tenant), ENTRY_TENANT_MAX, true,
     "tenant must be a string of at most 128 bytes"},
    {"source", "/source", PLACE(source), ENTRY_ID_MAX, true,
     "source must be a string of at most 256 bytes"},
    {"key", "/key", PLACE(key), ENTRY_ID_MAX, true, "key must be a string of at most 256 bytes"},
    {"type", "/type", PLACE(type), ENTRY_TYPE_MAX, false,
     "type must be a string of at most 48 bytes"},
#undef PLACE
};

/* "" and null are as good as absent, but for `event`, which is asked for below. */
static est_err read_member(const struct est_value *event, const struct member *m, struct entry *e,
                           struct est_reject *rj)
{
    const struct est_value *v = est_json_get(event, m->name);
    struct est_view text = m->is_id ? est_json_id(v) : est_json_string(v);

    if (text.data == NULL && est_json_type(v) != EST_JSON_NULL &&
        est_json_type(v) != EST_JSON_STRING)
        return refuse(rj, m->pointer, m->detail);
    if (text.len > m->max || (text.len > 0 && memchr(text.data, '\0', text.len) != NULL))
        return refuse(rj, m->pointer, m->detail);
    if (text.len > 0)
        *(struct est_view *)(void *)((char *)e + m->place) = text;
    return EST_OK;
}

/* RFC 3339 or milliseconds; when absent, now. The future is taken for now: a clock that is ahead
 * must not put today's event into tomorrow's numbers. */
static est_err read_time(const struct est_value *event, int64_t now_ms, int64_t *ret_ms,
                         struct est_reject *rj)
{
    const char *detail = "the time must be RFC 3339 or whole milliseconds since 1970";
    const struct est_value *v = est_json_get(event, "occurred_at");
    const char *pointer = v ? "/occurred_at" : "/timestamp";
    int64_t ms = now_ms;
    est_us us;

    if (v == NULL)
        v = est_json_get(event, "timestamp");
    if (est_json_type(v) == EST_JSON_STRING) {
        if (!est_rfc3339_parse(est_json_string(v), &us))
            return refuse(rj, pointer, detail);
        ms = us / EST_MS;
    } else if (est_json_type(v) != EST_JSON_NULL && !est_json_i64(v, &ms)) {
        return refuse(rj, pointer, detail);
    }
    if (ms < 0)
        return refuse(rj, pointer, "the time must not be before 1970");
    *ret_ms = ms < now_ms ? ms : now_ms;
    return EST_OK;
}

/* Each event is stored under a dedup_id, so that telling it twice has no effect. */
static void name_entry(struct entry *e, struct est_view fallback)
{
    if (e->id.data == NULL)
        e->id = e->dedup_id.data ? e->dedup_id : fallback;
    if (e->dedup_id.data == NULL)
        e->dedup_id = e->id;
    if (e->type.data == NULL)
        e->type = est_view_str(facts_type(e->event));
}

static bool has_column(struct est_view name)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (est_view_is(name, members[i].name))
            return members[i].place != offsetof(struct entry, key);
    return false;
}

/* Most of an event's bytes are its ids, and the store has those in columns: they are not kept
 * twice. */
static void put_rest(struct est_buf *out, const struct est_value *event)
{
    struct est_json_iter it = {0};
    const struct est_value *v;
    struct est_view name;

    est_buf_putc(out, '{');
    for (bool first = true; est_json_each(event, &it, &name, &v);) {
        if (has_column(name))
            continue;
        if (!first)
            est_buf_putc(out, ',');
        first = false;
        est_json_put_string(out, name);
        est_buf_putc(out, ':');
        est_json_put_value(out, v);
    }
    est_buf_putc(out, '}');
}

static est_err write_texts(const struct est_value *event, const char *currency,
                           struct est_buf *texts, struct entry *e)
{
    size_t detail_len;

    est_buf_clear(texts);
    facts_print(&e->facts, currency, texts);
    detail_len = texts->len;
    put_rest(texts, event);
    if (texts->failed)
        return EST_ERR_NOMEM;
    e->detail = est_view(texts->data, detail_len);
    e->rest = est_view(texts->data + detail_len, texts->len - detail_len);
    return EST_OK;
}

est_err entry_read(const struct est_value *event, const struct entry_options *options,
                   struct est_buf *texts, struct entry *ret, struct est_reject *rj)
{
    const struct est_value *payload = est_json_get(event, "payload");
    struct entry e = {.tenant = EST_VIEW_LIT(""), .source = EST_VIEW_LIT("")};
    est_err err = EST_OK;

    if (est_json_type(event) != EST_JSON_OBJECT)
        return refuse(rj, "", "an event must be an object");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && !err; i++)
        err = read_member(event, &members[i], &e, rj);
    if (err)
        return err;
    if (e.event.data == NULL)
        return refuse(rj, members[0].pointer, members[0].detail);
    if (est_json_type(payload) != EST_JSON_OBJECT)
        return refuse(rj, "/payload", "payload must be an object");
    err = read_time(event, options->now_ms, &e.occurred_ms, rj);
    if (err)
        return err;
    name_entry(&e, options->fallback_id);
    facts_read(e.event, e.type, e.dedup_id, payload, options->currency, &e.facts);
    err = write_texts(event, options->currency, texts, &e);
    if (!err)
        *ret = e;
    return err;
}
