/* Which numbers of our own chains lie in the buffer, so that what a Redis lost can be named.
 *
 * What this boot appended to one stream is, for each partition, a run of numbers without a gap in
 * each epoch (stamp.h). The stream is read in passes from its head; a pass must meet every number
 * that was appended and not deleted, in order. What it does not meet is gone. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct est_extents;

struct est_extent {
    uint32_t partition;
    uint64_t epoch, first, count; /* numbers first … first + count - 1 */
};

est_err est_extents_new(struct est_extents **ret);
void est_extents_free(struct est_extents *x);

/* That number is in the stream now. EST_ERR_NOMEM: it is not watched. */
est_err est_extents_add(struct est_extents *x, uint32_t partition, uint64_t epoch, uint64_t n);
/* A new pass begins at the head. */
void est_extents_rewind(struct est_extents *x);
/* The pass has met that number; `missing` is told of each run that stood before it and is gone.
 * Numbers met before are no news. */
void est_extents_met(struct est_extents *x, uint32_t partition, uint64_t epoch, uint64_t n,
                     void (*missing)(void *arg, const struct est_extent *gone), void *arg);
/* The pass has come to the end of the stream, which held all that was added before: what it has not
 * met is gone. */
void est_extents_end(struct est_extents *x,
                     void (*missing)(void *arg, const struct est_extent *gone), void *arg);
/* Kafka has that number: it may leave the stream at any moment. Each partition's come in order. */
void est_extents_settled(struct est_extents *x, uint32_t partition, uint64_t epoch, uint64_t n);
/* Forget everything: another boot begins. */
void est_extents_clear(struct est_extents *x);
