#include "registry.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "http_out.h"

#include <stdio.h>
#include <string.h>

enum { URL_MAX = 2048, ANSWER_MAX = 1 << 20 };

#define MEDIA_TYPE "application/vnd.schemaregistry.v1+json"

struct est_registry {
    struct est_http_client *http;
    struct est_node calls;
    est_us timeout;
    char *url;           /* without a slash at its end */
    char *authorization; /* NULL = none */
};

struct est_registry_call {
    struct est_node node;
    struct est_registry *rg;
    struct est_http_call *http_call;
    est_registry_done *done;
    void *arg;
    struct est_buf url, body; /* kept until the exchange is over */
};

static bool is_http_url(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

static char *bearer(const char *token)
{
    size_t size = sizeof("Bearer ") + strlen(token);
    char *text = est_alloc(size);

    if (text != NULL)
        (void)snprintf(text, size, "Bearer %s", token);
    return text;
}

est_err est_registry_new(struct est_http_client *http, const struct est_registry_options *opt,
                         struct est_registry **ret, struct est_why *reterr)
{
    size_t len = strlen(opt->url);
    struct est_registry *rg;

    if (!is_http_url(opt->url) || len > URL_MAX / 2)
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the schema registry's URL must be http or https");
    if ((rg = est_calloc(1, sizeof(*rg))) == NULL)
        goto no_memory;
    est_list_init(&rg->calls);
    rg->http = http;
    rg->timeout = opt->timeout;
    while (len > 0 && opt->url[len - 1] == '/')
        len--;
    if ((rg->url = est_strndup(opt->url, len)) == NULL)
        goto no_memory;
    if (opt->token != NULL && (rg->authorization = bearer(opt->token)) == NULL)
        goto no_memory;
    *ret = rg;
    return EST_OK;
no_memory:
    est_registry_free(rg);
    return est_why_set(reterr, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
}

static void call_free(struct est_registry_call *call)
{
    est_list_remove(&call->node);
    est_buf_fini(&call->url);
    est_buf_fini(&call->body);
    est_free(call);
}

void est_registry_cancel(struct est_registry *rg, struct est_registry_call *call)
{
    est_http_client_cancel(rg->http, call->http_call);
    call_free(call);
}

void est_registry_free(struct est_registry *rg)
{
    if (rg == NULL)
        return;
    while (!est_list_empty(&rg->calls))
        est_registry_cancel(
            rg, EST_CONTAINER(est_list_first(&rg->calls), struct est_registry_call, node));
    est_free(rg->url);
    est_free(rg->authorization);
    est_free(rg);
}

/* 401 and 403 are the operator's to mend, not a fault of the schema: so they are no refusal. */
static est_err verdict(const struct est_http_result *res)
{
    if (res->err)
        return EST_ERR_REGISTRY;
    if (res->status >= 200 && res->status < 300)
        return EST_OK;
    if (res->status == 404)
        return EST_ERR_NOTFOUND;
    if (res->status < 400 || res->status >= 500 || res->status == 401 || res->status == 403 ||
        res->status == 408 || res->status == 429)
        return EST_ERR_REGISTRY;
    return EST_ERR_INVALID;
}

static void on_answer(void *arg, const struct est_http_result *res)
{
    struct est_registry_call *call = arg;
    est_registry_done *done = call->done;
    void *user = call->arg;
    struct est_registry_answer answer = {
        .err = verdict(res), .status = res->status, .body = res->body};

    (void)snprintf(answer.detail, sizeof(answer.detail), "%s", res->detail);
    call_free(call); /* before done, which may free the registry */
    done(user, &answer);
}

/* A subject is one step of the path, whatever stands in it (RFC 3986 §2.1). */
static void put_step(struct est_buf *b, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            est_buf_putc(b, *text);
        else
            est_buf_printf(b, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

static struct est_registry_call *call_new(struct est_registry *rg, est_registry_done *done,
                                          void *arg)
{
    struct est_registry_call *call = est_calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    est_buf_init(&call->url, URL_MAX);
    est_buf_init(&call->body, ANSWER_MAX);
    est_list_append(&rg->calls, &call->node);
    call->rg = rg;
    call->done = done;
    call->arg = arg;
    est_buf_puts(&call->url, rg->url);
    return call;
}

/* Start the exchange of a call whose URL is complete. The call is freed when that fails. */
static est_err start(struct est_registry_call *call, const char *method, struct est_view body,
                     struct est_registry_call **ret_call, struct est_why *reterr)
{
    const struct est_http_field fields[] = {
        {"Accept", MEDIA_TYPE},
        {"Content-Type", MEDIA_TYPE},
        {"Authorization", call->rg->authorization},
    };
    struct est_http_request rq = {
        .method = method,
        .fields = fields,
        .n_fields = call->rg->authorization ? 3 : 2,
        .timeout = call->rg->timeout,
        .response_max = ANSWER_MAX,
    };
    est_err err;

    est_buf_putc(&call->url, '\0');
    est_buf_put_view(&call->body, body);
    if (call->url.failed || call->body.failed) {
        err = est_why_set(reterr, EST_ERR_FULL, "the request to the schema registry is too long");
    } else {
        rq.url = call->url.data;
        rq.body = call->body.len ? est_buf_view(&call->body) : EST_VIEW_NONE;
        err = est_http_client_send(call->rg->http, &rq, on_answer, call, &call->http_call, reterr);
    }
    if (err)
        call_free(call);
    else if (ret_call != NULL)
        *ret_call = call;
    return err;
}

static est_err no_memory(struct est_why *reterr)
{
    return est_why_set(reterr, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
}

est_err est_registry_register(struct est_registry *rg, const char *subject, struct est_view body,
                              est_registry_done *done, void *arg,
                              struct est_registry_call **ret_call, struct est_why *reterr)
{
    struct est_registry_call *call = call_new(rg, done, arg);

    if (call == NULL)
        return no_memory(reterr);
    est_buf_puts(&call->url, "/subjects/");
    put_step(&call->url, subject);
    est_buf_puts(&call->url, "/versions");
    return start(call, "POST", body, ret_call, reterr);
}

est_err est_registry_check(struct est_registry *rg, const char *subject, struct est_view body,
                           est_registry_done *done, void *arg, struct est_registry_call **ret_call,
                           struct est_why *reterr)
{
    struct est_registry_call *call = call_new(rg, done, arg);

    if (call == NULL)
        return no_memory(reterr);
    est_buf_puts(&call->url, "/compatibility/subjects/");
    put_step(&call->url, subject);
    est_buf_puts(&call->url, "/versions/latest?verbose=true");
    return start(call, "POST", body, ret_call, reterr);
}

est_err est_registry_get_id(struct est_registry *rg, uint32_t id, est_registry_done *done,
                            void *arg, struct est_registry_call **ret_call, struct est_why *reterr)
{
    struct est_registry_call *call = call_new(rg, done, arg);

    if (call == NULL)
        return no_memory(reterr);
    est_buf_puts(&call->url, "/schemas/ids/");
    est_buf_put_u64(&call->url, id);
    return start(call, "GET", EST_VIEW_NONE, ret_call, reterr);
}

est_err est_registry_get_guid(struct est_registry *rg, const unsigned char guid[16],
                              est_registry_done *done, void *arg,
                              struct est_registry_call **ret_call, struct est_why *reterr)
{
    struct est_registry_call *call = call_new(rg, done, arg);

    if (call == NULL)
        return no_memory(reterr);
    est_buf_puts(&call->url, "/schemas/guids/");
    for (size_t i = 0; i < 16; i++)
        est_buf_printf(&call->url, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                       guid[i]);
    return start(call, "GET", EST_VIEW_NONE, ret_call, reterr);
}
