/* The place where all replicas that send to one endpoint with one token take turns: slots of their
 * request budget one after the other, a gate that a Retry-After closes for all, and whether the
 * endpoint is down, when one of them may probe it. One atomic script on a hash in Redis; its clock
 * is Redis', and what it tells is how long from now. The key ends with a name that the caller makes
 * of address and token, in which nobody can read the token.
 *
 * A clock of Redis that jumps makes nothing longer than it was meant to be. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "io/redis.h"

#include <stdbool.h>
#include <stdint.h>

struct est_turnstile;

struct est_turnstile_question {
    est_us every, slack; /* one slot each `every`, and as many at once as fit into slack besides */
    bool wants_slot;
    est_us close_for; /* above 0: nobody may start anything for so long */
    est_us down_for;  /* above 0: the endpoint is down, not to be probed for so long; below: up */
    est_us probe_for; /* above 0: if it is down and a probe is due, it is mine, and the next one
                         is due so long after it */
};

struct est_turnstile_answer {
    est_us slot;    /* when it begins; -1 = none was given */
    est_us again;   /* without a slot: when to ask again; 0 = nothing speaks against now */
    est_us gate;    /* closed for so long; 0 = open */
    est_us down;    /* down, and the next probe due after so long; -1 = up */
    bool probe;     /* the probe is yours */
    uint64_t epoch; /* how often the gate was closed: slots given before are void */
};

/* err EST_OK: a is the answer; else as est_redis.h says, and a is NULL. */
typedef void est_turnstile_fn(void *arg, est_err err, const struct est_turnstile_answer *a);

/* fn is called once for each est_turnstile_ask that was sent. EST_ERR_NOMEM. */
est_err est_turnstile_new(struct est_redis *redis, est_turnstile_fn *fn, void *arg,
                          struct est_turnstile **ret);
/* What is out must be over: free the Redis client first. NULL is a no-op. */
void est_turnstile_free(struct est_turnstile *t);
/* Which endpoint and token, from now on. The answer to what is out is forgotten, fn not called. */
void est_turnstile_set(struct est_turnstile *t, const char *prefix, const char *name);
/* Errors of est_redis_script: fn is not called. */
est_err est_turnstile_ask(struct est_turnstile *t, const struct est_turnstile_question *q);
/* The same, for what needs no answer. */
est_err est_turnstile_tell(struct est_turnstile *t, const struct est_turnstile_question *q);
