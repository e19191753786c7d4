/* Private to lanes.c: the lanes by name. Open addressing with linear probing over the lanes
 * themselves; a lane keeps its hash, so a name is hashed once in its life, and removing closes the
 * gap, so no search is slowed by what has gone. SipHash, keyed by the owner: senders choose the
 * keys of events, and must not choose the collisions. */
#pragma once

#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/view.h"

#include <stddef.h>
#include <stdint.h>

struct est_lane_item;

/* All items of a lane stay in one list in order of arrival; those handed out are marked. They are a
 * prefix of the list when handed out, and nothing more is handed out until all of them are settled
 * or given back: so giving back is unmarking, and order cannot be lost. */
struct est_lane {
    struct est_node items;
    struct est_lane_item *front; /* the next to hand out; NULL = none */
    size_t waiting, waiting_bytes, out;
    est_us not_before;           /* when it is to be ready again; 0 = at once */
    struct est_heap_node ready;  /* by the serial of the first item */
    struct est_heap_node parked; /* by not_before */
    uint64_t hash;
    size_t name_len;
    uint16_t group;
    char name[];
};

struct est_lane_slot;

struct est_lane_table {
    struct est_lane_slot *slots;
    size_t n, cap; /* lanes; slots, a power of two */
    uint64_t seed[2];
};

void est_lane_table_init(struct est_lane_table *t, uint64_t seed0, uint64_t seed1);
void est_lane_table_fini(struct est_lane_table *t); /* lanes are not touched */
uint64_t est_lane_table_hash(const struct est_lane_table *t, struct est_view name);
/* NULL when there is none. */
struct est_lane *est_lane_table_find(const struct est_lane_table *t, struct est_view name,
                                     uint64_t hash);
/* A lane that is not there yet, its hash and name filled. EST_ERR_NOMEM. */
est_err est_lane_table_add(struct est_lane_table *t, struct est_lane *lane);
void est_lane_table_remove(struct est_lane_table *t, const struct est_lane *lane);
/* Walk: start with *it = 0; NULL at the end. */
struct est_lane *est_lane_table_next(const struct est_lane_table *t, size_t *it);
