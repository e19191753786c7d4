/* Private to lib/io/kafka_*.c: one question for metadata, asked by a thread of its own, because
 * librdkafka (2.0.2) can only be asked by a call that waits for the answer. The thread touches
 * nothing of ours but this struct, and only until it has written to the descriptor. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "io/loop.h"

#include <pthread.h>
#include <stdbool.h>

#include <librdkafka/rdkafka.h>

struct est_kafka_ask {
    rd_kafka_t *rk;
    struct est_loop *loop;
    struct est_watch watch; /* an eventfd */
    /* In the loop. md NULL with an error; it is freed when this returns. */
    void (*fn)(void *arg, rd_kafka_resp_err_t code, const struct rd_kafka_metadata *md);
    void *arg;
    pthread_t thread;
    bool running;
    int timeout_ms;
    rd_kafka_resp_err_t code;
    const struct rd_kafka_metadata *md;
};

est_err est_kafka_ask_init(struct est_kafka_ask *ask, struct est_loop *lp, rd_kafka_t *rk,
                           void (*fn)(void *arg, rd_kafka_resp_err_t code,
                                      const struct rd_kafka_metadata *md),
                           void *arg, struct est_why *reterr);
/* Waits for the thread, so at most for the question's timeout. Before the rd_kafka_t goes. */
void est_kafka_ask_fini(struct est_kafka_ask *ask);
/* About all topics that the client has a handle of. EST_ERR_AGAIN: the last question is not
 * answered yet. */
est_err est_kafka_ask_start(struct est_kafka_ask *ask, est_us timeout);
