/* What is known of each contact, message and order.
 *
 * `_learn` takes in what one event says. It only ever takes minima, maxima and unions, so the
 * outcome does not depend on the order in which events arrive, and a state never goes backwards.
 * `_count` puts what the thing adds to the numbers into the tally (sign +1) or takes it out (-1).
 * A thing that is not known yet (all zero) counts nothing. `_learn` is true when it learnt
 * anything: otherwise there is nothing to count and nothing to write. */
#pragma once

#include "facts.h"
#include "tally.h"

struct contact {
    bool known;
    int64_t first_ms;
    int64_t
        last_ms; /* to the minute, so that somebody who writes much is not rewritten all the time */
};

struct message {
    bool known;
    int64_t first_ms;
    unsigned direction;
    enum fact_rank rank;
};

struct order {
    bool known;
    int64_t first_ms;
    unsigned flags;
    int64_t paid_ms;     /* 0 = not paid */
    int64_t total_minor; /* as stated at total_ms; 0 = only by a payment */
    int64_t total_ms;
};

bool contact_learn(struct contact *c, int64_t ms);
void contact_count(const struct contact *c, struct tally *t, int sign);
bool message_learn(struct message *m, const struct facts *f, int64_t ms);
void message_count(const struct message *m, struct tally *t, int sign);
bool order_learn(struct order *o, const struct facts *f, int64_t ms);
void order_count(const struct order *o, struct tally *t, int sign);
