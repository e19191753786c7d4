/* Bytes of Avro, read forwards and never past their end. Every function returns false for bytes
 * that cannot be of the type asked for; the cursor is then of no further use. */
#pragma once

#include "base/view.h"
#include "plan.h"

#include <stdbool.h>
#include <stdint.h>

struct est_cursor {
    const unsigned char *at, *end;
};

static inline struct est_cursor est_cursor_of(struct est_view v)
{
    const unsigned char *s = (const unsigned char *)(v.data ? v.data : "");

    return (struct est_cursor){s, s + v.len};
}

static inline size_t est_cursor_left(const struct est_cursor *c)
{
    return (size_t)(c->end - c->at);
}

static inline struct est_view est_cursor_rest(const struct est_cursor *c)
{
    return est_view((const char *)c->at, est_cursor_left(c));
}

bool est_cursor_long_many(struct est_cursor *c, int64_t *ret); /* of any number of bytes */

/* A zigzag varint of at most ten bytes and 64 bits; nearly all are of one byte. */
static inline bool est_cursor_long(struct est_cursor *c, int64_t *ret)
{
    if (c->at >= c->end || *c->at >= 0x80)
        return est_cursor_long_many(c, ret);
    *ret = (int64_t)(*c->at >> 1) ^ -(int64_t)(*c->at & 1);
    c->at++;
    return true;
}

static inline bool est_cursor_raw(struct est_cursor *c, size_t n, struct est_view *ret)
{
    if (n > est_cursor_left(c))
        return false;
    *ret = est_view((const char *)c->at, n);
    c->at += n;
    return true;
}

/* A length or the number of a branch: a long that is not negative. Of one byte it is even, and
 * below 128. */
static inline bool est_cursor_count(struct est_cursor *c, size_t *ret)
{
    int64_t n;

    if (c->at < c->end && (*c->at & 0x81) == 0) {
        *ret = *c->at++ >> 1;
        return true;
    }
    if (!est_cursor_long_many(c, &n) || n < 0)
        return false;
    *ret = (size_t)n;
    return true;
}

/* Length and bytes. */
static inline bool est_cursor_bytes(struct est_cursor *c, struct est_view *ret)
{
    size_t n;

    return est_cursor_count(c, &n) && est_cursor_raw(c, n, ret);
}

/* The plan of the branch that the bytes name; *p becomes it. */
static inline bool est_cursor_branch(struct est_cursor *c, const struct est_plan **p)
{
    size_t i;

    if (!est_cursor_count(c, &i) || i >= (*p)->n)
        return false;
    *p = (*p)->branches[i];
    return true;
}

/* Bytes that may be null, in a union of the two: absent for null. */
static inline bool est_cursor_maybe_bytes(struct est_cursor *c, const struct est_plan *p,
                                          struct est_view *ret)
{
    *ret = EST_VIEW_NONE;
    return est_cursor_branch(c, &p) && (p->kind == EST_PLAN_NULL || est_cursor_bytes(c, ret));
}

/* The item count of the next block of an array or map of items that take `min_size` bytes at least;
 * 0 is the end. *ret_size is the block's length in bytes when the writer gave it, else SIZE_MAX. */
bool est_cursor_block(struct est_cursor *c, size_t min_size, size_t *ret_count, size_t *ret_size);
/* Step over a value; only its shape is checked, not its text. */
bool est_cursor_skip(struct est_cursor *c, const struct est_plan *p);
