#include "commits.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/kafka_sub.h"
#include "metrics/metrics.h"
#include "worker.h"

static est_us now_of(const struct commits *c)
{
    return est_loop_now(c->w->loop);
}

static void plan(struct commits *c)
{
    est_us due = est_commit_pace_due(&c->pace, now_of(c));

    if (c->under_way || due == EST_NEVER)
        return;
    if (est_loop_timer_armed(&c->timer) && c->planned <= due)
        return;
    c->planned = due;
    est_loop_timer_at(c->w->loop, &c->timer, due);
}

/* While partitions are given back, what is to be committed goes with them. */
static bool may_commit(const struct commits *c)
{
    return !c->under_way && (!c->w->giving_back || c->w->draining);
}

static void on_timer(void *arg)
{
    struct commits *c = arg;
    struct worker *w = c->w;
    struct est_kafka_position *pos = w->parts.n ? est_calloc(w->parts.n, sizeof(*pos)) : NULL;
    size_t n = pos && may_commit(c) ? parts_to_commit(&w->parts, pos) : 0;
    struct est_why why = {0};
    est_err err = n > 0 ? est_kafka_sub_commit(w->sub, pos, n, &why) : EST_OK;

    est_commit_pace_made(&c->pace, now_of(c));
    c->under_way = n > 0 && err == EST_OK;
    if (err != EST_OK) {
        if (err != EST_ERR_AGAIN)
            EST_LOG(EST_WARN, "commit_not_sent", EST_S("code", est_err_code(err)),
                    EST_S("detail", why.text));
        commits_settled(c); /* it still is to be committed */
    }
    est_free(pos);
}

void commits_init(struct commits *c, struct worker *w)
{
    *c = (struct commits){.w = w, .timer = {.fn = on_timer, .arg = c}};
    est_commit_pace_init(&c->pace, w->cfg->consumer_commit_interval, now_of(c));
}

void commits_fini(struct commits *c)
{
    if (c->w != NULL)
        est_loop_timer_off(c->w->loop, &c->timer);
}

void commits_settled(struct commits *c)
{
    est_commit_pace_settled(&c->pace);
    plan(c);
}

void commits_done(struct commits *c, est_err err, const char *detail)
{
    struct worker *w = c->w;

    c->under_way = false;
    est_metrics_count(w->metrics, EST_METRIC_COMMITS, err ? "failed" : "ok", NULL, 1);
    if (err != EST_OK)
        EST_LOG(EST_WARN, "commit_failed", EST_S("code", est_err_code(err)),
                EST_S("detail", detail));
    if (err == EST_ERR_TOO_LARGE && parts_shorten_notes(&w->parts))
        EST_LOG(EST_WARN, "notes_shortened", EST_I("characters", w->parts.note_max));
    parts_committed(&w->parts, err == EST_OK);
    if (err != EST_OK)
        est_commit_pace_settled(&c->pace);
    plan(c);
}
