#include "lane.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT = 128 * 1024, OUTPUT_MAX = 64 * 1024 * 1024 };
static const est_us RECONNECT = 50 * EST_MS, REPEAT = 100 * EST_MS;

static struct lane_options *opt;
static char *fill;

/* --- a request --- */

/* Spread, so that lanes that keep pace are not marked all at once. */
static bool is_marked(const struct lane *l, uint64_t n)
{
    return opt->mark > 0 && (n + l->index * LANE_MARK_SHIFT) % opt->mark == 0;
}

static void put_event(struct est_buf *b, const struct lane *l, uint64_t n, size_t fill_n)
{
    uint64_t key = n % opt->keys;

    est_buf_printf(b,
                   "{\"id\":\"%s-%u-%" PRIu64 "\",\"event\":\"%s\",\"key\":\"%s-%u-k%" PRIu64
                   "\",\"payload\":{\"stream\":\"%s-%u-k%" PRIu64 "\",\"n\":%" PRIu64
                   ",\"notes\":\"",
                   opt->tag, l->index, n, l->event, opt->tag, l->index, key, opt->tag, l->index,
                   key, n / opt->keys + 1);
    est_buf_put(b, fill, fill_n);
    est_buf_puts(b, is_marked(l, n) ? "\",\"mark\":true}}\n" : "\"}}\n");
}

/* The fill that makes an event of about opt->bytes. */
static size_t fill_for(const struct lane *l)
{
    struct est_buf b;
    size_t bare;

    est_buf_init(&b, OUTPUT_MAX);
    put_event(&b, l, l->next, 0);
    bare = b.len;
    est_buf_fini(&b);
    return opt->bytes > bare ? (size_t)opt->bytes - bare : 0;
}

static void write_request(struct lane *l)
{
    size_t fill_n = fill_for(l);
    struct est_buf body;

    est_buf_init(&body, OUTPUT_MAX);
    for (uint64_t i = 0; i < l->n; i++)
        put_event(&body, l, l->next + i, fill_n);
    est_buf_clear(&l->out);
    est_buf_printf(&l->out,
                   "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   "Content-Type: application/x-ndjson\r\nPrefer: return=minimal\r\n"
                   "%s%s%sContent-Length: %zu\r\n\r\n",
                   opt->token[0] != '\0' ? "Authorization: Bearer " : "", opt->token,
                   opt->token[0] != '\0' ? "\r\n" : "", body.len);
    est_buf_put_view(&l->out, est_buf_view(&body));
    if (body.failed || l->out.failed)
        load_die("request", "too large");
    est_buf_fini(&body);
}

/* --- a lane's connection --- */

static void watch(struct lane *l, int op, bool writing)
{
    struct epoll_event ev = {.events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = l};

    l->writing = writing;
    if (epoll_ctl(opt->epoll_fd, op, l->fd, &ev) != 0)
        load_die("epoll", strerror(errno));
}

static void pause_lane(struct lane *l, est_us length)
{
    l->state = LANE_PAUSED;
    l->deadline = est_clock_mono() + length;
    opt->repeats++;
}

/* Without a connection; what was under way has an unknown outcome. */
static void broken(struct lane *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
    l->in_n = 0;
    if (l->state != LANE_BUSY)
        return;
    l->last = LANE_UNKNOWN;
    pause_lane(l, RECONNECT);
}

static bool open_lane(struct lane *l)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(opt->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        load_die("socket", strerror(errno));
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(l->fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0 && errno != EINPROGRESS)
        return false;
    watch(l, EPOLL_CTL_ADD, true);
    return true;
}

static void push(struct lane *l)
{
    while (l->out_at < l->out.len) {
        ssize_t n = send(l->fd, l->out.data + l->out_at, l->out.len - l->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            broken(l);
            return;
        }
        l->out_at += (size_t)n;
    }
    if (l->writing != (l->out_at < l->out.len))
        watch(l, EPOLL_CTL_MOD, !l->writing);
}

static void go(struct lane *l)
{
    l->state = LANE_BUSY;
    l->deadline = est_clock_mono() + opt->timeout;
    l->out_at = 0;
    opt->requests++;
    if (l->fd >= 0)
        push(l);
    else if (!open_lane(l))
        broken(l);
}

void lane_begin(struct lane *l, uint64_t n, est_us due)
{
    l->due = due;
    l->n = n;
    l->last = LANE_UNKNOWN;
    write_request(l);
    go(l);
}

/* --- answers --- */

/* {"accepted":n,"buffered":n} */
static uint64_t buffered_of(const char *body, size_t n)
{
    static const char name[] = "\"buffered\":";
    const char *at = memmem(body, n, name, sizeof(name) - 1);

    return at == NULL ? 0 : strtoull(at + sizeof(name) - 1, NULL, 10);
}

static void on_answer(struct lane *l, int status, const char *body, size_t n)
{
    switch (status) {
    case 202:
        l->state = LANE_IDLE;
        opt->accepted(l, buffered_of(body, n));
        return;
    case 429:
    case 503:
        l->last = LANE_REFUSED;
        pause_lane(l, REPEAT);
        return;
    case 502: /* a proxy's words: the shim was gone, or slow, and had not answered */
    case 504:
        l->last = LANE_UNKNOWN;
        pause_lane(l, REPEAT);
        return;
    default:
        fprintf(stderr, "chaos_load: the shim answered %d: %.*s\n", status,
                (int)(n < 500 ? n : 500), body);
        exit(1);
    }
}

/* The length of one whole answer, or 0. */
static size_t whole(const struct lane *l, size_t *head)
{
    const char *end = memmem(l->in, l->in_n, "\r\n\r\n", 4), *field = l->in;
    size_t body = 0;

    if (end == NULL)
        return 0;
    *head = (size_t)(end - l->in) + 4;
    while (field != NULL && field < end) {
        if (strncasecmp(field, "content-length:", 15) == 0)
            body = strtoul(field + 15, NULL, 10);
        field = memchr(field, '\n', (size_t)(end - field));
        field = field == NULL ? NULL : field + 1;
    }
    return l->in_n >= *head + body ? *head + body : 0;
}

static void on_readable(struct lane *l)
{
    ssize_t n = recv(l->fd, l->in + l->in_n, INPUT - l->in_n - 1, 0);
    size_t all, head;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        broken(l);
        return;
    }
    l->in_n += (size_t)n;
    l->in[l->in_n] = '\0'; /* for strtoul */
    all = whole(l, &head);
    if (all == 0) {
        if (l->in_n == INPUT - 1)
            load_die("answer", "longer than expected");
        return;
    }
    if (l->state != LANE_BUSY || l->in_n < 12)
        load_die("answer", "to no question");
    l->in_n = 0;
    on_answer(l, (int)strtol(l->in + 9, NULL, 10), l->in + head, all - head);
}

void lane_on_event(struct lane *l, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && (events & (EPOLLERR | EPOLLHUP)) == 0)
        push(l);
    if (l->fd >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        on_readable(l);
}

/* --- time --- */

void lane_look(struct lane *l, est_us now)
{
    if (l->state == LANE_IDLE || now < l->deadline)
        return;
    if (l->state == LANE_BUSY)
        broken(l); /* no answer in time */
    else
        go(l);
}

/* --- set up --- */

void lane_setup(struct lane_options *options)
{
    opt = options;
    fill = malloc(opt->bytes + 1);
    if (fill == NULL)
        load_die("memory", "none");
    memset(fill, 'x', opt->bytes);
}

void lane_init(struct lane *l, uint32_t index, const char *event)
{
    *l = (struct lane){.index = index, .event = event, .fd = -1, .in = malloc(INPUT)};
    if (l->in == NULL)
        load_die("memory", "none");
    est_buf_init(&l->out, OUTPUT_MAX);
}
