/* A request whose events are on their way: parked until each of them is durable or is not, then
 * answered once. 202 only when all are durable; else 503 that lists the ids to repeat, and "not
 * promised" is all that it says of them. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admit;
struct est_http_req;

struct waiting_id {
    uint32_t at, len; /* in waiting.ids: the quoted JSON string */
    bool failed;
};

struct waiting {
    struct est_http_req *req;
    est_us started; /* monotonic */
    bool batch, minimal;
    size_t n, left, failed, buffered;
    est_err why;           /* of the first that failed */
    struct est_buf ids;    /* "id","id",… : an array's inside, ready to be sent */
    struct est_buf errors; /* members to append for items refused under ?partial=true; else empty */
    struct waiting_id *items;
    size_t cap;
    struct est_node node; /* in the pool, when free */
};

/* A pool, so that the usual request allocates nothing. */
struct waiting_pool {
    struct est_node free;
    size_t n_free, n_used;
};

void waiting_pool_init(struct waiting_pool *pool);
void waiting_pool_fini(struct waiting_pool *pool);
/* For the items of `ad`. NULL without memory. */
struct waiting *waiting_take(struct waiting_pool *pool, struct est_http_req *req,
                             const struct admit *ad, bool minimal, est_us now);
void waiting_give(struct waiting_pool *pool, struct waiting *w);
/* Item i has its outcome; true when it was the last one. */
bool waiting_settle(struct waiting *w, size_t i, est_err err, bool buffered);
/* Answer by the outcomes: the status that was sent. */
int waiting_reply(struct waiting *w);
