/* The HTTP side: which path is answered by whom, after the token has been checked. The contract is
 * api/openapi.yaml. */
#pragma once

#include "auth.h"
#include "base/buf.h"
#include "base/clock.h"
#include "live.h"
#include "signature.h"
#include "store.h"

struct est_http_handlers;
struct est_http_req;
struct est_json;
struct est_metrics;

/* What the handlers work with; owned by main, which fills it before the first request. */
struct api {
    struct est_loop *lp;
    struct store *st;
    struct auth *au;
    struct signature *sg;
    struct live *lv;
    struct est_json *js;
    struct est_metrics *metrics;
    const char *currency, *timezone;
    est_us started_at;            /* monotonic */
    bool draining;                /* /readyz says so */
    est_us disk_failed_at;        /* monotonic, of the last failure; 0 = the last commit worked */
    struct est_buf texts, answer; /* scratch of one request */
};

enum {
    API_EVENTS_MAX = 5000,
    API_BATCH_DEPTH = 2,
    /* {"events":[ */ API_BODY_MAX = 16 * 1024 * 1024,
    API_ANSWER_MAX = 16 * 1024 * 1024
};

void api_init(struct api *api);
void api_fini(struct api *api);
/* The handlers for est_http_server_new, with `api` as their argument. */
struct est_http_handlers api_handlers(struct api *api);

/* How every handler answers: est_http_reply and est_http_problem, counted by route and status. */
void api_reply(struct api *api, struct est_http_req *req, int status, const char *content_type,
               struct est_view body);
void api_problem(struct api *api, struct est_http_req *req, int status, const char *title,
                 const char *detail, struct est_view more);
