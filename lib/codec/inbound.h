/* What a bot sends: the body of one request, taken apart into events. All shapes that ingest
 * accepts become the same items here, so that everything behind knows one kind of event.
 *
 * An item is {"event", "payload", and optionally "id", "source", "tenant", "occurred_at" (or
 * "timestamp"), "dedup_id", "sequence", "key"}; or a CloudEvents 1.0 event, whose attributes are
 * read as id, source, type → event, time → occurred_at, subject, data → payload, and the extension
 * attributes partitionkey → key, sequence, tenant, dedupid → dedup_id, traceparent, tracestate.
 *
 * The object is reused from request to request; items and all views into them live until the next
 * est_inbound_parse, est_inbound_clear or est_inbound_free. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "codec/reject.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>

struct est_inbound;
struct est_pointer;

enum est_inbound_kind {
    EST_INBOUND_JSON,      /* application/json: one object, or an array of them */
    EST_INBOUND_NDJSON,    /* application/x-ndjson, application/jsonl: one object a line */
    EST_INBOUND_CE,        /* application/cloudevents+json */
    EST_INBOUND_CE_BATCH,  /* application/cloudevents-batch+json */
    EST_INBOUND_CE_BINARY, /* ce-* header fields; the body is the payload as JSON */
};

struct est_inbound_limits {
    unsigned depth_max; /* nesting of an item */
    size_t items_max;
    size_t event_max;  /* bytes of one event once encoded: what Kafka will take */
    size_t memory_max; /* bytes held for one request: its text and values */
};
/* 64, 10,000, 1,000,000 and 64 MiB */
extern const struct est_inbound_limits est_inbound_limits_default;

/* A header field of a binary-mode request; names in any case. */
struct est_inbound_field {
    struct est_view name, value;
};

/* limits NULL = the defaults. EST_ERR_NOMEM. */
est_err est_inbound_new(const struct est_inbound_limits *limits, struct est_inbound **ret);
void est_inbound_free(struct est_inbound *in);
/* Forget the request; memory is kept up to a bound. */
void est_inbound_clear(struct est_inbound *in);

/* The kind a media type means (parameters ignored): true, or false when we do not take it.
 * Binary mode is told by a ce-specversion field, not by its type: the caller looks first. */
bool est_inbound_kind_of(struct est_view content_type, enum est_inbound_kind *ret);

/* Take a body apart. The body may go afterwards. `fields` only for CE_BINARY (those that do not
 * begin with "ce-" are skipped, so all the request's fields may be given). Fails for the body as a
 * whole: not JSON, of the wrong outer shape, no item, too many (EST_ERR_TOO_LARGE), EST_ERR_NOMEM.
 * A line of NDJSON that is not JSON is that item's failure and reported by est_inbound_event. */
est_err est_inbound_parse(struct est_inbound *in, enum est_inbound_kind kind, struct est_view body,
                          const struct est_inbound_field *fields, size_t n_fields,
                          struct est_reject *reject);
size_t est_inbound_count(const struct est_inbound *in);
/* True when the body was an array, NDJSON or a batch, even of one item. */
bool est_inbound_is_batch(const struct est_inbound *in);

/* Check item i (depth, duplicate members, envelope) and fill what the sender gave; members of *ev
 * that it did not give stay as the caller set them, so the caller sets its defaults first. Must be
 * called, and have succeeded, before the other functions are used on the item. */
est_err est_inbound_event(struct est_inbound *in, size_t i, struct est_event *ev,
                          struct est_reject *reject);
/* The non-empty string, or the digits of the integer, that the pointer leads to; absent else.
 * Pointers are of the plain shape ("/payload/order_id", "/source"), whatever shape the item came
 * in. */
struct est_view est_inbound_pointer(const struct est_inbound *in, size_t i,
                                    const struct est_pointer *p);
