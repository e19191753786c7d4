/* One state of an account: the chains that were seen, the one seen last first, and the totals of
 * what was counted. It only ever forgets: a chain that is folded or not known makes its records
 * new, never repeats. `partial` says that something was forgotten or that the reader began in the
 * middle; from then on a new chain is believed to begin with the first number seen of it, and
 * nothing below it is called missing. */
#pragma once

#include "base/buf.h"
#include "core/seen.h"

enum { EST_LEDGER_CHAINS = 64, EST_LEDGER_BOOT = 16 };

struct est_ledger_key {
    unsigned char boot[EST_LEDGER_BOOT];
    uint64_t epoch;
};

struct est_ledger_chain;

struct est_ledger {
    struct est_ledger_chain *chains[EST_LEDGER_CHAINS];
    size_t n;
    bool partial;
    uint64_t fresh, repeats, unchained;
    uint64_t gone;  /* missing for good */
    uint64_t below; /* of fresh: below the base of their chain */
};

/* Empty, without totals. */
void est_ledger_init(struct est_ledger *led, bool partial);
/* Frees the chains; the ledger is as after est_ledger_init(led, true). */
void est_ledger_clear(struct est_ledger *led);

/* Count one record of a chain. True: a repeat, its number was added before. Without memory for a
 * new chain it is not recorded and the ledger becomes partial, which is safe. */
bool est_ledger_add(struct est_ledger *led, const struct est_ledger_key *key, uint64_t n);
/* Numbers in open holes and those given up. */
uint64_t est_ledger_missing(const struct est_ledger *led);

/* `to` becomes equal to `from`. EST_ERR_NOMEM: it is empty and partial. */
est_err est_ledger_copy(struct est_ledger *to, const struct est_ledger *from);

/* Append at most `max` bytes (at least EST_LEDGER_SAVE_MIN): version, flags, totals and chains,
 * numbers in LEB128. Chains unseen longest, then the oldest holes, are given up until it fits.
 * EST_ERR_FULL: `out` has failed. */
enum { EST_LEDGER_SAVE_MIN = 256 };
est_err est_ledger_save(struct est_ledger *led, size_t max, struct est_buf *out);
/* What est_ledger_save() wrote. EST_ERR_INVALID (no such text, or of another version),
 * EST_ERR_NOMEM: it is empty and partial. */
est_err est_ledger_load(struct est_ledger *led, struct est_view saved);
