/* One event as it comes in, read and checked, on its way into the store. All views borrow from the
 * request's body or from the reader of it. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"
#include "codec/reject.h"
#include "facts.h"

#include <stdint.h>

struct entry {
    struct est_view id;
    struct est_view dedup_id; /* with the tenant: what makes the event the same happening */
    struct est_view tenant, source;
    struct est_view event; /* "order_created" */
    struct est_view type;  /* "order" */
    struct est_view key;   /* ordering key; absent when the event has none of its own */
    int64_t occurred_ms;   /* never later than its arrival */
    struct facts facts;
    struct est_view detail; /* JSON object for a row of the page: nothing personal in clear */
    struct est_view rest; /* JSON object: payload and whatever else came, but for the texts above */
};

/* Longest texts, in bytes. */
enum { ENTRY_EVENT_MAX = 128, ENTRY_TENANT_MAX = 128, ENTRY_ID_MAX = 256, ENTRY_TYPE_MAX = 48 };

struct est_value;

struct entry_options {
    const char *currency; /* "BRL" */
    int64_t now_ms;
    struct est_view fallback_id; /* for an event that has neither id nor dedup_id */
};

/* Check one event and say what the dashboard wants to know of it. `texts` is cleared and then holds
 * the entry's detail and rest. EST_ERR_EVENT_SHAPE with the place and the reason in *rj. */
est_err entry_read(const struct est_value *event, const struct entry_options *options,
                   struct est_buf *texts, struct entry *ret, struct est_reject *rj);
