/* Private to lib/io/redis*.c: what a Redis URL says. The forms stand in redis.h. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EST_REDIS_HOSTS_MAX = 16,
    EST_REDIS_HOST_MAX = 255,
    EST_REDIS_PATH_MAX = 107, /* sun_path without the NUL */
    EST_REDIS_USER_MAX = 255,
    EST_REDIS_PASSWORD_MAX = 1023,
    EST_REDIS_MASTER_MAX = 127
};

struct est_redis_host {
    char name[EST_REDIS_HOST_MAX + 1]; /* without the brackets of an IPv6 address */
    uint16_t port;
};

struct est_redis_url {
    bool tls, sentinel;
    char path[EST_REDIS_PATH_MAX + 1];                /* of a Unix socket; "" = none */
    struct est_redis_host hosts[EST_REDIS_HOSTS_MAX]; /* the server, or the Sentinels */
    size_t n_hosts;
    char master[EST_REDIS_MASTER_MAX + 1]; /* its name at the Sentinels */
    char user[EST_REDIS_USER_MAX + 1];     /* "" = the default user */
    char password[EST_REDIS_PASSWORD_MAX + 1];
    char sentinel_password[EST_REDIS_PASSWORD_MAX + 1];
    unsigned db;
};

/* EST_ERR_INVALID, EST_ERR_UNSUPPORTED. The text of reterr holds no user and no password. On
 * failure *ret is wiped. */
est_err est_redis_url_parse(const char *text, struct est_redis_url *ret, struct est_why *reterr);
