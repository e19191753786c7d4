#include "ops.h"

#include "base/mem.h"
#include "io/http_in.h"

enum { ANSWER_MAX = 8 * 1024 * 1024 };

struct est_ops {
    struct est_http_server *server;
    struct est_ops_handlers h;
};

static void health(struct est_ops *ops, struct est_http_req *req)
{
    (void)ops;
    est_http_reply(req, 200, "text/plain; charset=utf-8", EST_VIEW_LIT("ok\n"));
}

static void ready(struct est_ops *ops, struct est_http_req *req)
{
    struct est_buf reasons, out;
    bool is_ready;

    est_buf_init(&reasons, ANSWER_MAX);
    est_buf_init(&out, ANSWER_MAX);
    is_ready = ops->h.ready(ops->h.arg, &reasons);
    est_buf_puts(&out,
                 is_ready ? "{\"ready\":true,\"reasons\":[" : "{\"ready\":false,\"reasons\":[");
    est_buf_put_view(&out, est_buf_view(&reasons));
    est_buf_puts(&out, "]}\n");
    est_http_reply(req, is_ready ? 200 : 503, "application/json", est_buf_view(&out));
    est_buf_fini(&reasons);
    est_buf_fini(&out);
}

static void metrics(struct est_ops *ops, struct est_http_req *req)
{
    struct est_buf out;

    est_buf_init(&out, ANSWER_MAX);
    ops->h.metrics(ops->h.arg, &out);
    if (out.failed)
        est_http_problem(req, 500, "The metrics do not fit", NULL, EST_VIEW_NONE);
    else
        est_http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", est_buf_view(&out));
    est_buf_fini(&out);
}

static const struct {
    const char *path;
    void (*fn)(struct est_ops *ops, struct est_http_req *req);
} routes[] = {{"/healthz", health}, {"/readyz", ready}, {"/metrics", metrics}};

static void on_request(void *arg, struct est_http_req *req)
{
    struct est_view method = est_http_method(req);

    if (!est_view_is(method, "GET") && !est_view_is(method, "HEAD")) {
        est_http_reply_field(req, "Allow", "GET, HEAD");
        est_http_problem(req, 405, "Only GET here", NULL, EST_VIEW_NONE);
        return;
    }
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        if (est_view_is(est_http_path(req), routes[i].path)) {
            routes[i].fn(arg, req);
            return;
        }
    est_http_problem(req, 404, "No such page", "There are /healthz, /readyz and /metrics",
                     EST_VIEW_NONE);
}

est_err est_ops_new(struct est_loop *lp, const char *address, const struct est_ops_handlers *h,
                    struct est_ops **ret, struct est_why *reterr)
{
    struct est_http_limits limits = est_http_limits_default;
    struct est_ops *ops = est_calloc(1, sizeof(*ops));
    est_err err;

    if (ops == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the ops server");
    limits.conns_max = 64;
    limits.body_max = 4096;
    ops->h = *h;
    err = est_http_server_new(lp, &limits,
                              &(struct est_http_handlers){.request = on_request, .arg = ops},
                              &ops->server, reterr);
    if (err == EST_OK)
        err = est_http_server_listen(ops->server, address, reterr);
    if (err != EST_OK) {
        est_ops_free(ops);
        return err;
    }
    *ret = ops;
    return EST_OK;
}

unsigned est_ops_port(const struct est_ops *ops)
{
    return est_http_server_port(ops->server);
}

void est_ops_free(struct est_ops *ops)
{
    if (ops == NULL)
        return;
    est_http_server_free(ops->server);
    est_free(ops);
}
