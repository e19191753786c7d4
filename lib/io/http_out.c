#include "http_out.h"

#include "base/assert.h"
#include "base/buf.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    FIELD_MAX = 256,
    FIELD_LINE_MAX = 16 * 1024,
    CALL_MAGIC = 0x68747470,
    BODY_KEEP = 64 * 1024
};

/* The few response fields that somebody asks for. */
enum want { WANT_RETRY_AFTER, WANT_RATE_LIMIT, WANT_CONTENT_TYPE, N_WANT };
static const char *const want_names[N_WANT] = {"retry-after", "ratelimit", "content-type"};

struct captured {
    bool present;
    size_t len;
    char text[FIELD_MAX];
};

/* One exchange; the easy handle and the buffers are used again by later ones. */
struct est_http_call {
    unsigned magic;
    struct est_node node; /* in client->running or client->spare */
    struct est_http_client *client;
    CURL *easy;
    struct curl_slist *fields;
    struct est_buf body;
    struct captured captured[N_WANT];
    void (*done)(void *arg, const struct est_http_result *res);
    void *arg;
    est_us started;
    char error[CURL_ERROR_SIZE];
};

struct est_http_client {
    struct est_loop *loop;
    CURLM *multi;
    struct est_timer timer;
    struct est_node running, spare;
    size_t n_running, n_spare, spare_max;
    est_us connect_timeout;
    char *ca_file, *user_agent;
};

/* A socket of libcurl's that the loop watches. */
struct sock {
    struct est_watch watch;
    struct est_http_client *client;
};

static const struct translation {
    CURLcode code;
    est_err err;
} translations[] = {
    {CURLE_OPERATION_TIMEDOUT, EST_ERR_TIMEOUT},
    {CURLE_COULDNT_RESOLVE_HOST, EST_ERR_CONNECT},
    {CURLE_COULDNT_CONNECT, EST_ERR_CONNECT},
    {CURLE_INTERFACE_FAILED, EST_ERR_CONNECT},
    {CURLE_SSL_CONNECT_ERROR, EST_ERR_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, EST_ERR_TLS},
    {CURLE_SSL_CERTPROBLEM, EST_ERR_TLS},
    {CURLE_SSL_CIPHER, EST_ERR_TLS},
    {CURLE_SSL_CACERT_BADFILE, EST_ERR_TLS},
    {CURLE_SSL_ISSUER_ERROR, EST_ERR_TLS},
    {CURLE_SEND_ERROR, EST_ERR_CLOSED},
    {CURLE_RECV_ERROR, EST_ERR_CLOSED},
    {CURLE_GOT_NOTHING, EST_ERR_CLOSED},
    {CURLE_PARTIAL_FILE, EST_ERR_CLOSED},
    {CURLE_HTTP2, EST_ERR_CLOSED},
    {CURLE_HTTP2_STREAM, EST_ERR_CLOSED},
    {CURLE_OUT_OF_MEMORY, EST_ERR_NOMEM},
    {CURLE_URL_MALFORMAT, EST_ERR_INVALID},
    {CURLE_UNSUPPORTED_PROTOCOL, EST_ERR_INVALID},
    {CURLE_WRITE_ERROR, EST_ERR_TOO_LARGE}, /* only take_body refuses a write */
};

static est_err translate(CURLcode code)
{
    for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++)
        if (translations[i].code == code)
            return translations[i].err;
    return code == CURLE_OK ? EST_OK : EST_ERR_HTTP;
}

/* --- what an exchange receives --- */

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
    struct est_http_call *call = arg;

    est_buf_put(&call->body, data, size * n);
    return call->body.failed ? 0 : size * n;
}

static void capture(struct captured *cap, struct est_view value)
{
    if (value.len > sizeof(cap->text))
        return;
    memcpy(cap->text, value.data, value.len);
    cap->len = value.len;
    cap->present = true;
}

static void forget_captured(struct est_http_call *call)
{
    for (int i = 0; i < N_WANT; i++)
        call->captured[i].present = false;
}

static struct est_view captured_view(const struct captured *cap)
{
    return cap->present ? est_view(cap->text, cap->len) : EST_VIEW_NONE;
}

/* One header line. A status line begins anew: what a 1xx answer before it carried does not count.
 */
static size_t take_field(char *data, size_t size, size_t n, void *arg)
{
    struct est_http_call *call = arg;
    struct est_view line = est_view(data, size * n), name, value;
    const char *colon = memchr(data, ':', line.len);

    if (est_view_starts(line, EST_VIEW_LIT("HTTP/")))
        forget_captured(call);
    else if (colon != NULL) {
        name = est_view(data, (size_t)(colon - data));
        value = est_view(colon + 1, line.len - name.len - 1);
        while (value.len > 0 &&
               (value.data[value.len - 1] == '\n' || value.data[value.len - 1] == '\r'))
            value.len--;
        for (int i = 0; i < N_WANT; i++)
            if (est_view_ieq(name, est_view_str(want_names[i])))
                capture(&call->captured[i], est_view_trim(value));
    }
    return line.len;
}

/* --- calls: made, used again, freed --- */

static void set_constant_options(struct est_http_call *call)
{
    const struct est_http_client *c = call->client;
    CURL *e = call->easy;

    (void)curl_easy_setopt(e, CURLOPT_PRIVATE, call);
    (void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, call->error);
    (void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
    (void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_field);
    (void)curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
    (void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
    (void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(e, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    (void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(c->connect_timeout / EST_MS));
    if (c->user_agent != NULL)
        (void)curl_easy_setopt(e, CURLOPT_USERAGENT, c->user_agent);
    if (c->ca_file != NULL)
        (void)curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file);
}

static void call_free(struct est_http_call *call)
{
    if (call == NULL)
        return;
    curl_slist_free_all(call->fields);
    if (call->easy != NULL)
        curl_easy_cleanup(call->easy);
    est_buf_fini(&call->body);
    call->magic = 0;
    est_free(call);
}

static struct est_http_call *call_new(struct est_http_client *c)
{
    struct est_http_call *call = est_calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    *call = (struct est_http_call){.magic = CALL_MAGIC, .client = c, .easy = curl_easy_init()};
    if (call->easy == NULL) {
        call_free(call);
        return NULL;
    }
    est_list_init(&call->node);
    set_constant_options(call);
    return call;
}

static struct est_http_call *call_take(struct est_http_client *c)
{
    struct est_node *first = est_list_first(&c->spare);

    if (first == NULL)
        return call_new(c);
    est_list_remove(first);
    c->n_spare--;
    return EST_CONTAINER(first, struct est_http_call, node);
}

/* Back to the spare ones. A large answer's memory does not stay with its handle. */
static void call_give(struct est_http_call *call)
{
    struct est_http_client *c = call->client;

    curl_slist_free_all(call->fields);
    call->fields = NULL;
    if (call->body.cap > BODY_KEEP)
        est_buf_fini(&call->body);
    if (c->n_spare >= c->spare_max) {
        call_free(call);
        return;
    }
    est_list_append(&c->spare, &call->node);
    c->n_spare++;
}

static void call_stop(struct est_http_call *call)
{
    (void)curl_multi_remove_handle(call->client->multi, call->easy);
    est_list_remove(&call->node);
    call->client->n_running--;
}

/* --- results --- */

/* libcurl's text names host, port and reason, never fields or body. */
static void describe(const struct est_http_call *call, CURLcode code, struct est_http_result *res)
{
    const char *text = call->error[0] != '\0' ? call->error : curl_easy_strerror(code);

    if (res->err == EST_ERR_TOO_LARGE)
        text = "the answer is longer than the configured maximum";
    (void)snprintf(res->detail, sizeof(res->detail), "%.*s", (int)sizeof(res->detail) - 1, text);
    for (char *p = res->detail; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}

static void finish(struct est_http_call *call, CURLcode code)
{
    struct est_http_result res = {.err = translate(code)};
    long status = 0;

    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    res.duration = est_clock_mono() - call->started;
    if (res.err != EST_OK)
        describe(call, code, &res);
    else {
        res.status = (int)status;
        res.body = est_buf_view(&call->body);
    }
    res.retry_after = captured_view(&call->captured[WANT_RETRY_AFTER]);
    res.rate_limit = captured_view(&call->captured[WANT_RATE_LIMIT]);
    res.content_type = captured_view(&call->captured[WANT_CONTENT_TYPE]);
    call_stop(call);
    call->done(call->arg, &res);
    call_give(call);
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
        EST_CHECK_MAGIC(call, CALL_MAGIC);
        finish(call, code);
    }
}

/* --- libcurl on the loop --- */

static void act(struct est_http_client *c, curl_socket_t fd, int mask)
{
    int running;

    (void)curl_multi_socket_action(c->multi, fd, mask, &running);
    reap(c);
}

static void on_socket(void *arg, uint32_t events)
{
    struct sock *s = arg;
    int mask = ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
               ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
               ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);

    act(s->client, s->watch.fd, mask);
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct est_http_client *c = arg;

    (void)multi;
    if (timeout_ms < 0)
        est_loop_timer_off(c->loop, &c->timer);
    else
        est_loop_timer_at(c->loop, &c->timer, est_clock_mono() + timeout_ms * EST_MS);
    return 0;
}

static void sock_free(struct est_http_client *c, struct sock *s)
{
    if (s == NULL)
        return;
    est_loop_unwatch(c->loop, &s->watch);
    est_free(s);
}

/* -1 makes libcurl end the transfers of that socket with an error. */
static int sock_new(struct est_http_client *c, curl_socket_t fd, uint32_t events)
{
    struct sock *s = est_calloc(1, sizeof(*s));

    if (s == NULL)
        return -1;
    *s = (struct sock){.watch = {.fd = fd, .events = events, .fn = on_socket, .arg = s},
                       .client = c};
    if (est_loop_watch(c->loop, &s->watch) != EST_OK) {
        est_free(s);
        return -1;
    }
    (void)curl_multi_assign(c->multi, fd, s);
    return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock_arg)
{
    static const uint32_t wanted[] = {[CURL_POLL_IN] = EPOLLIN,
                                      [CURL_POLL_OUT] = EPOLLOUT,
                                      [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT};
    struct est_http_client *c = arg;
    struct sock *s = sock_arg;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        sock_free(c, s);
        return 0;
    }
    if (s == NULL)
        return sock_new(c, fd, wanted[what]);
    est_loop_watch_events(c->loop, &s->watch, wanted[what]);
    return 0;
}

/* --- requests --- */

/* libcurl sends fields as they are: a line break in one would start another. */
static bool is_clean(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < ' ' && *s != '\t')
            return false;
    return true;
}

static est_err add_line(struct est_http_call *call, const char *line)
{
    struct curl_slist *grown = curl_slist_append(call->fields, line);

    if (grown == NULL)
        return EST_ERR_NOMEM;
    call->fields = grown;
    return EST_OK;
}

static est_err add_field(struct est_http_call *call, const struct est_http_field *f)
{
    struct est_buf line;
    est_err err;

    if (!is_clean(f->name) || !is_clean(f->value) || strchr(f->name, ':') != NULL)
        return EST_ERR_INVALID;
    est_buf_init(&line, FIELD_LINE_MAX);
    est_buf_puts(&line, f->name);
    est_buf_puts(&line, f->value[0] != '\0' ? ": " : ";"); /* "name;" is libcurl's empty field */
    est_buf_puts(&line, f->value);
    est_buf_putc(&line, '\0');
    err = line.failed ? EST_ERR_INVALID : add_line(call, line.data);
    est_buf_fini(&line);
    return err;
}

/* "Expect:" keeps libcurl from waiting for a 100 (Continue) before a larger body. */
static est_err add_fields(struct est_http_call *call, const struct est_http_request *rq)
{
    est_err err = add_line(call, "Expect:");

    for (size_t i = 0; err == EST_OK && i < rq->n_fields; i++)
        err = add_field(call, &rq->fields[i]);
    return err;
}

static est_err prepare(struct est_http_call *call, const struct est_http_request *rq)
{
    CURL *e = call->easy;
    bool is_tls = est_view_istarts(est_view_str(rq->url), EST_VIEW_LIT("https:"));

    if (!is_clean(rq->method) || strchr(rq->method, ' ') != NULL)
        return EST_ERR_INVALID;
    if (curl_easy_setopt(e, CURLOPT_URL, rq->url) != CURLE_OK)
        return EST_ERR_NOMEM;
    if (rq->body.data != NULL) {
        (void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, rq->body.data);
        (void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.len);
    } else
        (void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    (void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, rq->method);
    (void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(rq->timeout / EST_MS));
    (void)curl_easy_setopt(e, CURLOPT_PIPEWAIT,
                           is_tls ? 1L : 0L); /* rather share than open another */
    return add_fields(call, rq);
}

static void reset_received(struct est_http_call *call, size_t response_max)
{
    est_buf_clear(&call->body);
    call->body.max = response_max;
    if (call->body.cap > response_max)
        est_buf_fini(&call->body);
    forget_captured(call);
    call->error[0] = '\0';
}

est_err est_http_client_send(struct est_http_client *c, const struct est_http_request *rq,
                             void (*done)(void *arg, const struct est_http_result *res), void *arg,
                             struct est_http_call **ret_call, struct est_why *reterr)
{
    struct est_http_call *call = call_take(c);
    est_err err = EST_ERR_NOMEM;

    if (call == NULL)
        goto fail;
    reset_received(call, rq->response_max);
    call->done = done;
    call->arg = arg;
    call->started = est_clock_mono();
    if ((err = prepare(call, rq)) != EST_OK)
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
        call_give(call);
    return est_why_set(reterr, err, "the HTTP request could not be started");
}

void est_http_client_cancel(struct est_http_client *c, struct est_http_call *call)
{
    EST_CHECK_MAGIC(call, CALL_MAGIC);
    EST_ASSERT(call->client == c);
    call_stop(call);
    call_give(call);
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
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
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
    *c = (struct est_http_client){.loop = lp,
                                  .timer = {.fn = on_timer, .arg = c},
                                  .spare_max = opt->conns_max,
                                  .connect_timeout = opt->connect_timeout};
    est_list_init(&c->running);
    est_list_init(&c->spare);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (c->multi = curl_multi_init()) == NULL || !copy_text(opt->ca_file, &c->ca_file) ||
        !copy_text(opt->user_agent, &c->user_agent))
        goto fail;
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
        call_free(EST_CONTAINER(n, struct est_http_call, node));
    if (c->multi != NULL)
        (void)curl_multi_cleanup(c->multi);
    est_loop_timer_off(c->loop, &c->timer);
    est_free(c->ca_file);
    est_free(c->user_agent);
    est_free(c);
}
