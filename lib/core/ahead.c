#include "ahead.h"

#include "base/assert.h"
#include "base/mem.h"
#include "chain.h"
#include "base/leb128.h"

#include <stdlib.h>

/* Saved: until - offset, then range by range: chain << 1 | dead; with the first range of a chain
 * its place in the ledger + 1, or 0 and the chain itself; the distance of `first` from the number
 * behind the chain's range before, zigzag; last - first. */
enum { DEAD = 1 };

void est_ahead_init(struct est_ahead *ahead)
{
    *ahead = (struct est_ahead){.until = 0};
}

void est_ahead_clear(struct est_ahead *ahead)
{
    ahead->n_chains = ahead->n = 0;
    ahead->until = 0;
}

void est_ahead_fini(struct est_ahead *ahead)
{
    est_free(ahead->ranges);
    est_ahead_init(ahead);
}

/* The chain's place, which is n_chains when it has none. */
static size_t place_of(const struct est_ahead *ahead, const struct est_ledger_key *key)
{
    size_t i = 0;

    while (i < ahead->n_chains && !est_ledger_same_key(&ahead->chains[i], key))
        i++;
    return i;
}

static bool has_room(struct est_ahead *ahead)
{
    size_t cap = ahead->cap ? ahead->cap * 2 : 32;
    struct est_ahead_range *ranges;

    if (ahead->n < ahead->cap)
        return true;
    if (ahead->n == EST_AHEAD_RANGES)
        return false;
    ranges = est_realloc(ahead->ranges, cap * sizeof(*ranges));
    if (ranges == NULL)
        return false;
    ahead->ranges = ranges;
    ahead->cap = cap;
    return true;
}

/* A chain's latest range stands among the last few, one for each chain that takes part. */
static bool goes_on(struct est_ahead *ahead, uint32_t chain, uint64_t n, uint64_t count,
                    enum est_end end)
{
    for (size_t i = ahead->n; i > 0 && ahead->n - i < EST_AHEAD_CHAINS; i--) {
        struct est_ahead_range *r = &ahead->ranges[i - 1];
        if (r->chain != chain)
            continue;
        if (r->end != (uint32_t)end || r->last + 1 != n)
            return false;
        r->last += count;
        return true;
    }
    return false;
}

bool est_ahead_add(struct est_ahead *ahead, const struct est_ledger_key *key, uint64_t n,
                   uint64_t count, enum est_end end)
{
    size_t chain = place_of(ahead, key);

    EST_ASSERT(count > 0 && (end == EST_END_DELIVERED || end == EST_END_DEAD));
    if (goes_on(ahead, (uint32_t)chain, n, count, end))
        return true;
    if (chain == EST_AHEAD_CHAINS || !has_room(ahead))
        return false;
    if (chain == ahead->n_chains)
        ahead->chains[ahead->n_chains++] = *key;
    ahead->ranges[ahead->n++] =
        (struct est_ahead_range){n, n + count - 1, (uint32_t)chain, (uint32_t)end};
    return true;
}

uint64_t est_ahead_count(const struct est_ahead *ahead)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ahead->n; i++)
        sum += ahead->ranges[i].last - ahead->ranges[i].first + 1;
    return sum;
}

/* --- saved --- */

static void put_key(struct est_buf *out, const struct est_ledger_key *key,
                    const struct est_ledger *led)
{
    size_t place = est_ledger_find(led, key);

    if (place < led->n) {
        est_leb128_put(out, place + 1);
        return;
    }
    est_leb128_put(out, 0);
    est_buf_put(out, key->boot, EST_LEDGER_BOOT);
    est_leb128_put(out, key->epoch);
}

/* Numbers are below 2^49, so that their distances fit. */
static uint64_t zigzag(uint64_t from, uint64_t to)
{
    return to >= from ? (to - from) << 1 : (from - to) << 1 | 1;
}

void est_ahead_save(const struct est_ahead *ahead, const struct est_ledger *led, int64_t offset,
                    size_t max, struct est_buf *out)
{
    uint64_t behind[EST_AHEAD_CHAINS] = {0};
    size_t end = out->len + max, n_chains = 0, before = out->len;

    if (ahead->n == 0 || ahead->until < offset)
        return;
    est_leb128_put(out, (uint64_t)(ahead->until - offset));
    for (size_t i = 0; i < ahead->n && out->len <= end; i++) {
        const struct est_ahead_range *r = &ahead->ranges[i];
        before = out->len;
        est_leb128_put(out, (uint64_t)r->chain << 1 | (r->end == EST_END_DEAD ? DEAD : 0));
        if (r->chain == n_chains) {
            put_key(out, &ahead->chains[r->chain], led);
            n_chains++;
        }
        est_leb128_put(out, zigzag(behind[r->chain], r->first));
        est_leb128_put(out, r->last - r->first);
        behind[r->chain] = r->last + 1;
    }
    if (out->len > end)
        est_buf_truncate(out, before);
}

/* --- loaded --- */

static bool take_key(struct est_view *in, const struct est_ledger *led, struct est_ledger_key *ret)
{
    uint64_t place;

    if (!est_leb128_take(in, &place) || place > led->n)
        return false;
    if (place > 0) {
        *ret = *est_ledger_key_at(led, (size_t)place - 1);
        return true;
    }
    if (in->len < EST_LEDGER_BOOT)
        return false;
    memcpy(ret->boot, in->data, EST_LEDGER_BOOT);
    *in = est_view(in->data + EST_LEDGER_BOOT, in->len - EST_LEDGER_BOOT);
    return est_leb128_take(in, &ret->epoch);
}

static bool take_distance(struct est_view *in, uint64_t from, uint64_t *ret)
{
    uint64_t bits;

    if (!est_leb128_take(in, &bits) || ((bits & 1) && bits >> 1 > from))
        return false;
    *ret = bits & 1 ? from - (bits >> 1) : from + (bits >> 1);
    return true;
}

static est_err take_range(struct est_ahead *ahead, const struct est_ledger *led, uint64_t *behind,
                          struct est_view *in)
{
    struct est_ahead_range r;
    uint64_t chain, size;

    if (!est_leb128_take(in, &chain) || chain >> 1 > ahead->n_chains ||
        chain >> 1 >= EST_AHEAD_CHAINS)
        return EST_ERR_INVALID;
    r.chain = (uint32_t)(chain >> 1);
    r.end = chain & DEAD ? EST_END_DEAD : EST_END_DELIVERED;
    if (r.chain == ahead->n_chains && !take_key(in, led, &ahead->chains[ahead->n_chains++]))
        return EST_ERR_INVALID;
    if (!take_distance(in, behind[r.chain], &r.first) || r.first > EST_CHAIN_N_MAX ||
        !est_leb128_take(in, &size) || size > EST_CHAIN_N_MAX - r.first)
        return EST_ERR_INVALID;
    r.last = r.first + size;
    behind[r.chain] = r.last + 1;
    if (!has_room(ahead))
        return ahead->n == EST_AHEAD_RANGES ? EST_ERR_INVALID : EST_ERR_NOMEM;
    ahead->ranges[ahead->n++] = r;
    return EST_OK;
}

static int by_number(const void *a, const void *b)
{
    const struct est_ahead_range *x = a, *y = b;

    if (x->chain != y->chain)
        return x->chain < y->chain ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static est_err take_all(struct est_ahead *ahead, const struct est_ledger *led, int64_t offset,
                        struct est_view in)
{
    uint64_t behind[EST_AHEAD_CHAINS] = {0}, span;
    est_err err;

    if (!est_leb128_take(&in, &span) || span > (uint64_t)(INT64_MAX - offset))
        return EST_ERR_INVALID;
    ahead->until = offset + (int64_t)span;
    while (in.len > 0)
        if ((err = take_range(ahead, led, behind, &in)) != EST_OK)
            return err;
    return EST_OK;
}

est_err est_ahead_load(struct est_ahead *ahead, const struct est_ledger *led, int64_t offset,
                       struct est_view in)
{
    est_err err = EST_OK;

    est_ahead_clear(ahead);
    if (in.len > 0)
        err = take_all(ahead, led, offset, in);
    if (err != EST_OK)
        est_ahead_clear(ahead);
    if (ahead->n > 1)
        qsort(ahead->ranges, ahead->n, sizeof(*ahead->ranges), by_number);
    return err;
}

/* Where ranges of a chain overlap, a number may not be found: it is delivered again then. */
enum est_end est_ahead_find(const struct est_ahead *ahead, const struct est_ledger_key *key,
                            uint64_t n)
{
    size_t chain = place_of(ahead, key), low = 0, high = ahead->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct est_ahead_range *r = &ahead->ranges[middle];
        if (r->chain < chain || (r->chain == chain && r->first <= n))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || ahead->ranges[low - 1].chain != chain || ahead->ranges[low - 1].last < n)
        return EST_END_OPEN;
    return (enum est_end)ahead->ranges[low - 1].end;
}
