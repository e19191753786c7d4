/* One state of an account: the chains that were seen, the one seen last first, and what is missing
 * of those that were folded. It only ever forgets: a chain that is folded or not known makes its
 * records new, never repeats. `partial` says that something was forgotten or that the reader began
 * in the middle; from then on a new chain is believed to begin with the first number seen of it,
 * and nothing below it is called missing. */
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
    bool jumped;      /* the log begins anew here (est_ledger_jump); not saved */
    uint64_t gone;    /* missing for good */
    uint64_t below;   /* new numbers below the base of their chain, so perhaps called gone before */
    uint64_t expired; /* lost with what the log no longer keeps */
};

/* Empty, without totals. */
void est_ledger_init(struct est_ledger *led, bool partial);
/* Frees the chains; the ledger is as after est_ledger_init(led, true). */
void est_ledger_clear(struct est_ledger *led);

bool est_ledger_same_key(const struct est_ledger_key *a, const struct est_ledger_key *b);
/* The place of the chain in led->chains; led->n: it is not known. */
size_t est_ledger_find(const struct est_ledger *led, const struct est_ledger_key *key);
const struct est_ledger_key *est_ledger_key_at(const struct est_ledger *led, size_t i);

/* Was that number added? */
bool est_ledger_has(const struct est_ledger *led, const struct est_ledger_key *key, uint64_t n);
/* One record of a chain. True: a repeat, its number was added before. Without memory for a new
 * chain it is not recorded and the ledger becomes partial, which is safe. */
bool est_ledger_add(struct est_ledger *led, const struct est_ledger_key *key, uint64_t n);
/* The same for n … n + count - 1, without the answer. */
void est_ledger_add_run(struct est_ledger *led, const struct est_ledger_key *key, uint64_t n,
                        uint64_t count);
/* Records that were never read are gone from the log: what the next record of each chain shows to
 * be missing before it has expired, and is no hole. */
void est_ledger_jump(struct est_ledger *led);
/* Numbers in open holes and those given up. */
uint64_t est_ledger_missing(const struct est_ledger *led);

/* `to` becomes equal to `from`. EST_ERR_NOMEM: it is empty and partial. */
est_err est_ledger_copy(struct est_ledger *to, const struct est_ledger *from);

/* Append at most `max` bytes (at least EST_LEDGER_SAVE_MIN): flags, totals and chains, numbers in
 * LEB128. Chains unseen longest, then the oldest holes, are given up until it fits. EST_ERR_FULL:
 * `out` has failed. */
enum { EST_LEDGER_SAVE_MIN = 256 };
est_err est_ledger_save(struct est_ledger *led, size_t max, struct est_buf *out);
/* Takes what est_ledger_save() wrote from the front of *in. EST_ERR_INVALID, EST_ERR_NOMEM: it is
 * empty and partial. */
est_err est_ledger_load(struct est_ledger *led, struct est_view *in);
