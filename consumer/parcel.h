/* One event on its way from Kafka to the dashboard: the record as it came, how it is read, and what
 * happened to it so far. Owned by the partition it came from until it is settled. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/view.h"
#include "core/lanes.h"
#include "io/kafka_msg.h"

struct est_schema;
struct part;

struct parcel {
    struct est_lane_item item; /* in the lanes */
    struct est_node node;      /* in part.parcels */
    struct est_node loan;      /* in loans.list while the record's memory is librdkafka's */
    uint64_t read_before;      /* loans.read when it came */
    struct part *part;
    struct est_kafka_msg *msg;
    const struct est_schema *schema; /* the writer's; NULL = it cannot be read */
    size_t framing;                  /* bytes of the value before the Avro body */
    size_t id_at, id_len;            /* the event's id in the value, once it was decoded */
    size_t bytes;                    /* as counted in part and lanes */
    unsigned attempts;               /* requests that carried it */
    unsigned failed;                 /* of them, those that failed while the path was well */
    unsigned exhausted;              /* of those, others having been delivered in between */
    unsigned forbidden;              /* answers 403 and 404 to it alone, the endpoint being well */
    uint64_t passed_mark;            /* deliver.passed at the last of those; 0 = none */
    uint64_t line_mark;              /* likewise line.passed */
    est_us first_failed_at;          /* wall clock; 0 = never failed */
};

/* Takes msg on success. NULL without memory. */
struct parcel *parcel_new(struct est_pool *pool, struct part *part, struct est_kafka_msg *msg);
void parcel_free(struct est_pool *pool, struct parcel *pc);
/* The Avro body, and the id inside it (empty before parcel_set_id): valid until parcel_own. */
struct est_view parcel_body(const struct parcel *pc);
struct est_view parcel_id(const struct parcel *pc);
/* `id` lies in the value. */
void parcel_set_id(struct parcel *pc, struct est_view id);
/* Memory of its own for the record; pc->bytes changes, in its part too. EST_ERR_NOMEM. */
est_err parcel_own(struct parcel *pc);
