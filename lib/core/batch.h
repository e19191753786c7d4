/* The events of one request: filled from the lanes by count and bytes, in order, and settled or
 * given back one by one. The batch holds items that the lanes have handed out; it is over, and may
 * be filled again, when none is left unsettled. Positions stay the same throughout, so est_bisect's
 * ranges and the entries of results[] name the same events. */
#pragma once

#include "base/map.h"
#include "core/lanes.h"

struct est_batch_limits {
    size_t count;   /* events at most; above 0 */
    size_t bytes;   /* at most, but one event always fits */
    size_t per_key; /* of one lane at most; 1 for a receiver that does not hold back what follows a
                       failed event of its key; 0 = no bound of its own */
    est_us age;     /* an event waits no longer than this for company */
    size_t group;   /* of the lanes that it is filled from */
};

struct est_batch {
    struct est_lane_item **items; /* NULL where settled or given back */
    size_t n;                     /* as filled */
    size_t left;                  /* not yet settled or given back */
    size_t bytes;                 /* of the n items */
    size_t cap;
};

/* Room for `count` items. EST_ERR_NOMEM. */
est_err est_batch_init(struct est_batch *b, size_t count);
/* Items still inside are forgotten. */
void est_batch_fini(struct est_batch *b);

/* Events of the group that could go out at once: with a bound per key, so many of each lane. */
size_t est_batch_ready(const struct est_batch_limits *limits, const struct est_lanes *lanes);
/* When a batch is to be filled, at the earliest: a time not after `now` when enough is ready or the
 * oldest has waited its age, a later one while that is still to come (an arrival may bring it
 * forward), EST_NEVER when nothing is ready or parked. */
est_us est_batch_due(const struct est_batch_limits *limits, struct est_lanes *lanes, est_us now);
/* Take what is ready, the longest waiting lane first, into a batch that is over. All of it is of
 * the level of the first; level 1 fills a tenth of limits->count, level 2 a hundredth, and so on:
 * what has failed in large company fails in small company next. Returns b->n. */
size_t est_batch_fill(struct est_batch *b, const struct est_batch_limits *limits,
                      struct est_lanes *lanes, est_us now);

/* Only the first `n` stay; the others wait in their lanes again, as if they had not been taken. */
void est_batch_cut(struct est_batch *b, struct est_lanes *lanes, size_t n);

/* The item at i leaves batch and lanes for good; returned so that its owner may free it. */
struct est_lane_item *est_batch_settle(struct est_batch *b, struct est_lanes *lanes, size_t i);
/* The item at i waits in its lane again (est_lanes_give_back). */
void est_batch_give_back(struct est_batch *b, struct est_lanes *lanes, size_t i, est_us not_before);
/* Everything in [from, to) that is left. */
void est_batch_give_back_all(struct est_batch *b, struct est_lanes *lanes, size_t from, size_t to,
                             est_us not_before);

/* The Idempotency-Key of a request of several events: a digest of their ids in order, so that the
 * same events in the same order give the same key and any other batch another one. */
enum { EST_BATCH_KEY_LEN = 32 }; /* lower hex, without the NUL */
struct est_batch_key {
    struct est_hasher hasher;
};
void est_batch_key_init(struct est_batch_key *key);
void est_batch_key_add(struct est_batch_key *key, struct est_view id);
void est_batch_key_text(const struct est_batch_key *key, char out[EST_BATCH_KEY_LEN + 1]);
