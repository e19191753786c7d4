/* The inside of publish.h, for publish*.c: Kafka lost and found (publish_kafka.c), what Redis tells
 * (publish_store.c), deadlines, health and metrics (publish_health.c), and each turn of the loop
 * (publish.c). */
#pragma once

#include "admit.h"
#include "boots.h"
#include "broker.h"
#include "catalog.h"
#include "config/config.h"
#include "io/loop.h"
#include "metrics/metrics.h"
#include "publish.h"
#include "way.h"

/* What the streams that are ours hold, as Redis tells it. */
struct holding {
    uint64_t entries, bytes;
    est_us oldest_age;
};

struct publish {
    struct publish_options opt;
    struct ways ways;
    struct way *all;      /* as in the catalog */
    struct way **ordered; /* by priority */
    struct holding *told, *telling;
    size_t n;
    est_us started;
    bool kafka_there; /* a broker has answered since Kafka was last lost */
    bool loss_told;   /* and it has not been there since */
    bool taking_over;
    est_err store_err; /* why Redis cannot be used; EST_OK = it can */
    est_us store_down; /* since when */
    bool leaving;      /* no more is read from Redis */
    bool closing;      /* leases have been given back */
    est_us oldest_age; /* of the oldest entry that waits in Redis */
    double tokens;     /* what redis.drain_rate allows now */
    est_us tokens_at;
    struct est_timer tick, wake;
};

static inline est_us publish_now(const struct publish *p)
{
    return est_loop_now(p->opt.loop);
}

/* --- publish_kafka.c --- */

/* Kafka is lost: what it has not acknowledged is taken back, in order. `reason` is a word of the
 * metrics; it says whether all types are concerned or those at fault. */
void publish_take_over(struct publish *p, const char *reason);
/* Types may go direct when something shows that Kafka takes records. */
void publish_tell_evidence(struct publish *p);
void publish_ask_broker(struct publish *p);
/* Where neither Kafka nor Redis tells how many partitions there are. */
void publish_assume_partitions(struct publish *p);
/* For struct broker_options. */
void publish_on_lost(void *arg);
void publish_on_answered(void *arg);
void publish_on_delivered(void *arg, struct record *rec, est_err err);
void publish_on_partitions(void *arg, struct catalog_type *t);

/* --- publish_store.c --- */

/* Another shim took our lease: to the others this life is over. */
void publish_be_born_again(struct publish *p);
/* For struct boots_options. */
void publish_on_store(void *arg, bool up, est_err err, const char *detail);
void publish_on_found(void *arg, struct boot *boot, const char *type, uint64_t entries);
void publish_on_gone(void *arg, struct boot *boot);
void publish_on_fenced(void *arg);
void publish_on_told(void *arg, const struct est_buffer_type *told);
void publish_on_remembered(void *arg, const char *type, uint32_t count);

/* --- publish_health.c --- */

void publish_check_deadlines(struct publish *p);
/* redis.buffer_bytes with `more` on top, redis.buffer_age. */
bool publish_is_full(const struct publish *p, size_t more);
bool publish_is_old(const struct publish *p);
