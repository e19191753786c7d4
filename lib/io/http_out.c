#include "http_out_state.h"

#include "base/assert.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void call_stop(struct est_http_call *call)
{
    (void)curl_multi_remove_handle(call->client->multi, call->easy);
    est_list_remove(&call->node);
    call->client->n_running--;
}

static void finish(struct est_http_call *call, CURLcode code)
{
    struct est_http_result res;

    est_http_call_result(call, code, &res);
    call_stop(call);
    call->done(call->arg, &res);
    est_http_call_give(call);
}

/* A done may start and cancel other calls: libcurl drops the messages of a removed handle. */
static void reap(struct est_http_client *c)
{
    struct est_http_call *call;
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(c->multi, &left)) != NULL) {
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
        EST_CHECK_MAGIC(call, EST_HTTP_CALL_MAGIC);
        finish(call, code);
    }
}

void est_http_client_act(struct est_http_client *c, curl_socket_t fd, int mask)
{
    int running;

    (void)curl_multi_socket_action(c->multi, fd, mask, &running);
    reap(c);
}

/* --- requests --- */

est_err est_http_client_send(struct est_http_client *c, const struct est_http_request *rq,
                             void (*done)(void *arg, const struct est_http_result *res), void *arg,
                             struct est_http_call **ret_call, struct est_why *reterr)
{
    struct est_http_call *call = est_http_call_take(c);
    est_err err = EST_ERR_NOMEM;

    if (call == NULL)
        goto fail;
    call->done = done;
    call->arg = arg;
    call->started = est_clock_mono();
    if ((err = est_http_call_prepare(call, rq)) != EST_OK)
        goto fail;
    (void)curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->fields);
    if (curl_multi_add_handle(c->multi, call->easy) != CURLM_OK) {
        err = EST_ERR_NOMEM;
        goto fail;
    }
    est_list_append(&c->running, &call->node);
    c->n_running++;
    if (ret_call != NULL)
        *ret_call = call;
    return EST_OK;
fail:
    if (call != NULL)
        est_http_call_give(call);
    return est_why_set(reterr, err, "the HTTP request could not be started");
}

void est_http_client_cancel(struct est_http_client *c, struct est_http_call *call)
{
    EST_CHECK_MAGIC(call, EST_HTTP_CALL_MAGIC);
    EST_ASSERT(call->client == c);
    call_stop(call);
    est_http_call_give(call);
}

size_t est_http_client_pending(const struct est_http_client *c)
{
    return c->n_running;
}

/* --- the client --- */

static bool copy_text(const char *from, char **to)
{
    if (from == NULL || from[0] == '\0')
        return true;
    *to = est_strdup(from);
    return *to != NULL;
}

static void set_multi_options(struct est_http_client *c, unsigned conns_max)
{
    (void)curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    (void)curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)conns_max);
    (void)curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)conns_max);
}

est_err est_http_client_new(struct est_loop *lp, const struct est_http_client_options *opt,
                            struct est_http_client **ret, struct est_why *reterr)
{
    struct est_http_client *c;

    /* curl would find out at the first connection only */
    if (opt->ca_file != NULL && opt->ca_file[0] != '\0' && access(opt->ca_file, R_OK) != 0)
        return est_why_set(reterr, EST_ERR_CONF_FILE, "%s: %s", opt->ca_file, strerror(errno));
    c = est_calloc(1, sizeof(*c));
    if (c == NULL)
        goto fail;
    *c = (struct est_http_client){
        .loop = lp, .spare_max = opt->conns_max, .connect_timeout = opt->connect_timeout};
    est_list_init(&c->running);
    est_list_init(&c->spare);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (c->multi = curl_multi_init()) == NULL || !copy_text(opt->ca_file, &c->ca_file) ||
        !copy_text(opt->user_agent, &c->user_agent))
        goto fail;
    est_http_sock_attach(c);
    set_multi_options(c, opt->conns_max);
    *ret = c;
    return EST_OK;
fail:
    est_http_client_free(c);
    return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the HTTP client");
}

void est_http_client_free(struct est_http_client *c)
{
    if (c == NULL)
        return;
    EST_LIST_EACH(n, &c->running)
        est_http_client_cancel(c, EST_CONTAINER(n, struct est_http_call, node));
    EST_LIST_EACH(n, &c->spare)
        est_http_call_free(EST_CONTAINER(n, struct est_http_call, node));
    if (c->multi != NULL)
        (void)curl_multi_cleanup(c->multi);
    est_loop_timer_off(c->loop, &c->timer);
    est_free(c->ca_file);
    est_free(c->user_agent);
    est_free(c);
}
