#include "http_out_state.h"

#include "base/assert.h"
#include "base/mem.h"

#include <stdio.h>

enum {
    FIELD_LINE_MAX = 16 * 1024,
    BODY_KEEP = 64 * 1024,
    UPLOAD_BUFFER = 256 * 1024 /* a usual batch goes out by one send */
};

static const struct {
    struct est_view name;
    enum est_http_want want;
} wants[] = {
#define WANT(name, want)                  \
    {                                     \
        {"" name, sizeof(name) - 1}, want \
    }
    WANT("retry-after", EST_HTTP_RETRY_AFTER),
    WANT("content-type", EST_HTTP_CONTENT_TYPE),
    WANT("ratelimit", EST_HTTP_RATE_LIMIT),
    WANT("ratelimit-policy", EST_HTTP_RATE_POLICY),
    WANT("ratelimit-limit", EST_HTTP_RATE_QUOTA),
    WANT("ratelimit-remaining", EST_HTTP_RATE_LEFT),
    WANT("ratelimit-reset", EST_HTTP_RATE_RESET),
    WANT("x-ratelimit-limit", EST_HTTP_RATE_QUOTA),
    WANT("x-ratelimit-remaining", EST_HTTP_RATE_LEFT),
    WANT("x-ratelimit-reset", EST_HTTP_RATE_RESET),
#undef WANT
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

static void capture(struct est_http_captured *cap, struct est_view value)
{
    if (value.len > sizeof(cap->text))
        return;
    memcpy(cap->text, value.data, value.len);
    cap->len = value.len;
    cap->present = true;
}

static void forget_captured(struct est_http_call *call)
{
    for (int i = 0; i < EST_HTTP_WANTS; i++)
        call->captured[i].present = false;
}

static struct est_view captured_view(const struct est_http_captured *cap)
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
        for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
            if (est_view_ieq(name, wants[i].name))
                capture(&call->captured[wants[i].want], est_view_trim(value));
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
    (void)curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
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

void est_http_call_free(struct est_http_call *call)
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
    *call =
        (struct est_http_call){.magic = EST_HTTP_CALL_MAGIC, .client = c, .easy = curl_easy_init()};
    if (call->easy == NULL) {
        est_http_call_free(call);
        return NULL;
    }
    est_list_init(&call->node);
    set_constant_options(call);
    return call;
}

struct est_http_call *est_http_call_take(struct est_http_client *c)
{
    struct est_node *first = est_list_first(&c->spare);

    if (first == NULL)
        return call_new(c);
    est_list_remove(first);
    c->n_spare--;
    return EST_CONTAINER(first, struct est_http_call, node);
}

/* A large answer's memory does not stay with its handle. The next request gets the handle that went
 * last, whose memory the processor still has at hand. */
void est_http_call_give(struct est_http_call *call)
{
    struct est_http_client *c = call->client;

    curl_slist_free_all(call->fields);
    call->fields = NULL;
    if (call->body.cap > BODY_KEEP)
        est_buf_fini(&call->body);
    if (c->n_spare >= c->spare_max) {
        est_http_call_free(call);
        return;
    }
    est_list_prepend(&c->spare, &call->node);
    c->n_spare++;
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

static void reset_received(struct est_http_call *call, size_t response_max)
{
    est_buf_clear(&call->body);
    call->body.max = response_max;
    if (call->body.cap > response_max)
        est_buf_fini(&call->body);
    forget_captured(call);
    call->error[0] = '\0';
}

est_err est_http_call_prepare(struct est_http_call *call, const struct est_http_request *rq)
{
    CURL *e = call->easy;
    bool is_tls = est_view_istarts(est_view_str(rq->url), EST_VIEW_LIT("https:"));

    reset_received(call, rq->response_max);
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

void est_http_call_result(const struct est_http_call *call, CURLcode code,
                          struct est_http_result *ret)
{
    long status = 0;

    *ret = (struct est_http_result){.err = translate(code)};
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    ret->duration = est_clock_mono() - call->started;
    if (ret->err != EST_OK)
        describe(call, code, ret);
    else {
        ret->status = (int)status;
        ret->body = est_buf_view(&call->body);
    }
    ret->retry_after = captured_view(&call->captured[EST_HTTP_RETRY_AFTER]);
    ret->rate_limit = captured_view(&call->captured[EST_HTTP_RATE_LIMIT]);
    ret->rate_policy = captured_view(&call->captured[EST_HTTP_RATE_POLICY]);
    ret->rate_quota = captured_view(&call->captured[EST_HTTP_RATE_QUOTA]);
    ret->rate_left = captured_view(&call->captured[EST_HTTP_RATE_LEFT]);
    ret->rate_reset = captured_view(&call->captured[EST_HTTP_RATE_RESET]);
    ret->content_type = captured_view(&call->captured[EST_HTTP_CONTENT_TYPE]);
}
