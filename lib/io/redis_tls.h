/* Private to lib/io/redis*.c: TLS to Redis, where hiredis has it (1.0 and newer, with hiredis_ssl).
 * Without it only est_redis_tls_is_built and _library are of use. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct redisAsyncContext;
struct est_redis_tls;

bool est_redis_tls_is_built(void);
/* "hiredis 0.14.1 without TLS": for messages. */
const char *est_redis_tls_library(void);

/* ca_file NULL or "" = the system's store. EST_ERR_TLS (the file), EST_ERR_NOMEM. */
est_err est_redis_tls_new(const char *ca_file, struct est_redis_tls **ret, struct est_why *reterr);
void est_redis_tls_free(struct est_redis_tls *t); /* NULL is a no-op */
/* Before the connection is used; certificate and host name are verified. */
bool est_redis_tls_start(struct est_redis_tls *t, struct redisAsyncContext *ac, const char *host);
