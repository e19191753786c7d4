#include "http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const est_us PATIENCE = 5 * EST_SECOND;

/* --- the handler --- */

static void say(struct est_http_req *req)
{
    struct est_view method = est_http_method(req), path = est_http_path(req),
                    query = est_http_query(req);
    struct est_buf b;

    est_buf_init(&b, 1 << 20);
    est_buf_put_view(&b, method);
    est_buf_putc(&b, ' ');
    est_buf_put_view(&b, path);
    est_buf_putc(&b, ' ');
    est_buf_puts(&b, query.data ? "?" : "-");
    est_buf_put_view(&b, query);
    if (est_http_content_length(req) == UINT64_MAX)
        est_buf_puts(&b, " chunked ");
    else
        est_buf_printf(&b, " %d ", (int)est_http_content_length(req));
    est_buf_put_view(&b, est_http_body(req));
    est_http_reply(req, 200, "text/plain", est_buf_view(&b));
    est_buf_fini(&b);
}

static void big(struct est_http_req *req)
{
    unsigned long long n = 0;
    char *bytes;

    assert_true(est_view_u64(est_http_query_get(req, "n"), 1 << 28, &n));
    bytes = malloc(n + 1);
    assert_non_null(bytes);
    memset(bytes, 'b', n);
    est_http_reply(req, 200, "text/plain", est_view(bytes, n));
    free(bytes);
}

static void stream_closed(void *arg)
{
    struct rig *r = arg;

    r->closed++;
    r->stream = NULL;
}

static void park(struct rig *r, struct est_http_req *req)
{
    assert_true(r->n_parked < RIG_PARKED_MAX);
    r->parked[r->n_parked++] = req;
}

static void released(void *user)
{
    struct rig *r = user;

    r->released++;
}

static bool on_head(void *arg, struct est_http_req *req)
{
    struct rig *r = arg;

    r->admits++;
    est_http_set_user(req, r);
    est_http_set_conn_user(req, r, released);
    if (!est_view_starts(est_http_path(req), EST_VIEW_LIT("/no/")))
        return true;
    est_http_reply_field(req, "WWW-Authenticate", "Bearer");
    est_http_problem(req, 401, "No", NULL, EST_VIEW_NONE);
    return false;
}

static void on_request(void *arg, struct est_http_req *req)
{
    struct rig *r = arg;
    struct est_view path = est_http_path(req);

    r->calls++;
    assert_ptr_equal(est_http_user(req), r);
    assert_ptr_equal(est_http_conn_user(req), r);
    (void)snprintf(r->peer, sizeof(r->peer), "%s", est_http_peer(req));
    if (est_view_is(path, "/park"))
        park(r, req);
    else if (est_view_is(path, "/big"))
        big(req);
    else if (est_view_is(path, "/echo"))
        est_http_reply(req, 200, NULL, est_http_body(req));
    else if (est_view_is(path, "/stream"))
        r->stream = est_http_stream_begin(req, "text/event-stream", stream_closed, r);
    else
        say(req);
}

/* --- the rig --- */

void rig_open(struct rig *r, const struct est_http_limits *limits)
{
    *r = (struct rig){.limits = limits ? *limits : est_http_limits_default};
    assert_int_equal(est_loop_new(&r->loop, NULL), EST_OK);
    assert_int_equal(est_http_server_new(r->loop, &r->limits,
                                         &(struct est_http_handlers){on_head, on_request, r},
                                         &r->server, NULL),
                     EST_OK);
    assert_int_equal(est_http_server_listen(r->server, "127.0.0.1:0", NULL), EST_OK);
    assert_true(est_http_server_port(r->server) > 0);
}

void rig_close(struct rig *r)
{
    est_http_server_free(r->server);
    est_loop_free(r->loop);
}

void rig_turn(struct rig *r)
{
    est_loop_turn(r->loop, EST_MS);
}

/* --- clients --- */

struct client rig_dial(struct rig *r)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)est_http_server_port(r->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct client c = {.rig = r, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    assert_true(c.fd >= 0);
    assert_int_equal(connect(c.fd, (const void *)&sa, sizeof(sa)), 0);
    assert_int_equal(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
    est_buf_init(&c.in, 1u << 28);
    return c;
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    est_buf_fini(&c->in);
}

void client_reset(struct client *c)
{
    struct linger hard = {.l_onoff = 1};

    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    client_close(c);
}

void client_say(struct client *c, struct est_view bytes)
{
    est_us until = est_clock_mono() + PATIENCE;

    while (bytes.len > 0) {
        ssize_t n = send(c->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return; /* the server has closed: what it said before is what counts */
        if (n > 0)
            bytes = est_view(bytes.data + n, bytes.len - (size_t)n);
        if (bytes.len > 0)
            rig_turn(c->rig);
        assert_true(est_clock_mono() < until);
    }
}

void client_say_str(struct client *c, const char *bytes)
{
    client_say(c, est_view_str(bytes));
}

void client_read(struct client *c, size_t max)
{
    ssize_t n;

    assert_true(est_buf_reserve(&c->in, max + 1));
    n = recv(c->fd, c->in.data + c->in.len, max, 0);
    if (n > 0)
        c->in.len += (size_t)n;
    else if (n == 0 || errno != EAGAIN)
        c->ended = true;
    c->in.data[c->in.len] = '\0';
}

bool client_hears(struct client *c, const char *text)
{
    est_us until = est_clock_mono() + PATIENCE;

    while (client_count(c, text) == 0) {
        if (c->ended || est_clock_mono() > until)
            return false;
        rig_turn(c->rig);
        client_read(c, 65536);
    }
    return true;
}

bool client_hears_end(struct client *c)
{
    est_us until = est_clock_mono() + PATIENCE;

    while (!c->ended && est_clock_mono() < until) {
        rig_turn(c->rig);
        client_read(c, 65536);
    }
    return c->ended;
}

bool client_hears_replies(struct client *c, size_t n)
{
    est_us until = est_clock_mono() + PATIENCE;

    while (client_count(c, "HTTP/1.1 ") < n) {
        if (c->ended || est_clock_mono() > until)
            return false;
        rig_turn(c->rig);
        client_read(c, 65536);
    }
    return true;
}

bool client_hears_nothing(struct client *c, est_us time)
{
    est_us until = est_clock_mono() + time;
    size_t before = c->in.len;

    while (est_clock_mono() < until) {
        rig_turn(c->rig);
        client_read(c, 65536);
    }
    return c->in.len == before && !c->ended;
}

size_t client_count(const struct client *c, const char *text)
{
    const char *at = c->in.len ? c->in.data : "", *end = at + c->in.len;
    size_t n = 0, len = strlen(text);

    while ((at = memmem(at, (size_t)(end - at), text, len)) != NULL) {
        at += len;
        n++;
    }
    return n;
}

void client_forget(struct client *c)
{
    est_buf_clear(&c->in);
}
