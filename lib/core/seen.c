#include "seen.h"

#include "base/assert.h"

#include <string.h>

void est_seen_init(struct est_seen *seen, uint64_t base)
{
    seen->base = seen->end = base;
    seen->holes = 0;
}

/* The first hole that does not end below n; seen->holes when there is none. */
static uint32_t find(const struct est_seen *seen, uint64_t n)
{
    uint32_t i = 0;

    while (i < seen->holes && seen->hole[i].last < n)
        i++;
    return i;
}

static bool in_hole(const struct est_seen *seen, uint32_t i, uint64_t n)
{
    return i < seen->holes && seen->hole[i].first <= n;
}

bool est_seen_has(const struct est_seen *seen, uint64_t n)
{
    return n >= seen->base && n < seen->end && !in_hole(seen, find(seen, n), n);
}

static void insert_hole(struct est_seen *seen, uint32_t i, struct est_hole hole)
{
    EST_ASSERT(seen->holes <= EST_SEEN_HOLES);
    memmove(&seen->hole[i + 1], &seen->hole[i], (seen->holes - i) * sizeof(hole));
    seen->hole[i] = hole;
    seen->holes++;
}

static void remove_hole(struct est_seen *seen, uint32_t i)
{
    seen->holes--;
    memmove(&seen->hole[i], &seen->hole[i + 1], (seen->holes - i) * sizeof(seen->hole[0]));
}

static void fill(struct est_seen *seen, uint32_t i, uint64_t n)
{
    struct est_hole *hole = &seen->hole[i];

    if (hole->first == hole->last) {
        remove_hole(seen, i);
    } else if (n == hole->first) {
        hole->first++;
    } else if (n == hole->last) {
        hole->last--;
    } else {
        insert_hole(seen, i, (struct est_hole){hole->first, n - 1});
        seen->hole[i + 1].first = n + 1;
    }
}

uint64_t est_seen_add(struct est_seen *seen, uint64_t n)
{
    uint32_t i;

    if (n < seen->base)
        return 0;
    if (n >= seen->end) {
        if (n > seen->end)
            insert_hole(seen, seen->holes, (struct est_hole){seen->end, n - 1});
        seen->end = n + 1;
    } else if (in_hole(seen, i = find(seen, n), n)) {
        fill(seen, i, n);
    }
    return seen->holes > EST_SEEN_HOLES ? est_seen_give_up(seen) : 0;
}

uint64_t est_seen_add_run(struct est_seen *seen, uint64_t n, uint64_t count)
{
    uint64_t given_up = 0;

    for (; count > 0 && n != seen->end; n++, count--)
        given_up += est_seen_add(seen, n);
    seen->end += count;
    return given_up;
}

uint64_t est_seen_skip(struct est_seen *seen, uint64_t n)
{
    uint64_t missing = est_seen_missing(seen);

    EST_ASSERT(n >= seen->end);
    est_seen_init(seen, n);
    return missing;
}

/* Everything up to the hole is forgotten with it, so numbers seen below it are in doubt from now
 * on. */
uint64_t est_seen_give_up(struct est_seen *seen)
{
    struct est_hole lowest;

    if (seen->holes == 0)
        return 0;
    lowest = seen->hole[0];
    remove_hole(seen, 0);
    seen->base = lowest.last + 1;
    return lowest.last - lowest.first + 1;
}

uint64_t est_seen_missing(const struct est_seen *seen)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < seen->holes; i++)
        sum += seen->hole[i].last - seen->hole[i].first + 1;
    return sum;
}
