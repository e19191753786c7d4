#include "ledger.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/leb128.h"

#include <string.h>

struct est_ledger_chain {
    struct est_ledger_key key;
    struct est_seen seen;
    bool jumped; /* what is missing before its next number has expired */
};

enum { PARTIAL = 1, JUMPED = 1 };

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

bool est_ledger_same_key(const struct est_ledger_key *a, const struct est_ledger_key *b)
{
    return a->epoch == b->epoch && memcmp(a->boot, b->boot, EST_LEDGER_BOOT) == 0;
}

size_t est_ledger_find(const struct est_ledger *led, const struct est_ledger_key *key)
{
    size_t i = 0;

    while (i < led->n && !est_ledger_same_key(&led->chains[i]->key, key))
        i++;
    return i;
}

const struct est_ledger_key *est_ledger_key_at(const struct est_ledger *led, size_t i)
{
    return &led->chains[i]->key;
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

/* Where a chain that is met for the first time with n is taken to begin. */
static uint64_t base_of(struct est_ledger *led, uint64_t n)
{
    if (!led->partial && !led->jumped)
        return 0;
    if (!led->partial)
        led->expired += n;
    return n;
}

/* The chain, in front of all others; NULL when it is new and memory is out. */
static struct est_ledger_chain *touch(struct est_ledger *led, const struct est_ledger_key *key,
                                      uint64_t n)
{
    size_t i = est_ledger_find(led, key);

    if (i == led->n) {
        if (append_chain(led, key, base_of(led, n)) == NULL)
            return NULL;
        i = led->n - 1;
    }
    if (i > 0)
        move_to_front(led, i);
    return led->chains[0];
}

static void skip_expired(struct est_ledger *led, struct est_ledger_chain *chain, uint64_t n)
{
    if (n < chain->seen.end)
        return;
    led->expired += n - chain->seen.end;
    if (n > chain->seen.end)
        led->gone += est_seen_skip(&chain->seen, n);
    chain->jumped = false;
}

bool est_ledger_has(const struct est_ledger *led, const struct est_ledger_key *key, uint64_t n)
{
    size_t i = est_ledger_find(led, key);

    return i < led->n && est_seen_has(&led->chains[i]->seen, n);
}

bool est_ledger_add(struct est_ledger *led, const struct est_ledger_key *key, uint64_t n)
{
    struct est_ledger_chain *chain = touch(led, key, n);

    if (chain == NULL) {
        led->partial = true;
        return false;
    }
    if (est_seen_has(&chain->seen, n))
        return true;
    if (chain->jumped)
        skip_expired(led, chain, n);
    led->below += n < chain->seen.base;
    led->gone += est_seen_add(&chain->seen, n);
    return false;
}

void est_ledger_add_run(struct est_ledger *led, const struct est_ledger_key *key, uint64_t n,
                        uint64_t count)
{
    while (count > 0) {
        (void)est_ledger_add(led, key, n);
        n++;
        count--;
        if (led->n == 0 || !est_ledger_same_key(&led->chains[0]->key, key) ||
            led->chains[0]->jumped || led->chains[0]->seen.end != n)
            continue;
        led->gone += est_seen_add_run(&led->chains[0]->seen, n, count);
        return;
    }
}

void est_ledger_jump(struct est_ledger *led)
{
    led->jumped = true;
    for (size_t i = 0; i < led->n; i++)
        led->chains[i]->jumped = true;
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
    to->jumped = from->jumped;
    to->gone = from->gone;
    to->below = from->below;
    to->expired = from->expired;
    return EST_OK;
}

/* Holes are distances from what stands before them, so that they are short. */
static void put_chain(struct est_buf *out, const struct est_ledger_chain *chain)
{
    const struct est_seen *seen = &chain->seen;
    uint64_t at = seen->base;

    est_buf_put(out, chain->key.boot, EST_LEDGER_BOOT);
    est_leb128_put(out, chain->key.epoch);
    est_leb128_put(out, seen->base);
    est_leb128_put(out, seen->end - seen->base);
    est_leb128_put(out, (uint64_t)seen->holes << 1 | (chain->jumped ? JUMPED : 0));
    for (uint32_t i = 0; i < seen->holes; i++) {
        est_leb128_put(out, seen->hole[i].first - at);
        est_leb128_put(out, seen->hole[i].last - seen->hole[i].first);
        at = seen->hole[i].last + 1;
    }
}

static void put_all(struct est_buf *out, const struct est_ledger *led)
{
    est_buf_putc(out, led->partial ? PARTIAL : 0);
    est_leb128_put(out, led->gone);
    est_leb128_put(out, led->below);
    est_leb128_put(out, led->expired);
    est_leb128_put(out, led->n);
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

/* A hole must lie apart from the one before it and below the end, or the set would claim what it
 * has not seen. All numbers are below 2^63, and so are their sums here as long as `end` bounds
 * them. */
static bool get_hole(struct est_view *in, struct est_seen *seen, uint64_t at)
{
    struct est_hole *hole = &seen->hole[seen->holes];
    uint64_t gap, size;

    if (!est_leb128_take(in, &gap) || !est_leb128_take(in, &size))
        return false;
    if (gap >= seen->end - at || size >= seen->end - at - gap)
        return false;
    if (gap == 0 && seen->holes > 0)
        return false;
    *hole = (struct est_hole){at + gap, at + gap + size};
    seen->holes++;
    return hole->last + 1 < seen->end;
}

static bool get_seen(struct est_view *in, struct est_ledger_chain *chain)
{
    struct est_seen *seen = &chain->seen;
    uint64_t base, length, holes;

    if (!est_leb128_take(in, &base) || !est_leb128_take(in, &length) ||
        !est_leb128_take(in, &holes))
        return false;
    chain->jumped = holes & JUMPED;
    holes >>= 1;
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
    if (!est_leb128_take(in, &key.epoch) || est_ledger_find(led, &key) < led->n)
        return EST_ERR_INVALID;
    chain = append_chain(led, &key, 0);
    if (chain == NULL)
        return EST_ERR_NOMEM;
    return get_seen(in, chain) ? EST_OK : EST_ERR_INVALID;
}

static est_err get_all(struct est_view *in, struct est_ledger *led)
{
    uint64_t flags, chains;
    est_err err;

    if (!est_leb128_take(in, &flags) || flags > PARTIAL || !est_leb128_take(in, &led->gone) ||
        !est_leb128_take(in, &led->below) || !est_leb128_take(in, &led->expired) ||
        !est_leb128_take(in, &chains) || chains > EST_LEDGER_CHAINS)
        return EST_ERR_INVALID;
    while (led->n < chains)
        if ((err = get_chain(in, led)) != EST_OK)
            return err;
    led->partial = flags & PARTIAL;
    return EST_OK;
}

est_err est_ledger_load(struct est_ledger *led, struct est_view *in)
{
    est_err err;

    est_ledger_clear(led);
    err = get_all(in, led);
    if (err != EST_OK)
        est_ledger_clear(led);
    return err;
}
