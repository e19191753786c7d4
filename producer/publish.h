/* Records to Kafka: stamped, sent, and each one's outcome told once.
 *
 *   learning ──partitions known──► direct ──takeover──► away ──a broker answers──► direct
 *
 * learning: Kafka has not been seen in this life, so no event can be given a partition. A takeover
 * takes back everything un-acknowledged and ends it as not promised; what triggers one: the oldest
 * record un-acknowledged for longer than producer.ack_timeout (a frozen broker sends no signal),
 * all brokers down, a record that failed. Behind a failed record of a chain nothing may stay in
 * flight, for its number would be a hole that nobody promised: so a takeover is always of all. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct admit;
struct admit_item;
struct catalog;
struct est_config;
struct est_health;
struct est_loop;
struct est_metrics;
struct publish;

struct publish_options {
    struct est_loop *loop;
    const struct est_config *config;
    struct catalog *catalog;
    struct est_metrics *metrics;
    struct est_health *health;
    /* The outcome of item `index` of `ticket`. */
    void (*settled)(void *arg, void *ticket, size_t index, est_err err);
    void *arg;
};

est_err publish_new(const struct publish_options *opt, struct publish **ret,
                    struct est_why *reterr);
/* Everything still un-acknowledged is settled as failed first. */
void publish_free(struct publish *p);
/* Before the first request: wait a little for Kafka and its partition counts. */
void publish_warm_up(struct publish *p);

/* EST_OK: `n` records of `bytes` in all may be sent now. EST_ERR_KAFKA_DOWN, EST_ERR_FULL. */
est_err publish_ready(const struct publish *p, size_t n, size_t bytes);
/* Stamp and send. The outcome comes through `settled`, later, also when sending failed at once. */
void publish_send(struct publish *p, const struct admit *ad, const struct admit_item *it,
                  void *ticket, size_t index);
size_t publish_pending(const struct publish *p);
/* End everything un-acknowledged as not promised. */
void publish_give_up(struct publish *p);
/* Bring the gauges up to date. */
void publish_metrics(const struct publish *p);
