#include "proxy.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/http_in.h"
#include "io/http_out.h"
#include "io/secret.h"

#include <stdio.h>

enum { URL_MAX = 2048, TOKEN_MAX = 8192, ANSWER_MAX = 1024 * 1024, CALLS_MAX = 64 };

struct proxy {
    const struct est_destination_config *dest;
    struct est_http_client *client;
    struct est_secret *token;
    est_us offline_since; /* wall clock; 0 = the dashboard answered last time */
    struct est_node calls;
    size_t n_calls;
};

struct call {
    struct est_node node; /* in proxy.calls */
    struct proxy *proxy;
    struct est_http_req *req;
};

est_err proxy_new(struct est_loop *lp, const struct est_config *cfg, struct proxy **ret,
                  struct est_why *reterr)
{
    const struct est_destination_config *dest = &cfg->destinations[0];
    struct est_http_client_options opt = {.conns_max = 8,
                                          .connect_timeout = dest->timeout,
                                          .ca_file = dest->ca_file[0] ? dest->ca_file : NULL,
                                          .user_agent = "esteira-producer/" ESTEIRA_VERSION};
    struct proxy *px = est_calloc(1, sizeof(*px));
    est_err err;

    if (px == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the dashboard's client");
    px->dest = dest;
    est_list_init(&px->calls);
    err = est_http_client_new(lp, &opt, &px->client, reterr);
    if (err == EST_OK)
        err = est_secret_new_lines(dest->token_file, dest->token, &px->token, reterr);
    if (err != EST_OK) {
        proxy_free(px);
        return err;
    }
    *ret = px;
    return EST_OK;
}

static void forget(struct call *call)
{
    est_list_remove(&call->node);
    call->proxy->n_calls--;
    est_free(call);
}

void proxy_free(struct proxy *px)
{
    if (px == NULL)
        return;
    est_http_client_free(px->client);
    EST_LIST_EACH(n, &px->calls)
        forget(EST_CONTAINER(n, struct call, node));
    est_secret_free(px->token);
    est_free(px);
}

static void answer_offline(struct proxy *px, struct est_http_req *req, const char *detail)
{
    char since[EST_RFC3339_LEN + 1], more[64];

    if (px->offline_since == 0)
        px->offline_since = est_clock_wall();
    est_rfc3339_format(px->offline_since, since);
    (void)snprintf(more, sizeof(more), ",\"offline_since\":\"%s\"", since);
    est_http_reply_field(req, "Retry-After", "5");
    est_http_problem(req, 503, "The dashboard is offline", detail, est_view_str(more));
}

static void on_done(void *arg, const struct est_http_result *res)
{
    struct call *call = arg;
    struct proxy *px = call->proxy;
    struct est_http_req *req = call->req;
    char type[128] = "application/json";

    forget(call);
    if (res->err != EST_OK) {
        answer_offline(px, req, res->detail);
        return;
    }
    px->offline_since = 0;
    if (res->status == 401 || res->status == 403) {
        est_http_problem(req, 502, "The dashboard refused the shim's token",
                         "Write a valid token to the destination's token_file", EST_VIEW_NONE);
    } else {
        if (res->content_type.len > 0 && res->content_type.len < sizeof(type))
            (void)snprintf(type, sizeof(type), "%.*s", (int)res->content_type.len,
                           res->content_type.data);
        est_http_reply(req, res->status, type, res->body);
    }
}

static est_err send(struct proxy *px, struct call *call, const char *path, struct est_why *why)
{
    char url[URL_MAX], authorization[TOKEN_MAX + 16];
    const char *token = est_secret_get(px->token);
    struct est_http_field fields[] = {{"Accept", "application/json"},
                                      {"Authorization", authorization}};
    struct est_http_request rq = {.method = "GET",
                                  .url = url,
                                  .fields = fields,
                                  .n_fields = token[0] != '\0' ? 2 : 1,
                                  .timeout = px->dest->timeout,
                                  .response_max = ANSWER_MAX};

    (void)snprintf(url, sizeof(url), "%s%s", px->dest->url, path);
    (void)snprintf(authorization, sizeof(authorization), "Bearer %s", token);
    return est_http_client_send(px->client, &rq, on_done, call, NULL, why);
}

void proxy_get(struct proxy *px, struct est_http_req *req, const char *path)
{
    struct est_why why = {0};
    bool changed;
    struct call *call = px->n_calls < CALLS_MAX ? est_alloc(sizeof(*call)) : NULL;

    if (call == NULL) {
        est_http_reply_field(req, "Retry-After", "1");
        est_http_problem(req, 503, "Too many calls to the dashboard at once", NULL, EST_VIEW_NONE);
        return;
    }
    (void)est_secret_refresh(px->token, false, &changed, NULL);
    *call = (struct call){.proxy = px, .req = req};
    est_list_append(&px->calls, &call->node);
    px->n_calls++;
    if (send(px, call, path, &why) == EST_OK)
        return;
    forget(call);
    answer_offline(px, req, why.text);
}
