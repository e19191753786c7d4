#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 160, OWNED = 64, NOTES = 4 };

/* One member that holds the partition, or believes that it does. */
struct owner {
    struct est_account *account;
    size_t next; /* index in the log */
    bool reads;
    size_t pending[OWNED], n_pending;   /* indices of records that it delivers */
    unsigned char seen[HISTORY_EVENTS]; /* it has read a record of that event */
};

struct history {
    struct est_rng rng;
    struct history_log log;
    struct owner now, asleep; /* asleep: was taken for dead, and may wake */
    bool has_asleep;
    struct {
        int64_t offset;
        char text[EST_NOTE_MAX];
        size_t len;
    } committed, notes[NOTES]; /* notes: of commits before, as a tool may have kept them */
    size_t n_notes;
    bool lost_note; /* counts began anew somewhere */
    struct history_sum *sum;
};

static bool chance(struct history *h, unsigned percent)
{
    return est_rng_chance(&h->rng, percent);
}

/* --- owners --- */

static size_t seek(const struct history_log *log, int64_t offset)
{
    size_t i = log->start;

    while (i < log->n && log->records[i].offset < offset)
        i++;
    return i;
}

static void begin(struct history *h, struct owner *o)
{
    est_err err = est_account_start(o->account, h->committed.offset,
                                    est_view(h->committed.text, h->committed.len));

    SIM_CHECK(err == EST_OK || err == EST_ERR_INVALID, "%s at a start", est_err_code(err));
    h->lost_note |= err != EST_OK || (h->committed.len == 0 && h->committed.offset > 0);
    o->next = seek(&h->log, h->committed.offset);
    o->reads = false;
    o->n_pending = 0;
    memset(o->seen, 0, sizeof(o->seen));
    h->sum->owners++;
}

/* What is read must have been settled, or wait below in this very owner's hands. */
static void judge(struct history *h, struct owner *o, const struct history_record *r,
                  struct est_account_answer answer)
{
    const struct history_event *ev = r->event >= 0 ? &h->log.events[r->event] : NULL;

    h->sum->repeats += answer.class == EST_ACCOUNT_REPEAT;
    h->sum->ahead += answer.end == EST_END_DELIVERED || answer.end == EST_END_DEAD;
    if (answer.end == EST_END_OPEN || ev == NULL)
        return;
    SIM_CHECK(ev->settled || (answer.class == EST_ACCOUNT_REPEAT && o->seen[r->event]),
              "event %d (%s) at %" PRId64 " is settled unseen, as class %d", r->event, r->header,
              r->offset, (int)answer.class);
    SIM_CHECK(answer.end == EST_END_PASSED || ev->settled,
              "event %d (%s) was ahead and is not settled", r->event, r->header);
}

/* As a consumer asks: the value first, and the header where that says nothing, or would end it. */
static est_err ask(struct owner *o, const struct history_record *r, struct est_account_answer *ret)
{
    struct est_view header = r->header[0] != '\0' ? est_view_str(r->header) : EST_VIEW_NONE;
    est_err err;

    if (r->claim[0] == '\0')
        return est_account_read(o->account, r->offset, header, r->kind, ret);
    err = est_account_read(o->account, r->offset, est_view_str(r->claim), EST_ACCOUNT_CLAIMED, ret);
    if (err != EST_ERR_AGAIN)
        return err;
    est_account_confirm(o->account, r->offset, header, ret);
    return EST_OK;
}

static void read_one(struct history *h, struct owner *o)
{
    const struct history_record *r;
    struct est_account_answer answer;
    est_err err;

    if (o->next < h->log.start)
        o->next = h->log.start;
    if (o->next >= h->log.n || o->n_pending == OWNED)
        return;
    r = &h->log.records[o->next];
    if (!o->reads && r->offset > est_account_commit_point(o->account))
        est_account_jump(o->account);
    err = ask(o, r, &answer);
    if (err == EST_ERR_RANGE) { /* the log was cut below what it had read */
        o->next++;
        return;
    }
    if (err == EST_ERR_FULL)
        return; /* until the commit point rises */
    SIM_CHECK(err == EST_OK, "%s while reading", est_err_code(err));
    o->reads = true;
    h->sum->read++;
    judge(h, o, r, answer);
    if (answer.end == EST_END_OPEN) {
        SIM_CHECK(r->event >= 0, "what is no event is to be delivered");
        o->pending[o->n_pending++] = o->next;
    }
    if (r->event >= 0)
        o->seen[r->event] = 1;
    o->next++;
}

/* Delivered or dead-lettered, in any order. */
static void settle_one(struct history *h, struct owner *o)
{
    size_t at;
    struct history_record *r;
    struct history_event *ev;
    enum est_end end = chance(h, 10) ? EST_END_DEAD : EST_END_DELIVERED;

    if (o->n_pending == 0)
        return;
    at = est_rng_below(&h->rng, o->n_pending);
    r = &h->log.records[o->pending[at]];
    o->pending[at] = o->pending[--o->n_pending];
    ev = &h->log.events[r->event];
    h->sum->again += ev->settled;
    ev->settled = true;
    (void)est_account_settle(o->account, r->offset, end);
}

/* --- commits --- */

static void check_commit(struct history *h, int64_t point)
{
    SIM_CHECK(point >= h->committed.offset, "commit %" PRId64 " below %" PRId64, point,
              h->committed.offset);
    for (size_t i = h->log.start; i < h->log.n && h->log.records[i].offset < point; i++) {
        int event = h->log.records[i].event;
        SIM_CHECK(event < 0 || h->log.events[event].settled,
                  "commit %" PRId64 " passes event %d at %" PRId64, point, event,
                  h->log.records[i].offset);
    }
}

static void keep_note(struct history *h)
{
    size_t at = h->n_notes < NOTES ? h->n_notes++ : est_rng_below(&h->rng, NOTES);

    memcpy(&h->notes[at], &h->committed, sizeof(h->committed));
}

static void commit(struct history *h, struct owner *o, size_t max)
{
    struct est_buf text;

    est_buf_init(&text, EST_NOTE_MAX);
    SIM_CHECK(est_account_note(o->account, max, &text) == EST_OK, "no note");
    SIM_CHECK(text.len <= max, "a note of %zu characters", text.len);
    check_commit(h, est_account_commit_point(o->account));
    h->committed.offset = est_account_commit_point(o->account);
    h->committed.len = text.len;
    memcpy(h->committed.text, text.data, text.len);
    est_buf_fini(&text);
    keep_note(h);
    h->sum->commits++;
}

/* What another tool, or another version, does to the metadata. */
static void spoil(struct history *h)
{
    size_t at;

    if (chance(h, 40) || h->n_notes == 0) {
        h->committed.len = 0;
    } else if (chance(h, 50)) { /* the right offset, with an older note */
        at = est_rng_below(&h->rng, h->n_notes);
        h->committed.len = h->notes[at].len;
        memcpy(h->committed.text, h->notes[at].text, h->notes[at].len);
    } else if (h->committed.len > 0) {
        h->committed.text[est_rng_below(&h->rng, h->committed.len)] ^= 1;
    }
}

/* The note of another partition of the same chains, which has seen everything. */
static void swap_note(struct history *h)
{
    struct est_account *other;
    struct est_account_answer answer;
    struct est_buf text;
    char header[HISTORY_HEADER];

    SIM_CHECK(est_account_new(est_view_str("order"), HISTORY_PARTITION + 1, 64, &other) == EST_OK,
              "no memory");
    (void)est_account_start(other, 0, EST_VIEW_NONE);
    for (int64_t i = 0; i < h->committed.offset && i < 60; i++) {
        snprintf(header, sizeof(header), "%031x0/0/order/%d/%" PRId64, 1, HISTORY_PARTITION + 1, i);
        (void)est_account_read(other, i, est_view_str(header), EST_ACCOUNT_EVENT, &answer);
        (void)est_account_settle(other, i, EST_END_DELIVERED);
    }
    est_buf_init(&text, EST_NOTE_MAX);
    SIM_CHECK(est_account_note(other, EST_NOTE_MAX, &text) == EST_OK, "no note");
    h->committed.len = text.len;
    memcpy(h->committed.text, text.data, text.len);
    est_buf_fini(&text);
    est_account_free(other);
}

/* --- faults --- */

/* Another member gets the partition; the one before may not know it for a while. */
static void take_over(struct history *h)
{
    struct owner before = h->now;

    if (chance(h, 50)) {
        h->now = h->asleep;
        h->asleep = before;
        h->has_asleep = true;
    }
    begin(h, &h->now);
}

/* It goes on with what it holds; what it would commit is refused by the group. */
static void wake(struct history *h)
{
    if (!h->has_asleep)
        return;
    for (uint64_t n = est_rng_below(&h->rng, 5); n > 0; n--) {
        settle_one(h, &h->asleep);
        read_one(h, &h->asleep);
    }
}

/* A broker that was behind has become the leader: what lies beyond is gone, and written anew. Never
 * below the commit, for the offsets below it are not read again. */
static void fail_over(struct history *h)
{
    size_t from = seek(&h->log, h->committed.offset);

    history_cut(&h->log, from + est_rng_below(&h->rng, 8));
    h->has_asleep = false;
    begin(h, &h->now);
}

static void retain(struct history *h)
{
    size_t start = h->log.start + est_rng_below(&h->rng, 6);

    if (!h->log.is_plain || start >= h->log.n)
        return;
    for (size_t i = h->log.start; i < start; i++)
        if (h->log.records[i].event >= 0)
            h->log.events[h->log.records[i].event].in_log = false;
    h->log.start = start;
    h->log.was_cut = true;
    h->has_asleep = false;
    begin(h, &h->now);
}

static void fault(struct history *h)
{
    uint64_t dice = est_rng_below(&h->rng, 100);

    if (dice < 50) {
        take_over(h);
    } else if (dice < 70) {
        wake(h);
    } else if (dice < 80) {
        commit(h, &h->now, EST_NOTE_MIN);
        begin(h, &h->now);
    } else if (dice < 86) {
        spoil(h);
        begin(h, &h->now);
    } else if (dice < 90) {
        swap_note(h);
        begin(h, &h->now);
    } else if (dice < 96) {
        fail_over(h);
    } else {
        retain(h);
    }
}

/* --- the end --- */

static uint64_t missing_in_log(const struct history_log *log)
{
    uint64_t missing = 0;

    for (size_t i = 0; i < log->n_events; i++) {
        const struct history_event *ev = &log->events[i];
        bool behind = false;
        for (size_t k = 0; k < log->n && !behind; k++) {
            int other = log->records[k].event;
            behind = other >= 0 && log->events[other].promised &&
                     log->events[other].boot == ev->boot && log->events[other].epoch == ev->epoch &&
                     log->events[other].n > ev->n;
        }
        missing += ev->promised && !ev->in_log && behind;
    }
    return missing;
}

static void check_end(struct history *h)
{
    const struct est_note *note = est_account_now(h->now.account);
    const struct est_tally *t = &note->tally;
    struct est_note_sum sum = est_note_sum(note);
    uint64_t records = t->fresh + t->repeats + t->marks + t->replays + t->skipped + t->unchained;

    for (size_t i = h->log.start; i < h->log.n; i++)
        SIM_CHECK(h->log.records[i].event < 0 || h->log.events[h->log.records[i].event].settled,
                  "event %d is lost", h->log.records[i].event);
    SIM_CHECK(t->fresh + t->unchained + t->replays == t->delivered + t->dead,
              "%" PRIu64 " events, %" PRIu64 " ended", t->fresh + t->unchained + t->replays,
              t->delivered + t->dead);
    if (h->lost_note || h->log.was_cut)
        return;
    SIM_CHECK(records == h->log.n, "%" PRIu64 " of %zu records", records, h->log.n);
    if (!sum.partial && note->ledger.below == 0)
        SIM_CHECK(sum.missing + sum.expired >= missing_in_log(&h->log),
                  "missing %" PRIu64 " + %" PRIu64 " of %" PRIu64, sum.missing, sum.expired,
                  missing_in_log(&h->log));
}

static void finish(struct history *h)
{
    while (h->now.next < h->log.n || h->now.n_pending > 0) {
        read_one(h, &h->now);
        settle_one(h, &h->now);
    }
    commit(h, &h->now, EST_NOTE_MAX);
    SIM_CHECK(est_account_pending(h->now.account) == 0, "something is pending at rest");
    check_end(h);
}

static void step(struct history *h)
{
    uint64_t dice = est_rng_below(&h->rng, 100);

    if (dice < 35)
        (void)history_append(&h->log, &h->rng);
    else if (dice < 65)
        read_one(h, &h->now);
    else if (dice < 90)
        settle_one(h, &h->now);
    else if (dice < 97)
        commit(h, &h->now, chance(h, 20) ? EST_NOTE_MIN : EST_NOTE_MAX);
    else
        fault(h);
}

void history_run(uint64_t seed, struct history_sum *sum)
{
    static struct history h;
    static struct est_account *one, *two;

    if (one == NULL &&
        (est_account_new(est_view_str("order"), HISTORY_PARTITION, HISTORY_LOG * 2, &one) ||
         est_account_new(est_view_str("order"), HISTORY_PARTITION, HISTORY_LOG * 2, &two)))
        sim_fail("no memory");
    est_rng_seed(&h.rng, seed);
    history_log_init(&h.log);
    h.log.is_plain = chance(&h, 50);
    h.log.restless = chance(&h, 20);
    h.log.holey = chance(&h, 10);
    h.has_asleep = h.lost_note = false;
    h.n_notes = 0;
    h.committed.offset = 0;
    h.committed.len = 0;
    h.sum = sum;
    h.now.account = one;
    h.asleep.account = two;
    begin(&h, &h.now);
    for (int i = 0; i < (h.log.holey ? STEPS * 3 : STEPS); i++)
        step(&h);
    finish(&h);
}
