/* The inside of kafka_sub.h, for kafka_sub*.c: the client and its queues (kafka_sub.c), partitions
 * and commits (kafka_sub_group.c), and whether a broker is there (kafka_sub_health.c). */
#pragma once

#include "kafka_client.h"
#include "kafka_sub.h"

#include "base/pool.h"

enum est_kafka_sub_giving { EST_KAFKA_SUB_KEEPS, EST_KAFKA_SUB_ASKED, EST_KAFKA_SUB_COMMITS };

/* Three queues, so that none waits behind another: records can be held back while membership and
 * the outcomes of commits go on. */
struct est_kafka_sub {
    struct est_loop *loop;
    struct est_kafka_sub_handlers on;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;   /* rebalances, errors, log: what counts as the poll of a member */
    rd_kafka_queue_t *records; /* each partition that we hold is forwarded to it */
    rd_kafka_queue_t *results; /* of commits and probes */
    struct est_kafka_wake wake, records_wake, results_wake;
    struct est_timer poll_timer, give_timer, assign_timer;
    est_us poll_every;
    char **topics;
    size_t n_topics;
    const rd_kafka_topic_t *last_rkt; /* the topic of the last record, and our name of it */
    const char *last_topic;
    est_us commit_timeout;
    enum est_kafka_sub_giving giving;
    rd_kafka_topic_partition_list_t *revoked;
    rd_kafka_topic_partition_list_t *unread; /* assigned, and what is committed is not known yet */
    bool lost, committing, down, probing, closing;
    struct est_pool messages;
    size_t fetch_max_bytes;
    size_t taken, taken_bytes; /* records handed over since librdkafka was last nudged */
    bool dropped;              /* a pause may have thrown away what filled its queue */
    bool nudge_again;          /* when the probe that is out has been answered */
    char give_tag;             /* its address is the opaque of a revoke's last commit */
};

/* Our own copy of a topic's name, which outlives librdkafka's. */
const char *est_kafka_sub_own_name(const struct est_kafka_sub *ks, const char *name);

/* kafka_sub_health.c */
void est_kafka_sub_tell_log(struct est_kafka_sub *ks, int level, const char *facility,
                            const char *text);
void est_kafka_sub_set_up(struct est_kafka_sub *ks, bool up, const char *detail);
/* Send the cheapest request that any broker answers, unless one is out. */
void est_kafka_sub_probe(struct est_kafka_sub *ks);
/* The same; behind the one that is out, if there is one. */
void est_kafka_sub_nudge(struct est_kafka_sub *ks);
void est_kafka_sub_take_probe(struct est_kafka_sub *ks, rd_kafka_event_t *ev);
void est_kafka_sub_take_error(struct est_kafka_sub *ks, rd_kafka_event_t *ev);
void est_kafka_sub_take_log(struct est_kafka_sub *ks, rd_kafka_event_t *ev);

/* kafka_sub_group.c */
void est_kafka_sub_on_give_timer(void *ks);
void est_kafka_sub_on_assign_timer(void *ks);
/* An assignment that was not handed over yet is refused. */
void est_kafka_sub_drop_unread(struct est_kafka_sub *ks);
void est_kafka_sub_take_rebalance(struct est_kafka_sub *ks, rd_kafka_event_t *ev);
void est_kafka_sub_take_commit(struct est_kafka_sub *ks, rd_kafka_event_t *ev);
