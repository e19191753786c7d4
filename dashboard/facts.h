/* What one event says about the things that the dashboard counts: a contact, a message, an order.
 * Bots name the same thing in many ways; the tables in facts.c know the usual ones. */
#pragma once

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

enum fact_direction { FACT_IN = 1, FACT_OUT = 2 }; /* bits of a message: who wrote it */
enum fact_rank {
    FACT_RANK_NONE,
    FACT_RANK_SENT,
    FACT_RANK_FAILED,
    FACT_RANK_DELIVERED,
    FACT_RANK_READ
};
enum fact_order { FACT_PAID = 1, FACT_CANCELLED = 2 }; /* bits of an order */

struct facts {
    struct est_view contact; /* who; absent when the event names nobody */
    struct est_view message; /* its id; absent when the event is about no message */
    unsigned direction;      /* bits of enum fact_direction, 0 = not said */
    enum fact_rank rank;
    struct est_view order; /* its id; absent when the event is about no order */
    unsigned order_flags;  /* bits of enum fact_order */
    bool has_total;        /* total_minor is stated, in the currency that is counted */
    bool is_payment;       /* the total is what was paid: an order's own total goes before it */
    int64_t total_minor;
    bool is_error;
    struct est_view status, code; /* words of the bot's program, for a row of the page; or absent */
};

struct est_value; /* codec/json.h */

/* The type that an event name belongs to when the event itself does not say: "message" for
 * "message.received" or "new_message", "custom" for a name that nobody knows. */
const char *facts_type(struct est_view event);
/* Money counts in `currency` only; a total that names none is in it. A message that has no id of
 * its own goes under the event's dedup_id. Views borrow from the payload. */
void facts_read(struct est_view event, struct est_view type, struct est_view dedup_id,
                const struct est_value *payload, const char *currency, struct facts *ret);
/* The JSON object for a row: words, order and total, and of the contact no more than its last four
 * digits. */
void facts_print(const struct facts *f, const char *currency, struct est_buf *out);
