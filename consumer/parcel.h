/* One event on its way from Kafka to the dashboard: the record as it came, the JSON that is sent,
 * and what happened to it so far. Owned by the partition it came from until it is settled. */
#pragma once

#include "base/clock.h"
#include "base/list.h"
#include "base/view.h"
#include "core/lanes.h"
#include "io/kafka_msg.h"

struct part;

struct parcel {
    struct est_lane_item item; /* in the lanes */
    struct est_node node;      /* in part.parcels */
    struct part *part;
    struct est_kafka_msg *msg;
    struct est_view id;     /* borrowed from msg, or from json */
    unsigned attempts;      /* requests that carried it */
    est_us first_failed_at; /* wall clock; 0 = never failed */
    size_t json_len;
    char json[];
};

/* Takes msg on success. `json` is copied. NULL without memory. */
struct parcel *parcel_new(struct part *part, struct est_kafka_msg *msg, struct est_view id,
                          struct est_view json);
void parcel_free(struct parcel *pc);
size_t parcel_bytes(const struct parcel *pc);
