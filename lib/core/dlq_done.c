#include "dlq_done.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct block {
    struct est_dlq_block b;
    bool changed;
};

/* In the order of partition and offset, so that the one that is asked for is found by halves. */
struct est_dlq_done {
    struct block **items;
    size_t n, cap;
};

est_err est_dlq_done_new(struct est_dlq_done **ret)
{
    *ret = est_calloc(1, sizeof(**ret));
    return *ret != NULL ? EST_OK : EST_ERR_NOMEM;
}

void est_dlq_done_free(struct est_dlq_done *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n; i++)
        est_free(d->items[i]);
    est_free(d->items);
    est_free(d);
}

/* --- blocks --- */

static bool is_before(const struct est_dlq_block *b, int32_t partition, int64_t first)
{
    return b->partition < partition || (b->partition == partition && b->first < first);
}

/* Where it is, or where it would be. */
static size_t place_of(const struct est_dlq_done *d, int32_t partition, int64_t first)
{
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (is_before(&d->items[mid]->b, partition, first))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_at(const struct est_dlq_done *d, size_t at, int32_t partition, int64_t first)
{
    return at < d->n && d->items[at]->b.partition == partition && d->items[at]->b.first == first;
}

static struct block *find(const struct est_dlq_done *d, int32_t partition, int64_t first)
{
    size_t at = place_of(d, partition, first);

    return is_at(d, at, partition, first) ? d->items[at] : NULL;
}

static bool has_room(struct est_dlq_done *d)
{
    size_t cap = d->cap > 0 ? d->cap * 2 : 16;
    struct block **items;

    if (d->n < d->cap)
        return true;
    items = est_realloc(d->items, cap * sizeof(*items));
    if (items == NULL)
        return false;
    d->items = items;
    d->cap = cap;
    return true;
}

static struct block *find_or_make(struct est_dlq_done *d, int32_t partition, int64_t first)
{
    size_t at = place_of(d, partition, first);
    struct block *made;

    if (is_at(d, at, partition, first))
        return d->items[at];
    if (!has_room(d) || (made = est_calloc(1, sizeof(*made))) == NULL)
        return NULL;
    made->b.partition = partition;
    made->b.first = first;
    memmove(d->items + at + 1, d->items + at, (d->n - at) * sizeof(struct block *));
    d->items[at] = made;
    d->n++;
    return made;
}

static void drop(struct est_dlq_done *d, size_t at)
{
    est_free(d->items[at]);
    d->n--;
    memmove(d->items + at, d->items + at + 1, (d->n - at) * sizeof(struct block *));
}

/* --- bits --- */

static int64_t first_of(int64_t offset)
{
    return offset - offset % EST_DLQ_BLOCK_RECORDS;
}

bool est_dlq_done_has(const struct est_dlq_done *d, int32_t partition, int64_t offset)
{
    const struct block *bl = offset < 0 ? NULL : find(d, partition, first_of(offset));
    size_t bit = (size_t)(offset % EST_DLQ_BLOCK_RECORDS);

    return bl != NULL && (bl->b.bits[bit / 8] >> bit % 8 & 1) != 0;
}

est_err est_dlq_done_add(struct est_dlq_done *d, int32_t partition, int64_t offset)
{
    struct block *bl;
    size_t bit;

    if (partition < 0 || offset < 0)
        return EST_ERR_INVALID;
    bl = find_or_make(d, partition, first_of(offset));
    if (bl == NULL)
        return EST_ERR_NOMEM;
    bit = (size_t)(offset % EST_DLQ_BLOCK_RECORDS);
    bl->b.bits[bit / 8] = (unsigned char)(bl->b.bits[bit / 8] | 1U << bit % 8);
    bl->changed = true;
    return EST_OK;
}

const struct est_dlq_block *est_dlq_done_take(struct est_dlq_done *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (!d->items[i]->changed)
            continue;
        d->items[i]->changed = false;
        return &d->items[i]->b;
    }
    return NULL;
}

void est_dlq_done_forget(struct est_dlq_done *d, int32_t partition, int64_t offset,
                         void (*gone)(void *arg, const struct est_dlq_block *b), void *arg)
{
    size_t at = place_of(d, partition, 0);

    while (at < d->n && d->items[at]->b.partition == partition &&
           d->items[at]->b.first <= offset - EST_DLQ_BLOCK_RECORDS) {
        gone(arg, &d->items[at]->b);
        drop(d, at);
    }
}

/* --- as records --- */

size_t est_dlq_done_key(const char *topic, const struct est_dlq_block *b,
                        char out[EST_DLQ_KEY_MAX + 1])
{
    int n = snprintf(out, EST_DLQ_KEY_MAX + 1, "%s/%d/%lld", topic, (int)b->partition,
                     (long long)b->first);

    return n < 0 ? 0 : n > EST_DLQ_KEY_MAX ? EST_DLQ_KEY_MAX : (size_t)n;
}

/* "<topic>/<partition>/<first>" of this topic; false for any other. */
static bool read_key(const char *topic, struct est_view key, int32_t *ret_partition,
                     int64_t *ret_first)
{
    size_t n = strlen(topic);
    const char *slash;
    unsigned long long partition, first;

    if (key.len <= n + 1 || memcmp(key.data, topic, n) != 0 || key.data[n] != '/')
        return false;
    key = est_view(key.data + n + 1, key.len - n - 1);
    slash = memchr(key.data, '/', key.len);
    if (slash == NULL ||
        !est_view_u64(est_view(key.data, (size_t)(slash - key.data)), INT32_MAX, &partition) ||
        !est_view_u64(est_view(slash + 1, key.len - (size_t)(slash - key.data) - 1),
                      INT64_MAX - EST_DLQ_BLOCK_RECORDS, &first) ||
        first % EST_DLQ_BLOCK_RECORDS != 0)
        return false;
    *ret_partition = (int32_t)partition;
    *ret_first = (int64_t)first;
    return true;
}

est_err est_dlq_done_load(struct est_dlq_done *d, const char *topic, struct est_view key,
                          struct est_view value)
{
    struct block *bl;
    int32_t partition;
    int64_t first;

    if (!read_key(topic, key, &partition, &first))
        return EST_OK;
    if (value.data == NULL) {
        size_t at = place_of(d, partition, first);
        if (is_at(d, at, partition, first))
            drop(d, at);
        return EST_OK;
    }
    if (value.len != EST_DLQ_BLOCK_BYTES)
        return EST_OK;
    bl = find_or_make(d, partition, first);
    if (bl == NULL)
        return EST_ERR_NOMEM;
    memcpy(bl->b.bits, value.data, EST_DLQ_BLOCK_BYTES);
    return EST_OK;
}
