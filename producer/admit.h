/* From a request's body to records that are ready to be sent: each event checked, routed to its
 * type, given its id, key and partition, and encoded. Nothing has left the shim when this is done,
 * so a request is taken as a whole or not at all. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "codec/inbound.h"
#include "codec/reject.h"
#include "core/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalog;
struct catalog_type;
struct est_config;

struct admit_item {
    struct catalog_type *type;
    struct est_event ev; /* views live as long as the inbound's request */
    struct est_view key;
    int32_t partition;
    size_t value_at, value_len; /* in admit.values */
    size_t index;               /* of the item in its request */
    char made_id[40];           /* where ev.id is ours */
};

enum { ADMIT_REJECTS_MAX = 100 }; /* told in an answer; further ones are only counted */

struct admit {
    struct catalog *catalog;
    struct est_inbound *inbound;
    struct est_view source; /* where a sender names none */
    size_t items_max;
    struct admit_item *items; /* those that passed */
    size_t n, cap;
    struct est_buf values;
    struct est_reject *rejects;
    size_t n_rejects, n_rejected;
};

/* What the request says apart from its body. */
struct admit_context {
    struct est_view idempotency_key; /* id of a single event that brings none; absent = none */
    struct est_view traceparent, tracestate;
    const struct est_inbound_field *fields; /* for CloudEvents in binary mode */
    size_t n_fields;
    est_us now; /* wall clock */
};

est_err admit_init(struct admit *ad, const struct est_config *cfg, struct catalog *cat);
void admit_fini(struct admit *ad);

/* Take a body apart and fill items and rejects. EST_OK also when items were rejected: see
 * n_rejected. Otherwise the body as a whole is refused, and rejects[0] says why. */
est_err admit_parse(struct admit *ad, enum est_inbound_kind kind, struct est_view body,
                    const struct admit_context *ctx);
bool admit_is_batch(const struct admit *ad);
struct est_view admit_value(const struct admit *ad, const struct admit_item *it);
/* Give back what a large request made us hold. */
void admit_clear(struct admit *ad);
