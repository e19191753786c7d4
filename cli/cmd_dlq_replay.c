/* esteira dlq replay: open dead letters back to where they came from. */
#include "dlq_writer.h"
#include "progress.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "config/line.h"
#include "core/limiter.h"

enum { RATE_DEFAULT = 10, BURST = 64, LOOK_MAX = 1000 };
static const est_us TURN = 5 * EST_MS, TURN_MAX = 200 * EST_MS;

struct replay {
    struct dlq dlq;
    struct dlq_writer writer;
    struct est_limiter limiter;
    struct progress progress;
    struct dlq_entry held; /* for the rate's sake; msg NULL = none */
    struct dlq_target *held_target;
    bool act, at_end;
    uint64_t wanted, parked, done_before, refused[DLQ_REFUSALS];
    int code; /* EXIT_FINE while it goes on */
};

static const enum text refusal_texts[DLQ_REFUSALS] = {
    [DLQ_FINE] = TEXT_DLQ_LEFT_NO_SOURCE, [DLQ_NO_SOURCE] = TEXT_DLQ_LEFT_NO_SOURCE,
    [DLQ_LOOP] = TEXT_DLQ_LEFT_LOOP,      [DLQ_FOREIGN] = TEXT_DLQ_LEFT_FOREIGN,
    [DLQ_GONE] = TEXT_DLQ_LEFT_GONE,      [DLQ_KAFKA] = TEXT_DLQ_LEFT_KAFKA,
};

/* --- one after the other --- */

static bool is_stopped(const struct replay *r)
{
    return r->code != EXIT_FINE || r->at_end || r->writer.err != EST_OK ||
           r->writer.fetch.interrupted;
}

static void drop_held(struct replay *r)
{
    est_kafka_msg_free(r->held.msg);
    r->held.msg = NULL;
}

/* Whether it is one for us; then it is held. */
static void take(struct replay *r, struct dlq_entry *e)
{
    enum dlq_refusal refusal = DLQ_FINE;
    struct est_why why = {.code = EST_OK};
    est_err err = EST_OK;

    r->done_before += e->fits && e->state == DLQ_REPLAYED;
    r->parked += e->fits && e->state == DLQ_PARKED;
    if (!e->fits || e->state != DLQ_OPEN) {
        est_kafka_msg_free(e->msg);
        return;
    }
    err = dlq_writer_judge(&r->writer, e, &r->held_target, &refusal, &why);
    if (err != EST_OK) {
        r->code = cli_exit_at_open(err);
        out_failure(&r->dlq.cli->out, err, &why, r->code);
    }
    r->refused[refusal] += refusal != DLQ_FINE;
    r->wanted += err == EST_OK && refusal == DLQ_FINE;
    if (r->held_target != NULL && r->act)
        r->held = *e;
    else
        est_kafka_msg_free(e->msg);
}

/* Reads until one is held. False: nothing is there yet, or nothing comes any more, or so many were
 * none for us that it is time to look at the loop. */
static bool hold_one(struct replay *r)
{
    struct dlq_entry e;
    est_err err;

    for (size_t i = 0; i < LOOK_MAX && r->held.msg == NULL && r->code == EXIT_FINE; i++) {
        err = dlq_next(&r->dlq, 0, &e, &r->code);
        if (err == EST_ERR_CLOSED)
            r->at_end = true;
        if (err != EST_OK)
            return false;
        take(r, &e);
    }
    return r->held.msg != NULL;
}

/* How long to wait before the next one. */
static est_us put_some(struct replay *r)
{
    enum dlq_refusal refusal;
    est_us wait;

    for (size_t i = 0; i < BURST && !is_stopped(r); i++) {
        if (!dlq_writer_has_room(&r->writer) || !hold_one(r))
            return TURN;
        wait = est_limiter_take(&r->limiter, 1, est_clock_mono());
        if (wait > 0)
            return wait < TURN_MAX ? wait : TURN_MAX;
        dlq_writer_put(&r->writer, &r->held, r->held_target, &refusal);
        r->refused[refusal] += refusal != DLQ_FINE;
        r->wanted -= refusal != DLQ_FINE;
        drop_held(r);
    }
    return 0;
}

static void replay_all(struct replay *r)
{
    struct out *o = &r->dlq.cli->out;

    while (!is_stopped(r)) {
        dlq_writer_turn(&r->writer, put_some(r));
        progress_show(&r->progress, o, est_clock_mono(), r->dlq.read, r->writer.done);
    }
    drop_held(r);
    dlq_writer_finish(&r->writer);
}

static void look_at_all(struct replay *r)
{
    struct dlq_entry e;

    while (r->code == EXIT_FINE && dlq_await(&r->dlq, &e, &r->code) == EST_OK)
        take(r, &e);
}

/* --- the sum --- */

static uint64_t left(const struct replay *r)
{
    uint64_t n = r->parked;

    for (size_t i = 0; i < DLQ_REFUSALS; i++)
        n += r->refused[i];
    return n;
}

static void sum_json(struct replay *r)
{
    struct est_buf *b = out_json_begin(&r->dlq.cli->out, "replay");

    est_buf_printf(b,
                   ",\"dry_run\":%s,\"matched\":%llu,\"replayed\":%llu,\"already\":%llu,"
                   "\"parked\":%llu,\"left\":%llu,\"complete\":%s",
                   r->act ? "false" : "true", (unsigned long long)r->wanted + left(r),
                   (unsigned long long)r->writer.done, (unsigned long long)r->done_before,
                   (unsigned long long)r->parked, (unsigned long long)left(r),
                   r->code == EXIT_FINE ? "true" : "false");
    out_json_end(&r->dlq.cli->out);
}

static void talk_count(struct out *o, enum text id, uint64_t n)
{
    char text[DLQ_NUMBER];

    dlq_number(o, n, text);
    if (n > 0)
        out_talk(o, id, OUT_ARGS(text));
}

static void sum_up(struct replay *r)
{
    struct out *o = &r->dlq.cli->out;
    char n[DLQ_NUMBER];

    out_wipe(o);
    if (o->json) {
        sum_json(r);
        return;
    }
    dlq_number(o, r->act ? r->writer.done : r->wanted, n);
    out_mark(o, r->code == EXIT_FINE && left(r) == 0 ? MARK_OK : MARK_WARN,
             r->act ? TEXT_DLQ_DONE : TEXT_DLQ_WOULD, OUT_ARGS(n));
    talk_count(o, TEXT_DLQ_BEFORE, r->done_before);
    talk_count(o, TEXT_DLQ_LEFT_PARKED, r->parked);
    for (size_t i = DLQ_FINE + 1; i < DLQ_REFUSALS; i++)
        talk_count(o, refusal_texts[i], r->refused[i]);
    if (!r->act && r->wanted > 0)
        out_talk(o, TEXT_DLQ_DRY, OUT_ARGS(""));
    if (r->code == EXIT_AGAIN || r->code == EXIT_INTERRUPTED)
        out_talk(o, TEXT_DLQ_GO_ON, OUT_ARGS(""));
}

static void note_end(struct replay *r)
{
    if (r->writer.err != EST_OK && r->code == EXIT_FINE) {
        struct est_why why = {.code = r->writer.err};
        est_line_copy(why.text, sizeof(why.text), est_view_str(r->writer.detail));
        r->code = EXIT_AGAIN;
        out_failure(&r->dlq.cli->out, r->writer.err, &why, r->code);
    } else if (r->code == EXIT_FINE && r->writer.fetch.interrupted) {
        r->code = EXIT_INTERRUPTED;
    }
}

/* --- the command --- */

static int run(struct replay *r)
{
    const struct args *a = &r->dlq.cli->args;

    r->act = a->yes && !a->dry_run;
    if (!dlq_writer_open(&r->writer, &r->dlq, r->act, &r->code))
        return r->code;
    est_limiter_init(&r->limiter, (a->given & ARGS_BIT(RATE)) ? a->rate : RATE_DEFAULT,
                     est_clock_mono());
    r->progress = (struct progress){.started = est_clock_mono()};
    if (r->act && r->dlq.cli->out.tty_err)
        r->progress.total = dlq_count(&r->dlq);
    if (r->act) {
        r->dlq.exit_down = EXIT_AGAIN; /* what is done stays done */
        replay_all(r);
    } else {
        look_at_all(r);
    }
    note_end(r);
    sum_up(r);
    if (r->code == EXIT_FINE && left(r) > 0)
        r->code = EXIT_NO;
    dlq_writer_close(&r->writer);
    return r->code;
}

int cmd_dlq_replay(struct cli *cli)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);
    struct replay *r = cfg != NULL ? est_calloc(1, sizeof(*r)) : NULL;

    if (cfg == NULL)
        return code;
    if (r == NULL) {
        code = EXIT_IO;
        out_failure(&cli->out, EST_ERR_NOMEM, NULL, code);
    } else if (dlq_open(&r->dlq, cli, cfg, (1U << DLQ_STATES) - 1, &code)) {
        code = run(r);
        dlq_close(&r->dlq);
    }
    est_free(r);
    est_config_free(cfg);
    return code;
}
