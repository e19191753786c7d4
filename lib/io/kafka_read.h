/* Reading a topic from outside any group: for the command line, which looks and commits nothing.
 * All partitions are read at once, so records of one partition come in their order and those of
 * several are mixed. Calls block, at most for the time given. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "io/kafka_msg.h"

#include <stdbool.h>

struct est_kafka_read;

enum { EST_KAFKA_READ_END = -1 }; /* since_ms: only what comes from now on */

struct est_kafka_read_options {
    const char *brokers, *client_id, *topic;
    int64_t since_ms; /* Unix time in ms: records of that time and later; 0 = all;
                       * or EST_KAFKA_READ_END */
    bool until_now;   /* only what was there when it was opened, then EST_ERR_CLOSED */
    est_us timeout;   /* for finding the partitions and where to begin */
    const struct est_kafka_option *extra;
    size_t n_extra;
};

/* EST_ERR_NOTFOUND: no such topic. EST_ERR_KAFKA_DOWN: no answer in time. */
est_err est_kafka_read_new(const struct est_kafka_read_options *opt, struct est_kafka_read **ret,
                           struct est_why *reterr);
void est_kafka_read_free(struct est_kafka_read *kr);
/* With until_now: how many offsets there are between the beginning and the end, of all partitions;
 * records at most. Else 0. */
uint64_t est_kafka_read_total(const struct est_kafka_read *kr);

/* The next record, which is the caller's. EST_ERR_AGAIN: none came within `wait`. EST_ERR_CLOSED:
 * the end of every partition has been reached once; later calls go on waiting for what comes behind
 * it, or, with until_now, say so again. */
est_err est_kafka_read_next(struct est_kafka_read *kr, est_us wait, struct est_kafka_msg **ret,
                            struct est_why *reterr);
