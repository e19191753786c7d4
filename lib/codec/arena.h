/* Memory that is handed out forwards and taken back all at once: for documents that live as long as
 * one request. The latest block can grow, shrink and be returned in place, which is what a parser
 * does with its pool of values. Blocks are aligned to 16 bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct est_arena_chunk;

struct est_arena {
    struct est_arena_chunk *chunks; /* newest first; the oldest may be the caller's first memory */
    char *at, *end;                 /* free part of the newest chunk */
    char *last;                     /* latest block, or NULL */
    void *first;                    /* memory lent by the caller, or NULL */
    size_t first_size;
    size_t total, max; /* bytes of all chunks that are ours; their bound */
    size_t want;       /* size of the first chunk, as past use suggests */
    bool full;         /* an allocation failed for `max`, not for want of memory */
};

void est_arena_init(struct est_arena *a, size_t max);
/* With first memory of the caller's (aligned to 16), used before any is allocated. */
void est_arena_init_with(struct est_arena *a, void *first, size_t size, size_t max);
void est_arena_fini(struct est_arena *a);
/* Everything is taken back. What one use needed is kept in one chunk, up to 4 MiB. */
void est_arena_clear(struct est_arena *a);
/* NULL when out of memory, or (full is set) at the maximum. */
void *est_arena_alloc(struct est_arena *a, size_t n);
void *est_arena_calloc(struct est_arena *a, size_t count, size_t size);
void *est_arena_realloc(struct est_arena *a, void *p, size_t old, size_t n);
/* Give back `p` if it is the latest block; no-op otherwise. */
void est_arena_return(struct est_arena *a, void *p);
/* Copy of bytes; a NUL stands behind them. */
char *est_arena_copy(struct est_arena *a, const char *data, size_t n);
