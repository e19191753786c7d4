#include "arena.h"

#include "base/mem.h"

#include <stdint.h>
#include <string.h>

enum { ALIGN = 16, CHUNK_MIN = 16 * 1024, KEEP_MAX = 4 * 1024 * 1024 };

struct est_arena_chunk {
    struct est_arena_chunk *older;
    size_t size;
    _Alignas(ALIGN) char bytes[];
};

static size_t round_up(size_t n)
{
    return (n + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

void est_arena_init(struct est_arena *a, size_t max)
{
    *a = (struct est_arena){.max = max, .want = CHUNK_MIN};
}

void est_arena_init_with(struct est_arena *a, void *first, size_t size, size_t max)
{
    est_arena_init(a, max);
    a->first = first;
    a->first_size = size;
    a->at = first;
    a->end = a->at + size;
}

static void drop_chunks(struct est_arena *a)
{
    while (a->chunks != NULL) {
        struct est_arena_chunk *c = a->chunks;
        a->chunks = c->older;
        est_free(c);
    }
    a->total = 0;
}

void est_arena_fini(struct est_arena *a)
{
    drop_chunks(a);
    est_arena_init(a, a->max);
}

void est_arena_clear(struct est_arena *a)
{
    bool one = a->chunks != NULL && a->chunks->older == NULL && a->total <= KEEP_MAX;

    if (!one) {
        a->want = a->total > KEEP_MAX ? CHUNK_MIN : a->total > a->want ? a->total : a->want;
        drop_chunks(a);
    }
    a->last = NULL;
    a->full = false;
    a->at = one ? a->chunks->bytes : a->first;
    a->end = one ? a->at + a->chunks->size : a->at == NULL ? NULL : a->at + a->first_size;
}

static bool add_chunk(struct est_arena *a, size_t n)
{
    size_t size = n > a->want ? n : a->want;
    struct est_arena_chunk *c;

    if (size > a->max - a->total)
        size = a->max - a->total;
    if (size < n) {
        a->full = true;
        return false;
    }
    c = est_alloc(sizeof(*c) + size);
    if (c == NULL)
        return false;
    *c = (struct est_arena_chunk){.older = a->chunks, .size = size};
    a->chunks = c;
    a->total += size;
    a->at = c->bytes;
    a->end = a->at + size;
    return true;
}

static size_t left(const struct est_arena *a)
{
    return (size_t)(a->end - a->at);
}

void *est_arena_alloc(struct est_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2) {
        a->full = true;
        return NULL;
    }
    n = round_up(n ? n : 1);
    if (n > left(a) && !add_chunk(a, n))
        return NULL;
    a->last = a->at;
    a->at += n;
    return a->last;
}

void *est_arena_calloc(struct est_arena *a, size_t count, size_t size)
{
    void *p;

    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    p = est_arena_alloc(a, count * size);
    if (p != NULL)
        memset(p, 0, count * size);
    return p;
}

void *est_arena_realloc(struct est_arena *a, void *p, size_t old, size_t n)
{
    void *q;

    if (p != NULL && p == a->last && n <= SIZE_MAX / 2 &&
        round_up(n) <= (size_t)(a->end - a->last)) {
        a->at = a->last + round_up(n);
        return p;
    }
    q = est_arena_alloc(a, n);
    if (q != NULL && p != NULL)
        memcpy(q, p, old < n ? old : n);
    return q;
}

void est_arena_return(struct est_arena *a, void *p)
{
    if (p == NULL || p != a->last)
        return;
    a->at = a->last;
    a->last = NULL;
}

char *est_arena_copy(struct est_arena *a, const char *data, size_t n)
{
    char *copy = est_arena_alloc(a, n + 1);

    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, data, n);
    copy[n] = '\0';
    return copy;
}
