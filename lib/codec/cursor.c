#include "cursor.h"

#include "base/assert.h"

bool est_cursor_long_many(struct est_cursor *c, int64_t *ret)
{
    uint64_t z = 0;

    for (unsigned shift = 0; shift < 70 && c->at < c->end; shift += 7) {
        unsigned char byte = *c->at++;
        if (shift == 63 && byte > 1)
            return false; /* more than 64 bits, or an eleventh byte */
        z |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
            return true;
        }
    }
    return false;
}

bool est_cursor_block(struct est_cursor *c, size_t min_size, size_t *ret_count, size_t *ret_size)
{
    int64_t n, size;

    *ret_size = SIZE_MAX;
    if (!est_cursor_long(c, &n) || n == INT64_MIN)
        return false;
    if (n < 0) {
        if (!est_cursor_long(c, &size) || size < 0 || (uint64_t)size > est_cursor_left(c))
            return false;
        *ret_size = (size_t)size;
        n = -n;
    }
    if ((uint64_t)n > est_cursor_left(c) / min_size)
        return false;
    *ret_count = (size_t)n;
    return true;
}

static bool skip_blocks(struct est_cursor *c, const struct est_plan *p)
{
    bool is_map = p->kind == EST_PLAN_MAP;
    struct est_view name;
    size_t count, size;

    for (;;) {
        if (!est_cursor_block(c, p->items->min_size + is_map, &count, &size))
            return false;
        if (count == 0)
            return true;
        if (size != SIZE_MAX) {
            c->at += size;
            continue;
        }
        for (; count > 0; count--)
            if ((is_map && !est_cursor_bytes(c, &name)) || !est_cursor_skip(c, p->items))
                return false;
    }
}

/* A value that holds no other, or none worth a call of its own: fields of records are skipped here.
 */
static inline bool skip(struct est_cursor *c, const struct est_plan *p)
{
    struct est_view bytes;
    int64_t n;

    if (p->kind == EST_PLAN_UNION && !est_cursor_branch(c, &p))
        return false;
    switch (p->kind) {
    case EST_PLAN_NULL: return true;
    case EST_PLAN_BYTES:
    case EST_PLAN_STRING: return est_cursor_bytes(c, &bytes);
    case EST_PLAN_INT:
    case EST_PLAN_LONG:
    case EST_PLAN_ENUM: return est_cursor_long(c, &n);
    case EST_PLAN_BOOLEAN:
    case EST_PLAN_FLOAT:
    case EST_PLAN_DOUBLE:
    case EST_PLAN_FIXED: return est_cursor_raw(c, p->min_size, &bytes);
    case EST_PLAN_ARRAY:
    case EST_PLAN_MAP: return skip_blocks(c, p);
    case EST_PLAN_RECORD: return est_cursor_skip(c, p);
    default: EST_UNREACHABLE("a kind of plan");
    }
}

bool est_cursor_skip(struct est_cursor *c, const struct est_plan *p)
{
    if (p->kind != EST_PLAN_RECORD)
        return skip(c, p);
    for (size_t i = 0; i < p->n; i++)
        if (!skip(c, p->fields[i].plan))
            return false;
    return true;
}
