/* The events that wait for one destination, in lanes: one lane per (type, key), oldest first. Lanes
 * are in groups, one for each type, out of which they are asked for.
 *
 * A lane is *ready* when its front may be handed out, *busy* while something of it is handed out,
 * and *parked* until a time when an attempt has failed. Only a ready lane hands out, and what it
 * handed out must all be settled or given back before it is ready again: so one request per key is
 * in flight, and one slow key delays no other. What is given back keeps its place in the lane's
 * order.
 *
 * Items are nodes inside the caller's records (EST_CONTAINER brings the record back); the lanes own
 * no item, only the lanes themselves. The name of a lane is any bytes: type and key for order per
 * key, type and partition for order per partition, the event's own id for none.
 *
 * Costs: push, take, give back and settle O(log lanes); a lane exists only while it has items. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_lane;
struct est_lanes;

/* Zeroed by the owner before its first push, but for `group`, and read-only for it from then on. */
struct est_lane_item {
    struct est_node node;
    struct est_lane *lane; /* NULL when in none */
    uint64_t serial;       /* order of arrival over all lanes */
    est_us arrived;
    size_t bytes;
    uint16_t group; /* of its lane; all items of a lane name have the same */
    bool out;       /* handed out */
    uint8_t level;  /* shares requests with its like alone: set by the owner while it is out */
};

struct est_lanes_limits {
    size_t records, bytes; /* of all items, handed out or waiting; above 0 */
    size_t groups;         /* lanes are asked for by group; 0 = there is one */
};

/* Of one group. */
struct est_lanes_group {
    size_t records, ready;             /* items waiting and handed out; lanes that are ready */
    size_t ready_records, ready_bytes; /* what the ready lanes hold */
};

struct est_lanes_stats {
    size_t records, bytes;             /* waiting and handed out */
    size_t out;                        /* handed out */
    size_t lanes, ready, parked;       /* lanes in all, and in these two states */
    size_t ready_records, ready_bytes; /* what the ready lanes hold */
};

/* The seeds key the hash of lane names (base/map.h). EST_ERR_NOMEM. */
est_err est_lanes_new(struct est_lanes_limits limits, uint64_t seed0, uint64_t seed1,
                      struct est_lanes **ret);
/* Items still inside are forgotten, not touched. NULL is a no-op. */
void est_lanes_free(struct est_lanes *lanes);

/* True when an item of that size would be taken; an item above the byte limit fits empty lanes. */
bool est_lanes_has_room(const struct est_lanes *lanes, size_t bytes);
/* Behind everything in the lane `name`. EST_ERR_FULL, EST_ERR_NOMEM: nothing has changed. */
est_err est_lanes_push(struct est_lanes *lanes, struct est_view name, struct est_lane_item *item,
                       size_t bytes, est_us now);

/* The ready lane of the group whose front has waited longest; NULL when none is ready. Lanes whose
 * park time has come by `now` count. */
struct est_lane *est_lanes_ready(struct est_lanes *lanes, size_t group, est_us now);
/* The next item that the lane would hand out; NULL when none is left. */
struct est_lane_item *est_lanes_front(const struct est_lane *lane);
/* Hand out the front of a lane that is ready, or that was taken from since it last was. From the
 * first take on the lane is busy; it may be taken from again only while the same request is being
 * filled. */
struct est_lane_item *est_lanes_take(struct est_lanes *lanes, struct est_lane *lane);
/* Does something before it in its lane wait? Then it must not go out now, though it was handed out:
 * what went with it was given back. */
bool est_lanes_is_behind_waiting(const struct est_lane_item *item);
/* The item waits again, in its old place; its lane is not ready before `not_before` (0 = at once).
 * Cannot fail. */
void est_lanes_give_back(struct est_lanes *lanes, struct est_lane_item *item, est_us not_before);
/* The item leaves for good, whether it was handed out or still waiting (its partition was revoked).
 * The owner may free it afterwards. Cannot fail. */
void est_lanes_settle(struct est_lanes *lanes, struct est_lane_item *item);

/* The item takes up so many bytes from now on. Cannot fail, though it may pass the limit. */
void est_lanes_resize(struct est_lanes *lanes, struct est_lane_item *item, size_t bytes);

/* When the first parked lane, of any group, becomes ready; EST_NEVER when none is parked. */
est_us est_lanes_wake_at(const struct est_lanes *lanes);
/* When the front of est_lanes_ready() arrived; EST_NEVER when no lane of the group is ready. */
est_us est_lanes_oldest(const struct est_lanes *lanes, size_t group);
/* As of the last est_lanes_ready(). */
struct est_lanes_group est_lanes_group(const struct est_lanes *lanes, size_t group);
struct est_lanes_stats est_lanes_stats(const struct est_lanes *lanes);
/* The two that are asked for at each record. */
void est_lanes_sum(const struct est_lanes *lanes, size_t *ret_records, size_t *ret_bytes);
