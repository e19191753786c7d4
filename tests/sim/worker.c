#include "worker.h"

#include "base/mem.h"
#include "core/account.h"
#include "core/batch.h"
#include "core/bisect.h"
#include "core/breaker.h"
#include "core/retry.h"
#include "core/window.h"

#include <inttypes.h>

enum { JOBS = 4, LANE_RECORDS = 300, TRACKED = 900, BYTES = 100 };

struct item {
    struct est_lane_item lane;
    struct est_node mate; /* in the partition's items, or in `dead` */
    uint32_t event, part;
    int64_t offset;
    unsigned failed;
    bool revoked;
    est_us due; /* when the dead letter queue answers */
};

struct part {
    bool owned;
    size_t next; /* index of the record to read */
    struct est_account *account;
    struct est_node items; /* read and not settled */
};

struct job {
    struct est_batch batch;
    struct est_bisect bisect;
    bool in_flight;
    est_us ends;
    uint32_t ticket;
    size_t index[BOARD_BATCH]; /* where in the batch the events of the request stand */
    uint32_t events[BOARD_BATCH];
    size_t n;
};

struct worker {
    struct belt *belt;
    struct board *board;
    struct est_rng rng;
    struct est_lanes *lanes;
    struct est_batch_limits limits;
    struct est_breaker breaker;
    struct est_window window;
    struct part parts[SIM_PARTITIONS];
    struct job jobs[JOBS];
    struct est_node dead;
    est_us paused_until, commit_at;
};

static const struct est_retry_policy retry_policy = {
    .attempts = 3, .initial = 20 * EST_MS, .max = 400 * EST_MS};
static const struct est_breaker_policy breaker_policy = {
    .failures = 5, .open_first = 50 * EST_MS, .open_max = 500 * EST_MS};

static void must(est_err err)
{
    SIM_CHECK(err == EST_OK, "%s where it cannot be", est_err_code(err));
}

struct worker *worker_new(struct belt *belt, struct board *board, uint64_t seed)
{
    struct worker *w = est_calloc(1, sizeof(*w));

    SIM_CHECK(w != NULL, "out of memory");
    w->belt = belt;
    w->board = board;
    est_rng_seed(&w->rng, seed);
    must(est_lanes_new((struct est_lanes_limits){LANE_RECORDS, LANE_RECORDS * BYTES, 1}, seed, 1,
                       &w->lanes));
    w->limits = (struct est_batch_limits){.count = BOARD_BATCH,
                                          .bytes = 30 * BYTES,
                                          .per_key = board->kind == BOARD_PER_ITEM,
                                          .age = 5 * EST_MS};
    est_breaker_init(&w->breaker, breaker_policy);
    est_window_init(&w->window, 2, JOBS);
    est_list_init(&w->dead);
    for (uint32_t p = 0; p < SIM_PARTITIONS; p++) {
        must(est_account_new(EST_VIEW_LIT("order"), p, TRACKED, &w->parts[p].account));
        est_list_init(&w->parts[p].items);
    }
    for (size_t j = 0; j < JOBS; j++)
        must(est_batch_init(&w->jobs[j].batch, BOARD_BATCH));
    return w;
}

static void free_items(struct est_node *list)
{
    EST_LIST_EACH(node, list)
        est_free(EST_CONTAINER(node, struct item, mate));
}

static struct item *item_at(const struct job *job, size_t i)
{
    return EST_CONTAINER(job->batch.items[i], struct item, lane);
}

static void free_job(struct job *job)
{
    for (size_t i = 0; i < job->batch.n; i++)
        if (job->batch.items[i] != NULL && item_at(job, i)->revoked)
            est_free(item_at(job, i));
    est_batch_fini(&job->batch);
}

void worker_kill(struct worker *w, est_us now)
{
    struct board_reply nobody_reads_it;

    for (size_t j = 0; j < JOBS; j++) {
        struct job *job = &w->jobs[j];
        if (job->in_flight && est_rng_chance(&w->rng, 50))
            board_answer(w->board, w->belt, job->events, job->n, now, &nobody_reads_it);
        free_job(job);
    }
    for (uint32_t p = 0; p < SIM_PARTITIONS; p++) {
        free_items(&w->parts[p].items);
        est_account_free(w->parts[p].account);
    }
    free_items(&w->dead);
    est_lanes_free(w->lanes);
    est_free(w);
}

/* The index of the first record at or above the offset. */
static size_t seek(const struct belt_partition *log, int64_t offset)
{
    size_t i = 0;

    while (i < log->n && log->records[i].offset < offset)
        i++;
    return i;
}

void worker_assign(struct worker *w, uint32_t p)
{
    const struct belt_partition *log = &w->belt->parts[p];
    struct part *part = &w->parts[p];

    part->owned = true;
    part->next = seek(log, log->committed);
    must(est_account_start(part->account, log->committed, est_view(log->meta, log->meta_len)));
}

static void commit(struct worker *w, uint32_t p)
{
    struct part *part = &w->parts[p];
    struct est_buf meta;

    if (!part->owned)
        return;
    est_buf_init(&meta, SIM_META);
    must(est_account_note(part->account, SIM_META, &meta));
    belt_commit(w->belt, p, est_account_commit_point(part->account), est_buf_view(&meta));
    est_buf_fini(&meta);
}

void worker_revoke(struct worker *w)
{
    for (uint32_t p = 0; p < SIM_PARTITIONS; p++) {
        struct part *part = &w->parts[p];
        commit(w, p);
        part->owned = false;
        EST_LIST_EACH(node, &part->items) {
            struct item *it = EST_CONTAINER(node, struct item, mate);
            est_list_remove(node);
            it->revoked = true;
            if (!it->lane.out) {
                est_lanes_settle(w->lanes, &it->lane);
                est_free(it);
            }
        }
    }
    EST_LIST_EACH(node, &w->dead)
        EST_CONTAINER(node, struct item, mate)->revoked = true;
}

/* Delivered or dead-lettered, and out of batch and lanes. */
static void settle(struct worker *w, struct item *it, enum est_end end)
{
    est_list_remove(&it->mate);
    if (!it->revoked)
        must(est_account_settle(w->parts[it->part].account, it->offset, end));
    est_free(it);
}

static void deliver(struct worker *w, struct job *job, size_t i)
{
    struct item *it = item_at(job, i);

    est_batch_settle(&job->batch, w->lanes, i);
    settle(w, it, EST_END_DELIVERED);
}

static void dead_letter(struct worker *w, struct job *job, size_t i, est_us now)
{
    struct item *it = item_at(job, i);

    est_batch_settle(&job->batch, w->lanes, i);
    est_list_remove(&it->mate);
    est_list_append(&w->dead, &it->mate);
    it->due = now + (est_us)est_rng_below(&w->rng, 50) * EST_MS;
}

static void bury_due(struct worker *w, est_us now)
{
    EST_LIST_EACH(node, &w->dead) {
        struct item *it = EST_CONTAINER(node, struct item, mate);
        if (it->due > now)
            continue;
        if (est_rng_chance(&w->rng, 20)) { /* the write failed: again */
            it->due = now + 10 * EST_MS;
            continue;
        }
        belt_bury(w->belt, it->event);
        settle(w, it, EST_END_DEAD);
    }
}

static void give_back(struct worker *w, struct job *job, size_t i, est_us not_before)
{
    struct item *it = item_at(job, i);

    if (it->revoked) {
        est_batch_settle(&job->batch, w->lanes, i);
        est_free(it);
    } else {
        est_batch_give_back(&job->batch, w->lanes, i, not_before);
    }
}

static void retry(struct worker *w, struct job *job, size_t i, est_us floor, est_us now)
{
    struct item *it = item_at(job, i);

    it->failed++;
    give_back(w, job, i, now + est_retry_wait(&retry_policy, it->failed, floor, &w->rng));
}

static void end_job(struct worker *w, struct job *job)
{
    for (size_t i = 0; i < job->batch.n; i++)
        if (job->batch.items[i] != NULL)
            give_back(w, job, i, 0);
}

/* The next range that still has an event to send; false when the batch is over. */
static bool load_range(struct worker *w, struct job *job)
{
    struct est_range r;

    while (est_bisect_next(&job->bisect, &r)) {
        job->n = 0;
        for (size_t i = r.from; i < r.to; i++) {
            if (job->batch.items[i] != NULL &&
                (item_at(job, i)->revoked || est_lanes_is_behind_waiting(job->batch.items[i])))
                give_back(w, job, i, 0);
            if (job->batch.items[i] == NULL)
                continue;
            job->index[job->n] = i;
            job->events[job->n++] = item_at(job, i)->event;
        }
        if (job->n > 0)
            return true;
        est_bisect_pass(&job->bisect);
    }
    return false;
}

static void send_next(struct worker *w, struct job *job, est_us now)
{
    if (!load_range(w, job))
        return;
    if (now < w->paused_until || !est_breaker_allow(&w->breaker, now, &job->ticket)) {
        end_job(w, job);
        return;
    }
    if (!est_window_allow(&w->window)) {
        est_breaker_observe(&w->breaker, job->ticket, EST_BREAKER_UNKNOWN, now);
        end_job(w, job);
        return;
    }
    job->in_flight = true;
    job->ends = now + (est_us)est_rng_below(&w->rng, 40) * EST_MS;
}

static void settle_item(struct worker *w, struct job *job, size_t i, struct est_verdict v,
                        est_us now)
{
    if (v.act == EST_VERDICT_DELIVERED)
        deliver(w, job, i);
    else if (v.act == EST_VERDICT_POISON)
        dead_letter(w, job, i, now);
    else
        retry(w, job, i, 0, now);
}

static void all_of_request(struct worker *w, struct job *job, struct est_verdict v,
                           const struct board_reply *reply, est_us now)
{
    for (size_t k = 0; k < job->n; k++) {
        if (v.act == EST_VERDICT_PER_ITEM)
            settle_item(w, job, job->index[k], est_verdict_of_item(reply->items[k]), now);
        else if (v.act == EST_VERDICT_RETRY)
            retry(w, job, job->index[k], reply->retry_after, now);
        else
            settle_item(w, job, job->index[k], v, now);
    }
}

static void act_on(struct worker *w, struct job *job, const struct board_reply *reply, est_us now)
{
    struct est_verdict v = est_verdict_of(&reply->outcome);

    switch (v.act) {
    case EST_VERDICT_DELIVERED:
    case EST_VERDICT_PER_ITEM:
        all_of_request(w, job, v, reply, now);
        est_bisect_pass(&job->bisect);
        break;
    case EST_VERDICT_RETRY:
        all_of_request(w, job, v, reply, now);
        end_job(w, job);
        return;
    case EST_VERDICT_PAUSE:
        w->paused_until = now + 100 * EST_MS;
        end_job(w, job);
        return;
    case EST_VERDICT_SPLIT:
        SIM_CHECK(est_bisect_refuse(&job->bisect), "one event was split");
        break;
    case EST_VERDICT_POISON:
        est_bisect_refuse(&job->bisect);
        dead_letter(w, job, job->index[0], now);
        break;
    }
    send_next(w, job, now);
}

static void finish(struct worker *w, struct job *job, est_us now)
{
    struct board_reply reply;
    struct est_verdict v;

    board_answer(w->board, w->belt, job->events, job->n, now, &reply);
    v = est_verdict_of(&reply.outcome);
    job->in_flight = false;
    est_breaker_observe(&w->breaker, job->ticket,
                        v.infra ? EST_BREAKER_FAILED : EST_BREAKER_ANSWERED, now);
    est_window_observe(&w->window, v.infra ? EST_WINDOW_OVERLOAD
                                   : v.act == EST_VERDICT_DELIVERED || v.act == EST_VERDICT_PER_ITEM
                                       ? EST_WINDOW_GOOD
                                       : EST_WINDOW_NEUTRAL);
    act_on(w, job, &reply, now);
}

static void start(struct worker *w, struct job *job, est_us now)
{
    if (job->batch.left > 0 || now < w->paused_until ||
        est_batch_due(&w->limits, w->lanes, now) > now)
        return;
    if (est_batch_fill(&job->batch, &w->limits, w->lanes, now) == 0)
        return;
    est_bisect_init(&job->bisect, (uint32_t)job->batch.n);
    send_next(w, job, now);
}

static void accept(struct worker *w, const struct belt_record *record, est_us now)
{
    struct item *it = est_calloc(1, sizeof(*it));
    char key[16];
    size_t len;

    SIM_CHECK(it != NULL, "out of memory");
    it->event = record->event;
    it->part = record->part;
    it->offset = record->offset;
    est_list_append(&w->parts[record->part].items, &it->mate);
    len = belt_key_text(w->belt->events[record->event].key, key);
    must(est_lanes_push(w->lanes, est_view(key, len), &it->lane, BYTES, now));
}

/* One record; false when the worker is full for now, or the log has no more. */
static bool read_one(struct worker *w, uint32_t p, est_us now)
{
    const struct belt_partition *log = &w->belt->parts[p];
    struct part *part = &w->parts[p];
    const struct belt_record *record;
    struct est_account_answer answer;
    struct est_view header;
    est_err err;

    if (!part->owned || part->next == log->n || !est_lanes_has_room(w->lanes, BYTES))
        return false;
    record = &log->records[part->next];
    header = record->header[0] != '\0' ? est_view_str(record->header) : EST_VIEW_NONE;
    err = est_account_read(part->account, record->offset, header, EST_ACCOUNT_EVENT, &answer);
    if (err == EST_ERR_FULL)
        return false;
    must(err);
    part->next++;
    if (answer.end == EST_END_OPEN)
        accept(w, record, now);
    return true;
}

static void read_some(struct worker *w, est_us now)
{
    for (uint64_t n = est_rng_below(&w->rng, 4); n > 0; n--) {
        uint32_t p = (uint32_t)est_rng_below(&w->rng, SIM_PARTITIONS);
        for (uint64_t more = est_rng_below(&w->rng, 12); more > 0 && read_one(w, p, now); more--)
            continue;
    }
}

static void check_bounds(const struct worker *w)
{
    struct est_lanes_stats st = est_lanes_stats(w->lanes);

    SIM_CHECK(st.records <= LANE_RECORDS && st.bytes <= LANE_RECORDS * BYTES,
              "%zu records in the lanes", st.records);
    SIM_CHECK(w->window.in_flight <= JOBS, "%u requests in flight", w->window.in_flight);
    for (uint32_t p = 0; p < SIM_PARTITIONS; p++)
        SIM_CHECK(est_account_pending(w->parts[p].account) +
                          est_account_beyond(w->parts[p].account) <=
                      TRACKED,
                  "partition %" PRIu32 " tracks too much", p);
}

void worker_step(struct worker *w, est_us now)
{
    for (size_t j = 0; j < JOBS; j++)
        if (w->jobs[j].in_flight && w->jobs[j].ends <= now)
            finish(w, &w->jobs[j], now);
    bury_due(w, now);
    read_some(w, now);
    for (size_t j = 0; j < JOBS; j++)
        start(w, &w->jobs[j], now);
    if (now >= w->commit_at) {
        for (uint32_t p = 0; p < SIM_PARTITIONS; p++)
            commit(w, p);
        w->commit_at = now + 20 * EST_MS;
    }
    check_bounds(w);
}
