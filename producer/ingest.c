#include "ingest.h"

#include "admit.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "enroll.h"
#include "io/http_in.h"
#include "io/http_prefer.h"
#include "metrics/metrics.h"
#include "proxy.h"
#include "publish.h"
#include "tokens.h"
#include "waiting.h"

#include <stdio.h>

enum { FIELDS_MAX = 100, ANSWER_MAX = 1024 * 1024 };

struct ingest {
    struct ingest_options opt;
    struct est_http_server *server;
    struct waiting_pool pool;
    struct est_series *ok, *ack_seconds;
};

struct route {
    const char *path, *method;
    void (*fn)(struct ingest *in, struct est_http_req *req);
};

static void post_events(struct ingest *in, struct est_http_req *req);
static void get_status(struct ingest *in, struct est_http_req *req);
static void get_metrics(struct ingest *in, struct est_http_req *req);

static const struct route routes[] = {
    {"/v1/events", "POST", post_events},
    {"/v1/dashboard/status", "GET", get_status},
    {"/v1/dashboard/metrics", "GET", get_metrics},
};

static const struct route *route_of(const struct est_http_req *req)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        if (est_view_is(est_http_path(req), routes[i].path))
            return &routes[i];
    return NULL;
}

/* --- refusing --- */

static void count(struct ingest *in, int status)
{
    char text[8];

    (void)snprintf(text, sizeof(text), "%d", status);
    est_metrics_count(in->opt.metrics, EST_METRIC_HTTP_REQUESTS, text, NULL, 1);
}

static void refuse(struct ingest *in, struct est_http_req *req, int status, const char *title,
                   const char *detail)
{
    count(in, status);
    est_http_problem(req, status, title, detail, EST_VIEW_NONE);
}

static void refuse_busy(struct ingest *in, struct est_http_req *req, int status, est_us wait,
                        const char *title, const char *detail)
{
    char seconds[24];

    (void)snprintf(seconds, sizeof(seconds), "%lld",
                   (long long)((wait + EST_SECOND - 1) / EST_SECOND));
    est_http_reply_field(req, "Retry-After", seconds);
    refuse(in, req, status, title, detail);
}

static void put_reject(struct est_buf *b, const struct est_reject *rj)
{
    est_buf_printf(b, "{\"index\":%zu,\"pointer\":", rj->index);
    est_json_put_str(b, rj->pointer);
    est_buf_puts(b, ",\"code\":");
    est_json_put_str(b, est_err_code(rj->code));
    est_buf_puts(b, ",\"detail\":");
    est_json_put_str(b, rj->detail);
    est_buf_putc(b, '}');
}

/* ,"errors":[…],"refused":n */
static void put_rejects(struct est_buf *b, const struct admit *ad)
{
    est_buf_puts(b, ",\"errors\":[");
    for (size_t i = 0; i < ad->n_rejects; i++) {
        if (i > 0)
            est_buf_putc(b, ',');
        put_reject(b, &ad->rejects[i]);
    }
    est_buf_printf(b, "],\"refused\":%zu", ad->n_rejected);
}

static int status_of(const struct admit *ad)
{
    int status = 413;

    for (size_t i = 0; i < ad->n_rejects; i++) {
        est_err code = ad->rejects[i].code;
        if (code == EST_ERR_NOMEM || code == EST_ERR_FULL)
            return 503;
        if (code != EST_ERR_TOO_LARGE)
            status = 400;
    }
    return status;
}

static void refuse_events(struct ingest *in, struct est_http_req *req)
{
    const struct admit *ad = in->opt.admit;
    int status = status_of(ad);
    struct est_buf more;

    est_buf_init(&more, ANSWER_MAX);
    put_rejects(&more, ad);
    for (size_t i = 0; i < ad->n_rejects; i++)
        est_metrics_count(in->opt.metrics, EST_METRIC_REFUSED, est_err_code(ad->rejects[i].code),
                          NULL, 1);
    count(in, status);
    if (status == 503)
        est_http_reply_field(req, "Retry-After", "1");
    est_http_problem(req, status,
                     status == 413   ? "An event is larger than allowed"
                     : status == 503 ? "No room for this request right now"
                                     : "The request has events that are not valid",
                     "Nothing of this request was kept", est_buf_view(&more));
    est_buf_fini(&more);
}

/* --- who may --- */

static struct tokens_holder *holder_of(struct ingest *in, const struct est_http_req *req)
{
    if (!tokens_required(in->opt.tokens))
        return tokens_anyone(in->opt.tokens);
    return tokens_check(in->opt.tokens, est_http_header(req, "authorization"));
}

/* Before the body: a stranger's body is not read. */
static bool on_head(void *arg, struct est_http_req *req)
{
    struct ingest *in = arg;
    const struct route *r = route_of(req);

    if (r == NULL) {
        refuse(in, req, 404, "No such resource", "Events go to POST /v1/events");
    } else if (!est_view_is(est_http_method(req), r->method)) {
        est_http_reply_field(req, "Allow", r->method);
        refuse(in, req, 405, "Method not allowed", NULL);
    } else if (holder_of(in, req) == NULL) {
        est_metrics_count(in->opt.metrics, EST_METRIC_REFUSED, "unauthorized", NULL, 1);
        est_http_reply_field(req, "WWW-Authenticate", "Bearer realm=\"esteira\"");
        refuse(in, req, 401, "A valid bearer token is needed", "Authorization: Bearer TOKEN");
    } else {
        return true;
    }
    return false;
}

static void on_request(void *arg, struct est_http_req *req)
{
    route_of(req)->fn(arg, req);
}

static void get_status(struct ingest *in, struct est_http_req *req)
{
    proxy_get(in->opt.proxy, req, "/api/v1/status");
}

static void get_metrics(struct ingest *in, struct est_http_req *req)
{
    proxy_get(in->opt.proxy, req, "/api/v1/metrics");
}

/* --- events --- */

/* Binary mode is told by its fields, the others by their media type. */
static bool kind_of(const struct est_http_req *req, enum est_inbound_kind *ret)
{
    struct est_view encoding = est_http_header(req, "content-encoding");

    if (encoding.data != NULL && !est_view_ieq(encoding, EST_VIEW_LIT("identity")))
        return false;
    if (est_http_header(req, "ce-specversion").data != NULL) {
        *ret = EST_INBOUND_CE_BINARY;
        return true;
    }
    return est_inbound_kind_of(est_http_header(req, "content-type"), ret);
}

static struct est_view unquoted(struct est_view v)
{
    if (v.len >= 2 && v.data[0] == '"' && v.data[v.len - 1] == '"')
        return est_view(v.data + 1, v.len - 2);
    return v;
}

static est_err take_apart(struct ingest *in, struct est_http_req *req, enum est_inbound_kind kind)
{
    struct est_inbound_field fields[FIELDS_MAX];
    struct admit_context ctx = {
        .idempotency_key = unquoted(est_http_header(req, "idempotency-key")),
        .traceparent = est_http_header(req, "traceparent"),
        .tracestate = est_http_header(req, "tracestate"),
        .fields = fields,
        .now = est_clock_wall(),
    };

    if (kind == EST_INBOUND_CE_BINARY)
        for (; ctx.n_fields < est_http_header_count(req) && ctx.n_fields < FIELDS_MAX;
             ctx.n_fields++)
            est_http_header_at(req, ctx.n_fields, &fields[ctx.n_fields].name,
                               &fields[ctx.n_fields].value);
    return admit_parse(in->opt.admit, kind, est_http_body(req), &ctx);
}

static void park(struct ingest *in, struct est_http_req *req, bool partial)
{
    const struct admit *ad = in->opt.admit;
    bool minimal = est_http_prefers(req, "return", "minimal");
    struct waiting *w = waiting_take(&in->pool, req, ad, minimal, est_loop_now(in->opt.loop));

    if (w == NULL) {
        refuse_busy(in, req, 503, EST_SECOND, "No memory for this request right now", NULL);
        return;
    }
    if (partial && ad->n_rejected > 0)
        put_rejects(&w->errors, ad);
    for (size_t i = 0, n = ad->n; i < n; i++)
        publish_send(in->opt.publish, ad, &ad->items[i], w, i);
}

/* Why no event can be taken now. */
static const char *obstacle(est_err err)
{
    static const struct {
        est_err err;
        const char *title;
    } rows[] = {
        {EST_ERR_FULL, "Too many events wait to become durable"},
        {EST_ERR_KAFKA_DOWN, "Kafka is unreachable, and so is Redis"},
        {EST_ERR_REDIS_FULL, "Kafka is unreachable, and the buffer is full"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].err == err)
            return rows[i].title;
    return "Kafka is unreachable, and Redis refuses to keep events";
}

static void publish_or_refuse(struct ingest *in, struct est_http_req *req, bool partial)
{
    const struct admit *ad = in->opt.admit;
    struct tokens_holder *holder = holder_of(in, req);
    est_us wait;
    est_err err;

    if (holder == NULL) { /* the token was taken away while the body came */
        refuse(in, req, 401, "A valid bearer token is needed", NULL);
        return;
    }
    err = publish_ready(in->opt.publish, ad);
    if (err != EST_OK) {
        refuse_busy(in, req, 503, EST_SECOND, obstacle(err),
                    "Nothing of this request was kept: repeat it with the same ids");
        return;
    }
    wait = est_limiter_take(&holder->limiter, (uint32_t)ad->n, est_loop_now(in->opt.loop));
    if (wait > 0)
        refuse_busy(in, req, 429, wait, "More events a second than this token may send",
                    "Nothing of this request was kept");
    else
        park(in, req, partial);
}

static void post_events(struct ingest *in, struct est_http_req *req)
{
    bool partial = est_view_is(est_http_query_get(req, "partial"), "true");
    const struct admit *ad = in->opt.admit;
    enum est_inbound_kind kind;

    if (!kind_of(req, &kind)) {
        est_http_reply_field(req, "Accept",
                             "application/json, application/x-ndjson, "
                             "application/cloudevents+json, application/cloudevents-batch+json");
        refuse(in, req, 415, "The content type is not one that is taken here",
               "JSON, NDJSON or CloudEvents, without content encoding");
        return;
    }
    if (!enroll_done(in->opt.enroll))
        refuse_busy(in, req, 503, 2 * EST_SECOND, "The schema registry has not answered yet",
                    "Nothing of this request was kept: repeat it with the same ids");
    else if (take_apart(in, req, kind) != EST_OK || ad->n == 0 || (ad->n_rejected > 0 && !partial))
        refuse_events(in, req);
    else
        publish_or_refuse(in, req, partial);
}

void ingest_settled(void *ingest, void *ticket, size_t index, est_err err, bool buffered)
{
    struct ingest *in = ingest;
    struct waiting *w = ticket;

    if (!waiting_settle(w, index, err, buffered))
        return;
    if (w->failed == 0) {
        est_series_add(in->ok, 1);
        est_series_observe(in->ack_seconds, est_loop_now(in->opt.loop) - w->started);
    } else {
        count(in, 503);
    }
    (void)waiting_reply(w);
    waiting_give(&in->pool, w);
}

/* --- life --- */

est_err ingest_new(const struct ingest_options *opt, struct ingest **ret, struct est_why *reterr)
{
    const struct est_config *cfg = opt->config;
    struct est_http_limits limits = est_http_limits_default;
    struct ingest *in = est_calloc(1, sizeof(*in));
    est_err err;

    if (in == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for ingest");
    in->opt = *opt;
    waiting_pool_init(&in->pool);
    in->ok = est_metrics_series(opt->metrics, EST_METRIC_HTTP_REQUESTS, "202", NULL);
    in->ack_seconds = est_metrics_series(opt->metrics, EST_METRIC_ACK_SECONDS, NULL, NULL);
    limits.header_max = cfg->producer_header_max;
    limits.body_max = cfg->producer_body_max;
    limits.conns_max = cfg->producer_connections_max;
    limits.header_timeout = cfg->producer_header_timeout;
    limits.body_timeout = cfg->producer_body_timeout;
    limits.idle_timeout = cfg->producer_idle_timeout;
    err = est_http_server_new(opt->loop, &limits,
                              &(struct est_http_handlers){on_head, on_request, in}, &in->server,
                              reterr);
    if (err != EST_OK) {
        est_free(in);
        return err;
    }
    *ret = in;
    return EST_OK;
}

void ingest_set_publish(struct ingest *in, struct publish *publish)
{
    in->opt.publish = publish;
}

est_err ingest_listen(struct ingest *in, struct est_why *reterr)
{
    const struct est_strings *listen = &in->opt.config->producer_listen;

    for (size_t i = 0; i < listen->n; i++) {
        est_err err = est_http_server_listen(in->server, listen->items[i], reterr);
        if (err != EST_OK)
            return err;
        EST_LOG(EST_INFO, "listening", EST_S("address", listen->items[i]),
                EST_I("port", est_http_server_port(in->server)));
    }
    return EST_OK;
}

void ingest_drain(struct ingest *in)
{
    est_http_server_drain(in->server);
}

bool ingest_idle(const struct ingest *in)
{
    return est_http_server_idle(in->server) && in->pool.n_used == 0;
}

void ingest_metrics(const struct ingest *in)
{
    struct est_http_stats st = est_http_server_stats(in->server);

    est_metrics_gauge(in->opt.metrics, EST_METRIC_HTTP_CONNECTIONS, NULL, NULL, st.open);
    est_metrics_gauge(in->opt.metrics, EST_METRIC_HTTP_REFUSED, NULL, NULL,
                      (double)st.refused_full);
}

void ingest_free(struct ingest *in)
{
    if (in == NULL)
        return;
    est_http_server_free(in->server);
    waiting_pool_fini(&in->pool);
    est_free(in);
}
