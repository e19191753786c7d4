/* Bots as one program: posts events at a fixed rate and repeats each request, with the same ids, until
 * it is answered 202. usage: chaos_load --port N [--name value …], see the table in main.
 *
 * A lane is one connection with ordering keys of its own and one request under way: within a key the
 * next event waits for the one before. Ids and keys are as tally.h says. A request's latency counts
 * from when it was due by the rate, not from when a lane was free for it: what waits because others
 * wait has waited.
 *
 * Five times a second, and at the end, a line of JSON on the standard output. Ends when --seconds or
 * --count is reached or by SIGTERM, after what is under way was accepted or --patience has run out.
 * FILE gets what check.c reads. */
#include "base/buf.h"
#include "base/clock.h"
#include "latency.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT = 128 * 1024, OUTPUT_MAX = 64 * 1024 * 1024, EVENTS = 256, NAMES = 16 };
static const est_us TELL = 200 * EST_MS, RECONNECT = 50 * EST_MS, REPEAT = 100 * EST_MS,
                    WINDOW = 5 * EST_SECOND;

enum state { IDLE, BUSY, PAUSED };
enum last { UNKNOWN, REFUSED }; /* what is known of a request that was not accepted */

struct lane {
    uint32_t index;
    int fd;
    enum state state;
    enum last last;
    uint64_t next;        /* the first event of the request under way, or of the next one */
    uint64_t n;           /* its events */
    est_us due, deadline; /* PAUSED: the deadline is when it goes again */
    struct est_buf out;
    size_t out_at, in_n;
    bool writing; /* waits for room in the socket */
    char *in;
};

static struct {
    uint64_t port, rate, batch, lanes, keys, bytes, seconds, count, timeout_ms, patience;
    const char *tag, *events, *out;
} opt = {.batch = 1,
         .lanes = 16,
         .keys = 4,
         .bytes = 300,
         .timeout_ms = 8000,
         .patience = 60,
         .tag = "c",
         .events = "order_update",
         .out = ""};

static struct lane *lanes;
static uint32_t *idle; /* a ring of opt.lanes places: who is free, longest first */
static size_t idle_at, idle_n;
static char *event_names[NAMES], *fill;
static size_t n_event_names;
static uint64_t sent, accepted, repeats, buffered, requests;
static struct latency latency;
static est_us started, stopped;
static int epoll_fd;
static volatile sig_atomic_t stopping;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "chaos_load: %s: %s\n", what, why);
    exit(1);
}

/* --- a request --- */

static void put_event(struct est_buf *b, const struct lane *l, uint64_t n, size_t fill_n)
{
    uint64_t key = n % opt.keys;

    est_buf_printf(b,
                   "{\"id\":\"%s-%u-%" PRIu64 "\",\"event\":\"%s\",\"key\":\"%s-%u-k%" PRIu64
                   "\",\"payload\":{\"stream\":\"%s-%u-k%" PRIu64 "\",\"n\":%" PRIu64
                   ",\"notes\":\"",
                   opt.tag, l->index, n, event_names[l->index % n_event_names], opt.tag, l->index,
                   key, opt.tag, l->index, key, n / opt.keys + 1);
    est_buf_put(b, fill, fill_n);
    est_buf_puts(b, "\"}}\n");
}

/* The fill that makes an event of about opt.bytes. */
static size_t fill_for(const struct lane *l)
{
    struct est_buf b;
    size_t bare;

    est_buf_init(&b, OUTPUT_MAX);
    put_event(&b, l, l->next, 0);
    bare = b.len;
    est_buf_fini(&b);
    return opt.bytes > bare ? (size_t)opt.bytes - bare : 0;
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
                   "Content-Length: %zu\r\n\r\n",
                   body.len);
    est_buf_put_view(&l->out, est_buf_view(&body));
    if (body.failed || l->out.failed)
        die("request", "too large");
    est_buf_fini(&body);
}

/* --- a lane's connection --- */

static void watch(struct lane *l, int op, bool writing)
{
    struct epoll_event ev = {.events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = l};

    l->writing = writing;
    if (epoll_ctl(epoll_fd, op, l->fd, &ev) != 0)
        die("epoll", strerror(errno));
}

static void pause_lane(struct lane *l, est_us length)
{
    l->state = PAUSED;
    l->deadline = est_clock_mono() + length;
    repeats++;
}

/* Without a connection; what was under way has an unknown outcome. */
static void broken(struct lane *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
    l->in_n = 0;
    if (l->state != BUSY)
        return;
    l->last = UNKNOWN;
    pause_lane(l, RECONNECT);
}

static bool open_lane(struct lane *l)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)opt.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        die("socket", strerror(errno));
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
    l->state = BUSY;
    l->deadline = est_clock_mono() + (est_us)opt.timeout_ms * EST_MS;
    l->out_at = 0;
    requests++;
    if (l->fd >= 0)
        push(l);
    else if (!open_lane(l))
        broken(l);
}

static void begin(struct lane *l, est_us due)
{
    l->due = due;
    l->n = opt.batch;
    l->last = UNKNOWN;
    sent += l->n;
    write_request(l);
    go(l);
}

/* --- answers --- */

static void give_idle(struct lane *l)
{
    l->state = IDLE;
    l->n = 0;
    idle[(idle_at + idle_n++) % opt.lanes] = l->index;
}

/* {"accepted":n,"buffered":n} */
static uint64_t buffered_of(const char *body, size_t n)
{
    static const char name[] = "\"buffered\":";
    const char *at = memmem(body, n, name, sizeof(name) - 1);

    return at == NULL ? 0 : strtoull(at + sizeof(name) - 1, NULL, 10);
}

static void on_answer(struct lane *l, int status, const char *body, size_t n)
{
    est_us now = est_clock_mono();

    switch (status) {
    case 202:
        accepted += l->n;
        buffered += buffered_of(body, n);
        l->next += l->n;
        latency_note(&latency, now - l->due, now);
        give_idle(l);
        return;
    case 429:
    case 503:
        l->last = REFUSED;
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
            die("answer", "longer than expected");
        return;
    }
    if (l->state != BUSY || l->in_n < 12)
        die("answer", "to no question");
    l->in_n = 0;
    on_answer(l, (int)strtol(l->in + 9, NULL, 10), l->in + head, all - head);
}

static void on_event(const struct epoll_event *ev)
{
    struct lane *l = ev->data.ptr;

    if ((ev->events & EPOLLOUT) != 0 && (ev->events & (EPOLLERR | EPOLLHUP)) == 0)
        push(l);
    if (l->fd >= 0 && (ev->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        on_readable(l);
}

/* --- time --- */

static void look_after(struct lane *l, est_us now)
{
    if (l->state == IDLE || now < l->deadline)
        return;
    if (l->state == BUSY)
        broken(l); /* no answer in time */
    else
        go(l);
}

static bool is_over(est_us now)
{
    return stopping || (opt.count > 0 && sent >= opt.count) ||
           (opt.seconds > 0 && now - started >= (est_us)opt.seconds * EST_SECOND);
}

/* When the next request is due; with rate 0 always now. */
static est_us next_due(est_us now)
{
    return opt.rate == 0 ? now
                         : started + (est_us)((double)sent / (double)opt.rate * (double)EST_SECOND);
}

static void begin_due(est_us now)
{
    while (idle_n > 0 && !is_over(now)) {
        est_us due = next_due(now);
        struct lane *l = &lanes[idle[idle_at]];
        if (due > now)
            return;
        idle_at = (idle_at + 1) % opt.lanes;
        idle_n--;
        begin(l, due);
    }
}

static void tell(bool end)
{
    est_us now = end ? stopped : est_clock_mono();
    uint64_t refused = 0;

    for (uint64_t i = 0; i < opt.lanes; i++)
        if (lanes[i].state != IDLE && lanes[i].last == REFUSED)
            refused += lanes[i].n;
    printf("{\"end\":%s,\"sent\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"unknown\":%" PRIu64 ",\"repeats\":%" PRIu64 ",\"requests\":%" PRIu64
           ",\"buffered\":%" PRIu64 ",\"seconds\":%.3f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,"
           "\"p99_worst_ms\":%.1f,\"max_ms\":%.1f}\n",
           end ? "true" : "false", sent, accepted, refused, sent - accepted - refused, repeats,
           requests, buffered, (double)(now - started) / (double)EST_SECOND,
           (double)latency_share(&latency.all, 0.5) / (double)EST_MS,
           (double)latency_share(&latency.all, 0.99) / (double)EST_MS,
           (double)latency_worst_p99(&latency) / (double)EST_MS,
           (double)latency.max / (double)EST_MS);
    (void)fflush(stdout);
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, 1);
    est_us now = est_clock_mono();

    for (int i = 0; i < n; i++)
        on_event(&events[i]);
    begin_due(now);
    for (uint64_t i = 0; i < opt.lanes; i++)
        look_after(&lanes[i], now);
}

static void run(void)
{
    est_us told = started;

    for (;;) {
        est_us now;
        turn();
        now = est_clock_mono();
        if (now - told >= TELL) {
            told = now;
            tell(false);
        }
        if (!is_over(now))
            continue;
        if (stopped == 0)
            stopped = now;
        if (idle_n == opt.lanes || now - stopped > (est_us)opt.patience * EST_SECOND)
            return;
    }
}

/* --- begin and end --- */

static void open_lanes(void)
{
    lanes = calloc(opt.lanes, sizeof(*lanes));
    idle = calloc(opt.lanes, sizeof(*idle));
    fill = malloc(opt.bytes + 1);
    if (lanes == NULL || idle == NULL || fill == NULL)
        die("memory", "none");
    memset(fill, 'x', opt.bytes);
    for (uint32_t i = 0; i < opt.lanes; i++) {
        struct lane *l = &lanes[i];
        l->index = i;
        l->fd = -1;
        l->in = malloc(INPUT);
        if (l->in == NULL)
            die("memory", "none");
        est_buf_init(&l->out, OUTPUT_MAX);
        give_idle(l);
    }
}

static void write_lanes(void)
{
    FILE *f = opt.out[0] == '\0' ? NULL : fopen(opt.out, "w");

    if (opt.out[0] == '\0')
        return;
    if (f == NULL)
        die(opt.out, strerror(errno));
    fprintf(f, "%s %" PRIu64 " %" PRIu64 "\n", opt.tag, opt.lanes, opt.keys);
    for (uint64_t i = 0; i < opt.lanes; i++)
        fprintf(f, "%" PRIu64 " %" PRIu64 "\n", lanes[i].next, lanes[i].next + lanes[i].n);
    if (fclose(f) != 0)
        die(opt.out, strerror(errno));
}

static void split_events(void)
{
    char *at = strdup(opt.events);

    for (; at != NULL && n_event_names < NAMES; n_event_names++) {
        event_names[n_event_names] = at;
        at = strchr(at, ',');
        if (at != NULL)
            *at++ = '\0';
    }
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static bool set_option(const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *number;
        const char **text;
    } table[] = {
        {"--port", &opt.port, NULL},          /* of the shim on 127.0.0.1 */
        {"--rate", &opt.rate, NULL},          /* events a second; 0 = as fast as answers come */
        {"--batch", &opt.batch, NULL},        /* events in a request */
        {"--lanes", &opt.lanes, NULL},        /* connections */
        {"--keys", &opt.keys, NULL},          /* ordering keys of each */
        {"--bytes", &opt.bytes, NULL},        /* of one event, about */
        {"--seconds", &opt.seconds, NULL},    /* 0 = until --count or SIGTERM */
        {"--count", &opt.count, NULL},        /* events; 0 = no end */
        {"--timeout", &opt.timeout_ms, NULL}, /* ms until an answer is given up */
        {"--patience", &opt.patience, NULL},  /* seconds for what is under way at the end */
        {"--tag", NULL, &opt.tag},            /* begins every id and key */
        {"--events", NULL, &opt.events},      /* event names, by comma; a lane keeps to one */
        {"--out", NULL, &opt.out},            /* FILE */
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        if (table[i].text != NULL)
            *table[i].text = value;
        else
            *table[i].number = strtoull(value, NULL, 10);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    const struct sigaction act = {.sa_handler = on_signal};

    for (int i = 1; i + 1 < argc; i += 2)
        if (!set_option(argv[i], argv[i + 1]))
            die(argv[i], "no such option");
    if (opt.port == 0 || opt.batch == 0 || opt.lanes == 0 || opt.keys == 0)
        die("usage", "chaos_load --port N [--name value …]");
    (void)sigaction(SIGTERM, &act, NULL);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    split_events();
    open_lanes();
    started = est_clock_mono();
    latency_init(&latency, WINDOW, started);
    run();
    write_lanes();
    tell(true);
    return 0;
}
