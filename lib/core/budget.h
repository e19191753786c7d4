/* The request budget of one endpoint and token: `requests` in each `window`, evenly spaced with a
 * twentieth of them at once, so that no window of that length, wherever it begins, holds more.
 * What the receiver says of itself (core/ratelimit) slows it further, and a Retry-After closes it.
 *
 * Replicas share a budget: a place that all of them ask hands out slots one after the other, each
 * with the time at which its request may start, and tells when it is closed. What was heard may be
 * acted upon for EST_BUDGET_FRESH only, so that a budget that one replica closes is closed for all
 * a moment later. Without such a place, or while it does not answer, each replica spends its own
 * part: as many of the partitions as it holds. Decides, and does nothing: the caller carries the
 * questions and the answers. */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct est_ratelimit;

/* How long an answer holds, from when it was asked for; how long one is waited for. */
#define EST_BUDGET_FRESH (100 * EST_MS)
#define EST_BUDGET_PATIENCE (150 * EST_MS)

/* One request each `every`; as many at once as fit into `slack` besides. every 0 = no limit. */
struct est_pace {
    est_us every, slack;
};

struct est_budget {
    struct est_pace own;    /* of the configuration */
    struct est_pace policy; /* what the receiver says that it grants */
    struct est_pace said;   /* what it says is left, until */
    est_us said_until;
    est_us gate;           /* nothing starts before */
    unsigned owned, total; /* partitions, here and of all */
    est_us next;           /* alone: when a request is due without slack */
    bool waited;           /* alone: one had to wait since the last that was allowed */
    bool is_short;         /* what was allowed last had to wait for the budget */
    bool shared, asking;   /* there is a place to ask; a question is out */
    est_us asked_at;       /* the last question */
    est_us heard_at;       /* when was asked what was answered last; EST_BUDGET_NEVER = nothing */
    est_us alone_until;    /* the place answers with errors */
    est_us again;          /* no slot was to be had: ask again then */
    bool has_slot;
    est_us slot_at;
    uint64_t epoch; /* of the last answer: a budget that was closed since has taken slots back */
};
#define EST_BUDGET_NEVER INT64_MIN

/* What the shared place is asked. */
struct est_budget_question {
    struct est_pace pace; /* of all replicas together */
    bool wants_slot;
};

/* What it answers; times from now. */
struct est_budget_answer {
    est_us gate;    /* closed for so long; 0 = open */
    est_us slot;    /* when the slot begins; -1 = none was given */
    est_us again;   /* without a slot: when to ask again */
    uint64_t epoch; /* counts how often it was closed */
};

/* requests 0 = no limit of our own. */
void est_budget_init(struct est_budget *b, uint32_t requests, est_us window);
/* The part of the partitions that this replica holds; what it may spend alone. */
void est_budget_set_share(struct est_budget *b, unsigned owned, unsigned total);
/* There is a place to ask, or there is none (any more). */
void est_budget_set_shared(struct est_budget *b, bool shared);

/* May a request start? True spends it. */
bool est_budget_allow(struct est_budget *b, est_us now);
/* A request that was allowed did not start after all. */
void est_budget_return(struct est_budget *b, est_us now);
/* When a request may start: a time not after now = at once; EST_NEVER = an answer comes first. */
est_us est_budget_ready_at(const struct est_budget *b, est_us now);
/* Requests come slower than they would because of the budget: their batches may grow. */
bool est_budget_is_short(const struct est_budget *b);

/* Nobody is asked, or nobody answers. */
bool est_budget_is_alone(const struct est_budget *b, est_us now);
/* One request each so long, of all replicas together; 0 = no limit. */
est_us est_budget_every(const struct est_budget *b, est_us now);
/* A request is wanted: is there something to ask? True fills the question, which counts as asked
 * with this call. in_any_case: even if what was heard last still holds. */
bool est_budget_ask(struct est_budget *b, est_us now, bool in_any_case,
                    struct est_budget_question *ret);
void est_budget_hear(struct est_budget *b, const struct est_budget_answer *answer, est_us now);
/* No answer will come to what was asked: on alone for a second. */
void est_budget_unheard(struct est_budget *b, est_us now);

/* Nothing starts for `wait` from now (Retry-After). Never shortens. */
void est_budget_close(struct est_budget *b, est_us wait, est_us now);
/* What came with an answer; returns how long the budget is to be closed for all, 0 = not. */
est_us est_budget_observe(struct est_budget *b, const struct est_ratelimit *said, est_us now);
/* Requests that may start at once, 0..; for metrics. UINT32_MAX = no limit. */
uint32_t est_budget_left(const struct est_budget *b, est_us now);
