#include "offsets.h"

#include "base/assert.h"
#include "base/mem.h"

#include <stdbool.h>

/* The records from the first unsettled one on, in a ring whose capacity is a power of two: the
 * offset shifted left by one, with the lowest bit set once it is settled. */
struct est_offsets {
    uint64_t *ring;
    size_t head, n, cap, max;
    size_t settled; /* of the n */
    int64_t point;  /* never above the offset at the head */
    int64_t next;   /* the lowest offset that may be tracked next */
};

est_err est_offsets_new(size_t max, struct est_offsets **ret)
{
    struct est_offsets *off;

    EST_ASSERT(max > 0);
    off = est_calloc(1, sizeof(*off));
    if (off == NULL)
        return EST_ERR_NOMEM;
    off->max = max;
    *ret = off;
    return EST_OK;
}

void est_offsets_free(struct est_offsets *off)
{
    if (off == NULL)
        return;
    est_free(off->ring);
    est_free(off);
}

void est_offsets_start(struct est_offsets *off, int64_t offset)
{
    EST_ASSERT(offset >= 0);
    off->head = off->n = off->settled = 0;
    off->point = off->next = offset;
}

static uint64_t *at(const struct est_offsets *off, size_t i)
{
    return &off->ring[(off->head + i) & (off->cap - 1)];
}

static int64_t offset_of(uint64_t entry)
{
    return (int64_t)(entry >> 1);
}

static bool is_settled(uint64_t entry)
{
    return entry & 1;
}

static est_err grow(struct est_offsets *off)
{
    size_t cap = off->cap ? off->cap * 2 : 64;
    uint64_t *ring = est_alloc(cap * sizeof(*ring));

    if (ring == NULL)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < off->n; i++)
        ring[i] = *at(off, i);
    est_free(off->ring);
    off->ring = ring;
    off->cap = cap;
    off->head = 0;
    return EST_OK;
}

est_err est_offsets_track(struct est_offsets *off, int64_t offset)
{
    if (offset < off->next)
        return EST_ERR_RANGE;
    if (off->n == off->max)
        return EST_ERR_FULL;
    if (off->n == off->cap && grow(off) != EST_OK)
        return EST_ERR_NOMEM;
    off->n++;
    *at(off, off->n - 1) = (uint64_t)offset << 1;
    off->next = offset + 1;
    return EST_OK;
}

/* Without gaps the entry lies as far from the first as its offset does; with gaps it can only lie
 * before that. */
static uint64_t *find(const struct est_offsets *off, int64_t offset)
{
    size_t low = 0, high = off->n;
    uint64_t ahead;

    if (off->n == 0 || offset < offset_of(*at(off, 0)))
        return NULL;
    ahead = (uint64_t)(offset - offset_of(*at(off, 0)));
    if (ahead < off->n) {
        if (offset_of(*at(off, (size_t)ahead)) == offset)
            return at(off, (size_t)ahead);
        high = (size_t)ahead;
    }

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (offset_of(*at(off, middle)) < offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == off->n || offset_of(*at(off, low)) != offset)
        return NULL;
    return at(off, low);
}

static void advance(struct est_offsets *off)
{
    while (off->n > 0 && is_settled(*at(off, 0))) {
        off->point = offset_of(*at(off, 0)) + 1;
        off->head = (off->head + 1) & (off->cap - 1);
        off->n--;
        off->settled--;
    }
}

est_err est_offsets_settle(struct est_offsets *off, int64_t offset)
{
    uint64_t *entry = find(off, offset);

    if (entry == NULL || is_settled(*entry))
        return EST_ERR_NOTFOUND;
    *entry |= 1;
    off->settled++;
    advance(off);
    return EST_OK;
}

int64_t est_offsets_commit_point(const struct est_offsets *off)
{
    return off->point;
}

size_t est_offsets_pending(const struct est_offsets *off)
{
    return off->n - off->settled;
}

size_t est_offsets_beyond(const struct est_offsets *off)
{
    return off->settled;
}
