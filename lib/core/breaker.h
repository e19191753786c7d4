/* A circuit breaker for one endpoint: after `failures` requests in a row that failed by
 * infrastructure it opens and lets nothing pass; when its time is over one probe goes out, and its
 * outcome closes it or opens it for twice as long. An answer that blames an event, a token or a
 * rate is an answer: the infrastructure works. */
#pragma once

#include "base/clock.h"

enum est_breaker_state { EST_BREAKER_CLOSED, EST_BREAKER_OPEN, EST_BREAKER_HALF_OPEN };
enum est_breaker_outcome {
    EST_BREAKER_ANSWERED, /* any answer that is no infrastructure failure */
    EST_BREAKER_FAILED,   /* struct est_verdict.infra */
    EST_BREAKER_TRIPPED,  /* nothing can go well before something has changed: opens at once */
    EST_BREAKER_UNKNOWN   /* the request was given up without an outcome */
};

struct est_breaker_policy {
    unsigned failures;           /* in a row; above 0 */
    est_us open_first, open_max; /* how long it stays open; doubles from the first to the max */
};

struct est_breaker {
    struct est_breaker_policy policy;
    enum est_breaker_state state;
    unsigned failed;   /* in a row, while closed */
    uint32_t turn;     /* counts the changes of state: the ticket of what was allowed since */
    est_us open_for;   /* the last open time; 0 = none since it was closed */
    est_us open_until; /* while open */
    bool probing;      /* while half-open: the probe is out */
    est_us probed_at;  /* when it went */
};

void est_breaker_init(struct est_breaker *br, struct est_breaker_policy policy);
/* May a request start? True hands out a ticket that goes with it to est_breaker_observe(). */
bool est_breaker_allow(struct est_breaker *br, est_us now, uint32_t *ret_ticket);
/* The outcome of a request that was allowed. What was allowed before the last change of state tells
 * nothing about the present and is ignored. */
void est_breaker_observe(struct est_breaker *br, uint32_t ticket, enum est_breaker_outcome outcome,
                         est_us now);
/* When a request may be allowed again: not after now = at once. While a probe is out, it is when
 * the next one would be due if nobody answers this one. */
est_us est_breaker_retry_at(const struct est_breaker *br, est_us now);
/* Others who use the endpoint have found it down, and nobody is to probe it before `until`; or one
 * of them has found it up. What our own probe tells, while it is out, counts more than either. */
void est_breaker_told_down(struct est_breaker *br, est_us until, est_us now);
void est_breaker_told_up(struct est_breaker *br);
/* What it waits for is perhaps there: the next probe may go out at once. */
void est_breaker_hurry(struct est_breaker *br, est_us now);
/* Open, and its time is over: what is allowed next is the probe. */
bool est_breaker_is_due(const struct est_breaker *br, est_us now);
/* How long it will be open if the next probe fails. */
est_us est_breaker_next_open(const struct est_breaker *br);
const char *est_breaker_state_name(enum est_breaker_state state);
