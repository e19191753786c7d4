/* A dashboard under experiment: speaks the API that the consumer posts to, behaves as it is told
 * (receiver_script.h) and writes down every request (journal.h).
 *   chaos_receiver PORT CONTROL_PORT JOURNAL
 *
 * The control port is another one, so that it answers whatever happens to the first:
 *   PUT /script    how to behave from now on
 *   GET /counts    what has come so far; everything of it is in the journal when it answers */
#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "io/http_in.h"
#include "journal.h"
#include "receiver_events.h"
#include "receiver_script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { BODY_MAX = 64 * 1024 * 1024, STATUSES = 600, EVENTS_MAX = 65536, BLOCKED_MAX = 256 };

/* A request whose answer waits. */
struct parked {
    struct est_node node;
    struct est_timer timer;
    struct est_http_req *req;
    struct est_buf body;
    struct journal_answer answer;
    int status;
    est_us delay, retry_after;
    bool as_date;
};

static struct {
    struct est_loop *loop;
    struct est_http_server *door, *control;
    char address[32];
    struct journal journal;
    struct script script;
    struct received_set set;
    struct est_node parked; /* list head */
    struct est_buf answer;
    uint32_t seq;
    uint64_t events, of_status[STATUSES];
    struct journal_event met[EVENTS_MAX]; /* of the request at hand */
} rc;

static _Noreturn void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "chaos_receiver: %s: %s\n", what, why);
    exit(1);
}

/* --- the events of a request --- */

/* Keys of which an item has been refused: what follows of them depends on it (424). */
static struct {
    struct est_view key[BLOCKED_MAX];
    size_t n;
} blocked;

static bool is_blocked(struct est_view key)
{
    for (size_t i = 0; i < blocked.n; i++)
        if (est_view_eq(blocked.key[i], key))
            return true;
    return false;
}

static int item_status(const struct received_event *ev, est_us now)
{
    struct est_view key = received_member(ev->text, "stream");
    struct script_rule *rule;

    if (is_blocked(key))
        return 424;
    rule = script_for_event(&rc.script, ev->text, now);
    if (rule == NULL)
        return 0;
    if (blocked.n < BLOCKED_MAX && key.data != NULL)
        blocked.key[blocked.n++] = key;
    return rule->status;
}

static int take_event(const struct received_event *ev, struct journal_event *out)
{
    bool known = false;
    est_err err;

    if (!ev->ours)
        return 201;
    err = received_take(&rc.set, out->tag, ev->lane, ev->n, &known);
    if (err != EST_OK)
        die("event", est_err_text(err));
    return known ? 200 : 201;
}

/* Every event, taken unless `refused` (a status) says otherwise, and its entry of results[]. */
static uint32_t take_events(struct est_view body, int refused, est_us now)
{
    est_us wall = est_clock_wall();
    bool itemwise = refused == 0 && script_has_item_rules(&rc.script, now);
    struct received_event ev;
    size_t at = 0;
    uint32_t n = 0;

    blocked.n = 0;
    est_buf_puts(&rc.answer, "{\"results\":[");
    for (; received_next(body, &at, wall, &ev); n++) {
        struct journal_event *out = &rc.met[n];
        int status = itemwise ? item_status(&ev, now) : refused;
        if (n == EVENTS_MAX)
            die("request", "too many events");
        *out = (struct journal_event){
            .tag = JOURNAL_NONE, .lane = ev.lane, .n = ev.n, .delay_ms = ev.delay_ms};
        out->name = journal_number(&rc.journal, ev.name);
        if (ev.ours)
            out->tag = journal_number(&rc.journal, ev.tag);
        if (status == 0)
            status = take_event(&ev, out);
        out->status = (uint16_t)status;
        est_buf_printf(&rc.answer, "%s{\"id\":\"%.*s\",\"status\":%d,\"duplicate\":%s}",
                       n > 0 ? "," : "", (int)ev.id.len, ev.id.data, status,
                       status == 200 ? "true" : "false");
    }
    est_buf_puts(&rc.answer, "]}");
    return n;
}

/* --- answers --- */

/* RFC 9110 5.6.7, at the next whole second, for a date cannot say less. */
static void put_date(struct est_http_req *req, struct journal_answer *a, est_us wait)
{
    est_us wall = est_clock_wall(), at = (wall + wait + EST_SECOND - 1) / EST_SECOND * EST_SECOND;
    time_t seconds = (time_t)(at / EST_SECOND);
    struct tm tm;
    char text[64];

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    est_http_reply_field(req, "Retry-After", text);
    a->until = a->mono + (at - wall);
}

static void put_seconds(struct est_http_req *req, struct journal_answer *a, est_us wait)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)((wait + EST_SECOND - 1) / EST_SECOND));
    est_http_reply_field(req, "Retry-After", text);
    a->until = a->mono + wait;
}

static void answer_now(struct parked *p)
{
    p->answer.mono = est_clock_mono();
    if (p->retry_after > 0)
        (p->as_date ? put_date : put_seconds)(p->req, &p->answer, p->retry_after);
    journal_put(&rc.journal, JOURNAL_ANSWER, &p->answer, sizeof(p->answer));
    if (p->status < 300)
        est_http_reply(p->req, p->status, "application/json", est_buf_view(&p->body));
    else
        est_http_problem(p->req, p->status, "Scripted", NULL, EST_VIEW_NONE);
}

static void release(struct parked *p)
{
    est_loop_timer_off(rc.loop, &p->timer);
    est_loop_timer_release(rc.loop);
    est_list_remove(&p->node);
    est_buf_fini(&p->body);
    est_free(p);
}

static void on_due(void *arg)
{
    struct parked *p = arg;

    answer_now(p);
    release(p);
}

static void park(const struct parked *like, est_us at)
{
    struct parked *p = est_alloc(sizeof(*p));

    if (p == NULL || est_loop_timer_reserve(rc.loop) != EST_OK)
        die("memory", "none");
    *p = *like;
    est_buf_init(&p->body, BODY_MAX);
    est_buf_put_view(&p->body, est_buf_view(&rc.answer));
    p->timer = (struct est_timer){.fn = on_due, .arg = p};
    est_list_append(&rc.parked, &p->node);
    est_loop_timer_at(rc.loop, &p->timer, at);
}

/* --- requests --- */

static enum journal_route route_of(struct est_http_req *req)
{
    static const struct {
        const char *method, *path;
        enum journal_route route;
    } routes[] = {
        {"POST", "/api/v1/events", JOURNAL_SINGLE},
        {"POST", "/api/v1/events/batch", JOURNAL_BATCH},
        {"GET", "/api/v1/status", JOURNAL_STATUS},
    };

    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
        if (est_view_is(est_http_method(req), routes[i].method) &&
            est_view_is(est_http_path(req), routes[i].path))
            return routes[i].route;
    return JOURNAL_OTHER;
}

static struct est_view token_of(struct est_http_req *req)
{
    struct est_view field = est_http_header(req, "authorization");
    const struct est_view scheme = EST_VIEW_LIT("Bearer ");

    if (!est_view_istarts(field, scheme))
        return EST_VIEW_LIT("");
    return est_view(field.data + scheme.len, field.len - scheme.len);
}

static void put_budget(struct est_http_req *req, struct script_budget b)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "\"token\";q=%" PRIu64 ";w=%lld", rc.script.limit,
                   (long long)(rc.script.window / EST_SECOND));
    est_http_reply_field(req, "RateLimit-Policy", text);
    (void)snprintf(text, sizeof(text), "\"token\";r=%" PRIu64 ";t=%lld", b.left,
                   (long long)((b.reset + EST_SECOND - 1) / EST_SECOND));
    est_http_reply_field(req, "RateLimit", text);
}

/* 0 = the events are taken. */
static void judge(struct est_http_req *req, struct parked *p, enum journal_route route,
                  struct est_view token, est_us now)
{
    unsigned client = journal_number(&rc.journal, token);
    struct script_rule *rule =
        script_for_request(&rc.script, est_http_path(req), est_http_body(req), now);
    struct script_budget budget = script_spend(&rc.script, client, now);

    if (rc.script.limit > 0)
        put_budget(req, budget);
    if (rule != NULL) {
        p->status = rule->status;
        p->retry_after = rule->retry_after;
        p->as_date = rule->as_date;
        p->delay = rule->delay;
    }
    if (p->status != 0)
        return;
    if (!script_lets_in(&rc.script, token)) {
        p->status = 401;
    } else if (!budget.allowed) {
        p->status = 429;
        p->retry_after = budget.reset;
    } else if (route == JOURNAL_OTHER) {
        p->status = 404;
    }
}

/* The status of a single event is that of its request. */
static int status_of(enum journal_route route, uint32_t events)
{
    return route == JOURNAL_SINGLE && events == 1 ? rc.met[0].status : 200;
}

static void on_request(void *arg, struct est_http_req *req)
{
    est_us now = est_clock_mono();
    enum journal_route route = route_of(req);
    struct est_view token = token_of(req);
    struct parked p = {.req = req};
    struct journal_request r = {.route = (uint8_t)route, .seq = ++rc.seq, .mono = now};

    (void)arg;
    judge(req, &p, route, token, now);
    est_buf_clear(&rc.answer);
    r.token = journal_number(&rc.journal, token);
    r.events = take_events(est_http_body(req), p.status, now);
    if (route == JOURNAL_STATUS) {
        est_buf_clear(&rc.answer);
        est_buf_puts(&rc.answer, "{\"status\":\"ok\",\"version\":\"chaos\"}");
    }
    if (p.status == 0)
        p.status = status_of(route, r.events);
    r.status = (uint16_t)p.status;
    p.answer.seq = r.seq;
    rc.events += r.events;
    rc.of_status[p.status]++;
    journal_put(&rc.journal, JOURNAL_REQUEST, &r, sizeof(r));
    for (uint32_t i = 0; i < r.events; i++)
        journal_put(&rc.journal, JOURNAL_EVENT, &rc.met[i], sizeof(rc.met[i]));
    if (p.delay > 0) {
        park(&p, now + p.delay);
        return;
    }
    p.body = rc.answer;
    answer_now(&p);
}

/* --- the door and the control port --- */

static struct est_http_server *serve(const char *address,
                                     void (*fn)(void *arg, struct est_http_req *req))
{
    const struct est_http_handlers handlers = {.request = fn};
    struct est_http_limits limits = est_http_limits_default;
    struct est_http_server *server;
    struct est_why why;

    limits.body_max = BODY_MAX;
    limits.idle_timeout = 600 * EST_SECOND;
    if (est_http_server_new(rc.loop, &limits, &handlers, &server, &why) != EST_OK ||
        est_http_server_listen(server, address, &why) != EST_OK)
        die(address, why.text);
    return server;
}

static void close_door(void)
{
    EST_LIST_EACH(it, &rc.parked)
        release(EST_CONTAINER(it, struct parked, node));
    est_http_server_free(rc.door);
    rc.door = NULL;
}

static void tell_counts(void)
{
    bool first = true;

    est_buf_printf(&rc.answer,
                   "{\"requests\":%" PRIu32 ",\"events\":%" PRIu64 ",\"distinct\":%" PRIu64
                   ",\"repeats\":%" PRIu64 ",\"mono_us\":%lld,\"statuses\":{",
                   rc.seq, rc.events, rc.set.distinct, rc.set.repeats, (long long)est_clock_mono());
    for (int i = 0; i < STATUSES; i++) {
        if (rc.of_status[i] == 0)
            continue;
        est_buf_printf(&rc.answer, "%s\"%d\":%" PRIu64, first ? "" : ",", i, rc.of_status[i]);
        first = false;
    }
    est_buf_puts(&rc.answer, "}}");
}

static void on_control(void *arg, struct est_http_req *req)
{
    struct est_why why = {0};

    (void)arg;
    est_buf_clear(&rc.answer);
    if (est_view_is(est_http_path(req), "/script")) {
        if (script_read(&rc.script, est_http_body(req), est_clock_mono(), &why) != EST_OK) {
            est_http_problem(req, 400, "Bad script", why.text, EST_VIEW_NONE);
            return;
        }
        if (rc.script.down && rc.door != NULL)
            close_door();
        else if (!rc.script.down && rc.door == NULL)
            rc.door = serve(rc.address, on_request);
    }
    if (!journal_flush(&rc.journal))
        die("journal", "cannot be written");
    tell_counts();
    est_http_reply(req, 200, "application/json", est_buf_view(&rc.answer));
}

static void on_signal(void *arg, int signo)
{
    (void)arg;
    (void)signo;
    est_loop_stop(rc.loop);
}

int main(int argc, char **argv)
{
    struct est_why why;
    char control[32];

    if (argc != 4)
        die("usage", "chaos_receiver PORT CONTROL_PORT JOURNAL");
    (void)snprintf(rc.address, sizeof(rc.address), "127.0.0.1:%s", argv[1]);
    (void)snprintf(control, sizeof(control), "127.0.0.1:%s", argv[2]);
    est_buf_init(&rc.answer, BODY_MAX);
    est_list_init(&rc.parked);
    if (!journal_create(&rc.journal, argv[3]))
        die(argv[3], "cannot be written");
    if (est_loop_new(&rc.loop, &why) != EST_OK ||
        est_loop_on_signal(rc.loop, on_signal, NULL) != EST_OK)
        die("loop", why.text);
    rc.door = serve(rc.address, on_request);
    rc.control = serve(control, on_control);
    est_loop_run(rc.loop);
    if (rc.door != NULL)
        close_door();
    est_http_server_free(rc.control);
    received_forget(&rc.set);
    est_buf_fini(&rc.answer);
    if (!journal_flush(&rc.journal))
        die("journal", "cannot be written");
    return 0;
}
