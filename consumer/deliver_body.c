#include "deliver_state.h"

#include "codec/avro_read.h"
#include "config/config.h"
#include "core/lanes.h"
#include "deadletter.h"
#include "part.h"

#include <stdio.h>

/* --- trace context --- */

/* A header's value that may stand in a request's field or in JSON as it is; "" = none does. */
static void plain_header(const struct parcel *pc, const char *name, char *out, size_t max)
{
    size_t n = est_kafka_msg_copy_header(pc->msg, name, out, max);

    for (size_t i = 0; i < n; i++)
        if (out[i] < ' ' || out[i] > '~' || out[i] == '"' || out[i] == '\\')
            n = 0;
    out[n] = '\0';
}

static bool read_trace(const struct parcel *pc, struct deliver_trace *ret)
{
    ret->state[0] = '\0';
    plain_header(pc, "traceparent", ret->parent, DELIVER_TRACEPARENT_MAX);
    if (ret->parent[0] != '\0')
        plain_header(pc, "tracestate", ret->state, DELIVER_TRACESTATE_MAX);
    return ret->parent[0] != '\0';
}

/* Events of one batch belong to several traces, so each names its own, by the members of the
 * CloudEvents extension. An event that came as a CloudEvent has them already; a payload that uses
 * the name anywhere is left alone, for no member may stand twice. */
static void put_trace(struct est_buf *body, size_t from, const struct parcel *pc)
{
    struct deliver_trace trace;

    if (!read_trace(pc, &trace) || body->failed ||
        memmem(body->data + from, body->len - from, "\"traceparent\"", 13) != NULL)
        return;
    est_buf_truncate(body, body->len - 1);
    est_buf_printf(body, ",\"traceparent\":\"%s\"", trace.parent);
    if (trace.state[0] != '\0' &&
        memmem(body->data + from, body->len - from, "\"tracestate\"", 12) == NULL)
        est_buf_printf(body, ",\"tracestate\":\"%s\"", trace.state);
    est_buf_putc(body, '}');
}

bool deliver_trace_of(const struct shipment *s, struct deliver_trace *ret)
{
    const struct parcel *pc = NULL;

    for (size_t i = s->range.from; i < s->range.to && s->single && pc == NULL; i++)
        pc = deliver_parcel(s, i);
    return pc != NULL && read_trace(pc, ret);
}

/* --- the body --- */

/* The event as the destination gets it, at the end of the body. */
static est_err put_event(struct shipment *s, struct parcel *pc, struct est_why *why)
{
    struct est_view type = est_view_str(pc->part->type->name);
    size_t from = s->body.len;
    struct est_event ev;
    est_err err = est_avro_read_event(pc->schema, type, parcel_body(pc), &s->body, &ev, why);

    if (err != EST_OK)
        return err;
    parcel_set_id(pc, ev.id);
    if (!s->single)
        put_trace(&s->body, from, pc);
    return est_buf_err(&s->body);
}

/* What cannot be decoded is condemned without a request, and what finds no memory, or no room in
 * the DLQ, is tried again later: either way it leaves the batch, and the others go on. */
static void set_aside(struct shipment *s, size_t i, est_err err, const struct est_why *why)
{
    if (err == EST_ERR_NOMEM || deadletter_is_full(s->dv->w->deadletter))
        deliver_give_back(s, i, false, 0);
    else
        deliver_condemn_damaged(s, i, est_verdict_class_of(err), why->text);
}

/* The body without what was appended behind `len`, a failure to append included. */
static void take_back(struct est_buf *body, size_t len)
{
    est_buf_truncate(body, len);
    body->failed = body->starved = false;
}

/* The events of [from, to) that fit into `max` bytes, the first in any case; returns where it
 * stopped. What follows an event of its key that was given back, from a range before or from this
 * one, goes back behind it. */
static size_t put_events(struct shipment *s, size_t from, size_t to, size_t max)
{
    size_t i = from;

    for (; i < to; i++) {
        struct parcel *pc = deliver_parcel(s, i);
        size_t before = s->body.len;
        struct est_why why = {0};
        est_err err;
        if (pc == NULL)
            continue;
        if (est_lanes_is_behind_waiting(&pc->item)) {
            est_batch_give_back(&s->batch, s->dv->w->lanes, i, 0);
            continue;
        }
        if (s->sent > 0)
            est_buf_putc(&s->body, ',');
        err = put_event(s, pc, &why);
        if (s->sent > 0 && (err == EST_ERR_FULL || s->body.len > max)) {
            take_back(&s->body, before);
            break;
        }
        if (err != EST_OK) {
            take_back(&s->body, before);
            set_aside(s, i, err, &why);
            continue;
        }
        pc->attempts++;
        s->sent++;
    }
    return i;
}

static size_t put_body(struct shipment *s, size_t from, size_t to, size_t max)
{
    size_t end;

    est_buf_clear(&s->body);
    s->sent = 0;
    if (!s->single)
        est_buf_puts(&s->body, "{\"events\":[");
    end = put_events(s, from, to, max);
    if (!s->single)
        est_buf_puts(&s->body, "]}");
    return end;
}

size_t deliver_load(struct shipment *s)
{
    size_t end;

    s->single = s->batch.n == 1;
    end = put_body(s, 0, s->batch.n, s->dv->w->dest->batch_bytes);
    est_batch_cut(&s->batch, s->dv->w->lanes, end);
    return s->sent;
}

size_t deliver_load_range(struct shipment *s)
{
    (void)put_body(s, s->range.from, s->range.to, SIZE_MAX);
    return s->sent;
}

static size_t put_quoted(char *out, size_t size, struct est_view id)
{
    size_t n = 0;

    for (size_t i = 0; i < id.len && n < size; i++) {
        char c = id.data[i];
        out[n++] = c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '_';
    }
    return n;
}

void deliver_key(const struct shipment *s, char out[DELIVER_KEY_MAX])
{
    char digest[EST_BATCH_KEY_LEN + 1];
    struct est_batch_key key;
    size_t n;

    est_batch_key_init(&key);
    for (size_t i = s->range.from; i < s->range.to; i++) {
        const struct parcel *pc = deliver_parcel(s, i);
        if (pc == NULL)
            continue;
        if (s->sent == 1) {
            n = put_quoted(out + 1, DELIVER_KEY_MAX - 3, parcel_id(pc));
            out[0] = out[n + 1] = '"';
            out[n + 2] = '\0';
            return;
        }
        est_batch_key_add(&key, parcel_id(pc));
    }
    est_batch_key_text(&key, digest);
    (void)snprintf(out, DELIVER_KEY_MAX, "\"%s\"", digest);
}
