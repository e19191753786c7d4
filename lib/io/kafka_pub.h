/* Producing to Kafka on the loop: idempotent, acks=all; each record's outcome is reported exactly
 * once through `delivered`. librdkafka's own threads never call our code: everything comes through
 * its event queue, whose descriptor the loop watches. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_kafka_pub;

struct est_kafka_option {
    const char *name, *value;
};

struct est_kafka_pub_options {
    const char *brokers;
    const char *client_id;
    est_us linger;
    est_us message_timeout;                    /* a record not acknowledged by then has failed */
    size_t queue_max_records, queue_max_bytes; /* what librdkafka may hold un-acknowledged */
    size_t record_max_bytes;
    const struct est_kafka_option *extra; /* passed through from kafka.options, applied last */
    size_t n_extra;
};

struct est_record_header {
    const char *name; /* NUL-terminated */
    struct est_view value;
};

struct est_record {
    const char *topic;
    int32_t partition;
    struct est_view key, value; /* copied; an absent value is a tombstone */
    const struct est_record_header *headers;
    size_t n_headers;
    int64_t timestamp_ms; /* 0 = now */
};

struct est_kafka_pub_handlers {
    /* opaque is what est_kafka_pub_send was given. err EST_OK = acknowledged by the broker. */
    void (*delivered)(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset);
    /* All brokers went down (up = false), or one answers again. */
    void (*state)(void *arg, bool up, const char *detail);
    /* librdkafka's own log lines, level as syslog's. */
    void (*log)(void *arg, int level, const char *facility, const char *text);
    void *arg;
};

est_err est_kafka_pub_new(struct est_loop *lp, const struct est_kafka_pub_options *opt,
                          const struct est_kafka_pub_handlers *h, struct est_kafka_pub **ret,
                          struct est_why *reterr);
/* Records not acknowledged are dropped without a report: drain first. */
void est_kafka_pub_free(struct est_kafka_pub *kp);

/* EST_OK: `delivered` will be called, later, from the loop. EST_ERR_FULL: the queue is full.
 * EST_ERR_TOO_LARGE, EST_ERR_KAFKA_TOPIC (unknown topic or partition), EST_ERR_KAFKA_FATAL,
 * EST_ERR_NOMEM. */
est_err est_kafka_pub_send(struct est_kafka_pub *kp, const struct est_record *rec, void *opaque,
                           struct est_why *reterr);
/* Within `delivered` with an error: the record as it was sent, but for topic and time (NULL, 0),
 * so that nobody has to keep a second copy. The views are valid until the handler returns.
 * EST_ERR_RANGE: it has more than `room` headers. */
est_err est_kafka_pub_returned(const struct est_kafka_pub *kp, struct est_record_header *headers,
                               size_t room, struct est_record *ret);
/* Take back everything un-acknowledged: each is reported EST_ERR_KAFKA_PURGED (or its real outcome)
 * before this returns, at the latest after `bound`. False = some report is still missing. */
bool est_kafka_pub_purge(struct est_kafka_pub *kp, est_us bound);
/* At the end of a process: sends what waits without lingering, and reports, until nothing is left
 * or `bound` has passed. Blocks. False = something is left. */
bool est_kafka_pub_flush(struct est_kafka_pub *kp, est_us bound);
/* Records sent and not yet reported. */
size_t est_kafka_pub_pending(const struct est_kafka_pub *kp);

/* After a fatal error nothing can be sent any more: free this one and make a new one. */
bool est_kafka_pub_is_fatal(const struct est_kafka_pub *kp);

/* The partition counts of those topics, without blocking: fn is called once, from the loop, within
 * about `timeout`. counts[i] is of topics[i], 0 = it is not there yet, or cannot be written to;
 * counts is NULL with EST_ERR_KAFKA_DOWN. A topic is created where the broker allows it. `topics`
 * must stay until then, and always the same. EST_ERR_AGAIN: one question at a time. EST_ERR_NOMEM,
 * EST_ERR_IO. Freeing the producer waits for the answer. */
typedef void est_kafka_counts_fn(void *arg, est_err err, const int32_t *counts);
est_err est_kafka_pub_ask(struct est_kafka_pub *kp, const char *const *topics, size_t n,
                          est_us timeout, est_kafka_counts_fn *fn, void *arg);

/* Number of partitions of a topic, from the broker; the call may block up to `timeout`, so it is
 * for start-up and for a thread that may wait. The topic is created where the broker allows it. */
est_err est_kafka_pub_partitions(struct est_kafka_pub *kp, const char *topic, est_us timeout,
                                 int32_t *ret, struct est_why *reterr);
