/* Private to lib/io/redis*.c: asks the Sentinels, one after the other, where the master is. */
#pragma once

#include "io/redis_url.h"
#include "io/loop.h"

struct est_redis_sentinel;

/* host: the master, or NULL when none of them knew; detail then says what the last one said. The
 * sentinel is to be freed then, from inside this call or later. */
typedef void est_redis_sentinel_fn(void *arg, const struct est_redis_host *host,
                                   const char *detail);

/* `url` outlives it. password: "" = none. Each Sentinel has `timeout`. fn is called once, later. */
est_err est_redis_sentinel_ask(struct est_loop *lp, const struct est_redis_url *url,
                               const char *password, est_us timeout, est_redis_sentinel_fn *fn,
                               void *arg, struct est_redis_sentinel **ret);
void est_redis_sentinel_free(struct est_redis_sentinel *s); /* NULL is a no-op */
