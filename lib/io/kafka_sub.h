/* Consuming from Kafka on the loop as a member of a group: eager `range` assignment, offsets
 * committed only when told, always with an explicit list.
 *
 *   joining ──assigned──► owning ──revoked──► giving back ──revoke_done──► (commit) ──► joining
 *                           └────close────────────┘                                     or closed
 *
 * Eager, because commits that meet a running cooperative rebalance come back refused and the whole
 * assignment is lost with them (librdkafka 2.0.2). librdkafka's threads never call our code:
 * everything comes through its queue, whose descriptor the loop watches. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "io/kafka_msg.h"
#include "io/kafka_pub.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_kafka_sub;

struct est_kafka_sub_options {
    const char *brokers, *client_id, *group;
    const char *member_id;     /* static membership; NULL or "" = dynamic */
    const char *const *topics; /* exact names; copied */
    size_t n_topics;
    bool from_earliest; /* where a group without offsets begins */
    est_us session_timeout, heartbeat;
    est_us commit_timeout;  /* how long a revoke waits for its last commit */
    size_t fetch_max_bytes; /* what librdkafka may hold fetched and not yet handed over */
    const struct est_kafka_option *extra; /* passed through from kafka.options, applied last */
    size_t n_extra;
};

struct est_kafka_position {
    const char *topic;
    int32_t partition;
    int64_t offset;           /* the next record to be read; -1 = none known */
    struct est_view metadata; /* as committed; absent = none */
};

struct est_kafka_sub_handlers {
    /* A record; the handler owns m from here. */
    void (*record)(void *arg, struct est_kafka_msg *m);
    /* Partitions arrive, with what the group committed for them: no offset = nothing committed, and
     * the first record shows where it begins. */
    void (*assigned)(void *arg, const struct est_kafka_position *parts, size_t n);
    /* Partitions go, all of them. The handler finishes what is in flight and calls
     * est_kafka_sub_revoke_done, in this call or later (within the bound that it set itself); no
     * record is handed over meanwhile. lost = the group has already given them to others: what is
     * committed now would be refused. */
    void (*revoked)(void *arg, const struct est_kafka_position *parts, size_t n, bool lost);
    /* Outcome of one est_kafka_sub_commit. EST_ERR_TOO_LARGE: the metadata is longer than the
     * broker takes (offset.metadata.max.bytes). */
    void (*committed)(void *arg, est_err err, const char *detail);
    /* All brokers went down (up = false), or one answers again. Only changes are told. */
    void (*state)(void *arg, bool up, const char *detail);
    /* The client cannot go on, e.g. another member came with the same member_id. */
    void (*fatal)(void *arg, const char *detail);
    /* librdkafka's own log lines and its passing errors, level as syslog's. */
    void (*log)(void *arg, int level, const char *facility, const char *text);
    void *arg;
};

/* The views and texts that handlers get are valid during the call, topic names as long as ks is. */
est_err est_kafka_sub_new(struct est_loop *lp, const struct est_kafka_sub_options *opt,
                          const struct est_kafka_sub_handlers *h, struct est_kafka_sub **ret,
                          struct est_why *reterr);
/* Asynchronous; `committed` reports. One outstanding at a time: EST_ERR_AGAIN otherwise. */
est_err est_kafka_sub_commit(struct est_kafka_sub *ks, const struct est_kafka_position *parts,
                             size_t n, struct est_why *reterr);
/* Answers `revoked`: commits `parts` (skipped when lost or n == 0), waits for the outcome at most
 * commit_timeout without blocking the loop, then gives the partitions back. `committed` reports. */
void est_kafka_sub_revoke_done(struct est_kafka_sub *ks, const struct est_kafka_position *parts,
                               size_t n);
/* While held, no record is handed over and none is thrown away: they wait fetched, as far as
 * fetch_max_bytes goes. Membership, rebalances and commits go on. For moments, where a pause would
 * fetch everything again. */
void est_kafka_sub_hold(struct est_kafka_sub *ks, bool held);
/* A paused partition hands over nothing; what librdkafka had fetched of it is fetched again. */
est_err est_kafka_sub_pause(struct est_kafka_sub *ks, const char *topic, int32_t partition,
                            bool paused);
/* Log end offset as last fetched, for lag; -1 unknown. */
int64_t est_kafka_sub_end_offset(struct est_kafka_sub *ks, const char *topic, int32_t partition);
/* Leave the group (triggers `revoked` for what is held); done when est_kafka_sub_closed is true.
 * While no broker answers that may take for ever: the caller has its own deadline. */
void est_kafka_sub_close(struct est_kafka_sub *ks);
bool est_kafka_sub_closed(const struct est_kafka_sub *ks);
/* Without close before it, the group notices by its session timeout. No message that was handed
 * over may be left, unless it has memory of its own (kafka_msg.h). */
void est_kafka_sub_free(struct est_kafka_sub *ks);
