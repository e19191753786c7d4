/* Private to lib/io/kafka_*.c: what producer, consumer and admin share of librdkafka. */
#pragma once

#include "io/kafka_pub.h"

#include <librdkafka/rdkafka.h>

/* A property: text, or the number when text is NULL. */
struct est_kafka_setting {
    const char *name, *text;
    int64_t number;
};

est_err est_kafka_configure(rd_kafka_conf_t *conf, const struct est_kafka_setting *settings,
                            size_t n, struct est_why *reterr);
/* The operator's own properties. Those that our promises rest on cannot be changed. */
est_err est_kafka_configure_extra(rd_kafka_conf_t *conf, const struct est_kafka_option *extra,
                                  size_t n, struct est_why *reterr);
/* Takes *conf (set to NULL) on success. */
est_err est_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t **conf, rd_kafka_t **ret,
                      struct est_why *reterr);

/* A client with these properties and the operator's: for those that need nothing else. */
est_err est_kafka_open(rd_kafka_type_t type, const struct est_kafka_setting *settings, size_t n,
                       const struct est_kafka_option *extra, size_t n_extra, rd_kafka_t **ret,
                       struct est_why *reterr);

/* An event queue on the loop. librdkafka writes to the descriptor only when the queue turns from
 * empty to non-empty, so the queue is always drained to empty: once when armed, and at each
 * wake-up. A turn handles at most a bounded number of events and then wakes itself again. */
struct est_kafka_wake {
    int fd; /* eventfd */
    struct est_loop *loop;
    struct est_watch watch;
    rd_kafka_queue_t *queue;
    void (*fn)(void *arg, rd_kafka_event_t *ev);
    void *arg;
    bool fn_takes;               /* fn destroys the events; set behind init */
    void (*fn_empty)(void *arg); /* the queue was found empty; NULL, or set behind init */
    bool held;                   /* nothing is handled */
};

est_err est_kafka_wake_init(struct est_kafka_wake *w, struct est_loop *lp, rd_kafka_queue_t *queue,
                            void (*fn)(void *arg, rd_kafka_event_t *ev), void *arg,
                            struct est_why *reterr);
void est_kafka_wake_fini(struct est_kafka_wake *w);
/* Handle in the next turn of the loop what is there; with nothing there, it still counts as a poll.
 */
void est_kafka_wake_soon(const struct est_kafka_wake *w);
/* While held, events stay in the queue. */
void est_kafka_wake_hold(struct est_kafka_wake *w, bool held);
/* Handle what is there, waiting up to `wait` for a first event: for bounded blocking calls only. */
void est_kafka_wake_wait(struct est_kafka_wake *w, est_us wait);
