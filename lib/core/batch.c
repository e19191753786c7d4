#include "batch.h"

#include "base/assert.h"
#include "base/mem.h"

est_err est_batch_init(struct est_batch *b, size_t count)
{
    struct est_lane_item **items;

    EST_ASSERT(count > 0);
    items = est_calloc(count, sizeof(struct est_lane_item *));
    if (items == NULL)
        return EST_ERR_NOMEM;
    *b = (struct est_batch){.items = items, .cap = count};
    return EST_OK;
}

void est_batch_fini(struct est_batch *b)
{
    est_free(b->items);
    *b = (struct est_batch){0};
}

size_t est_batch_ready(const struct est_batch_limits *limits, const struct est_lanes *lanes)
{
    struct est_lanes_group g = est_lanes_group(lanes, limits->group);

    if (limits->per_key != 0 && g.ready * limits->per_key < g.ready_records)
        return g.ready * limits->per_key;
    return g.ready_records;
}

/* Whether what is ready fills a request. */
static bool is_plenty(const struct est_batch_limits *limits, const struct est_lanes *lanes)
{
    return est_batch_ready(limits, lanes) >= limits->count ||
           est_lanes_group(lanes, limits->group).ready_bytes >= limits->bytes;
}

est_us est_batch_due(const struct est_batch_limits *limits, struct est_lanes *lanes, est_us now)
{
    est_us wake_at, aged;

    if (est_lanes_ready(lanes, limits->group, now) == NULL)
        return est_lanes_wake_at(lanes);
    if (is_plenty(limits, lanes))
        return now;
    aged = est_lanes_oldest(lanes, limits->group) + limits->age;
    wake_at = est_lanes_wake_at(lanes);
    return aged < wake_at ? aged : wake_at;
}

static size_t level_count(const struct est_batch_limits *limits, unsigned level)
{
    size_t n = limits->count;

    while (level-- > 0 && n > 1)
        n = (n + 9) / 10;
    return n;
}

static bool fits(const struct est_batch *b, const struct est_batch_limits *limits,
                 const struct est_lane_item *item)
{
    if (b->n == b->cap || (b->n > 0 && b->n >= level_count(limits, item->level)))
        return false;
    return b->n == 0 || (b->bytes <= limits->bytes && item->bytes <= limits->bytes - b->bytes);
}

/* Takes of one lane what fits; false when something of it did not. */
static bool take_lane(struct est_batch *b, const struct est_batch_limits *limits,
                      struct est_lanes *lanes, struct est_lane *lane)
{
    struct est_lane_item *item;
    size_t taken = 0;

    while ((item = est_lanes_front(lane)) != NULL) {
        if (limits->per_key != 0 && taken == limits->per_key)
            return true;
        if (b->n > 0 && item->level != b->items[0]->level)
            return taken > 0; /* the lane is busy now, and others may go on */
        if (!fits(b, limits, item))
            return false;
        b->items[b->n++] = est_lanes_take(lanes, lane);
        b->bytes += item->bytes;
        taken++;
    }
    return true;
}

size_t est_batch_fill(struct est_batch *b, const struct est_batch_limits *limits,
                      struct est_lanes *lanes, est_us now)
{
    struct est_lane *lane;

    EST_ASSERT(b->left == 0);
    b->n = b->bytes = 0;
    while ((lane = est_lanes_ready(lanes, limits->group, now)) != NULL &&
           take_lane(b, limits, lanes, lane))
        continue;
    b->left = b->n;
    return b->n;
}

static struct est_lane_item *remove_at(struct est_batch *b, size_t i)
{
    struct est_lane_item *item;

    EST_ASSERT(i < b->n && b->items[i] != NULL);
    item = b->items[i];
    b->items[i] = NULL;
    b->left--;
    return item;
}

struct est_lane_item *est_batch_settle(struct est_batch *b, struct est_lanes *lanes, size_t i)
{
    struct est_lane_item *item = remove_at(b, i);

    est_lanes_settle(lanes, item);
    return item;
}

void est_batch_give_back(struct est_batch *b, struct est_lanes *lanes, size_t i, est_us not_before)
{
    est_lanes_give_back(lanes, remove_at(b, i), not_before);
}

void est_batch_give_back_all(struct est_batch *b, struct est_lanes *lanes, size_t from, size_t to,
                             est_us not_before)
{
    for (size_t i = from; i < to; i++)
        if (b->items[i] != NULL)
            est_batch_give_back(b, lanes, i, not_before);
}

void est_batch_cut(struct est_batch *b, struct est_lanes *lanes, size_t n)
{
    for (size_t i = n; i < b->n; i++)
        if (b->items[i] != NULL)
            b->bytes -= b->items[i]->bytes;
    est_batch_give_back_all(b, lanes, n, b->n, 0);
    b->n = n;
}

void est_batch_key_init(struct est_batch_key *key)
{
    est_hasher_init(&key->hasher, 0x6261746368206b65U, 0x79206f6620696473U);
}

void est_batch_key_add(struct est_batch_key *key, struct est_view id)
{
    est_hasher_add(&key->hasher, id);
}

void est_batch_key_text(const struct est_batch_key *key, char out[EST_BATCH_KEY_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t digest[2];

    est_hasher_end(&key->hasher, digest);
    for (unsigned i = 0; i < EST_BATCH_KEY_LEN; i++)
        out[i] = hex[digest[i / 16] >> (60 - i % 16 * 4) & 15];
    out[EST_BATCH_KEY_LEN] = '\0';
}
