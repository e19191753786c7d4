/* What this consumer is doing, told to people: a line of JSON in Redis, renewed every two seconds
 * and gone six seconds after the last, so that `esteira status` can say why nothing is delivered.
 * Nothing depends on it: while Redis is away nobody is told.
 *
 *   <prefix>consumer:<destination>:<boot>   {"v":1,"at":1764093310204,"state":"paused",
 *        "reason":"auth","code":"E-DASH-AUTH","next_ms":1200,"in_flight":0,"waiting":52,
 *        "budget_left":62,"partitions":36,
 *        "types":{"order":"paused"}}
 *   <prefix>consumers:<destination>   sorted set of those boots, by when each was last entered:
 *        every 10 s; one that was not for 10 minutes is taken out
 *
 * state: delivering, paused (a person must mend it: reason), down (the path is broken), limited
 * (the budget or a Retry-After holds requests up). budget_left: -1 = there is no limit. types:
 * those that stand still by themselves: paused by an operator, or slow (their requests time out).
 */
#pragma once

#include "base/id.h"
#include "io/loop.h"

struct deliver;

struct bulletin {
    struct deliver *dv;
    struct est_timer timer;
    char boot[EST_BOOT_LEN + 1];
    const char *told; /* the last state; NULL = none yet */
    est_us renew_at, enlist_at;
};

/* Begins to tell; needs dv->endpoint. */
void bulletin_init(struct bulletin *b, struct deliver *dv);
void bulletin_fini(struct bulletin *b);
