/* Blocks of one size that come and go by the thousand: what is given back is taken again, without
 * asking the allocator. Built with AddressSanitizer nothing is kept, so that it sees every use of
 * what was given back. */
#pragma once

#include <stddef.h>

struct est_pool_spare;

struct est_pool {
    struct est_pool_spare *spare;
    size_t n, max; /* spare blocks; how many are kept at most */
    size_t size;
};

/* size: of a block, in bytes. */
void est_pool_init(struct est_pool *p, size_t size, size_t max);
/* Blocks that are out stay valid, and may be given back to est_free. */
void est_pool_fini(struct est_pool *p);
/* Uninitialised; NULL without memory. */
void *est_pool_take(struct est_pool *p);
void est_pool_give(struct est_pool *p, void *block);
