#include "lanes.h"

#include "base/assert.h"
#include "base/heap.h"
#include "base/mem.h"
#include "base/pool.h"
#include "lane_table.h"

#include <string.h>

enum { NAME_KEPT = 48, SPARE_MAX = 2048 };

struct group {
    struct est_heap ready;
    struct est_lanes_group sum; /* `ready` is filled in when asked */
};

struct est_lanes {
    struct est_lanes_limits limits;
    struct group *groups;
    struct est_lane_table by_name;
    struct est_pool pool;   /* lanes with names of up to NAME_KEPT bytes */
    struct est_heap parked; /* it and every group's heap have room: setting them cannot fail */
    uint64_t serial;
    struct est_lanes_stats stats; /* records, bytes and out; the others are filled in when asked */
};

est_err est_lanes_new(struct est_lanes_limits limits, uint64_t seed0, uint64_t seed1,
                      struct est_lanes **ret)
{
    struct est_lanes *lanes;

    EST_ASSERT(limits.records > 0 && limits.bytes > 0);
    lanes = est_calloc(1, sizeof(*lanes));
    if (lanes == NULL)
        return EST_ERR_NOMEM;
    lanes->limits = limits;
    if (lanes->limits.groups == 0)
        lanes->limits.groups = 1;
    lanes->groups = est_calloc(lanes->limits.groups, sizeof(*lanes->groups));
    if (lanes->groups == NULL) {
        est_free(lanes);
        return EST_ERR_NOMEM;
    }
    est_lane_table_init(&lanes->by_name, seed0, seed1);
    est_pool_init(&lanes->pool, sizeof(struct est_lane) + NAME_KEPT, SPARE_MAX);
    for (size_t i = 0; i < lanes->limits.groups; i++)
        est_heap_init(&lanes->groups[i].ready);
    est_heap_init(&lanes->parked);
    *ret = lanes;
    return EST_OK;
}

void est_lanes_free(struct est_lanes *lanes)
{
    size_t it = 0;

    if (lanes == NULL)
        return;
    for (void *lane; (lane = est_lane_table_next(&lanes->by_name, &it)) != NULL;)
        est_free(lane);
    est_lane_table_fini(&lanes->by_name);
    est_pool_fini(&lanes->pool);
    for (size_t i = 0; i < lanes->limits.groups; i++)
        est_heap_fini(&lanes->groups[i].ready);
    est_free(lanes->groups);
    est_heap_fini(&lanes->parked);
    est_free(lanes);
}

static struct est_lane_item *item_of(struct est_node *node)
{
    return EST_CONTAINER(node, struct est_lane_item, node);
}

/* The item behind this one in its lane; NULL at the end. */
static struct est_lane_item *behind(const struct est_lane *lane, const struct est_lane_item *item)
{
    return item->node.next == &lane->items ? NULL : item_of(item->node.next);
}

static void set_heap(struct est_heap *heap, struct est_heap_node *node, est_us key)
{
    est_err err = est_heap_set(heap, node, key);

    EST_ASSERT(err == EST_OK);
}

static struct group *group_of(struct est_lanes *lanes, const struct est_lane *lane)
{
    return &lanes->groups[lane->group];
}

static bool is_ready(const struct est_lane *lane)
{
    return lane->ready.slot != 0;
}

static void enter_ready(struct est_lanes *lanes, struct est_lane *lane)
{
    struct group *g = group_of(lanes, lane);

    lane->not_before = 0;
    set_heap(&g->ready, &lane->ready, (est_us)lane->front->serial);
    g->sum.ready_records += lane->waiting;
    g->sum.ready_bytes += lane->waiting_bytes;
}

static void leave_ready(struct est_lanes *lanes, struct est_lane *lane)
{
    struct group *g = group_of(lanes, lane);

    if (!is_ready(lane))
        return;
    est_heap_remove(&g->ready, &lane->ready);
    g->sum.ready_records -= lane->waiting;
    g->sum.ready_bytes -= lane->waiting_bytes;
}

static struct est_lane *alloc_lane(struct est_lanes *lanes, size_t name_len)
{
    return name_len <= NAME_KEPT ? est_pool_take(&lanes->pool)
                                 : est_alloc(sizeof(struct est_lane) + name_len);
}

static void free_lane(struct est_lanes *lanes, struct est_lane *lane)
{
    if (lane->name_len <= NAME_KEPT)
        est_pool_give(&lanes->pool, lane);
    else
        est_free(lane);
}

static void drop_lane(struct est_lanes *lanes, struct est_lane *lane)
{
    leave_ready(lanes, lane);
    est_heap_remove(&lanes->parked, &lane->parked);
    est_lane_table_remove(&lanes->by_name, lane);
    free_lane(lanes, lane);
}

/* Puts a lane that has nothing handed out into the state that its items ask for. */
static void rest(struct est_lanes *lanes, struct est_lane *lane)
{
    if (est_list_empty(&lane->items)) {
        drop_lane(lanes, lane);
        return;
    }
    lane->front = item_of(lane->items.next);
    if (lane->not_before > 0)
        set_heap(&lanes->parked, &lane->parked, lane->not_before);
    else
        enter_ready(lanes, lane);
}

bool est_lanes_has_room(const struct est_lanes *lanes, size_t bytes)
{
    const struct est_lanes_stats *st = &lanes->stats;

    if (st->records == 0)
        return true;
    return st->records < lanes->limits.records && st->bytes <= lanes->limits.bytes &&
           bytes <= lanes->limits.bytes - st->bytes;
}

static struct est_lane *add_lane(struct est_lanes *lanes, struct est_view name, uint64_t hash,
                                 uint16_t group)
{
    struct est_lane *lane = alloc_lane(lanes, name.len);

    if (lane == NULL)
        return NULL;
    *lane = (struct est_lane){.hash = hash, .name_len = name.len, .group = group};
    est_list_init(&lane->items);
    if (name.len > 0)
        memcpy(lane->name, name.data, name.len);
    if (est_heap_reserve(&group_of(lanes, lane)->ready, lanes->by_name.n + 1) != EST_OK ||
        est_heap_reserve(&lanes->parked, lanes->by_name.n + 1) != EST_OK ||
        est_lane_table_add(&lanes->by_name, lane) != EST_OK) {
        free_lane(lanes, lane);
        return NULL;
    }
    return lane;
}

static void append(struct est_lanes *lanes, struct est_lane *lane, struct est_lane_item *item)
{
    est_list_append(&lane->items, &item->node);
    if (lane->front == NULL)
        lane->front = item;
    lane->waiting++;
    lane->waiting_bytes += item->bytes;
    lanes->stats.records++;
    lanes->stats.bytes += item->bytes;
    group_of(lanes, lane)->sum.records++;
}

est_err est_lanes_push(struct est_lanes *lanes, struct est_view name, struct est_lane_item *item,
                       size_t bytes, est_us now)
{
    struct est_lane *lane;
    uint64_t hash;

    EST_ASSERT(item->lane == NULL && item->group < lanes->limits.groups);
    if (!est_lanes_has_room(lanes, bytes))
        return EST_ERR_FULL;
    hash = est_lane_table_hash(&lanes->by_name, name);
    lane = est_lane_table_find(&lanes->by_name, name, hash);
    if (lane == NULL && (lane = add_lane(lanes, name, hash, item->group)) == NULL)
        return EST_ERR_NOMEM;
    EST_ASSERT(lane->group == item->group);
    *item = (struct est_lane_item){.lane = lane,
                                   .serial = lanes->serial++,
                                   .arrived = now,
                                   .bytes = bytes,
                                   .group = item->group};
    append(lanes, lane, item);
    if (is_ready(lane)) {
        group_of(lanes, lane)->sum.ready_records++;
        group_of(lanes, lane)->sum.ready_bytes += bytes;
    } else if (lane->waiting == 1 && lane->out == 0) {
        enter_ready(lanes, lane);
    }
    return EST_OK;
}

static void wake(struct est_lanes *lanes, est_us now)
{
    struct est_heap_node *first;

    while ((first = est_heap_first(&lanes->parked)) != NULL && first->at <= now) {
        est_heap_remove(&lanes->parked, first);
        enter_ready(lanes, EST_CONTAINER(first, struct est_lane, parked));
    }
}

static struct est_lane *first_ready(const struct est_lanes *lanes, size_t group)
{
    struct est_heap_node *first = est_heap_first(&lanes->groups[group].ready);

    return first ? EST_CONTAINER(first, struct est_lane, ready) : NULL;
}

struct est_lane *est_lanes_ready(struct est_lanes *lanes, size_t group, est_us now)
{
    wake(lanes, now);
    return first_ready(lanes, group);
}

struct est_lane_item *est_lanes_front(const struct est_lane *lane)
{
    return lane->front;
}

struct est_lane_item *est_lanes_take(struct est_lanes *lanes, struct est_lane *lane)
{
    struct est_lane_item *item = lane->front;

    EST_ASSERT(item != NULL && (is_ready(lane) || lane->out > 0));
    leave_ready(lanes, lane);
    lane->front = behind(lane, item);
    lane->waiting--;
    lane->waiting_bytes -= item->bytes;
    lane->out++;
    lanes->stats.out++;
    item->out = true;
    return item;
}

bool est_lanes_is_behind_waiting(const struct est_lane_item *item)
{
    const struct est_node *before = item->node.prev;

    EST_ASSERT(item->lane != NULL);
    return before != &item->lane->items && !EST_CONTAINER(before, struct est_lane_item, node)->out;
}

void est_lanes_give_back(struct est_lanes *lanes, struct est_lane_item *item, est_us not_before)
{
    struct est_lane *lane = item->lane;

    EST_ASSERT(lane != NULL && item->out);
    item->out = false;
    lanes->stats.out--;
    lane->out--;
    lane->waiting++;
    lane->waiting_bytes += item->bytes;
    if (not_before > lane->not_before)
        lane->not_before = not_before;
    if (lane->out == 0)
        rest(lanes, lane);
}

static void settle_out(struct est_lanes *lanes, struct est_lane *lane)
{
    lanes->stats.out--;
    if (--lane->out == 0)
        rest(lanes, lane);
}

/* The item is already out of the list; `next` was behind it. */
static void settle_waiting(struct est_lanes *lanes, struct est_lane *lane,
                           const struct est_lane_item *item, struct est_lane_item *next)
{
    bool was_ready = is_ready(lane);

    leave_ready(lanes, lane);
    lane->waiting--;
    lane->waiting_bytes -= item->bytes;
    if (lane->front == item)
        lane->front = next;
    if (est_list_empty(&lane->items))
        drop_lane(lanes, lane);
    else if (was_ready)
        enter_ready(lanes, lane);
}

void est_lanes_settle(struct est_lanes *lanes, struct est_lane_item *item)
{
    struct est_lane *lane = item->lane;
    struct est_lane_item *next;

    EST_ASSERT(lane != NULL);
    next = behind(lane, item);
    est_list_remove(&item->node);
    item->lane = NULL;
    lanes->stats.records--;
    lanes->stats.bytes -= item->bytes;
    group_of(lanes, lane)->sum.records--;
    if (item->out)
        settle_out(lanes, lane);
    else
        settle_waiting(lanes, lane, item, next);
}

void est_lanes_resize(struct est_lanes *lanes, struct est_lane_item *item, size_t bytes)
{
    struct est_lane *lane = item->lane;

    EST_ASSERT(lane != NULL);
    lanes->stats.bytes = lanes->stats.bytes - item->bytes + bytes;
    if (!item->out) {
        lane->waiting_bytes = lane->waiting_bytes - item->bytes + bytes;
        if (is_ready(lane))
            group_of(lanes, lane)->sum.ready_bytes += bytes - item->bytes;
    }
    item->bytes = bytes;
}

est_us est_lanes_wake_at(const struct est_lanes *lanes)
{
    const struct est_heap_node *first = est_heap_first(&lanes->parked);

    return first ? first->at : EST_NEVER;
}

est_us est_lanes_oldest(const struct est_lanes *lanes, size_t group)
{
    const struct est_lane *lane = first_ready(lanes, group);

    return lane ? lane->front->arrived : EST_NEVER;
}

struct est_lanes_stats est_lanes_stats(const struct est_lanes *lanes)
{
    struct est_lanes_stats stats = lanes->stats;

    stats.lanes = lanes->by_name.n;
    stats.parked = lanes->parked.n;
    for (size_t i = 0; i < lanes->limits.groups; i++) {
        const struct est_lanes_group g = est_lanes_group(lanes, i);
        stats.ready += g.ready;
        stats.ready_records += g.ready_records;
        stats.ready_bytes += g.ready_bytes;
    }
    return stats;
}

void est_lanes_sum(const struct est_lanes *lanes, size_t *ret_records, size_t *ret_bytes)
{
    *ret_records = lanes->stats.records;
    *ret_bytes = lanes->stats.bytes;
}

struct est_lanes_group est_lanes_group(const struct est_lanes *lanes, size_t group)
{
    struct est_lanes_group sum = lanes->groups[group].sum;

    sum.ready = lanes->groups[group].ready.n;
    return sum;
}
