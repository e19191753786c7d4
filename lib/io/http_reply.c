#include "http_conn.h"

#include "base/assert.h"
#include "base/jsonw.h"

#include <stdio.h>
#include <time.h>

struct status_row {
    int status;
    const char *reason;
};

/* RFC 9110 §15; what this server or its handlers send. */
static const struct status_row reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {207, "Multi-Status"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

static const char *date_of(struct est_http_server *s)
{
    est_us now = est_loop_now(s->loop);

    if (s->date[0] == '\0' || now - s->date_at >= EST_SECOND) {
        time_t secs = (time_t)(est_clock_wall() / EST_SECOND);
        struct tm tm;
        if (gmtime_r(&secs, &tm) != NULL)
            (void)strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        s->date_at = now;
    }
    return s->date;
}

/* Before the head is complete the parser's method may be that of the request before. */
static bool is_head(const struct est_http_req *req)
{
    return req->head_done && req->conn->parser.method == HTTP_HEAD;
}

static bool has_no_body(const struct est_http_req *req, int status)
{
    return status == 204 || status == 304 || is_head(req);
}

void est_http_reply_head(struct est_http_req *req, int status, const char *content_type,
                         uint64_t length, bool chunked)
{
    struct est_http_conn *c = req->conn;
    struct est_buf *out = &c->out;

    est_buf_puts(out, "HTTP/1.1 ");
    est_buf_put_i64(out, status);
    est_buf_putc(out, ' ');
    est_buf_puts(out, reason_of(status));
    est_buf_puts(out, "\r\nDate: ");
    est_buf_puts(out, date_of(c->server));
    if (content_type != NULL) {
        est_buf_puts(out, "\r\nContent-Type: ");
        est_buf_puts(out, content_type);
    }
    if (chunked) {
        est_buf_puts(out, "\r\nTransfer-Encoding: chunked");
    } else if (length != EST_HTTP_NO_LENGTH && status != 204 && status != 304) {
        est_buf_puts(out, "\r\nContent-Length: ");
        est_buf_put_u64(out, length);
    }
    if (c->close)
        est_buf_puts(out, "\r\nConnection: close");
    else if (c->parser.http_minor == 0)
        est_buf_puts(out, "\r\nConnection: keep-alive");
    est_buf_put_view(out, est_buf_view(&req->reply_fields));
    est_buf_puts(out, "\r\n\r\n");
}

void est_http_reply_field(struct est_http_req *req, const char *name, const char *value)
{
    struct est_buf *b = &req->reply_fields;

    EST_ASSERT(strpbrk(name, "\r\n:") == NULL && strpbrk(value, "\r\n") == NULL);
    est_buf_puts(b, "\r\n");
    est_buf_puts(b, name);
    est_buf_puts(b, ": ");
    est_buf_puts(b, value);
}

/* A reply before the request was read whole, or while draining, is the connection's last. */
static void decide_close(struct est_http_conn *c)
{
    if (c->state == EST_CONN_READING || c->server->draining ||
        !llhttp_should_keep_alive(&c->parser))
        c->close = true;
}

void est_http_reply(struct est_http_req *req, int status, const char *content_type,
                    struct est_view body)
{
    struct est_http_conn *c = req->conn;

    EST_ASSERT(!req->replied);
    req->replied = true;
    if (!c->gone) {
        decide_close(c);
        est_http_reply_head(req, status, content_type, body.len, false);
        if (!has_no_body(req, status))
            est_buf_put_view(&c->out, body);
    }
    est_http_conn_continue(c);
}

void est_http_problem(struct est_http_req *req, int status, const char *title, const char *detail,
                      struct est_view more)
{
    struct est_buf b;

    est_buf_init(&b, 16u * 1024 * 1024);
    est_buf_puts(&b, "{\"title\":");
    est_json_put_str(&b, title);
    est_buf_printf(&b, ",\"status\":%d", status);
    if (detail != NULL) {
        est_buf_puts(&b, ",\"detail\":");
        est_json_put_str(&b, detail);
    }
    est_buf_put_view(&b, more);
    est_buf_puts(&b, "}\n");
    if (b.failed)
        est_http_reply(req, 500, NULL, EST_VIEW_LIT(""));
    else
        est_http_reply(req, status, "application/problem+json", est_buf_view(&b));
    est_buf_fini(&b);
}

struct est_http_stream *est_http_stream_begin(struct est_http_req *req, const char *content_type,
                                              void (*closed)(void *arg), void *arg)
{
    struct est_http_conn *c = req->conn;
    bool chunked = c->parser.http_minor > 0;

    EST_ASSERT(!req->replied);
    req->replied = true;
    c->close = true; /* the stream ends with the connection */
    if (!c->gone)
        est_http_reply_head(req, 200, content_type, EST_HTTP_NO_LENGTH, chunked);
    if (c->gone || is_head(req)) {
        est_http_conn_continue(c);
        return NULL;
    }
    c->stream = (struct est_http_stream){c, chunked, closed, arg};
    c->state = EST_CONN_STREAMING;
    est_http_conn_continue(c);
    return &c->stream;
}

static void put_chunk(const struct est_http_stream *st, struct est_view data)
{
    struct est_buf *out = &st->conn->out;

    if (st->chunked)
        est_buf_printf(out, "%zx\r\n", data.len);
    est_buf_put_view(out, data);
    if (st->chunked)
        est_buf_puts(out, "\r\n");
}

bool est_http_stream_write(struct est_http_stream *st, struct est_view data, size_t max_queued)
{
    struct est_http_conn *c = st->conn;
    size_t before = c->out.len;

    if (before - c->out_at + data.len > max_queued)
        return false;
    if (data.len == 0)
        return true; /* an empty chunk would end the stream */
    put_chunk(st, data);
    if (c->out.failed) { /* no memory: as if the client were too slow */
        est_buf_truncate(&c->out, before);
        c->out.failed = false;
        return false;
    }
    est_http_conn_continue(c);
    return true;
}

void est_http_stream_end(struct est_http_stream *st)
{
    struct est_http_conn *c = st->conn;

    if (st->chunked)
        est_buf_puts(&c->out, "0\r\n\r\n");
    c->stream.closed = NULL;
    c->state = EST_CONN_RUNNING;
    est_http_conn_continue(c);
}
