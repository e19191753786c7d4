/* HTTP client on the loop: libcurl's multi socket interface. Keep-alive, HTTP/2 where offered, no
 * redirects followed, no proxy from the environment, certificates verified. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_http_client;
struct est_http_call;

struct est_http_client_options {
    unsigned conns_max;       /* open connections in all */
    est_us connect_timeout;
    const char *ca_file;      /* NULL = the system's store */
    const char *user_agent;   /* NULL = none */
};

struct est_http_field {
    const char *name, *value;
};

struct est_http_request {
    const char *method; /* "GET", "POST" */
    const char *url;
    const struct est_http_field *fields;
    size_t n_fields;
    struct est_view body; /* borrowed until done is called: the caller keeps the bytes alive */
    est_us timeout;       /* whole exchange */
    size_t response_max;  /* a longer answer is cut off and is EST_ERR_TOO_LARGE */
};

struct est_http_result {
    est_err err;           /* EST_OK = an HTTP answer came, whatever its status */
    int status;            /* 0 when none came */
    struct est_view body;  /* valid during the callback */
    struct est_view retry_after, rate_limit, content_type; /* fields, absent when not sent */
    char detail[160];      /* why there is no answer; no secret in it */
    est_us duration;
};

est_err est_http_client_new(struct est_loop *lp, const struct est_http_client_options *opt,
                            struct est_http_client **ret, struct est_why *reterr);
void est_http_client_free(struct est_http_client *c); /* calls under way are cancelled, done not called */

/* Starts an exchange; done is called exactly once from the loop, never from inside this call. */
est_err est_http_client_send(struct est_http_client *c, const struct est_http_request *rq,
                             void (*done)(void *arg, const struct est_http_result *res), void *arg,
                             struct est_http_call **ret_call, struct est_why *reterr);
/* done will not be called. */
void est_http_client_cancel(struct est_http_client *c, struct est_http_call *call);
