/* Hash map from bytes to a pointer. Keys are copied. The hash is SipHash-1-3 with a seed that the
 * owner gives, so that senders who choose the keys cannot choose the collisions. */
#pragma once

#include "err.h"
#include "view.h"

#include <stddef.h>
#include <stdint.h>

struct est_map_slot;

struct est_map {
    struct est_map_slot *slots;
    size_t n, used, cap; /* live entries; live + deleted; slots, a power of two */
    size_t max;          /* entries at most; 0 = no bound of its own */
    uint64_t seed[2];
};

void est_map_init(struct est_map *m, size_t max, uint64_t seed0, uint64_t seed1);
void est_map_fini(struct est_map *m); /* values are not touched */
/* NULL when absent. */
void *est_map_get(const struct est_map *m, struct est_view key);
/* Insert or replace; value must not be NULL. EST_ERR_FULL at max, EST_ERR_NOMEM. */
est_err est_map_put(struct est_map *m, struct est_view key, void *value);
/* The removed value, or NULL. */
void *est_map_remove(struct est_map *m, struct est_view key);
/* Walk: start with *it = 0; NULL at the end. Removing the entry just returned is allowed. */
void *est_map_next(const struct est_map *m, size_t *it, struct est_view *ret_key);

uint64_t est_hash(struct est_view key, uint64_t seed0, uint64_t seed1);

/* The same function over a sequence of parts, of which the borders count too, and 128 bits long. */
struct est_hasher {
    uint64_t state[4];
};
void est_hasher_init(struct est_hasher *h, uint64_t seed0, uint64_t seed1);
void est_hasher_add(struct est_hasher *h, struct est_view part);
void est_hasher_end(const struct est_hasher *h, uint64_t ret[2]);
