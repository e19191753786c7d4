/* Topics: what is there, and making what is not. For the command line and for start-up: every call
 * blocks, at most for the timeout given. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "io/kafka_pub.h"

#include <stddef.h>
#include <stdint.h>

struct est_kafka_admin;

est_err est_kafka_admin_new(const char *brokers, const char *client_id,
                            const struct est_kafka_option *extra, size_t n_extra,
                            struct est_kafka_admin **ret, struct est_why *reterr);
void est_kafka_admin_free(struct est_kafka_admin *ka);

struct est_kafka_topic_wish {
    const char *topic;
    int32_t partitions;
    int32_t replication;
    const struct est_kafka_option *configs; /* "retention.ms" … */
    size_t n_configs;
};

/* Called once per topic: EST_OK = made now; EST_ERR_AGAIN = it exists already (left as it is);
 * else what Kafka said, in text. */
typedef void est_kafka_topic_told(void *arg, const char *topic, est_err err, const char *text);

/* EST_OK when every topic was made or exists; the first other error otherwise. EST_ERR_KAFKA_DOWN:
 * no answer in time, and then topics may or may not have been made. */
est_err est_kafka_admin_create(struct est_kafka_admin *ka,
                               const struct est_kafka_topic_wish *wishes, size_t n, est_us timeout,
                               est_kafka_topic_told *told, void *arg, struct est_why *reterr);
/* Number of partitions; EST_ERR_NOTFOUND when there is no such topic (it is not created). A topic
 * that was made a moment ago may be unknown to the broker that is asked. */
est_err est_kafka_admin_partitions(struct est_kafka_admin *ka, const char *topic, est_us timeout,
                                   int32_t *ret, struct est_why *reterr);

/* Makes more partitions, `total` in all; never fewer. What is there stays, but keys move: of a key
 * that does, new records may be read before older ones. EST_ERR_KAFKA_REFUSED: reterr has what
 * Kafka said. */
est_err est_kafka_admin_grow(struct est_kafka_admin *ka, const char *topic, int32_t total,
                             est_us timeout, struct est_why *reterr);

/* How the copies are, of all topics of the cluster. */
struct est_kafka_copies {
    unsigned brokers, partitions;
    unsigned behind;     /* partitions of which a copy is not up to date */
    unsigned leaderless; /* partitions that nobody serves */
};

est_err est_kafka_admin_copies(struct est_kafka_admin *ka, est_us timeout,
                               struct est_kafka_copies *ret, struct est_why *reterr);

struct est_kafka_cut {
    int32_t partition;
    int64_t before; /* records below this offset go */
    est_err err;    /* what became of it */
};

/* Deletes the head of each of these partitions: Kafka can delete records only from there. Each cut
 * has its own outcome; the first that is not EST_OK is returned. */
est_err est_kafka_admin_delete_records(struct est_kafka_admin *ka, const char *topic,
                                       struct est_kafka_cut *cuts, size_t n, est_us timeout,
                                       struct est_why *reterr);
