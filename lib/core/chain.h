/* The header `esteira-chain` of a record: <boot>/<epoch>/<type>/<partition>/<n>. A chain is what
 * one life (boot) of a program stamped for one partition of one type since its last break (epoch),
 * numbered from 0 without a gap; so a reader can tell what is missing and what it has seen before.
 */
#pragma once

#include "base/err.h"
#include "base/id.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

#define EST_CHAIN_HEADER "esteira-chain"
/* A record with this header, a chain and no value is a mark: no event, but a word that the chain
 * goes this far, so that what is missing before it shows. */
#define EST_MARK_HEADER "esteira-mark"

enum {
    EST_CHAIN_TYPE_MAX = 64,
    EST_CHAIN_TEXT_MAX = EST_BOOT_LEN + EST_CHAIN_TYPE_MAX + 20 + 10 + 20 + 4
};
/* Numbers above it are refused, so that sums over many chains cannot overflow. */
#define EST_CHAIN_N_MAX ((uint64_t)1 << 48)

struct est_chain {
    char boot[EST_BOOT_LEN + 1]; /* 128 bits in lower hex */
    uint64_t epoch;              /* at most EST_CHAIN_N_MAX */
    struct est_view type;        /* borrowed; 1 to EST_CHAIN_TYPE_MAX bytes without a slash */
    uint32_t partition;
    uint64_t n; /* at most EST_CHAIN_N_MAX */
};

/* What may stand for <type>. */
bool est_chain_is_type(struct est_view type);
/* Strict: no sign, no space, no leading zero, nothing behind. EST_ERR_INVALID. ret->type borrows
 * from `text`. */
est_err est_chain_parse(struct est_view text, struct est_chain *ret);
/* Returns the length; the text is NUL-terminated. */
size_t est_chain_format(const struct est_chain *chain, char out[EST_CHAIN_TEXT_MAX + 1]);
