/* The account of one partition for one destination: which chain numbers were read, which are
 * missing and which came again. It answers whether a record is a repeat, which is settled without a
 * second request.
 *
 * Two states are kept. The committed one covers exactly the records below the commit point and is
 * what est_account_save() writes for the commit's metadata; the one in memory also covers what was
 * read beyond it and classifies. A new assignment replaces memory by what was committed, so an
 * event that was read but never delivered is delivered after a crash.
 *
 * In doubt (no header, another partition's header, a forgotten chain, below a chain's base) a
 * record is never called a repeat: a doubt costs a duplicate, never an event. */
#pragma once

#include "base/buf.h"
#include "core/chain.h"
#include "core/ledger.h"

struct est_account;

enum est_account_class {
    EST_ACCOUNT_NEW,      /* deliver */
    EST_ACCOUNT_REPEAT,   /* settle without a request */
    EST_ACCOUNT_UNCHAINED /* no header that belongs here: deliver, counted apart */
};

/* Of the records below the commit point. */
struct est_account_totals {
    uint64_t fresh, repeats, unchained;
    uint64_t missing; /* open holes, and holes given up for good */
    uint64_t below;   /* of `fresh`: below their chain's base, so perhaps counted before */
    size_t chains;
};

/* `type` is copied; `max` bounds the records between the commit point and the newest one read.
 * EST_ERR_INVALID: a type that no chain can carry; EST_ERR_NOMEM. */
est_err est_account_new(struct est_view type, uint32_t partition, size_t max,
                        struct est_account **ret);
void est_account_free(struct est_account *acc);

/* A new assignment that begins at `offset`, with what est_account_save() wrote at that commit
 * (absent or empty: nothing). EST_ERR_INVALID: not what was written by this version, taken as
 * nothing, which is safe; EST_ERR_NOMEM: likewise. */
est_err est_account_start(struct est_account *acc, int64_t offset, struct est_view saved);
/* Classify the record at `offset`, which is above the ones read before, by the value of its header
 * EST_CHAIN_HEADER (absent: none). EST_ERR_FULL, EST_ERR_NOMEM: nothing has changed, read no
 * further for now. */
est_err est_account_read(struct est_account *acc, int64_t offset, struct est_view header,
                         enum est_account_class *ret);
/* The commit point has risen: records below it join the committed state. */
void est_account_commit(struct est_account *acc, int64_t commit_point);

struct est_account_totals est_account_totals(const struct est_account *acc);
/* Append the committed state to `out`, at most `max` bytes (at least EST_LEDGER_SAVE_MIN); chains
 * unseen longest, then the oldest holes, are given up until it fits. EST_ERR_FULL: `out` has
 * failed. */
est_err est_account_save(struct est_account *acc, size_t max, struct est_buf *out);
