/* Consuming from Kafka on the loop as a member of a group: eager `range` assignment, offsets
 * committed only when told, always with an explicit list. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "io/kafka_pub.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_kafka_sub;

struct est_kafka_sub_options {
    const char *brokers, *client_id, *group;
    const char *member_id;          /* static membership; NULL = dynamic */
    const char *const *topics;      /* exact names */
    size_t n_topics;
    bool from_earliest;             /* where a group without offsets begins */
    est_us session_timeout, heartbeat;
    size_t fetch_max_bytes;         /* what librdkafka may hold fetched, per partition queue and in all */
    const struct est_kafka_option *extra;
    size_t n_extra;
};

/* A record as Kafka handed it over. It owns its bytes until est_kafka_msg_free. */
struct est_kafka_msg;
struct est_view est_kafka_msg_key(const struct est_kafka_msg *m);
struct est_view est_kafka_msg_value(const struct est_kafka_msg *m); /* absent = tombstone */
const char *est_kafka_msg_topic(const struct est_kafka_msg *m);
int32_t est_kafka_msg_partition(const struct est_kafka_msg *m);
int64_t est_kafka_msg_offset(const struct est_kafka_msg *m);
int64_t est_kafka_msg_timestamp_ms(const struct est_kafka_msg *m);
/* The last header of that name; absent when there is none. */
struct est_view est_kafka_msg_header(const struct est_kafka_msg *m, const char *name);
size_t est_kafka_msg_header_count(const struct est_kafka_msg *m);
bool est_kafka_msg_header_at(const struct est_kafka_msg *m, size_t i, struct est_record_header *ret);
void est_kafka_msg_free(struct est_kafka_msg *m);

struct est_kafka_position {
    const char *topic;
    int32_t partition;
    int64_t offset;       /* the next record to be read; -1 = no commit yet */
    const char *metadata; /* text as committed, NULL = none */
};

struct est_kafka_sub_handlers {
    /* A record; the handler owns m from here. */
    void (*record)(void *arg, struct est_kafka_msg *m);
    /* Partitions arrive, with what the group committed for them. */
    void (*assigned)(void *arg, const struct est_kafka_position *parts, size_t n);
    /* Partitions go. The handler finishes what is in flight and calls est_kafka_sub_revoke_done, in
     * this call or later (within the bound that it set itself); nothing is fetched meanwhile.
     * lost = the group has already given them to others: commits would be refused. */
    void (*revoked)(void *arg, const struct est_kafka_position *parts, size_t n, bool lost);
    /* Outcome of one est_kafka_sub_commit. */
    void (*committed)(void *arg, est_err err, const char *detail);
    void (*state)(void *arg, bool up, const char *detail);
    void (*log)(void *arg, int level, const char *facility, const char *text);
    void *arg;
};

est_err est_kafka_sub_new(struct est_loop *lp, const struct est_kafka_sub_options *opt,
                          const struct est_kafka_sub_handlers *h, struct est_kafka_sub **ret,
                          struct est_why *reterr);
/* Asynchronous; `committed` reports. One outstanding at a time: EST_ERR_AGAIN otherwise. */
est_err est_kafka_sub_commit(struct est_kafka_sub *ks, const struct est_kafka_position *parts, size_t n,
                             struct est_why *reterr);
/* Answers `revoked`: commits `parts` synchronously (bounded; skipped when lost or n == 0), then
 * gives the partitions back. */
void est_kafka_sub_revoke_done(struct est_kafka_sub *ks, const struct est_kafka_position *parts, size_t n);
est_err est_kafka_sub_pause(struct est_kafka_sub *ks, const char *topic, int32_t partition, bool paused);
/* Log end offset as last fetched, for lag; -1 unknown. */
int64_t est_kafka_sub_end_offset(struct est_kafka_sub *ks, const char *topic, int32_t partition);
/* Leave the group (triggers `revoked` for what is held); done when est_kafka_sub_closed is true. */
void est_kafka_sub_close(struct est_kafka_sub *ks);
bool est_kafka_sub_closed(const struct est_kafka_sub *ks);
void est_kafka_sub_free(struct est_kafka_sub *ks);
