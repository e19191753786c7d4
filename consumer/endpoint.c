#include "endpoint.h"

#include "base/assert.h"
#include "base/log.h"
#include "config/config.h"
#include "core/retry.h"
#include "io/secret.h"
#include "metrics/metrics.h"
#include "worker.h"

#include <stdio.h>

enum { URL_MAX = 2048, FIELDS_MAX = 64, FAILURES = 5 };
static const est_us OPEN_MAX = 5 * EST_SECOND; /* a dashboard that is back is noticed within it */

static const char *token_of(const struct endpoint *ep)
{
    return est_secret_at(ep->token, ep->token_at);
}

est_err endpoint_init(struct endpoint *ep, struct worker *w, struct est_why *reterr)
{
    const struct est_destination_config *d = w->dest;
    const struct est_http_client_options ho = {.conns_max = d->max_in_flight * 2,
                                               .connect_timeout = d->timeout,
                                               .ca_file = d->ca_file,
                                               .user_agent = "esteira-consumer/" ESTEIRA_VERSION};
    const struct est_breaker_policy policy = {FAILURES, d->retry_initial,
                                              d->retry_max < OPEN_MAX ? d->retry_max : OPEN_MAX};
    est_err err;

    *ep = (struct endpoint){.w = w, .paused = EST_CLASS_NONE};
    est_breaker_init(&ep->breaker, policy);
    err = est_secret_new_lines(d->token_file, d->token, &ep->token, reterr);
    if (err == EST_OK)
        err = signature_init(&ep->signature, d, reterr);
    if (err == EST_OK)
        err = est_http_client_new(w->loop, &ho, &ep->http, reterr);
    if (err == EST_OK)
        err = accord_init(&ep->accord, w, &ep->breaker, reterr);
    if (err == EST_OK)
        accord_set_token(&ep->accord, token_of(ep));
    return err;
}

void endpoint_fini(struct endpoint *ep)
{
    accord_fini(&ep->accord);
    est_http_client_free(ep->http);
    signature_fini(&ep->signature);
    est_secret_free(ep->token);
}

/* --- may one start --- */

est_us endpoint_ready_at(const struct endpoint *ep)
{
    return accord_ready_at(&ep->accord);
}

est_us endpoint_probe_at(const struct endpoint *ep)
{
    return est_breaker_retry_at(&ep->breaker, est_loop_now(ep->w->loop));
}

bool endpoint_is_refusing(const struct endpoint *ep)
{
    return ep->breaker.state != EST_BREAKER_CLOSED;
}

bool endpoint_is_down(const struct endpoint *ep)
{
    return endpoint_is_refusing(ep) || ep->accord.budget.gate > est_loop_now(ep->w->loop);
}

est_us endpoint_short_of(const struct endpoint *ep)
{
    const struct est_budget *b = &ep->accord.budget;

    return est_budget_is_short(b) ? est_budget_every(b, est_loop_now(ep->w->loop)) : 0;
}

/* The accord has looked at the breaker already. */
bool endpoint_allow(struct endpoint *ep, uint32_t *ret_ticket)
{
    bool ok;

    if (!accord_allow(&ep->accord))
        return false;
    ok = est_breaker_allow(&ep->breaker, est_loop_now(ep->w->loop), ret_ticket);
    EST_ASSERT(ok);
    return true;
}

void endpoint_forgo(struct endpoint *ep, uint32_t ticket)
{
    est_breaker_observe(&ep->breaker, ticket, EST_BREAKER_UNKNOWN, est_loop_now(ep->w->loop));
    accord_return(&ep->accord);
}

/* --- what an outcome means --- */

static void set_paused(struct endpoint *ep, enum est_verdict_class class, int status)
{
    const char *name = ep->w->dest->name;

    if (ep->paused == class)
        return;
    if (ep->paused != EST_CLASS_NONE) {
        est_metrics_gauge(ep->w->metrics, EST_METRIC_PAUSED, name,
                          est_verdict_class_name(ep->paused), 0);
        (void)est_health_remove(&ep->w->health, "destination_paused");
    }
    ep->paused = class;
    if (class == EST_CLASS_NONE) {
        EST_LOG(EST_INFO, "destination_resumed", EST_S("destination", name));
        return;
    }
    est_metrics_gauge(ep->w->metrics, EST_METRIC_PAUSED, name, est_verdict_class_name(class), 1);
    (void)est_health_add(&ep->w->health, "destination_paused",
                         est_err_text(est_verdict_class_err(class)), est_loop_now(ep->w->loop));
    EST_LOG(EST_ERROR, "destination_paused", EST_S("destination", name), EST_I("status", status),
            EST_S("code", est_err_code(est_verdict_class_err(class))));
}

static enum est_breaker_outcome breaker_outcome(struct est_verdict v, bool is_apart)
{
    if (is_apart)
        return EST_BREAKER_UNKNOWN;
    if (v.act == EST_VERDICT_PAUSE)
        return EST_BREAKER_TRIPPED;
    return v.infra ? EST_BREAKER_FAILED : EST_BREAKER_ANSWERED;
}

/* While a token is replaced its file holds both. Each is tried at once, then by turns, no faster
 * than the breaker lets probes out: a refused token is not hammered. */
static void try_other_token(struct endpoint *ep)
{
    if (est_secret_n(ep->token) < 2)
        return;
    ep->token_at = (ep->token_at + 1) % est_secret_n(ep->token);
    if (++ep->refused < est_secret_n(ep->token))
        est_breaker_hurry(&ep->breaker, est_loop_now(ep->w->loop));
    accord_set_token(&ep->accord, token_of(ep));
}

/* A receiver that asks for less and does not say until when is left alone for longer each time. */
static est_us bare_wait(struct endpoint *ep, int status)
{
    const struct est_destination_config *d = ep->w->dest;
    const struct est_retry_policy policy = {2, d->retry_initial, d->retry_max};

    ep->limited = status == 429 ? ep->limited + 1 : 0;
    return ep->limited > 0 ? est_retry_wait(&policy, ep->limited, 0, &ep->w->rng) : 0;
}

void endpoint_observe(struct endpoint *ep, uint32_t ticket, const struct endpoint_outcome *o)
{
    const struct est_verdict v = o->verdict;
    est_us now = est_loop_now(ep->w->loop), wait = o->wait;
    enum est_breaker_state before = ep->breaker.state;
    bool is_paused, is_tripped;

    est_breaker_observe(&ep->breaker, ticket, breaker_outcome(v, o->is_apart), now);
    is_tripped = v.act == EST_VERDICT_PAUSE && before != EST_BREAKER_OPEN &&
                 ep->breaker.state == EST_BREAKER_OPEN;
    accord_tell(&ep->accord, before);
    if (o->said != NULL)
        accord_observe(&ep->accord, o->said);
    if (wait > 0)
        ep->limited = 0;
    else if (ep->accord.budget.gate <= now)
        wait = bare_wait(ep, o->status);
    accord_close(&ep->accord, wait);
    is_paused = v.act == EST_VERDICT_PAUSE && ep->breaker.state != EST_BREAKER_CLOSED;
    if (is_paused || (!v.infra && ep->breaker.state == EST_BREAKER_CLOSED))
        set_paused(ep, is_paused ? v.class : EST_CLASS_NONE, o->status);
    if (ep->breaker.state == EST_BREAKER_CLOSED)
        ep->refused = 0;
    if (is_tripped && v.class == EST_CLASS_AUTH && !endpoint_check_token(ep))
        try_other_token(ep);
}

bool endpoint_check_token(struct endpoint *ep)
{
    struct est_why why = {0};
    bool changed = false;
    est_err err = est_secret_refresh(ep->token, false, &changed, &why);

    if (err != EST_OK) {
        EST_LOG(EST_ERROR, "token_not_read", EST_S("code", est_err_code(err)),
                EST_S("detail", why.text));
    } else if (changed) {
        EST_LOG(EST_INFO, "token_reloaded", EST_S("destination", ep->w->dest->name));
        ep->token_at = ep->refused = 0;
        est_breaker_hurry(&ep->breaker, est_loop_now(ep->w->loop));
        accord_set_token(&ep->accord, token_of(ep));
    }
    return changed;
}

void endpoint_metrics(const struct endpoint *ep)
{
    const struct est_budget *b = &ep->accord.budget;
    struct est_metrics *m = ep->w->metrics;
    const char *name = ep->w->dest->name;
    est_us now = est_loop_now(ep->w->loop);
    uint32_t left = est_budget_left(b, now);

    est_metrics_gauge(m, EST_METRIC_BREAKER, name, NULL, (double)ep->breaker.state);
    est_metrics_forget(m, EST_METRIC_BUDGET_LEFT);
    if (left != UINT32_MAX)
        est_metrics_gauge(m, EST_METRIC_BUDGET_LEFT, name, NULL, (double)left);
    est_metrics_gauge(m, EST_METRIC_BUDGET_CLOSED, name, NULL,
                      b->gate > now ? (double)(b->gate - now) / (double)EST_SECOND : 0);
    est_metrics_gauge(m, EST_METRIC_BUDGET_SHARED, name, NULL, !est_budget_is_alone(b, now));
}

/* --- sending --- */

static void put(struct est_http_field *fields, size_t *n, const char *name, const char *value)
{
    if (*n < FIELDS_MAX)
        fields[(*n)++] = (struct est_http_field){name, value};
}

/* What goes with a body: its type, its key, its place in a trace. */
static void put_about_body(struct est_http_field *fields, size_t *n,
                           const struct endpoint_request *what)
{
    if (what->body.data != NULL)
        put(fields, n, "Content-Type", "application/json");
    if (what->is_gzip)
        put(fields, n, "Content-Encoding", "gzip");
    if (what->key != NULL)
        put(fields, n, "Idempotency-Key", what->key);
    if (what->traceparent != NULL)
        put(fields, n, "traceparent", what->traceparent);
    if (what->traceparent != NULL && what->tracestate != NULL)
        put(fields, n, "tracestate", what->tracestate);
}

static est_err put_signature(struct endpoint *ep, struct est_http_field *fields, size_t *n,
                             const struct endpoint_request *what, struct signature_fields *sf)
{
    est_err err = what->key == NULL ? EST_ERR_NOTFOUND
                                    : signature_make(&ep->signature, what->key, what->body,
                                                     est_loop_now(ep->w->loop), sf);

    if (err != EST_OK)
        return err == EST_ERR_NOTFOUND ? EST_OK : err;
    put(fields, n, "webhook-id", sf->id);
    put(fields, n, "webhook-timestamp", sf->timestamp);
    put(fields, n, "webhook-signature", sf->text);
    return EST_OK;
}

est_err endpoint_send(struct endpoint *ep, const struct endpoint_request *what,
                      void (*done)(void *arg, const struct est_http_result *res), void *arg,
                      struct est_http_call **ret_call, struct est_why *why)
{
    const struct est_destination_config *d = ep->w->dest;
    const char *token = token_of(ep);
    char url[URL_MAX], authorization[EST_SECRET_MAX + 16];
    struct signature_fields sf;
    struct est_http_field fields[FIELDS_MAX];
    struct est_http_request rq = {.method = what->method,
                                  .url = url,
                                  .fields = fields,
                                  .body = what->body,
                                  .timeout = what->timeout,
                                  .response_max = d->response_max};

    for (size_t i = 0; i < d->headers.n; i++)
        put(fields, &rq.n_fields, d->headers.items[i].name, d->headers.items[i].value);
    put(fields, &rq.n_fields, "Accept", "application/json");
    put_about_body(fields, &rq.n_fields, what);
    if (put_signature(ep, fields, &rq.n_fields, what, &sf) != EST_OK)
        return est_why_set(why, EST_ERR_NOMEM, "no memory for the signature");
    if (token[0] != '\0') {
        (void)snprintf(authorization, sizeof(authorization), "Bearer %s", token);
        put(fields, &rq.n_fields, "Authorization", authorization);
    }
    (void)snprintf(url, sizeof(url), "%s%s", d->url, what->path);
    return est_http_client_send(ep->http, &rq, done, arg, ret_call, why);
}
