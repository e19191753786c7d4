#include "http_conn.h"

#include "base/assert.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUT_MAX = 64 * 1024 * 1024,
    OUT_PAUSE = 256 * 1024, /* a pipelining client that does not read gets no further replies */
    KEEP_OUT = 64 * 1024,
    KEEP_PENDING = 8 * 1024,
    READS_PER_EVENT = 4,
};
static const est_us LINGER_TIME = EST_SECOND;

enum phase {
    PHASE_NEW,
    PHASE_IDLE,
    PHASE_HEADER,
    PHASE_BODY,
    PHASE_WRITING,
    PHASE_LINGER,
    PHASE_NONE
};

static void on_event(void *arg, uint32_t events);
static void on_timer(void *arg);

est_err est_http_conn_open(struct est_http_server *s, int fd, const char *peer)
{
    struct est_http_conn *c = est_calloc(1, sizeof(*c));

    if (c == NULL || est_loop_timer_reserve(s->loop) != EST_OK) {
        est_free(c);
        return EST_ERR_NOMEM;
    }
    c->server = s;
    c->watch = (struct est_watch){.fd = fd, .events = EPOLLIN, .fn = on_event, .arg = c};
    c->timer = (struct est_timer){.fn = on_timer, .arg = c};
    (void)snprintf(c->peer, sizeof(c->peer), "%s", peer);
    llhttp_init(&c->parser, HTTP_REQUEST, &est_http_parser_settings);
    c->parser.data = c;
    est_http_req_init(&c->req, c);
    est_buf_init(&c->out, OUT_MAX);
    est_buf_init(&c->pending, EST_HTTP_SCRATCH);
    if (est_loop_watch(s->loop, &c->watch) != EST_OK) {
        est_loop_timer_release(s->loop);
        est_free(c);
        return EST_ERR_IO;
    }
    est_list_append(&s->conns, &c->node);
    s->stats.open++;
    est_http_conn_continue(c);
    return EST_OK;
}

static void destroy(struct est_http_conn *c)
{
    est_list_remove(&c->node);
    est_http_req_fini(&c->req);
    est_buf_fini(&c->out);
    est_buf_fini(&c->pending);
    est_free(c);
}

static bool is_parked(const struct est_http_conn *c)
{
    return c->state == EST_CONN_RUNNING && !c->req.replied;
}

void est_http_conn_abort(struct est_http_conn *c)
{
    struct est_http_stream st = c->stream;

    if (c->gone)
        return;
    c->gone = true;
    est_loop_unwatch(c->server->loop, &c->watch);
    est_loop_timer_off(c->server->loop, &c->timer);
    est_loop_timer_release(c->server->loop);
    (void)close(c->watch.fd);
    est_list_remove(&c->node);
    c->server->stats.open--;
    if (c->release_user != NULL)
        c->release_user(c->user);
    c->release_user = NULL;
    if (c->state == EST_CONN_STREAMING && st.closed != NULL)
        st.closed(st.arg);
    if (is_parked(c))
        est_list_append(&c->server->orphans, &c->node);
    else if (!c->in_loop)
        destroy(c);
}

/* --- writing --- */

static size_t out_left(const struct est_http_conn *c)
{
    return c->out.len - c->out_at;
}

static void out_done(struct est_http_conn *c)
{
    if (c->out.cap > KEEP_OUT)
        est_buf_fini(&c->out);
    est_buf_clear(&c->out);
    c->out_at = 0;
}

static void write_failed(struct est_http_conn *c)
{
    if (c->state != EST_CONN_STREAMING) {
        est_http_conn_abort(c);
        return;
    }
    c->broken = true;
    out_done(c);
    est_loop_timer_at(c->server->loop, &c->timer, 0);
}

/* A slow reader may never let `out` run empty: what it has taken must not stay in front. */
static void compact(struct est_http_conn *c)
{
    if (c->out_at < KEEP_OUT || c->out_at < out_left(c))
        return;
    est_buf_consume(&c->out, c->out_at);
    c->out_at = 0;
}

static void flush(struct est_http_conn *c)
{
    if (!c->gone && c->out.failed) { /* half an answer would be taken for a whole one */
        write_failed(c);
        return;
    }
    while (!c->gone && out_left(c) > 0) {
        ssize_t n = send(c->watch.fd, c->out.data + c->out_at, out_left(c), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            compact(c);
            return;
        }
        if (n < 0) {
            write_failed(c);
            return;
        }
        c->out_at += (size_t)n;
        c->phase_at = est_loop_now(c->server->loop); /* progress renews the write deadline */
    }
    if (!c->gone)
        out_done(c);
}

/* No further request will come or be taken; what has been answered is still written. */
static void finish(struct est_http_conn *c)
{
    if (out_left(c) == 0) {
        est_http_conn_abort(c);
        return;
    }
    c->close = true;
    c->req.replied = true;
    c->state = EST_CONN_RUNNING;
}

/* --- parsing --- */

struct refusal {
    int status;
    const char *title;
};

static const struct refusal refusals[] = {
    {400, "The request is not valid HTTP"},
    {408, "The request did not arrive in time"},
    {413, "The body is larger than allowed"},
    {414, "The request target is too long"},
    {417, "Only 100-continue can be expected"},
    {431, "The header is larger than allowed"},
    {501, "The method or transfer coding is not supported"},
    {503, "No memory for this request right now"},
    {505, "Only HTTP/1.0 and HTTP/1.1 are spoken here"},
};

/* Answer for the server itself, then close: the framing of what follows cannot be trusted. */
static void refuse(struct est_http_conn *c, int status, const char *detail)
{
    const char *title = refusals[0].title;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (refusals[i].status == status)
            title = refusals[i].title;
    c->server->stats.bad_requests++;
    c->close = true;
    est_http_problem(&c->req, status, title, detail, EST_VIEW_NONE);
    c->state = EST_CONN_RUNNING; /* replied: the loop now flushes and lingers */
}

static void parse_failed(struct est_http_conn *c)
{
    int status = c->refuse;

    if (c->req.replied) { /* `admit` refused it */
        c->close = true;
        c->state = EST_CONN_RUNNING;
        return;
    }
    if (status == 0)
        status = llhttp_get_errno(&c->parser) == HPE_INVALID_VERSION ? 505 : 400;
    refuse(c, status, status == 400 ? llhttp_get_error_reason(&c->parser) : NULL);
}

static void request_complete(struct est_http_conn *c)
{
    c->state = EST_CONN_RUNNING;
    c->server->stats.requests++;
    c->server->handlers.request(c->server->handlers.arg, &c->req);
}

/* The parser waits until the method is known to be one of ours; then it gets what came of it in
 * earlier reads first. False when it has to wait on, or the line was refused. */
static bool feed_line(struct est_http_conn *c, const char *data, size_t n)
{
    size_t earlier = c->line.spaces == 0 ? c->line.method_len : 0;
    int status = est_http_line_feed(&c->line, data, n);

    c->started = c->line.method_len > 0;
    if (status != 0) {
        refuse(c, status, status == 400 ? "The request line must be METHOD TARGET HTTP/1.1" : NULL);
        return false;
    }
    if (c->line.spaces == 0)
        return false;
    if (earlier > 0)
        (void)llhttp_execute(&c->parser, c->line.method, earlier);
    return true;
}

/* Feeds the parser; returns how many bytes it took. It stops behind a complete request. */
static size_t feed(struct est_http_conn *c, const char *data, size_t n, bool *ret_complete)
{
    llhttp_errno_t err;

    *ret_complete = false;
    if (!c->line.done && !feed_line(c, data, n))
        return n;
    err = llhttp_execute(&c->parser, data, n);
    *ret_complete = err == HPE_PAUSED;
    if (err == HPE_OK)
        return n;
    if (err != HPE_PAUSED) {
        parse_failed(c);
        return n;
    }
    return (size_t)(llhttp_get_error_pos(&c->parser) - data);
}

static void take_bytes(struct est_http_conn *c, const char *data, size_t n)
{
    bool complete;
    size_t used = feed(c, data, n, &complete);

    est_buf_put(&c->pending, data + used, n - used);
    c->close |= c->pending.failed; /* without what comes behind it, this request is the last */
    if (complete)
        request_complete(c);
}

static void pending_done(struct est_http_conn *c)
{
    if (c->pending.cap > KEEP_PENDING)
        est_buf_fini(&c->pending);
    est_buf_clear(&c->pending);
    c->pending_at = 0;
}

static void take_pending(struct est_http_conn *c)
{
    bool complete;

    c->pending_at +=
        feed(c, c->pending.data + c->pending_at, c->pending.len - c->pending_at, &complete);
    if (c->pending_at == c->pending.len)
        pending_done(c);
    if (complete)
        request_complete(c);
}

/* --- the state machine --- */

static void start_linger(struct est_http_conn *c)
{
    c->state = EST_CONN_LINGERING;
    pending_done(c);
    (void)shutdown(c->watch.fd, SHUT_WR);
}

/* One step; true when another may follow at once. */
static bool step(struct est_http_conn *c)
{
    if (c->state == EST_CONN_RUNNING && c->req.replied) {
        if (c->close) {
            flush(c);
            if (!c->gone && out_left(c) == 0)
                start_linger(c);
            return false;
        }
        llhttp_resume(&c->parser);
        est_http_req_reset(&c->req);
        c->state = EST_CONN_READING;
        c->started = false;
        c->line = (struct est_http_line){0};
    }
    if (c->state != EST_CONN_READING || c->pending.len == 0)
        return false;
    if (out_left(c) > OUT_PAUSE) {
        flush(c);
        if (c->gone || out_left(c) > OUT_PAUSE)
            return false;
    }
    take_pending(c);
    return true;
}

static enum phase phase_of(const struct est_http_conn *c)
{
    if (c->state == EST_CONN_LINGERING)
        return PHASE_LINGER;
    if (out_left(c) > 0)
        return PHASE_WRITING;
    if (c->state != EST_CONN_READING)
        return PHASE_NONE;
    if (!c->started)
        return PHASE_IDLE;
    return c->req.head_done ? PHASE_BODY : PHASE_HEADER;
}

static est_us allowed(const struct est_http_conn *c, enum phase ph)
{
    const struct est_http_limits *lim = &c->server->limits;

    switch (ph) {
    case PHASE_HEADER: return lim->header_timeout;
    case PHASE_BODY: return lim->body_timeout;
    case PHASE_WRITING: return lim->write_timeout;
    case PHASE_LINGER: return LINGER_TIME;
    case PHASE_IDLE: return lim->idle_timeout;
    case PHASE_NEW:
    case PHASE_NONE: break;
    }
    return EST_NEVER;
}

/* The timer is only moved when it would fire too late: most requests cost no heap operation. */
static void arm_deadline(struct est_http_conn *c)
{
    enum phase ph = phase_of(c);
    est_us allow = allowed(c, ph), now = est_loop_now(c->server->loop);

    if (ph != c->phase || ph == PHASE_IDLE) {
        c->phase = ph;
        c->phase_at = now;
    }
    c->deadline = allow == EST_NEVER ? EST_NEVER : c->phase_at + allow;
    if (c->deadline != EST_NEVER && !c->broken &&
        (!est_loop_timer_armed(&c->timer) || c->timer.node.at > c->deadline))
        est_loop_timer_at(c->server->loop, &c->timer, c->deadline);
}

/* While a request runs, EPOLLIN stays as it is: most clients send nothing then, and two epoll_ctl a
 * request are saved. If bytes do come, on_event switches it off until the reply. */
static void arm_events(struct est_http_conn *c)
{
    uint32_t want = out_left(c) > 0 ? EPOLLOUT : 0;

    if (c->state == EST_CONN_RUNNING)
        want |= c->watch.events & EPOLLIN;
    else if (c->state != EST_CONN_READING || c->pending.len == 0)
        want |= EPOLLIN;
    est_loop_watch_events(c->server->loop, &c->watch, want);
}

void est_http_conn_continue(struct est_http_conn *c)
{
    if (c->in_loop)
        return;
    c->in_loop = true;
    while (!c->gone && step(c)) {
    }
    if (!c->gone)
        flush(c);
    if (!c->gone && c->state == EST_CONN_READING && c->server->draining && !c->started)
        finish(c);
    c->in_loop = false;
    if (c->gone) {
        if (!is_parked(c))
            destroy(c);
        return;
    }
    arm_deadline(c);
    arm_events(c);
}

void est_http_conn_drain(struct est_http_conn *c)
{
    if (c->state == EST_CONN_STREAMING)
        est_http_conn_abort(c);
    else if (c->state == EST_CONN_READING && !c->started)
        finish(c);
}

/* --- events --- */

/* Bytes nobody wants: behind a reply that closes, or on a stream. False at end of file. */
static bool discard(struct est_http_conn *c)
{
    ssize_t n = recv(c->watch.fd, c->server->scratch, EST_HTTP_SCRATCH, 0);

    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* False when the connection has ended. */
static bool read_some(struct est_http_conn *c)
{
    for (int i = 0; i < READS_PER_EVENT && c->state == EST_CONN_READING && c->pending.len == 0;
         i++) {
        ssize_t n = recv(c->watch.fd, c->server->scratch, EST_HTTP_SCRATCH, 0);
        if (n == 0) {
            finish(c);
            return true;
        }
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        take_bytes(c, c->server->scratch, (size_t)n);
        if ((size_t)n < EST_HTTP_SCRATCH)
            break;
    }
    return true;
}

static bool readable(struct est_http_conn *c)
{
    switch (c->state) {
    case EST_CONN_READING: return read_some(c);
    case EST_CONN_STREAMING:
    case EST_CONN_LINGERING: return discard(c);
    case EST_CONN_RUNNING:
        est_loop_watch_events(c->server->loop, &c->watch, c->watch.events & ~(uint32_t)EPOLLIN);
        return true;
    }
    EST_UNREACHABLE("connection state");
}

static void on_event(void *arg, uint32_t events)
{
    struct est_http_conn *c = arg;
    bool alive = (events & (EPOLLERR | EPOLLHUP)) == 0 || (events & EPOLLIN) != 0;

    c->in_loop = true;
    if (alive && (events & EPOLLIN))
        alive = readable(c);
    if (!alive)
        est_http_conn_abort(c);
    c->in_loop = false;
    est_http_conn_continue(c);
}

static void expired(struct est_http_conn *c)
{
    c->server->stats.timeouts += c->phase != PHASE_IDLE && c->phase != PHASE_LINGER;
    if (c->phase != PHASE_HEADER && c->phase != PHASE_BODY) {
        est_http_conn_abort(c);
        return;
    }
    c->in_loop = true;
    refuse(c, 408, NULL);
    c->in_loop = false;
    est_http_conn_continue(c);
}

static void on_timer(void *arg)
{
    struct est_http_conn *c = arg;

    if (c->broken) {
        est_http_conn_abort(c);
    } else if (est_loop_now(c->server->loop) >= c->deadline) {
        expired(c);
    } else if (c->deadline != EST_NEVER) {
        est_loop_timer_at(c->server->loop, &c->timer, c->deadline);
    }
}
