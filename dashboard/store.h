/* Everything the dashboard knows, in one SQLite file: the events, once each, and what follows from
 * them. What a commit has acknowledged is on the disk (WAL, synchronous=FULL).
 *
 * The file belongs to one process at a time. All calls block; none but a commit longer than some
 * microseconds (DESIGN.md has the measured bounds).
 *
 * A failure of the disk comes back as EST_ERR_IO, a full one as EST_ERR_FULL; the transaction is
 * then to be rolled back, and nothing of it stays. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "entry.h"
#include "summary.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/* Opens or creates the file, brings its tables up, and reads the numbers. EST_ERR_UNSUPPORTED when
 * the file was written by a newer version: it is then left as it is. */
est_err store_open(const char *path, struct store **ret, struct est_why *reterr);
void store_close(struct store *st); /* NULL is a no-op */

/* One transaction: begin, put …, commit or rollback. */
est_err store_begin(struct store *st, int64_t now_ms);
/* An event whose (tenant, dedup_id) is already stored changes nothing: *ret_seq is then 0.
 * Otherwise it is the event's place in the order of arrival, from 1. */
est_err store_put(struct store *st, const struct entry *e, int64_t *ret_seq);
est_err store_commit(struct store *st);
void store_rollback(struct store *st);
/* Why the last call failed, for the log. */
const char *store_error(const struct store *st);

/* The numbers as of now. Valid until the next call. */
const struct summary *store_summary(struct store *st, int64_t now_ms);
/* Seq of the newest event, 0 when there is none. */
int64_t store_newest(const struct store *st);
/* Appends a JSON array of the newest `limit` rows behind `after` (0 = from the first), newest
 * first. */
est_err store_recent(struct store *st, int64_t after, unsigned limit, struct est_buf *out);
/* True when what is stored adds up to the numbers that are kept: an audit, slow on a large file. */
est_err store_audit(struct store *st, bool *ret_holds);
/* Copy what the log holds into the file when it has grown: for quiet moments. */
void store_tidy(struct store *st);
