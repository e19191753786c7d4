/* What a receiver wrote down (journal.h), judged against what loads were promised.
 *   chaos_judge sum JOURNAL FILE…   one line of JSON; FILE: what chaos_load wrote
 *   chaos_judge requests JOURNAL [ids]  a line for each request, with the ids of its events
 *   chaos_judge events JOURNAL TAG  a line for each event of that load, at each of its arrivals
 * Times are microseconds of the machine's monotonic clock. */
#include "base/clock.h"
#include "base/mem.h"
#include "journal.h"
#include "latency.h"
#include "tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STATUSES = 600, LOADS = 64 };

static _Noreturn void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "chaos_judge: %s: %s\n", what, why);
    exit(69);
}

static struct journal journal;

static struct journal *open_journal(const char *path)
{
    if (!journal_open(&journal, path))
        die(path, strerror(errno));
    return &journal;
}

static void print_text(const char *name, unsigned number)
{
    const struct journal_text *t = &journal.texts[number % JOURNAL_TEXTS];

    printf("\"%s\":\"%.*s\"", name, number < journal.n_texts ? (int)t->len : 0, t->text);
}

/* --- sum --- */

/* When each key of a load last arrived, to find the longest silence. */
struct flow {
    char tag[TALLY_TAG_MAX + 1];
    uint32_t lanes, keys;
    est_us *last;
    uint64_t n; /* first arrivals */
    est_us from, to;
};

static struct {
    struct tally tally;
    struct flow flows[LOADS];
    size_t n_flows;
    struct latency *delay[JOURNAL_TEXTS]; /* of first arrivals, by event name */
    uint64_t requests, posts, of_status[STATUSES], items_refused;
    est_us first, last, silence, silence_at;
} sum;

/* TAG LANES KEYS, then ACCEPTED SENT of each lane. */
static void read_load(const char *file)
{
    struct flow *fl = &sum.flows[sum.n_flows++];
    FILE *f = fopen(file, "r");
    uint64_t accepted, sent;

    if (f == NULL || sum.n_flows > LOADS ||
        fscanf(f, "%31s %" SCNu32 " %" SCNu32, fl->tag, &fl->lanes, &fl->keys) != 3 ||
        tally_add(&sum.tally, fl->tag, fl->lanes, fl->keys) != EST_OK)
        die(file, "not a list of chaos_load");
    for (uint32_t i = 0; i < fl->lanes; i++)
        if (fscanf(f, "%" SCNu64 " %" SCNu64, &accepted, &sent) != 2 ||
            tally_lane(&sum.tally, i, accepted, sent) != EST_OK)
            die(file, "a lane is missing");
    fl->last = est_calloc((size_t)fl->lanes * fl->keys, sizeof(*fl->last));
    if (fl->last == NULL)
        die("memory", "none");
    (void)fclose(f);
}

static struct flow *flow_of(unsigned tag)
{
    const struct journal_text *t = &journal.texts[tag];

    for (size_t i = 0; i < sum.n_flows; i++)
        if (strlen(sum.flows[i].tag) == t->len && memcmp(sum.flows[i].tag, t->text, t->len) == 0)
            return &sum.flows[i];
    return NULL;
}

static void note_flow(const struct journal_event *e, est_us at)
{
    struct flow *fl = flow_of(e->tag);
    est_us *last;

    if (fl == NULL || e->lane >= fl->lanes)
        return;
    last = &fl->last[(size_t)e->lane * fl->keys + e->n % fl->keys];
    if (*last > 0 && at - *last > sum.silence) {
        sum.silence = at - *last;
        sum.silence_at = *last;
    }
    *last = at;
    fl->from = fl->n++ == 0 ? at : fl->from;
    fl->to = at;
}

static void note_delay(const struct journal_event *e, est_us at)
{
    struct latency **l = &sum.delay[e->name % JOURNAL_TEXTS];

    if (*l == NULL && (*l = est_calloc(1, sizeof(**l))) == NULL)
        die("memory", "none");
    if ((*l)->window_length == 0)
        latency_init(*l, 5 * EST_SECOND, at);
    latency_note(*l, (est_us)e->delay_ms * EST_MS, at);
}

static void sum_event(const struct journal_event *e, est_us at)
{
    char id[64];
    est_err err;
    int len;

    if (e->status != 200 && e->status != 201) {
        sum.items_refused++;
        return;
    }
    len = e->tag == JOURNAL_NONE
              ? snprintf(id, sizeof(id), "?")
              : snprintf(id, sizeof(id), "%.*s-%" PRIu32 "-%" PRIu64, journal.texts[e->tag].len,
                         journal.texts[e->tag].text, e->lane, e->n);
    err = tally_take(&sum.tally, est_view(id, (size_t)len), EST_VIEW_NONE);
    if (err != EST_OK)
        die("tally", est_err_text(err));
    if (e->status != 201 || e->tag == JOURNAL_NONE)
        return;
    note_flow(e, at);
    note_delay(e, at);
}

static void sum_request(const struct journal_request *r)
{
    sum.requests++;
    sum.posts += r->route == JOURNAL_SINGLE || r->route == JOURNAL_BATCH;
    sum.of_status[r->status % STATUSES]++;
    sum.first = sum.first == 0 ? r->mono : sum.first;
    sum.last = r->mono;
}

static void print_delays(void)
{
    bool first = true;

    printf(",\"delays\":{");
    for (unsigned i = 0; i < journal.n_texts; i++) {
        const struct latency *l = sum.delay[i];
        if (l == NULL)
            continue;
        printf("%s\"%.*s\":{\"n\":%" PRIu64 ",\"p50_ms\":%.0f,\"p99_ms\":%.0f,\"max_ms\":%.0f}",
               first ? "" : ",", journal.texts[i].len, journal.texts[i].text, l->all.n,
               (double)latency_share(&l->all, 0.5) / 1e3,
               (double)latency_share(&l->all, 0.99) / 1e3, (double)l->max / 1e3);
        first = false;
    }
    printf("}");
}

static void print_flows(void)
{
    printf(",\"loads\":{");
    for (size_t i = 0; i < sum.n_flows; i++) {
        const struct flow *fl = &sum.flows[i];
        printf("%s\"%s\":{\"n\":%" PRIu64 ",\"seconds\":%.3f}", i > 0 ? "," : "", fl->tag, fl->n,
               (double)(fl->to - fl->from) / (double)EST_SECOND);
    }
    printf("}");
}

static void print_statuses(void)
{
    bool first = true;

    printf(",\"statuses\":{");
    for (int i = 0; i < STATUSES; i++) {
        if (sum.of_status[i] == 0)
            continue;
        printf("%s\"%d\":%" PRIu64, first ? "" : ",", i, sum.of_status[i]);
        first = false;
    }
    printf("}");
}

static void print_sum(void)
{
    const struct tally_sum *s = tally_end(&sum.tally);
    const struct {
        const char *name;
        uint64_t n;
    } fields[] = {
        {"sent", s->sent},
        {"accepted", s->accepted},
        {"delivered", s->delivered},
        {"lost", s->lost},
        {"unpromised", s->unpromised},
        {"duplicates", s->duplicates},
        {"inversions", s->inversions},
        {"foreign", s->foreign},
        {"requests", sum.requests},
        {"posts", sum.posts},
        {"events_refused", sum.items_refused},
    };

    printf("{");
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        printf("\"%s\":%" PRIu64 ",", fields[i].name, fields[i].n);
    printf("\"first_us\":%lld,\"last_us\":%lld,\"silence_s_max\":%.3f,\"silence_at_us\":%lld",
           (long long)sum.first, (long long)sum.last, (double)sum.silence / (double)EST_SECOND,
           (long long)sum.silence_at);
    print_statuses();
    print_flows();
    print_delays();
    printf("}\n");
}

static void run_sum(int n, char **args)
{
    struct journal_record r;
    est_us at = 0;

    tally_init(&sum.tally);
    for (int i = 1; i < n; i++)
        read_load(args[i]);
    (void)open_journal(args[0]);
    while (journal_next(&journal, &r)) {
        if (r.kind == JOURNAL_REQUEST) {
            at = r.u.request.mono;
            sum_request(&r.u.request);
        } else if (r.kind == JOURNAL_EVENT) {
            sum_event(&r.u.event, at);
        }
    }
    print_sum();
}

/* --- lists --- */

/* Of the request in hand: its line is open until its last event has been read. */
static void print_request(const struct journal_request *r, const struct journal_answer *a)
{
    static const char *const routes[] = {"single", "batch", "status", "other"};

    printf("{\"seq\":%" PRIu32 ",\"at_us\":%lld,\"answered_us\":%lld,\"until_us\":%lld,"
           "\"status\":%u,\"route\":\"%s\",",
           r->seq, (long long)r->mono, (long long)a->mono, (long long)a->until, r->status,
           routes[r->route % 4]);
    print_text("token", r->token);
}

/* The events that stand behind the request. */
static void print_ids(uint32_t n)
{
    struct journal_record r;

    printf(",\"events\":[");
    for (uint32_t i = 0; i < n && journal_next(&journal, &r); i++) {
        const struct journal_event *e = &r.u.event;
        const struct journal_text *tag = &journal.texts[e->tag % JOURNAL_TEXTS];
        printf("%s\"%.*s-%" PRIu32 "-%" PRIu64 "\"", i > 0 ? "," : "", tag->len, tag->text, e->lane,
               e->n);
    }
    printf("]}\n");
}

static void run_requests(int n, char **args)
{
    struct journal_answers answers;
    struct journal_record r;

    if (!journal_read_answers(&answers, args[0]))
        die(args[0], strerror(errno));
    (void)open_journal(args[0]);
    while (journal_next(&journal, &r)) {
        const struct journal_request rq = r.u.request;
        if (r.kind != JOURNAL_REQUEST)
            continue;
        print_request(&rq, journal_answer(&answers, rq.seq));
        if (n > 1)
            print_ids(rq.events);
        else
            printf(",\"events\":%" PRIu32 "}\n", rq.events);
    }
    est_free(answers.of);
}

static void run_events(int n, char **args)
{
    struct journal_record r;
    est_us at = 0;

    if (n < 2)
        die("events", "of which load?");
    (void)open_journal(args[0]);
    while (journal_next(&journal, &r)) {
        const struct journal_event *e = &r.u.event;
        if (r.kind == JOURNAL_REQUEST)
            at = r.u.request.mono;
        if (r.kind != JOURNAL_EVENT || e->tag >= journal.n_texts ||
            !est_view_is(est_view(journal.texts[e->tag].text, journal.texts[e->tag].len), args[1]))
            continue;
        printf("{\"lane\":%" PRIu32 ",\"n\":%" PRIu64
               ",\"at_us\":%lld,\"status\":%u,\"delay_ms\":%" PRIu32 ",",
               e->lane, e->n, (long long)at, e->status, e->delay_ms);
        print_text("event", e->name);
        printf("}\n");
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(int n, char **args);
    } verbs[] = {{"sum", run_sum}, {"requests", run_requests}, {"events", run_events}};

    for (size_t i = 0; argc >= 3 && i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        verbs[i].run(argc - 2, argv + 2);
        return 0;
    }
    (void)fprintf(stderr, "usage: chaos_judge sum|requests|events JOURNAL [FILE…|TAG]\n");
    return 64;
}
