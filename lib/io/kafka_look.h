/* Looking at topics and at a consumer group from outside: which partitions there are, where they
 * begin and end, what the group has committed, with the metadata of each commit. Joins nothing,
 * commits nothing. For the command line: calls block, at most for the timeout given. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "io/kafka_pub.h"

#include <stdint.h>

struct est_kafka_look;

struct est_kafka_look_options {
    const char *brokers, *client_id, *group;
    const char *const *topics; /* borrowed as long as the look lives */
    size_t n_topics;
    est_us timeout; /* of each call that asks Kafka */
    const struct est_kafka_option *extra;
    size_t n_extra;
};

struct est_kafka_look_part {
    size_t topic; /* in the topics of the options */
    int32_t partition;
    int64_t low, high;        /* the first offset that is there, the one behind the last */
    int64_t committed;        /* the next one that the group reads; -1 = it has committed nothing */
    int64_t waits_since_ms;   /* est_kafka_look_times: of the first record that the group has not
                               passed; -1 = none waits, or it is not known */
    struct est_view metadata; /* of that commit; absent = none */
};

/* Asks for everything once. A topic that does not exist has no partitions here.
 * EST_ERR_KAFKA_DOWN: no answer in time. */
est_err est_kafka_look_new(const struct est_kafka_look_options *opt, struct est_kafka_look **ret,
                           struct est_why *reterr);
void est_kafka_look_free(struct est_kafka_look *k);
/* Asks anew, partitions that came since included; what was borrowed before is gone. The group's
 * offsets are asked before the ends, so that none lies behind its end. */
est_err est_kafka_look_refresh(struct est_kafka_look *k, struct est_why *reterr);
/* By topic, then by partition. */
const struct est_kafka_look_part *est_kafka_look_parts(const struct est_kafka_look *k,
                                                       size_t *ret_n);
/* Members of the group. */
est_err est_kafka_look_members(struct est_kafka_look *k, size_t *ret, struct est_why *reterr);
/* Reads of each partition the first record that the group has not passed, for its time; what has
 * not come within `bound` is not known. */
est_err est_kafka_look_times(struct est_kafka_look *k, est_us bound, struct est_why *reterr);
