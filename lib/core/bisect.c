#include "bisect.h"

#include "base/assert.h"

void est_bisect_init(struct est_bisect *bs, uint32_t n)
{
    EST_ASSERT(n > 0);
    *bs = (struct est_bisect){.depth = 1};
    bs->todo[0] = (struct est_range){0, n};
}

bool est_bisect_next(const struct est_bisect *bs, struct est_range *ret)
{
    if (bs->depth == 0)
        return false;
    *ret = bs->todo[bs->depth - 1];
    return true;
}

void est_bisect_pass(struct est_bisect *bs)
{
    EST_ASSERT(bs->depth > 0);
    bs->depth--;
    bs->passed++;
}

/* The left half lies on top of the right one. Of each halving at most one right half waits, and
 * there are at most 32 of them down to one event, so the stack cannot overflow. */
bool est_bisect_refuse(struct est_bisect *bs)
{
    struct est_range r;
    uint32_t middle;

    EST_ASSERT(bs->depth > 0);
    bs->refused++;
    r = bs->todo[--bs->depth];
    if (r.to - r.from == 1)
        return false;
    middle = r.from + (r.to - r.from) / 2;
    bs->todo[bs->depth++] = (struct est_range){middle, r.to};
    bs->todo[bs->depth++] = (struct est_range){r.from, middle};
    return true;
}

bool est_bisect_blames_all(const struct est_bisect *bs)
{
    return bs->passed == 0;
}
