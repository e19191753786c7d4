#include "lane_table.h"

#include "base/assert.h"
#include "base/map.h"
#include "base/mem.h"

enum { FIRST_CAP = 64 };

struct est_lane_slot {
    uint64_t hash;
    struct est_lane *lane; /* NULL = free */
};

void est_lane_table_init(struct est_lane_table *t, uint64_t seed0, uint64_t seed1)
{
    *t = (struct est_lane_table){.seed = {seed0, seed1}};
}

void est_lane_table_fini(struct est_lane_table *t)
{
    est_free(t->slots);
    est_lane_table_init(t, t->seed[0], t->seed[1]);
}

uint64_t est_lane_table_hash(const struct est_lane_table *t, struct est_view name)
{
    return est_hash(name, t->seed[0], t->seed[1]);
}

static size_t next(const struct est_lane_table *t, size_t i)
{
    return (i + 1) & (t->cap - 1);
}

static size_t home(const struct est_lane_table *t, uint64_t hash)
{
    return (size_t)hash & (t->cap - 1);
}

struct est_lane *est_lane_table_find(const struct est_lane_table *t, struct est_view name,
                                     uint64_t hash)
{
    if (t->n == 0)
        return NULL;
    for (size_t i = home(t, hash); t->slots[i].lane != NULL; i = next(t, i)) {
        struct est_lane *lane = t->slots[i].lane;
        if (t->slots[i].hash == hash && est_view_eq(est_view(lane->name, lane->name_len), name))
            return lane;
    }
    return NULL;
}

static void put(struct est_lane_table *t, struct est_lane *lane)
{
    size_t i = home(t, lane->hash);

    while (t->slots[i].lane != NULL)
        i = next(t, i);
    t->slots[i] = (struct est_lane_slot){lane->hash, lane};
}

/* At least a quarter of the slots stays free, so that every search ends soon. */
static est_err grow(struct est_lane_table *t)
{
    struct est_lane_table bigger = *t;

    if (t->cap != 0 && (t->n + 1) * 4 <= t->cap * 3)
        return EST_OK;
    bigger.cap = t->cap ? t->cap * 2 : FIRST_CAP;
    bigger.slots = est_calloc(bigger.cap, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < t->cap; i++)
        if (t->slots[i].lane != NULL)
            put(&bigger, t->slots[i].lane);
    est_free(t->slots);
    *t = bigger;
    return EST_OK;
}

est_err est_lane_table_add(struct est_lane_table *t, struct est_lane *lane)
{
    if (grow(t) != EST_OK)
        return EST_ERR_NOMEM;
    put(t, lane);
    t->n++;
    return EST_OK;
}

/* Would the lane in slot i still be found if slot `gap`, before it in its run, were free? */
static bool is_before_gap(const struct est_lane_table *t, size_t gap, size_t i)
{
    size_t from_home = (i - home(t, t->slots[i].hash)) & (t->cap - 1);

    return from_home < ((i - gap) & (t->cap - 1));
}

void est_lane_table_remove(struct est_lane_table *t, const struct est_lane *lane)
{
    size_t gap = home(t, lane->hash);

    while (t->slots[gap].lane != lane) {
        EST_ASSERT(t->slots[gap].lane != NULL);
        gap = next(t, gap);
    }
    for (size_t i = next(t, gap); t->slots[i].lane != NULL; i = next(t, i)) {
        if (is_before_gap(t, gap, i))
            continue;
        t->slots[gap] = t->slots[i];
        gap = i;
    }
    t->slots[gap].lane = NULL;
    t->n--;
}

struct est_lane *est_lane_table_next(const struct est_lane_table *t, size_t *it)
{
    while (*it < t->cap) {
        struct est_lane *lane = t->slots[(*it)++].lane;
        if (lane != NULL)
            return lane;
    }
    return NULL;
}
