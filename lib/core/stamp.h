/* The stamping side of the chains: one boot, and for each type and partition the epoch and the next
 * number. Once a stamped event of a partition was answered anything but 202, what is stamped behind
 * it must not leave a number that nobody promised: est_stamp_break() begins the next epoch. */
#pragma once

#include "core/chain.h"

struct est_stamp;

/* The boot id is copied. EST_ERR_NOMEM. */
est_err est_stamp_new(const char boot[EST_BOOT_LEN + 1], struct est_stamp **ret);
void est_stamp_free(struct est_stamp *st);

/* Declare a type with that many partitions. The index that names it from then on counts 0, 1, 2 …
 * in the order of the calls. EST_ERR_INVALID: a name that a chain cannot carry; EST_ERR_NOMEM. */
est_err est_stamp_add(struct est_stamp *st, const char *type, uint32_t partitions,
                      size_t *ret_index);
/* The topic has grown; numbers of the old partitions go on. Never fewer. EST_ERR_NOMEM. */
est_err est_stamp_grow(struct est_stamp *st, size_t type, uint32_t partitions);
uint32_t est_stamp_partitions(const struct est_stamp *st, size_t type);

/* The next number of that partition. ret->type borrows from the stamp. EST_ERR_RANGE: no such
 * partition. */
est_err est_stamp_next(struct est_stamp *st, size_t type, uint32_t partition,
                       struct est_chain *ret);
/* The next number is 0 of a new epoch. Nothing happens when the present epoch is unused. */
void est_stamp_break(struct est_stamp *st, size_t type, uint32_t partition);
/* The epoch of that partition's next number: one stamped in an earlier epoch is stale. */
uint64_t est_stamp_epoch(const struct est_stamp *st, size_t type, uint32_t partition);
/* Another life begins: all chains start anew under that boot id. */
void est_stamp_reboot(struct est_stamp *st, const char boot[EST_BOOT_LEN + 1]);
const char *est_stamp_boot(const struct est_stamp *st);
