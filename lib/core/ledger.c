#include "ledger.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

struct est_ledger_chain {
    struct est_ledger_key key;
    struct est_seen seen;
};

enum { VERSION = 1, FLAG_PARTIAL = 1 };

void est_ledger_init(struct est_ledger *led, bool partial)
{
    *led = (struct est_ledger){.partial = partial};
}

void est_ledger_clear(struct est_ledger *led)
{
    for (size_t i = 0; i < led->n; i++)
        est_free(led->chains[i]);
    est_ledger_init(led, true);
}

/* Forget the chain unseen longest; its open holes are missing for good. */
static void fold_last(struct est_ledger *led)
{
    struct est_ledger_chain *last = led->chains[--led->n];

    led->gone += est_seen_missing(&last->seen);
    led->partial = true;
    est_free(last);
}

static bool same_key(const struct est_ledger_key *a, const struct est_ledger_key *b)
{
    return a->epoch == b->epoch && memcmp(a->boot, b->boot, EST_LEDGER_BOOT) == 0;
}

static size_t find(const struct est_ledger *led, const struct est_ledger_key *key)
{
    size_t i = 0;

    while (i < led->n && !same_key(&led->chains[i]->key, key))
        i++;
    return i;
}

static void move_to_front(struct est_ledger *led, size_t i)
{
    struct est_ledger_chain *chain = led->chains[i];

    memmove(&led->chains[1], &led->chains[0], i * sizeof(struct est_ledger_chain *));
    led->chains[0] = chain;
}

/* Behind all others. NULL when memory is out. */
static struct est_ledger_chain *append_chain(struct est_ledger *led,
                                             const struct est_ledger_key *key, uint64_t base)
{
    struct est_ledger_chain *chain = est_calloc(1, sizeof(*chain));

    if (chain == NULL)
        return NULL;
    if (led->n == EST_LEDGER_CHAINS)
        fold_last(led);
    chain->key = *key;
    est_seen_init(&chain->seen, base);
    led->chains[led->n++] = chain;
    return chain;
}

/* The chain, in front of all others; NULL when it is new and memory is out. */
static struct est_seen *touch(struct est_ledger *led, const struct est_ledger_key *key, uint64_t n)
{
    size_t i = find(led, key);

    if (i == led->n) {
        if (append_chain(led, key, led->partial ? n : 0) == NULL)
            return NULL;
        i = led->n - 1;
    }
    move_to_front(led, i);
    return &led->chains[0]->seen;
}

bool est_ledger_add(struct est_ledger *led, const struct est_ledger_key *key, uint64_t n)
{
    struct est_seen *seen = touch(led, key, n);

    if (seen != NULL && est_seen_has(seen, n)) {
        led->repeats++;
        return true;
    }
    led->fresh++;
    if (seen == NULL) {
        led->partial = true;
        return false;
    }
    led->below += n < seen->base;
    led->gone += est_seen_add(seen, n);
    return false;
}

uint64_t est_ledger_missing(const struct est_ledger *led)
{
    uint64_t sum = led->gone;

    for (size_t i = 0; i < led->n; i++)
        sum += est_seen_missing(&led->chains[i]->seen);
    return sum;
}

est_err est_ledger_copy(struct est_ledger *to, const struct est_ledger *from)
{
    est_ledger_clear(to);
    for (size_t i = 0; i < from->n; i++) {
        struct est_ledger_chain *chain = est_alloc(sizeof(*chain));
        if (chain == NULL) {
            est_ledger_clear(to);
            return EST_ERR_NOMEM;
        }
        *chain = *from->chains[i];
        to->chains[to->n++] = chain;
    }
    to->partial = from->partial;
    to->fresh = from->fresh;
    to->repeats = from->repeats;
    to->unchained = from->unchained;
    to->gone = from->gone;
    to->below = from->below;
    return EST_OK;
}

static void put_number(struct est_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        est_buf_putc(out, (char)(value | 0x80));
    est_buf_putc(out, (char)value);
}

/* Holes are distances from what stands before them, so that they are short. */
static void put_chain(struct est_buf *out, const struct est_ledger_chain *chain)
{
    const struct est_seen *seen = &chain->seen;
    uint64_t at = seen->base;

    est_buf_put(out, chain->key.boot, EST_LEDGER_BOOT);
    put_number(out, chain->key.epoch);
    put_number(out, seen->base);
    put_number(out, seen->end - seen->base);
    put_number(out, seen->holes);
    for (uint32_t i = 0; i < seen->holes; i++) {
        put_number(out, seen->hole[i].first - at);
        put_number(out, seen->hole[i].last - seen->hole[i].first);
        at = seen->hole[i].last + 1;
    }
}

static void put_all(struct est_buf *out, const struct est_ledger *led)
{
    est_buf_putc(out, VERSION);
    est_buf_putc(out, led->partial ? FLAG_PARTIAL : 0);
    put_number(out, led->fresh);
    put_number(out, led->repeats);
    put_number(out, led->unchained);
    put_number(out, led->gone);
    put_number(out, led->below);
    put_number(out, led->n);
    for (size_t i = 0; i < led->n; i++)
        put_chain(out, led->chains[i]);
}

static void give_up_one(struct est_ledger *led)
{
    EST_ASSERT(led->n > 0);
    if (led->n > 1)
        fold_last(led);
    else
        led->gone += est_seen_give_up(&led->chains[0]->seen);
}

est_err est_ledger_save(struct est_ledger *led, size_t max, struct est_buf *out)
{
    size_t from = out->len;

    EST_ASSERT(max >= EST_LEDGER_SAVE_MIN);
    for (;;) {
        put_all(out, led);
        if (est_buf_err(out) != EST_OK || out->len - from <= max)
            return est_buf_err(out);
        est_buf_truncate(out, from);
        give_up_one(led);
    }
}

static bool get_byte(struct est_view *in, unsigned *ret)
{
    if (in->len == 0)
        return false;
    *ret = (unsigned char)in->data[0];
    *in = est_view(in->data + 1, in->len - 1);
    return true;
}

static bool get_number(struct est_view *in, uint64_t *ret)
{
    uint64_t value = 0;
    unsigned byte;

    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (!get_byte(in, &byte))
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* A hole must lie apart from the one before it and below the end, or the set would claim what it
 * has not seen. All numbers are below 2^63, and so are their sums here as long as `end` bounds
 * them. */
static bool get_hole(struct est_view *in, struct est_seen *seen, uint64_t at)
{
    struct est_hole *hole = &seen->hole[seen->holes];
    uint64_t gap, size;

    if (!get_number(in, &gap) || !get_number(in, &size))
        return false;
    if (gap >= seen->end - at || size >= seen->end - at - gap)
        return false;
    if (gap == 0 && seen->holes > 0)
        return false;
    *hole = (struct est_hole){at + gap, at + gap + size};
    seen->holes++;
    return hole->last + 1 < seen->end;
}

static bool get_seen(struct est_view *in, struct est_seen *seen)
{
    uint64_t base, length, holes;

    if (!get_number(in, &base) || !get_number(in, &length) || !get_number(in, &holes))
        return false;
    if (holes > EST_SEEN_HOLES || length > INT64_MAX - base)
        return false;
    est_seen_init(seen, base);
    seen->end = base + length;
    while (seen->holes < holes) {
        uint64_t at = seen->holes > 0 ? seen->hole[seen->holes - 1].last + 1 : base;
        if (!get_hole(in, seen, at))
            return false;
    }
    return true;
}

static est_err get_chain(struct est_view *in, struct est_ledger *led)
{
    struct est_ledger_key key;
    struct est_ledger_chain *chain;

    if (in->len < EST_LEDGER_BOOT)
        return EST_ERR_INVALID;
    memcpy(key.boot, in->data, EST_LEDGER_BOOT);
    *in = est_view(in->data + EST_LEDGER_BOOT, in->len - EST_LEDGER_BOOT);
    if (!get_number(in, &key.epoch) || find(led, &key) < led->n)
        return EST_ERR_INVALID;
    chain = append_chain(led, &key, 0);
    if (chain == NULL)
        return EST_ERR_NOMEM;
    return get_seen(in, &chain->seen) ? EST_OK : EST_ERR_INVALID;
}

static est_err get_all(struct est_view in, struct est_ledger *led)
{
    unsigned version, flags;
    uint64_t chains;
    est_err err;

    if (!get_byte(&in, &version) || version != VERSION || !get_byte(&in, &flags) ||
        !get_number(&in, &led->fresh) || !get_number(&in, &led->repeats) ||
        !get_number(&in, &led->unchained) || !get_number(&in, &led->gone) ||
        !get_number(&in, &led->below) || !get_number(&in, &chains) || chains > EST_LEDGER_CHAINS)
        return EST_ERR_INVALID;
    while (led->n < chains)
        if ((err = get_chain(&in, led)) != EST_OK)
            return err;
    led->partial = flags & FLAG_PARTIAL;
    return in.len == 0 ? EST_OK : EST_ERR_INVALID;
}

est_err est_ledger_load(struct est_ledger *led, struct est_view saved)
{
    est_err err;

    est_ledger_clear(led);
    err = get_all(saved, led);
    if (err != EST_OK)
        est_ledger_clear(led);
    return err;
}
