/* HTTP client on the loop: libcurl's multi socket interface. Keep-alive, HTTP/2 where a TLS server
 * offers it, no redirects followed, no proxy from the environment, certificates verified, names
 * looked up in libcurl's resolver thread.
 *
 * An exchange belongs to the client from est_http_client_send until its `done` was called or it was
 * cancelled; the handle of a call is dead after either. */
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
    unsigned conns_max;     /* open connections in all; further calls wait for one */
    est_us connect_timeout; /* name lookup, TCP and TLS together */
    const char *ca_file;    /* NULL or "" = the system's store */
    const char *user_agent; /* NULL = none */
};

struct est_http_field {
    const char *name, *value;
};

struct est_http_request {
    const char *method;                  /* "GET", "POST", … */
    const char *url;                     /* http or https */
    const struct est_http_field *fields; /* copied */
    size_t n_fields;
    struct est_view
        body;       /* absent = none; borrowed: the caller keeps it alive until done or cancel */
    est_us timeout; /* the whole exchange, waiting for a connection included */
    size_t response_max; /* a longer answer is cut off and is EST_ERR_TOO_LARGE */
};

struct est_http_result {
    est_err err;          /* EST_OK = an HTTP answer came, whatever its status */
    int status;           /* 0 when none came */
    struct est_view body; /* this and the fields are valid during the callback */
    struct est_view retry_after, content_type; /* absent when not sent */
    /* RateLimit and RateLimit-Policy; RateLimit-Limit, -Remaining and -Reset, with X- or without */
    struct est_view rate_limit, rate_policy, rate_quota, rate_left, rate_reset;
    char detail[160]; /* why there is no answer, printable ASCII, no secret in it */
    est_us duration;  /* from est_http_client_send */
};

est_err est_http_client_new(struct est_loop *lp, const struct est_http_client_options *opt,
                            struct est_http_client **ret, struct est_why *reterr);
/* Calls under way are cancelled, their done is not called. Not from inside a done. */
void est_http_client_free(struct est_http_client *c);

/* Starts an exchange; done is called exactly once from the loop, never from inside this call.
 * EST_ERR_INVALID: a field or the method that would break the request apart. EST_ERR_NOMEM. */
est_err est_http_client_send(struct est_http_client *c, const struct est_http_request *rq,
                             void (*done)(void *arg, const struct est_http_result *res), void *arg,
                             struct est_http_call **ret_call, struct est_why *reterr);
/* done will not be called. The connection, whose answer nobody reads now, is closed. */
void est_http_client_cancel(struct est_http_client *c, struct est_http_call *call);
/* Calls sent and not yet done. */
size_t est_http_client_pending(const struct est_http_client *c);
