/* Records to Kafka, or into the buffer while Kafka is unreachable; each one's outcome told once.
 *
 * One way per type (way.h) decides where an event goes. Here is what concerns all of them: when
 * Kafka counts as lost, when it is there again, who may use Redis, and what all of it may take
 * of memory. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct admit;
struct admit_item;
struct catalog;
struct est_buf;
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
    struct est_health *health;   /* why no event can be taken */
    struct est_health *warnings; /* what is wrong though events are taken */
    /* The outcome of item `index` of `ticket`. buffered: it is in Redis, not yet in Kafka. */
    void (*settled)(void *arg, void *ticket, size_t index, est_err err, bool buffered);
    void *arg;
};

est_err publish_new(const struct publish_options *opt, struct publish **ret,
                    struct est_why *reterr);
/* Everything that somebody still waits for is settled as not promised first. */
void publish_free(struct publish *p);

/* EST_OK: the records of `ad` may be sent now. EST_ERR_FULL: too many are under way.
 * EST_ERR_KAFKA_DOWN: nor does Redis take them; EST_ERR_REDIS_…: why the buffer does not. */
est_err publish_ready(const struct publish *p, const struct admit *ad);
/* Stamp and send. The outcome comes through `settled`, later. */
void publish_send(struct publish *p, const struct admit *ad, const struct admit_item *it,
                  void *ticket, size_t index);
/* Records that somebody waits for. */
size_t publish_pending(const struct publish *p);
/* Stopping: give back what is held in Redis. True once that is done. */
bool publish_leave(struct publish *p);
/* Bring `health` and `warnings` up to date. */
void publish_check_health(struct publish *p);
/* Bring the gauges up to date. */
void publish_metrics(const struct publish *p);
