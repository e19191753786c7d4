/* Private to lib/io/redis*.c: one connection to one server, hiredis' async context on the loop. It
 * carries bytes and answers in order; who asked what is its owner's business. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"
#include "io/loop.h"
#include "io/redis.h"
#include "io/redis_tls.h"

#include <stdbool.h>
#include <stdint.h>

struct est_redis_conn;

struct est_redis_target {
    const char *path; /* "" = TCP */
    const char *host;
    uint16_t port;
    struct est_redis_tls *tls; /* NULL = none */
};

struct est_redis_conn_handlers {
    /* The answer to the next command in the order of sending; valid during the call. */
    void (*answer)(void *arg, const struct est_redis_reply *r);
    /* Once, and nothing after it: the owner frees the connection now or later. */
    void (*gone)(void *arg, const char *detail);
    void *arg;
};

/* Commands may be sent at once; they go out when it is connected. EST_ERR_CONNECT: it failed in the
 * very call, `gone` is not called. EST_ERR_NOMEM. */
est_err est_redis_conn_new(struct est_loop *lp, const struct est_redis_target *to,
                           const struct est_redis_conn_handlers *h, struct est_redis_conn **ret,
                           struct est_why *reterr);
/* Also from inside a handler. NULL is a no-op. */
void est_redis_conn_free(struct est_redis_conn *c);
/* One whole command in RESP, copied. False: no memory, or the connection is ending. */
bool est_redis_conn_send(struct est_redis_conn *c, struct est_buf *wire);
bool est_redis_conn_is_open(const struct est_redis_conn *c);
/* Bytes that the server has not taken yet. */
size_t est_redis_conn_unsent(const struct est_redis_conn *c);
/* When bytes came last (0 = never). */
est_us est_redis_conn_heard(const struct est_redis_conn *c);
