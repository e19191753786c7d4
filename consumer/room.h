/* How much may wait: of everything, by consumer.lanes_records and consumer.lanes_bytes; of one
 * partition, so that a stuck key leaves room for the others; and of what could go out at once, so
 * that no more memory is in use than keeps the requests busy. Decides, and does nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct room {
    size_t records_max, bytes_max; /* of everything */
    size_t records, bytes;         /* what waits now, of all partitions */
    size_t parts;                  /* partitions held */
};

/* Quarters of its share at which a partition's intake is held back, may go on, counts as stuck if
 * it was held back for long, and, once paused for that, is read again. Apart from one another, so
 * that none of it flaps. */
enum { ROOM_HOLD = 4, ROOM_GO_ON = 3, ROOM_STUCK = 3, ROOM_RESUME = 2 };

/* Does a partition that has so much waiting hold more than `quarters` quarters of its share? Its
 * share is the same for all, or half of what is free where that is more: one busy partition uses
 * what the others leave. One record always fits. */
bool room_is_above(const struct room *r, size_t records, size_t bytes, unsigned quarters);

/* Is so much ready that reading on would only make it wait here? `request` is what one request
 * takes; a hold begins at two of them, for one to go out while the next is read, and ends below
 * one. What is read is sent before the processor's caches have forgotten it: at sixteen requests
 * it is fetched from memory once more, which costs a twentieth of everything. */
bool room_is_plenty(size_t ready, size_t request, bool is_held);
/* The same for a type that is sent slowly, of which reading stops by a pause: half of everything,
 * so that it is not often, and three rounds at least; a round is what all requests take that may be
 * in flight at once. */
bool room_is_plenty_of_slow(const struct room *r, size_t ready, size_t round);
/* Is so little ready that a type that was sent slowly no longer is? Below what a hold ends at: or
 * it would be forgotten while it still holds up the others. */
bool room_is_little(size_t ready, size_t request);
