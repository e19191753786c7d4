#include "http_conn.h"

#include <string.h>

enum { KEEP_BYTES = 64 * 1024 }; /* a buffer grown beyond this is given back between requests */

void est_http_req_init(struct est_http_req *req, struct est_http_conn *c)
{
    const struct est_http_limits *lim = &c->server->limits;

    *req = (struct est_http_req){.conn = c};
    est_buf_init(&req->head, lim->header_max);
    est_buf_init(&req->body, lim->body_max);
    est_buf_init(&req->reply_fields, 8192);
}

void est_http_req_fini(struct est_http_req *req)
{
    est_buf_fini(&req->head);
    est_buf_fini(&req->body);
    est_buf_fini(&req->reply_fields);
}

static void recycle(struct est_buf *b)
{
    if (b->cap > KEEP_BYTES)
        est_buf_fini(b);
    est_buf_clear(b);
}

void est_http_req_reset(struct est_http_req *req)
{
    recycle(&req->head);
    recycle(&req->body);
    est_buf_clear(&req->reply_fields);
    req->target_len = req->path_at = req->path_len = 0;
    req->content_length = 0;
    memset(req->fields, 0, sizeof(req->fields));
    req->n_fields = 0;
    req->head_done = req->replied = req->expect_continue = false;
    req->user = NULL;
}

/* --- what the parser tells --- */

static struct est_http_req *req_of(llhttp_t *p)
{
    return &((struct est_http_conn *)p->data)->req;
}

static int refuse(struct est_http_req *req, int status)
{
    req->conn->refuse = status;
    return -1;
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
    struct est_http_req *req = req_of(p);

    est_buf_put(&req->head, at, n);
    if (req->head.failed)
        return refuse(req, 414);
    req->target_len = (uint32_t)req->head.len;
    return 0;
}

/* The path begins behind scheme and authority, if they are there (RFC 9112 §3.2.2). */
static int on_url_complete(llhttp_t *p)
{
    struct est_http_req *req = req_of(p);
    const char *target = req->head.data, *end = target + req->target_len;
    const char *query = memchr(target, '?', req->target_len);
    const char *path_end = query ? query : end, *path = target;

    if (target[0] != '/' && p->method != HTTP_CONNECT) {
        const char *authority = memmem(target, (size_t)(path_end - target), "://", 3);
        if (authority != NULL)
            path = memchr(authority + 3, '/', (size_t)(path_end - authority - 3));
        if (path == NULL)
            path = path_end;
    }
    req->path_at = (uint32_t)(path - target);
    req->path_len = (uint32_t)(path_end - path);
    return 0;
}

/* Trailer fields come through the same callbacks; they are counted and dropped. */
static int put_head(struct est_http_req *req, const char *at, size_t n)
{
    est_buf_put(&req->head, at, n);
    return req->head.failed ? refuse(req, 431) : 0;
}

static int on_field_name(llhttp_t *p, const char *at, size_t n)
{
    struct est_http_req *req = req_of(p);
    struct est_http_field_at *f = &req->fields[req->n_fields];

    if (req->head_done)
        return put_head(req, at, n);
    if (req->n_fields == EST_HTTP_FIELDS_MAX)
        return refuse(req, 431);
    if (f->name_len == 0)
        f->name = (uint32_t)req->head.len;
    f->name_len += (uint32_t)n;
    return put_head(req, at, n);
}

static int on_field_value(llhttp_t *p, const char *at, size_t n)
{
    struct est_http_req *req = req_of(p);
    struct est_http_field_at *f = &req->fields[req->n_fields];

    if (req->head_done)
        return put_head(req, at, n);
    if (f->value_len == 0)
        f->value = (uint32_t)req->head.len;
    f->value_len += (uint32_t)n;
    return put_head(req, at, n);
}

static int on_field_complete(llhttp_t *p)
{
    struct est_http_req *req = req_of(p);

    if (!req->head_done)
        req->n_fields++;
    return 0;
}

static size_t count_fields(const struct est_http_req *req, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < req->n_fields; i++) {
        struct est_view have, value;
        est_http_header_at(req, i, &have, &value);
        n += est_view_ieq(have, est_view_str(name));
    }
    return n;
}

/* RFC 9112 §3.2: exactly one Host in HTTP/1.1. §6.1: no transfer coding but chunked is understood
 * here, and HTTP/1.0 has none. RFC 9110 §10.1.1: an unknown expectation is 417. */
static int check_head(struct est_http_req *req, const llhttp_t *p)
{
    struct est_view expect = est_http_header(req, "expect"),
                    coding = est_http_header(req, "transfer-encoding");
    bool modern = p->http_major == 1 && p->http_minor >= 1;

    if (p->http_major != 1)
        return 505;
    if (count_fields(req, "host") > 1 || (modern && est_http_header(req, "host").data == NULL))
        return 400;
    if (coding.data != NULL && !modern)
        return 400;
    if (p->method == HTTP_CONNECT)
        return 400; /* this is no proxy (RFC 9110 §9.3.6) */
    if (count_fields(req, "transfer-encoding") > 1 ||
        (coding.data != NULL && !est_view_ieq(coding, EST_VIEW_LIT("chunked"))))
        return 501;
    if (expect.data != NULL && !est_view_ieq(expect, EST_VIEW_LIT("100-continue")))
        return 417;
    req->expect_continue = modern && expect.data != NULL;
    if ((p->flags & F_CONTENT_LENGTH) && p->content_length > req->conn->server->limits.body_max)
        return 413;
    return 0;
}

static int on_headers_complete(llhttp_t *p)
{
    struct est_http_req *req = req_of(p);
    const struct est_http_handlers *h = &req->conn->server->handlers;
    int status;

    req->head_done = true;
    req->content_length = (p->flags & F_CHUNKED)          ? UINT64_MAX
                          : (p->flags & F_CONTENT_LENGTH) ? p->content_length
                                                          : 0;
    p->upgrade =
        0; /* no other protocol is spoken here: an Upgrade wish is ignored (RFC 9110 §7.8) */
    status = check_head(req, p);
    if (status != 0)
        return refuse(req, status);
    if (h->admit != NULL && !h->admit(h->arg, req))
        return -1;
    if (req->expect_continue && est_http_content_length(req) > 0)
        est_buf_puts(&req->conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    struct est_http_req *req = req_of(p);

    if (req->body.len == 0 && req->content_length != UINT64_MAX)
        (void)est_buf_reserve(&req->body, (size_t)req->content_length);
    est_buf_put(&req->body, at, n);
    if (!req->body.failed)
        return 0;
    return refuse(req, n > req->body.max - req->body.len ? 413 : 503);
}

/* What a chunk declares is refused before its bytes come. */
static int on_chunk_header(llhttp_t *p)
{
    struct est_http_req *req = req_of(p);

    return p->content_length > req->body.max - req->body.len ? refuse(req, 413) : 0;
}

static int on_message_complete(llhttp_t *p)
{
    (void)p;
    return HPE_PAUSED;
}

const llhttp_settings_t est_http_parser_settings = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_field_name,
    .on_header_value = on_field_value,
    .on_header_value_complete = on_field_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- what the handler asks --- */

struct est_view est_http_method(const struct est_http_req *req)
{
    return est_view_str(llhttp_method_name((llhttp_method_t)req->conn->parser.method));
}

struct est_view est_http_path(const struct est_http_req *req)
{
    if (req->path_len == 0)
        return EST_VIEW_LIT("/");
    return est_view(req->head.data + req->path_at, req->path_len);
}

struct est_view est_http_query(const struct est_http_req *req)
{
    uint32_t path_end = req->path_at + req->path_len;

    if (path_end >= req->target_len)
        return EST_VIEW_NONE;
    return est_view(req->head.data + path_end + 1, req->target_len - path_end - 1);
}

struct est_view est_http_query_get(const struct est_http_req *req, const char *name)
{
    struct est_view rest = est_http_query(req);
    size_t name_len = strlen(name);

    while (rest.data != NULL && rest.len > 0) {
        const char *amp = memchr(rest.data, '&', rest.len);
        size_t n = amp ? (size_t)(amp - rest.data) : rest.len;
        if (n >= name_len && memcmp(rest.data, name, name_len) == 0) {
            if (n == name_len)
                return est_view(rest.data + n, 0);
            if (rest.data[name_len] == '=')
                return est_view(rest.data + name_len + 1, n - name_len - 1);
        }
        rest = amp ? est_view(amp + 1, rest.len - n - 1) : EST_VIEW_NONE;
    }
    return EST_VIEW_NONE;
}

struct est_view est_http_body(const struct est_http_req *req)
{
    return est_buf_view(&req->body);
}

void est_http_header_at(const struct est_http_req *req, size_t i, struct est_view *ret_name,
                        struct est_view *ret_value)
{
    const struct est_http_field_at *f = &req->fields[i];

    *ret_name = est_view(req->head.data + f->name, f->name_len);
    *ret_value = est_view_trim(est_view(req->head.data + f->value, f->value_len));
}

struct est_view est_http_header(const struct est_http_req *req, const char *name)
{
    struct est_view want = est_view_str(name), have, value;

    for (size_t i = 0; i < req->n_fields; i++) {
        if (req->fields[i].name_len != want.len)
            continue;
        est_http_header_at(req, i, &have, &value);
        if (est_view_ieq(have, want))
            return value;
    }
    return EST_VIEW_NONE;
}

size_t est_http_header_count(const struct est_http_req *req)
{
    return req->n_fields;
}

uint64_t est_http_content_length(const struct est_http_req *req)
{
    return req->content_length;
}

const char *est_http_peer(const struct est_http_req *req)
{
    return req->conn->peer;
}

void est_http_set_user(struct est_http_req *req, void *user)
{
    req->user = user;
}

void *est_http_user(const struct est_http_req *req)
{
    return req->user;
}

void est_http_set_conn_user(struct est_http_req *req, void *user, void (*release)(void *user))
{
    struct est_http_conn *c = req->conn;

    if (c->release_user != NULL)
        c->release_user(c->user);
    c->user = user;
    c->release_user = release;
}

void *est_http_conn_user(const struct est_http_req *req)
{
    return req->conn->user;
}
