/* An event on its way from a bot's request to Kafka: what every event carries, whatever its type.
 * All views borrow from the request that brought it. The payload stays with the codec. */
#pragma once

#include "base/clock.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct est_event {
    struct est_view id;       /* UUIDv7 text, or what the caller brought */
    struct est_view event;    /* the name: "order_created" */
    struct est_view source;   /* provider and session, or the shim's default */
    struct est_view tenant;   /* empty when the bot owner has only one */
    struct est_view dedup_id; /* equal for the same happening told twice; the id unless given */
    struct est_view key;      /* the caller's own ordering key; absent when not given */
    struct est_view subject;  /* CloudEvents subject; absent when not given */
    struct est_view traceparent, tracestate; /* W3C trace context; absent when not given */
    est_us occurred_at;                      /* wall clock of the provider */
    est_us received_at;                      /* wall clock of the shim */
    int64_t sequence;
    bool has_sequence;
};
