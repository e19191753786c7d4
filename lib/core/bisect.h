/* Halving a refused batch until the poison stands alone. State over positions [0, n) only; the
 * events stay in their batch. The ranges come left to right and one at a time, so two halves that
 * share a key are never in flight together.
 *
 * A poison costs at most 1 + ⌈log2 n⌉ refused requests: the whole, and one per halving. While
 * nothing has passed it may be the endpoint that is at fault and not the events, also where the
 * batch is one event: est_bisect_blames_all() says so before the first event is condemned. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EST_BISECT_DEPTH = 33 }; /* enough for 2^32 events */

struct est_range {
    uint32_t from, to; /* [from, to) */
};

struct est_bisect {
    struct est_range todo[EST_BISECT_DEPTH]; /* the last one is next */
    unsigned depth;
    uint32_t refused, passed; /* requests so far */
};

/* The whole batch of n ≥ 1 events is what is sent first. */
void est_bisect_init(struct est_bisect *bs, uint32_t n);
/* The range to send now, the same one again until it has passed or been refused; false when over.
 */
bool est_bisect_next(const struct est_bisect *bs, struct est_range *ret);
/* The current range got an answer for every event of it; go on behind it. */
void est_bisect_pass(struct est_bisect *bs);
/* The current range was refused as a whole. True: it was halved, ask for the next. False: it is one
 * event, the poison, and the bisection goes on behind it. */
bool est_bisect_refuse(struct est_bisect *bs);
/* True when nothing of the batch has passed yet, however many were refused. */
bool est_bisect_blames_all(const struct est_bisect *bs);
