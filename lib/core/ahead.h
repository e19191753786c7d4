/* What is settled beyond a commit point: numbers of chains, each delivered or dead-lettered.
 * Whoever takes the partition over reads those records again and settles them unsent. They are kept
 * by chain and number, not by offset, so that only the very record is meant, whatever has become of
 * the log; a record without a chain is never in it.
 *
 * Bounded: what finds no room is left out, and is delivered again at worst. */
#pragma once

#include "core/ledger.h"
#include "core/tally.h"

enum { EST_AHEAD_CHAINS = 64, EST_AHEAD_RANGES = 1024 };

struct est_ahead_range {
    uint64_t first, last; /* inclusive */
    uint32_t chain;       /* in `chains` */
    uint32_t end;         /* EST_END_DELIVERED or EST_END_DEAD */
};

struct est_ahead {
    struct est_ledger_key chains[EST_AHEAD_CHAINS];
    size_t n_chains;
    struct est_ahead_range *ranges;
    size_t n, cap;
    int64_t until; /* no record at this offset or above is meant */
};

void est_ahead_init(struct est_ahead *ahead);
/* Empty, memory kept. */
void est_ahead_clear(struct est_ahead *ahead);
void est_ahead_fini(struct est_ahead *ahead);

/* Numbers n … n + count - 1 (count > 0) that ended so; what comes in order makes one range. False:
 * no room. */
bool est_ahead_add(struct est_ahead *ahead, const struct est_ledger_key *key, uint64_t n,
                   uint64_t count, enum est_end end);
/* Numbers in it. */
uint64_t est_ahead_count(const struct est_ahead *ahead);

/* Append at most `max` bytes to `out`: as many ranges as fit, the first ones first. `led` is the
 * ledger that is saved in front of it; `offset`, the commit point. */
void est_ahead_save(const struct est_ahead *ahead, const struct est_ledger *led, int64_t offset,
                    size_t max, struct est_buf *out);
/* All of `in`, made by est_ahead_save(), ready for est_ahead_find(). EST_ERR_INVALID,
 * EST_ERR_NOMEM: it is empty. */
est_err est_ahead_load(struct est_ahead *ahead, const struct est_ledger *led, int64_t offset,
                       struct est_view in);
/* How that number ended; EST_END_OPEN: it is not in it. */
enum est_end est_ahead_find(const struct est_ahead *ahead, const struct est_ledger_key *key,
                            uint64_t n);
