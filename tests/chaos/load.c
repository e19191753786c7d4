/* Bots as one program: posts events at a fixed rate and repeats each request, with the same ids,
 * until it is answered 202. usage: chaos_load --port N [--name value …], see the table below.
 *
 * A request's latency counts from when it was due by the rate, not from when a lane was free for
 * it: what waits because others wait has waited.
 *
 * Five times a second, and at the end, a line of JSON on the standard output. Ends when --seconds
 * or --count is reached or by SIGTERM, after what is under way was accepted or --patience has run
 * out. FILE gets what check.c reads. */
#include "base/clock.h"
#include "lane.h"
#include "latency.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { EVENTS = 256, NAMES = 16 };
static const est_us TELL = 200 * EST_MS, WINDOW = 5 * EST_SECOND;

static struct {
    uint64_t port, rate, batch, lanes, keys, bytes, seconds, count, timeout_ms, patience, mark;
    const char *tag, *events, *out, *token;
} opt = {.batch = 1,
         .lanes = 16,
         .keys = 4,
         .bytes = 300,
         .timeout_ms = 8000,
         .patience = 60,
         .tag = "c",
         .events = "order_update",
         .out = "",
         .token = ""};

static struct lane_options lane;
static struct lane *lanes;
static uint32_t *idle; /* a ring of opt.lanes places: who is free, longest first */
static size_t idle_at, idle_n;
static char *event_names[NAMES];
static size_t n_event_names;
static uint64_t sent, accepted, buffered;
static struct latency latency;
static est_us started, stopped, last_accepted;
static volatile sig_atomic_t stopping;

_Noreturn void load_die(const char *what, const char *why)
{
    fprintf(stderr, "chaos_load: %s: %s\n", what, why);
    exit(1);
}

static void give_idle(struct lane *l)
{
    l->n = 0;
    idle[(idle_at + idle_n++) % opt.lanes] = l->index;
}

static void on_accepted(struct lane *l, uint64_t in_redis)
{
    est_us now = est_clock_mono();

    accepted += l->n;
    buffered += in_redis;
    l->next += l->n;
    last_accepted = now;
    latency_note(&latency, now - l->due, now);
    give_idle(l);
}

/* --- the rate --- */

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
        sent += opt.batch;
        lane_begin(l, opt.batch, due);
    }
}

static void tell(bool end)
{
    est_us now = end && last_accepted > 0 ? last_accepted : est_clock_mono();
    uint64_t refused = 0;

    for (uint64_t i = 0; i < opt.lanes; i++)
        if (lanes[i].state != LANE_IDLE && lanes[i].last == LANE_REFUSED)
            refused += lanes[i].n;
    printf("{\"end\":%s,\"sent\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"unknown\":%" PRIu64 ",\"repeats\":%" PRIu64 ",\"requests\":%" PRIu64
           ",\"buffered\":%" PRIu64 ",\"seconds\":%.3f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,"
           "\"p99_worst_ms\":%.1f,\"max_ms\":%.1f}\n",
           end ? "true" : "false", sent, accepted, refused, sent - accepted - refused, lane.repeats,
           lane.requests, buffered, (double)(now - started) / (double)EST_SECOND,
           (double)latency_share(&latency.all, 0.5) / (double)EST_MS,
           (double)latency_share(&latency.all, 0.99) / (double)EST_MS,
           (double)latency_worst_p99(&latency) / (double)EST_MS,
           (double)latency.max / (double)EST_MS);
    (void)fflush(stdout);
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(lane.epoll_fd, events, EVENTS, 1);
    est_us now = est_clock_mono();

    for (int i = 0; i < n; i++)
        lane_on_event(events[i].data.ptr, events[i].events);
    begin_due(now);
    for (uint64_t i = 0; i < opt.lanes; i++)
        lane_look(&lanes[i], now);
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
    if (lanes == NULL || idle == NULL)
        load_die("memory", "none");
    lane = (struct lane_options){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                                 .port = (uint16_t)opt.port,
                                 .timeout = (est_us)opt.timeout_ms * EST_MS,
                                 .tag = opt.tag,
                                 .token = opt.token,
                                 .keys = opt.keys,
                                 .bytes = opt.bytes,
                                 .mark = opt.mark,
                                 .accepted = on_accepted};
    lane_setup(&lane);
    for (uint32_t i = 0; i < opt.lanes; i++) {
        lane_init(&lanes[i], i, event_names[i % n_event_names]);
        give_idle(&lanes[i]);
    }
}

static void write_lanes(void)
{
    FILE *f = opt.out[0] == '\0' ? NULL : fopen(opt.out, "w");

    if (opt.out[0] == '\0')
        return;
    if (f == NULL)
        load_die(opt.out, strerror(errno));
    fprintf(f, "%s %" PRIu64 " %" PRIu64 "\n", opt.tag, opt.lanes, opt.keys);
    for (uint64_t i = 0; i < opt.lanes; i++)
        fprintf(f, "%" PRIu64 " %" PRIu64 "\n", lanes[i].next, lanes[i].next + lanes[i].n);
    if (fclose(f) != 0)
        load_die(opt.out, strerror(errno));
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
        {"--mark", &opt.mark, NULL},     /* every so many of a lane carry "mark":true; 0 = none */
        {"--tag", NULL, &opt.tag},       /* begins every id and key */
        {"--events", NULL, &opt.events}, /* event names, by comma; a lane keeps to one */
        {"--token", NULL, &opt.token},   /* a bot's, sent with each request */
        {"--out", NULL, &opt.out},       /* FILE */
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
            load_die(argv[i], "no such option");
    if (opt.port == 0 || opt.batch == 0 || opt.lanes == 0 || opt.keys == 0)
        load_die("usage", "chaos_load --port N [--name value …]");
    (void)sigaction(SIGTERM, &act, NULL);
    split_events();
    open_lanes();
    started = est_clock_mono();
    latency_init(&latency, WINDOW, started);
    run();
    write_lanes();
    tell(true);
    return 0;
}
