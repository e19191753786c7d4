/* The partitions that this member holds: for each, what is settled and may be committed, and the
 * parcels that are not. A partition lives from `assigned` to the end of `revoked`. */
#pragma once

#include "base/err.h"
#include "base/list.h"
#include "io/kafka_sub.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_config;
struct est_offsets;
struct est_schema;
struct est_type_config;

struct part {
    const struct est_type_config *type;
    int32_t partition;
    struct est_offsets *offsets;
    bool started;                    /* the offsets have a beginning */
    int64_t committed;               /* acknowledged by the group; -1 = none yet */
    int64_t sent;                    /* in the commit under way */
    int64_t high;                    /* the highest offset that was handed out; -1 = none */
    const struct est_schema *schema; /* the writer's of the latest record; NULL = none yet */
    struct est_node parcels;
    size_t waiting, waiting_bytes;
    struct est_node held; /* records behind a schema that is being asked for: struct held */
    bool paused, asking;
};

struct parts {
    struct part *items;
    size_t n;
    struct part *last; /* records come in runs of one partition */
};

/* Replaces what was held; parcels must be gone. */
est_err parts_assign(struct parts *ps, const struct est_config *cfg,
                     const struct est_kafka_position *pos, size_t n, struct est_why *reterr);
void parts_clear(struct parts *ps);
/* NULL when it is not held. */
struct part *parts_find(struct parts *ps, const char *topic, int32_t partition);
/* A record was handed out, to a request or to the DLQ. A planned stop finishes what lies below it,
 * for the commit must pass it. */
void part_handed_out(struct part *p, int64_t offset);
/* A record was read: track its offset. */
est_err part_track(struct part *p, int64_t offset);
/* Fills `pos` (room for ps->n) with what may be committed and has not been: returns how many. */
size_t parts_to_commit(struct parts *ps, struct est_kafka_position *pos);
void parts_committed(struct parts *ps, bool ok);
