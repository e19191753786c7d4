/* The numbers of one chain that a reader has seen: from `base` to `highest`, but for the holes.
 * Holes are ranges, bounded in number: when one too many opens, the lowest is given up and the base
 * rises above it, so that the set only ever forgets, and never claims a number that it has not
 * seen. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EST_SEEN_HOLES = 32 };

struct est_hole {
    uint64_t first, last; /* inclusive */
};

struct est_seen {
    uint64_t base;
    uint64_t end; /* highest + 1; equal to base while nothing was seen */
    uint32_t holes;
    struct est_hole hole[EST_SEEN_HOLES + 1]; /* ascending, apart from one another */
};

/* Nothing seen; the first number expected is `base`. */
void est_seen_init(struct est_seen *seen, uint64_t base);
/* True only if n was added, and is not below the base: the one ground on which a record is a
 * repeat. */
bool est_seen_has(const struct est_seen *seen, uint64_t n);
/* Add n; below the base it is not recorded. Returns how many numbers were given up as missing for
 * good. */
uint64_t est_seen_add(struct est_seen *seen, uint64_t n);
/* The same for all of n … n + count - 1, at once where they go on from the end. */
uint64_t est_seen_add_run(struct est_seen *seen, uint64_t n, uint64_t count);
/* What stands between the end and n (at or above the end) is known never to come: everything up to
 * n is forgotten. Returns the numbers in open holes, which are missing for good. */
uint64_t est_seen_skip(struct est_seen *seen, uint64_t n);
/* Give up the lowest hole: returns its size, 0 when there is none. */
uint64_t est_seen_give_up(struct est_seen *seen);
/* Numbers in open holes. */
uint64_t est_seen_missing(const struct est_seen *seen);
