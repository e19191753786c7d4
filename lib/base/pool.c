#include "pool.h"

#include "assert.h"
#include "mem.h"

#include <stdbool.h>

struct est_pool_spare {
    struct est_pool_spare *next;
};

#if defined(__SANITIZE_ADDRESS__)
static const bool keeps = false;
#else
static const bool keeps = true;
#endif

void est_pool_init(struct est_pool *p, size_t size, size_t max)
{
    EST_ASSERT(size >= sizeof(struct est_pool_spare));
    *p = (struct est_pool){.size = size, .max = keeps ? max : 0};
}

void est_pool_fini(struct est_pool *p)
{
    while (p->spare != NULL) {
        struct est_pool_spare *next = p->spare->next;
        est_free(p->spare);
        p->spare = next;
    }
    p->n = 0;
}

void *est_pool_take(struct est_pool *p)
{
    struct est_pool_spare *block = p->spare;

    if (block == NULL)
        return est_alloc(p->size);
    p->spare = block->next;
    p->n--;
    return block;
}

void est_pool_give(struct est_pool *p, void *block)
{
    struct est_pool_spare *spare = block;

    if (p->n >= p->max) {
        est_free(block);
        return;
    }
    spare->next = p->spare;
    p->spare = spare;
    p->n++;
}
