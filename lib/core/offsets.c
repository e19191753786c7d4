#include "offsets.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

enum { END_BITS = 2, ENDS = 1 << END_BITS };

/* The records from the first unsettled one on, in a ring whose capacity is a power of two: the
 * offset shifted left, with how it ended in the lowest bits. */
struct est_offsets {
    uint64_t *ring;
    size_t head, n, cap, max;
    size_t settled; /* of the n */
    uint64_t ended[ENDS];
    int64_t point; /* never above the offset at the head */
    int64_t next;  /* the lowest offset that may be tracked next */
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
    memset(off->ended, 0, sizeof(off->ended));
}

static uint64_t *at(const struct est_offsets *off, size_t i)
{
    return &off->ring[(off->head + i) & (off->cap - 1)];
}

static int64_t offset_of(uint64_t entry)
{
    return (int64_t)(entry >> END_BITS);
}

static enum est_end end_of(uint64_t entry)
{
    return (enum est_end)(entry & (ENDS - 1));
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
    *at(off, off->n - 1) = (uint64_t)offset << END_BITS;
    off->next = offset + 1;
    return EST_OK;
}

size_t est_offsets_room(const struct est_offsets *off)
{
    return off->max - off->n;
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
    while (off->n > 0 && end_of(*at(off, 0)) != EST_END_OPEN) {
        off->ended[end_of(*at(off, 0))]++;
        off->point = offset_of(*at(off, 0)) + 1;
        off->head = (off->head + 1) & (off->cap - 1);
        off->n--;
        off->settled--;
    }
}

est_err est_offsets_settle(struct est_offsets *off, int64_t offset, enum est_end end)
{
    uint64_t *entry = find(off, offset);

    EST_ASSERT(end != EST_END_OPEN);
    if (entry == NULL || end_of(*entry) != EST_END_OPEN)
        return EST_ERR_NOTFOUND;
    *entry |= (uint64_t)end;
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

int64_t est_offsets_next(const struct est_offsets *off)
{
    return off->next;
}

uint64_t est_offsets_ended(const struct est_offsets *off, enum est_end end)
{
    return off->ended[end];
}

size_t est_offsets_span(const struct est_offsets *off)
{
    return off->n;
}

size_t est_offsets_stretch(const struct est_offsets *off, size_t i, size_t max, enum est_end *end)
{
    size_t n = 1;

    EST_ASSERT(i < off->n && max > 0);
    *end = end_of(*at(off, i));
    if (max > off->n - i)
        max = off->n - i;
    while (n < max && end_of(*at(off, i + n)) == *end)
        n++;
    return n;
}
