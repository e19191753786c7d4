/* The commit point of one partition while its records are settled out of order: the offset below
 * which every record is settled. It never decreases within an assignment and never passes an
 * unsettled record. Offsets may have gaps (compaction, control records); only what was tracked is
 * waited for. */
#pragma once

#include "base/err.h"
#include "core/tally.h"

#include <stddef.h>
#include <stdint.h>

struct est_offsets;

/* Remembers at most `max` records from the first unsettled one on. EST_ERR_NOMEM. */
est_err est_offsets_new(size_t max, struct est_offsets **ret);
void est_offsets_free(struct est_offsets *off);

/* A new assignment that begins at `offset` (≥ 0): everything before is forgotten. */
void est_offsets_start(struct est_offsets *off, int64_t offset);
/* A record was read. EST_ERR_RANGE: below one that was read before; EST_ERR_FULL: too many wait
 * behind an unsettled one, read no further for now; EST_ERR_NOMEM. */
est_err est_offsets_track(struct est_offsets *off, int64_t offset);
/* Records that can be tracked before EST_ERR_FULL. */
size_t est_offsets_room(const struct est_offsets *off);
/* A tracked record is settled: how it ended, not EST_END_OPEN. EST_ERR_NOTFOUND when it is not
 * tracked or was settled before, as happens to a late answer of an earlier assignment. */
est_err est_offsets_settle(struct est_offsets *off, int64_t offset, enum est_end end);

/* What to commit: the next offset to read after a restart. */
int64_t est_offsets_commit_point(const struct est_offsets *off);
/* Records not yet settled. */
size_t est_offsets_pending(const struct est_offsets *off);
/* Records settled at or beyond the commit point: what a restart would deliver again. */
size_t est_offsets_beyond(const struct est_offsets *off);
/* Above all that was tracked. */
int64_t est_offsets_next(const struct est_offsets *off);

/* Records below the commit point that ended so, since est_offsets_start(). */
uint64_t est_offsets_ended(const struct est_offsets *off, enum est_end end);
/* Tracked records at or beyond the commit point; and how many of them from the i-th on, at most
 * `max` (> 0), are as that one is: *end. */
size_t est_offsets_span(const struct est_offsets *off);
size_t est_offsets_stretch(const struct est_offsets *off, size_t i, size_t max, enum est_end *end);
