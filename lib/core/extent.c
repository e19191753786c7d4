#include "extent.h"

#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

/* Numbers kept … end - 1 are in the stream; the pass has met those before `at`. Two runs of one
 * epoch do not touch: the numbers between them went to Kafka directly. */
struct run {
    uint32_t partition;
    uint64_t epoch, kept, at, end;
};

/* Few: one for each partition, and one more for each epoch begun, or outage that came, since the
 * stream was last empty. */
struct est_extents {
    struct run *runs;
    size_t n, cap;
};

typedef void missing_fn(void *arg, const struct est_extent *gone);

est_err est_extents_new(struct est_extents **ret)
{
    *ret = est_calloc(1, sizeof(**ret));
    return *ret == NULL ? EST_ERR_NOMEM : EST_OK;
}

void est_extents_free(struct est_extents *x)
{
    if (x == NULL)
        return;
    est_free(x->runs);
    est_free(x);
}

/* The run of the highest numbers of the epoch. */
static struct run *last_of(struct est_extents *x, uint32_t partition, uint64_t epoch)
{
    struct run *last = NULL;

    for (size_t i = 0; i < x->n; i++) {
        struct run *r = &x->runs[i];
        if (r->partition == partition && r->epoch == epoch && (last == NULL || r->end > last->end))
            last = r;
    }
    return last;
}

static struct run *holder_of(struct est_extents *x, uint32_t partition, uint64_t epoch, uint64_t n)
{
    for (size_t i = 0; i < x->n; i++) {
        struct run *r = &x->runs[i];
        if (r->partition == partition && r->epoch == epoch && r->kept <= n && n < r->end)
            return r;
    }
    return NULL;
}

static void drop(struct est_extents *x, struct run *r)
{
    size_t i = (size_t)(r - x->runs);

    memmove(r, r + 1, (x->n - i - 1) * sizeof(*r));
    x->n--;
}

est_err est_extents_add(struct est_extents *x, uint32_t partition, uint64_t epoch, uint64_t n)
{
    struct run *r = last_of(x, partition, epoch);

    if (r != NULL && n <= r->end) {
        r->end = n == r->end ? n + 1 : r->end;
        return EST_OK;
    }
    if (r != NULL && r->kept == r->end) {
        *r = (struct run){partition, epoch, n, n, n + 1};
        return EST_OK;
    }
    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 16;
        struct run *runs = est_realloc(x->runs, cap * sizeof(*runs));
        if (runs == NULL)
            return EST_ERR_NOMEM;
        x->runs = runs;
        x->cap = cap;
    }
    x->runs[x->n++] = (struct run){partition, epoch, n, n, n + 1};
    return EST_OK;
}

void est_extents_rewind(struct est_extents *x)
{
    for (size_t i = 0; i < x->n; i++)
        x->runs[i].at = x->runs[i].kept;
}

/* Numbers at … upto - 1 are gone. Those met and not yet deleted stand before them; should they be
 * met once more they are no news. */
static void lose(struct run *r, uint64_t upto, missing_fn *missing, void *arg)
{
    const struct est_extent gone = {r->partition, r->epoch, r->at, upto - r->at};

    r->at = r->kept = upto;
    if (gone.count > 0)
        missing(arg, &gone);
}

void est_extents_met(struct est_extents *x, uint32_t partition, uint64_t epoch, uint64_t n,
                     missing_fn *missing, void *arg)
{
    for (size_t i = 0; i < x->n; i++) {
        struct run *r = &x->runs[i];
        if (r->partition != partition || r->epoch > epoch)
            continue;
        if (r->epoch < epoch || r->end <= n) { /* what was left of an earlier run stood before it */
            if (r->at < r->end)
                lose(r, r->end, missing, arg);
        } else if (n >= r->at) {
            if (n > r->at)
                lose(r, n, missing, arg);
            r->at = n + 1;
        }
    }
}

void est_extents_end(struct est_extents *x, missing_fn *missing, void *arg)
{
    for (size_t i = x->n; i-- > 0;) {
        struct run *r = &x->runs[i];
        if (r->at < r->end)
            lose(r, r->end, missing, arg);
        if (r->kept == r->end)
            drop(x, r);
    }
}

void est_extents_settled(struct est_extents *x, uint32_t partition, uint64_t epoch, uint64_t n)
{
    struct run *r = holder_of(x, partition, epoch, n);

    if (r == NULL)
        return;
    r->kept = n + 1;
    if (r->at < r->kept)
        r->at = r->kept;
    /* One that is empty may be added to again: it is dropped at the end of a pass. */
}

void est_extents_clear(struct est_extents *x)
{
    x->n = 0;
}
