/* What this consumer agrees on with the others that send to the same endpoint with the same token:
 * the request budget (core/budget) and whether the endpoint is down (core/breaker), both through
 * one hash in Redis (io/turnstile). Redis is asked only when a request is wanted. While it does not
 * answer, or is not configured, each consumer keeps to its own part of the budget and probes for
 * itself. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "core/budget.h"
#include "core/breaker.h"

#include <stdbool.h>

struct est_ratelimit;
struct est_redis;
struct est_turnstile;
struct worker;

struct accord {
    struct worker *w;
    struct est_breaker *breaker; /* the endpoint's */
    struct est_budget budget;
    struct est_redis *redis; /* NULL = none is configured */
    struct est_turnstile *turnstile;
    bool up;
    uint64_t said, asked_as, told_as; /* counts what was sent; the last question, the last news */
    est_us probe_until;               /* the probe is ours until then */
    est_us looked_at;                 /* while down: when the others were asked last */
};

est_err accord_init(struct accord *a, struct worker *w, struct est_breaker *breaker,
                    struct est_why *reterr);
void accord_fini(struct accord *a);
/* Which token is used from now on: it has a budget of its own. */
void accord_set_token(struct accord *a, const char *token);

/* May a request start, as far as the others are concerned? True spends one. A question that this
 * raises is on its way afterwards; its answer makes a turn of the loop. */
bool accord_allow(struct accord *a);
/* It did not start after all. */
void accord_return(struct accord *a);
/* When to ask again. */
est_us accord_ready_at(const struct accord *a);

/* Nothing is started by anybody for `wait`. */
void accord_close(struct accord *a, est_us wait);
/* What the endpoint says of its limit. */
void accord_observe(struct accord *a, const struct est_ratelimit *said);
/* The breaker's state was `before` when an outcome came: tell the others what has changed. */
void accord_tell(struct accord *a, enum est_breaker_state before);
