/* Redis for a command: connected, and its answers waited for. */
#pragma once

#include "fetch.h"

#include "config/config.h"
#include "io/redis.h"

struct store {
    struct fetch *f; /* its loop, and Ctrl-C */
    struct est_redis *redis;
    bool up;
    est_err err; /* why it is down */
    char detail[256];
};

/* url NULL = redis.url. Waits until it is up. EST_ERR_REDIS_… as redis.h has them, EST_ERR_CLOSED =
 * interrupted. On failure it is closed. */
est_err store_open(struct store *s, struct fetch *f, const struct est_config *cfg, const char *url,
                   est_us timeout, struct est_why *why);
void store_close(struct store *s);
/* Again, after a loss. */
est_err store_wait_up(struct store *s, est_us timeout, struct est_why *why);
/* Turns the loop until *done. An answer always comes, also after Ctrl-C. */
void store_await(struct store *s, const bool *done);
/* How a command exits for an error of Redis. */
int store_exit(est_err err);
