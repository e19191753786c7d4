#include "api.h"

#include "base/jsonw.h"
#include "base/log.h"
#include "io/http_in.h"
#include "metrics/metrics.h"
#include "page.h"
#include "post.h"

#include <stdio.h>

struct route {
    const char *method, *path;
    bool open;      /* answered without a token */
    bool is_signed; /* asks for a signature, when there is a secret */
    void (*fn)(struct api *api, struct est_http_req *req);
};

enum { ROWS_DEFAULT = 20, ROWS_MAX = 200 };

static void count(struct api *api, struct est_http_req *req, int status)
{
    const struct route *route = est_http_user(req);
    char text[12];

    (void)snprintf(text, sizeof(text), "%d", status);
    est_metrics_count(api->metrics, EST_METRIC_DASH_REQUESTS, route ? route->path : "page", text,
                      1);
}

void api_reply(struct api *api, struct est_http_req *req, int status, const char *content_type,
               struct est_view body)
{
    count(api, req, status);
    est_http_reply(req, status, content_type, body);
}

void api_problem(struct api *api, struct est_http_req *req, int status, const char *title,
                 const char *detail, struct est_view more)
{
    count(api, req, status);
    est_http_problem(req, status, title, detail, more);
}

static int64_t now_ms(void)
{
    return est_clock_wall() / EST_MS;
}

static void reply_json(struct api *api, struct est_http_req *req)
{
    est_buf_putc(&api->answer, '\n');
    est_http_reply_field(req, "Cache-Control", "no-store");
    api_reply(api, req, 200, "application/json", est_buf_view(&api->answer));
}

static void get_status(struct api *api, struct est_http_req *req)
{
    const struct summary *su = store_summary(api->st, now_ms());
    struct est_buf *out = &api->answer;

    est_buf_clear(out);
    est_buf_puts(out, "{\"status\":\"ok\",\"version\":\"" ESTEIRA_VERSION "\"");
    est_json_put_name(out, "timezone");
    est_json_put_str(out, api->timezone);
    est_json_put_name(out, "uptime_s");
    est_buf_put_i64(out, (est_loop_now(api->lp) - api->started_at) / EST_SECOND);
    est_json_put_name(out, "events");
    est_buf_put_i64(out, su->all.n[COUNT_EVENTS]);
    summary_put_time(out, "last_event_at", su->last_event_ms);
    est_buf_putc(out, '}');
    reply_json(api, req);
}

static void get_metrics(struct api *api, struct est_http_req *req)
{
    int64_t now = now_ms();

    est_buf_clear(&api->answer);
    summary_print(store_summary(api->st, now), api->currency, now, &api->answer);
    reply_json(api, req);
}

static void get_recent(struct api *api, struct est_http_req *req)
{
    struct est_view text = est_http_query_get(req, "limit");
    unsigned long long limit = ROWS_DEFAULT;
    est_err err;

    if (text.data != NULL && (!est_view_u64(text, ROWS_MAX, &limit) || limit == 0)) {
        api_problem(api, req, 400, "Bad limit", "limit must be a number from 1 to 200",
                    EST_VIEW_NONE);
        return;
    }
    est_buf_clear(&api->answer);
    est_buf_puts(&api->answer, "{\"rows\":");
    err = store_recent(api->st, 0, (unsigned)limit, &api->answer);
    if (err) {
        est_http_reply_field(req, "Retry-After", "5");
        api_problem(api, req, 503, "Not readable", "The database could not be read.",
                    EST_VIEW_NONE);
        return;
    }
    est_buf_putc(&api->answer, '}');
    reply_json(api, req);
}

static void get_live(struct api *api, struct est_http_req *req)
{
    count(api, req, 200);
    live_join(api->lv, req);
}

static void get_health(struct api *api, struct est_http_req *req)
{
    (void)api;
    api_reply(api, req, 200, "text/plain", EST_VIEW_LIT("ok\n"));
}

static const char *not_ready(const struct api *api)
{
    if (api->draining)
        return "draining";
    return api->disk_failed_at ? "database" : NULL;
}

static void get_prometheus(struct api *api, struct est_http_req *req)
{
    struct est_buf *out = &api->answer;

    est_metrics_process(api->metrics, est_loop_take_lag(api->lp));
    est_metrics_gauge(api->metrics, EST_METRIC_READY, NULL, NULL, not_ready(api) ? 0 : 1);
    est_metrics_gauge(api->metrics, EST_METRIC_DASH_LIVE, NULL, NULL, live_count(api->lv));
    est_buf_clear(out);
    est_metrics_render(api->metrics, out);
    api_reply(api, req, 200, "text/plain; version=0.0.4; charset=utf-8", est_buf_view(out));
}

static void get_ready(struct api *api, struct est_http_req *req)
{
    const char *reason = not_ready(api);
    struct est_buf *out = &api->answer;

    est_buf_clear(out);
    est_buf_puts(out, reason ? "{\"ready\":false,\"reasons\":[" : "{\"ready\":true,\"reasons\":[");
    if (reason != NULL)
        est_json_put_str(out, reason);
    est_buf_puts(out, "]}\n");
    api_reply(api, req, reason ? 503 : 200, "application/json", est_buf_view(out));
}

static const struct route routes[] = {
    {"POST", "/api/v1/events", false, true, post_event},
    {"POST", "/api/v1/events/batch", false, true, post_batch},
    {"GET", "/api/v1/status", false, false, get_status},
    {"GET", "/api/v1/metrics", false, false, get_metrics},
    {"GET", "/api/v1/recent", false, false, get_recent},
    {"GET", "/live", false, false, get_live},
    {"GET", "/healthz", true, false, get_health},
    {"GET", "/readyz", true, false, get_ready},
    {"GET", "/metrics", false, false, get_prometheus},
};

/* --- before the body --- */

static const struct route *find(struct est_view method, struct est_view path,
                                const char **ret_allow)
{
    *ret_allow = NULL;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!est_view_is(path, routes[i].path))
            continue;
        if (est_view_is(method, routes[i].method))
            return &routes[i];
        *ret_allow = routes[i].method;
    }
    return NULL;
}

static void refuse(struct api *api, struct est_http_req *req, enum auth_answer answer)
{
    EST_LOG(EST_WARN, "refused", EST_S("peer", est_http_peer(req)),
            EST_S("reason", answer == AUTH_FOREIGN_HOST    ? "host"
                            : answer == AUTH_TOKEN_MISSING ? "no token"
                                                           : "wrong token"));
    if (answer == AUTH_FOREIGN_HOST) {
        api_problem(api, req, 403, "Only for this machine",
                    "Without a token the dashboard answers to localhost only.", EST_VIEW_NONE);
        return;
    }
    est_http_reply_field(req, "WWW-Authenticate", "Bearer realm=\"esteira\"");
    api_problem(api, req, 401, "A token is needed",
                answer == AUTH_TOKEN_MISSING ? "Send Authorization: Bearer TOKEN."
                                             : "The token is not the right one.",
                EST_VIEW_NONE);
}

/* application/json is asked for, and not only out of tidiness: a form or script of a foreign site
 * cannot send it without asking first, and we never say yes. */
static bool is_json(struct est_http_req *req)
{
    struct est_view type = est_http_header(req, "content-type");
    const char *end = type.len ? memchr(type.data, ';', type.len) : NULL;

    if (end != NULL)
        type.len = (size_t)(end - type.data);
    return est_view_ieq(est_view_trim(type), EST_VIEW_LIT("application/json"));
}

static bool admit(void *arg, struct est_http_req *req)
{
    struct api *api = arg;
    const char *allow;
    struct est_view method = est_http_method(req);
    const struct route *route = find(method, est_http_path(req), &allow);
    enum auth_answer answer = AUTH_OK;

    est_http_set_user(req, (void *)(uintptr_t)route);
    if (route != NULL && !route->open)
        answer = auth_check(api->au, est_http_header(req, "authorization"),
                            est_http_header(req, "host"), est_loop_now(api->lp));
    if (answer != AUTH_OK) {
        refuse(api, req, answer);
        return false;
    }
    if (allow != NULL) {
        est_http_reply_field(req, "Allow", allow);
        api_problem(api, req, 405, "Method not allowed", NULL, EST_VIEW_NONE);
        return false;
    }
    if (route != NULL && est_view_is(method, "POST") && !is_json(req)) {
        api_problem(api, req, 415, "Only JSON is taken", "Send Content-Type: application/json.",
                    EST_VIEW_NONE);
        return false;
    }
    return true;
}

/* --- before the handler --- */

static const char *const unsigned_details[] = {
    [EST_SIGN_MISSING] = "Send webhook-id, webhook-timestamp and webhook-signature.",
    [EST_SIGN_OLD] = "The timestamp is more than five minutes from this machine's clock.",
    [EST_SIGN_WRONG] = "The signature does not fit the body and the secret.",
};

/* 401, as for a wrong token: the sender waits until somebody puts it right, and loses nothing. */
static bool is_genuine(struct api *api, struct est_http_req *req)
{
    const struct est_signed got = {est_http_header(req, "webhook-id"),
                                   est_http_header(req, "webhook-timestamp"),
                                   est_http_header(req, "webhook-signature")};
    enum est_sign_answer answer =
        signature_check(api->sg, &got, est_http_body(req), est_loop_now(api->lp));

    if (answer == EST_SIGN_OK)
        return true;
    EST_LOG(EST_WARN, "refused", EST_S("peer", est_http_peer(req)),
            EST_S("reason", unsigned_details[answer]));
    est_http_reply_field(req, "WWW-Authenticate", "Signature realm=\"esteira\"");
    api_problem(api, req, 401, "A signature is needed", unsigned_details[answer], EST_VIEW_NONE);
    return false;
}

static void request(void *arg, struct est_http_req *req)
{
    struct api *api = arg;
    const struct route *route = est_http_user(req);

    if (route != NULL && route->is_signed && !is_genuine(api, req))
        return;
    if (route != NULL)
        route->fn(api, req);
    else if (est_view_is(est_http_method(req), "GET") && page_serve(req))
        count(api, req, 200);
    else
        api_problem(api, req, 404, "No such page", NULL, EST_VIEW_NONE);
}

void api_init(struct api *api)
{
    est_buf_init(&api->texts, 2 * (size_t)API_BODY_MAX);
    est_buf_init(&api->answer, API_ANSWER_MAX);
}

void api_fini(struct api *api)
{
    est_buf_fini(&api->texts);
    est_buf_fini(&api->answer);
}

struct est_http_handlers api_handlers(struct api *api)
{
    return (struct est_http_handlers){.admit = admit, .request = request, .arg = api};
}
