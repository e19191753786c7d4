/* Passes the two read calls of the old service through to the dashboard, with the dashboard's
 * token, and says since when the dashboard is offline when it is. */
#pragma once

#include "base/err.h"

struct est_config;
struct est_http_req;
struct est_loop;
struct proxy;

/* The first destination of the configuration is the one asked. */
est_err proxy_new(struct est_loop *lp, const struct est_config *cfg, struct proxy **ret,
                  struct est_why *reterr);
/* Answers req, now or later. */
void proxy_get(struct proxy *px, struct est_http_req *req, const char *path);
/* Calls under way are dropped: the server that holds their requests goes first. */
void proxy_free(struct proxy *px);
