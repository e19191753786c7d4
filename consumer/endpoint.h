/* The dashboard as an endpoint: where it is, the token and fields of each request, whether requests
 * may start now, and why not. The breaker for what is broken, and, at the first sign, for what a
 * person must mend (a token, a route: a pause); the budget for how
 * many in a while, and its gate for Retry-After. Budget and breaker are shared with the other
 * consumers (accord.h). */
#pragma once

#include "accord.h"
#include "base/err.h"
#include "core/breaker.h"
#include "core/verdict.h"
#include "io/http_out.h"
#include "signature.h"

#include <stdbool.h>

struct est_ratelimit;
struct est_secret;
struct worker;

struct endpoint {
    struct worker *w;
    struct est_http_client *http;
    struct est_secret *token;
    struct signature signature;
    struct est_breaker breaker;
    struct accord accord;
    enum est_verdict_class paused; /* why a person is waited for; NONE = nobody is */
    unsigned limited;              /* 429 in a row that did not say until when */
    size_t token_at;               /* which line of the token's file is used */
    size_t refused;                /* tokens that were refused since one was taken */
};

est_err endpoint_init(struct endpoint *ep, struct worker *w, struct est_why *reterr);
void endpoint_fini(struct endpoint *ep);
/* May a request start? *ret_ticket goes to endpoint_observe. */
bool endpoint_allow(struct endpoint *ep, uint32_t *ret_ticket);
/* Back what endpoint_allow gave, without a request. */
void endpoint_forgo(struct endpoint *ep, uint32_t ticket);
struct endpoint_outcome {
    struct est_verdict verdict;
    int status;
    est_us wait;                      /* Retry-After; 0 = none */
    const struct est_ratelimit *said; /* of its limit; NULL = nothing */
    bool is_apart; /* others were answered meanwhile: it says nothing of the endpoint */
};
void endpoint_observe(struct endpoint *ep, uint32_t ticket, const struct endpoint_outcome *o);
/* When a request may start. */
est_us endpoint_ready_at(const struct endpoint *ep);
/* When the next probe of a pause is due, ours or another replica's; not after now = it may go, or
 * there is no pause. */
est_us endpoint_probe_at(const struct endpoint *ep);
/* Requests are expected to fail for now. */
bool endpoint_is_refusing(const struct endpoint *ep);
/* Requests are expected to fail, or are not wanted, for now. */
bool endpoint_is_down(const struct endpoint *ep);
/* The budget holds requests up, which should carry as much as they may: one is let out each so
 * long. 0 = it does not. */
est_us endpoint_short_of(const struct endpoint *ep);
void endpoint_metrics(const struct endpoint *ep);
/* What is asked of the endpoint. */
struct endpoint_request {
    const char *method, *path;
    struct est_view body; /* absent = none; kept alive by the caller until done */
    bool is_gzip;         /* the body is */
    const char *key;      /* the Idempotency-Key, as it is sent; NULL = none, and not signed */
    const char *traceparent, *tracestate; /* W3C trace context; NULL = none */
    est_us timeout;
};

/* Start a request with the endpoint's token and fields, signed when there is a secret. */
est_err endpoint_send(struct endpoint *ep, const struct endpoint_request *what,
                      void (*done)(void *arg, const struct est_http_result *res), void *arg,
                      struct est_http_call **ret_call, struct est_why *why);
/* Look whether the token's file has changed: true then, and what waits for a token is tried with
 * the new one. */
bool endpoint_check_token(struct endpoint *ep);
