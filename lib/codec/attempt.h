/* A record of the attempt log (topic attempts.<destination>): one request to a destination, what
 * came of it, and which records it carried, so that `esteira trace` can tell of each attempt that
 * an event had. Compact JSON, see docs/adr/0010:
 *
 *   {"v":1,"at":1764093310204,"us":38123,"events":3,"status":200,"verdict":"results","key":"…",
 *    "parts":[{"topic":"esteira.order","partition":3,"attempt":1,"ranges":[[18842,18843]]},
 *             {"topic":"esteira.order","partition":5,"attempt":2,"status":422,"ranges":[[907]]}]}
 *
 * at: Unix ms of its start; us: how long it took; status: 0 = no answer; class: why it did not
 * deliver. A part's status is there when the answer had one for each event; a range is the first
 * and the last offset, or the only one. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "codec/json.h"

struct est_attempt_item {
    const char *topic;
    int32_t partition;
    int64_t offset;
    unsigned attempt; /* which request of this event's, from 1; since the consumer read it */
    int status;       /* its own in results[]; 0 = the request's */
    int64_t last;     /* est_attempt_put's own: the last offset of the range that begins here */
};

struct est_attempt {
    est_us at; /* wall clock, of the start */
    est_us duration;
    int status;
    const char *verdict, *class; /* class NULL = delivered */
    struct est_view key;         /* Idempotency-Key; absent = not told */
    struct est_attempt_item *items;
    size_t n;
};

/* Appends it to `out`; the items are used up, for they are joined to ranges in their place. */
void est_attempt_put(struct est_buf *out, struct est_attempt *a);

/* What one record of the log says about one event. The views live as long as the parsed record. */
struct est_attempt_hit {
    int64_t at_ms, us, events, attempt;
    int status;  /* the event's own, or the request's */
    bool is_own; /* the event's own */
    struct est_view verdict, class, key;
};

/* False: the request did not carry the record at that place, or this is no record of ours. */
bool est_attempt_find(const struct est_value *record, struct est_view topic, int32_t partition,
                      int64_t offset, struct est_attempt_hit *ret);
