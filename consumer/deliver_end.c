#include "deliver_state.h"

#include "config/config.h"
#include "core/lanes.h"
#include "core/retry.h"
#include "deadletter.h"
#include "metrics/metrics.h"
#include "part.h"

#include <stdio.h>

enum { LEVEL_MAX = 4 }; /* 5,000 events and less, one by one */

void deliver_settle(struct shipment *s, size_t i, bool duplicate)
{
    struct deliver *dv = s->dv;
    struct parcel *pc = deliver_parcel(s, i);
    size_t type = (size_t)(pc->part->type - dv->w->cfg->types);

    (void)est_batch_settle(&s->batch, dv->w->lanes, i);
    dv->passed++;
    s->line->passed++;
    s->line->failing = 0;
    est_series_add(dv->delivered[type], 1);
    if (duplicate)
        est_series_add(dv->duplicates[type], 1);
    worker_settle(dv->w, pc, EST_END_DELIVERED);
}

void deliver_condemn(struct shipment *s, size_t i, enum est_verdict_class class, int status)
{
    struct parcel *pc = deliver_parcel(s, i);
    char reason[160];

    (void)est_batch_settle(&s->batch, s->dv->w->lanes, i);
    (void)snprintf(reason, sizeof(reason), "%s (HTTP %d)",
                   est_err_text(est_verdict_class_err(class)), status);
    deadletter_put(s->dv->w->deadletter, pc, class, status, reason);
}

void deliver_condemn_damaged(struct shipment *s, size_t i, enum est_verdict_class class,
                             const char *reason)
{
    struct parcel *pc = deliver_parcel(s, i);

    (void)est_batch_settle(&s->batch, s->dv->w->lanes, i);
    deadletter_put(s->dv->w->deadletter, pc, class, 0, reason);
}

/* Quick at first, then longer and longer. What is not blamed waits for a moment only, for it is the
 * breaker that holds everything up. */
static est_us wait_for(const struct shipment *s, const struct parcel *pc, bool blamed, est_us floor)
{
    struct deliver *dv = s->dv;
    const struct est_destination_config *d = dv->w->dest;
    const struct est_retry_policy policy = {s->line->retries, d->retry_initial, d->retry_max};

    return est_loop_now(dv->w->loop) +
           est_retry_wait(&policy, blamed ? pc->failed : 1, floor, &dv->w->rng);
}

/* Others must have passed between two failures that count: of its type, unless it alone fails of
 * the type. For where several do and none passes, it is the receiver that cannot take
 * the type, and no event's fault. */
static void blame(const struct shipment *s, struct parcel *pc)
{
    bool others_of_type = pc->line_mark != s->line->passed;

    s->line->failing += others_of_type;
    pc->failed++;
    pc->exhausted += pc->passed_mark != s->dv->passed && (others_of_type || s->line->failing <= 1);
    pc->passed_mark = s->dv->passed;
    pc->line_mark = s->line->passed;
}

static bool is_given_up(const struct shipment *s, const struct parcel *pc)
{
    return s->line->gives_up && pc->exhausted >= s->line->max_attempts &&
           !deadletter_is_full(s->dv->w->deadletter);
}

/* Each failure puts it into smaller company, so that the last of the quick tries shows whose fault
 * it was, and from then on it does not take others down with it. */
void deliver_give_back(struct shipment *s, size_t i, bool blamed, est_us floor)
{
    struct parcel *pc = deliver_parcel(s, i);

    if (pc->first_failed_at == 0)
        pc->first_failed_at = est_clock_wall();
    if (blamed)
        blame(s, pc);
    if (blamed && is_given_up(s, pc)) {
        deliver_condemn(s, i, s->failed_class, s->failed_status);
        return;
    }
    pc->item.level = pc->failed < LEVEL_MAX ? (uint8_t)pc->failed : LEVEL_MAX;
    est_series_add(s->dv->retried, 1);
    est_batch_give_back(&s->batch, s->dv->w->lanes, i, wait_for(s, pc, blamed, floor));
}

void deliver_retry_all(struct shipment *s, bool blamed, est_us floor)
{
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (deliver_parcel(s, i) != NULL)
            deliver_give_back(s, i, blamed, floor);
    deliver_finish(s);
}
