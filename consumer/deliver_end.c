#include "deliver_state.h"

#include "config/config.h"
#include "core/lanes.h"
#include "core/retry.h"
#include "deadletter.h"
#include "metrics/metrics.h"
#include "part.h"

#include <stdio.h>

void deliver_settle(struct shipment *s, size_t i, bool duplicate)
{
    struct deliver *dv = s->dv;
    struct parcel *pc = deliver_parcel(s, i);
    size_t type = (size_t)(pc->part->type - dv->w->cfg->types);

    (void)est_batch_settle(&s->batch, dv->w->lanes, i);
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

/* Quick at first. What the path failed for waits no longer than the quick ones do, for the breaker
 * holds everything meanwhile; what the dashboard answered about this event backs off on its own. */
static est_us wait_for(struct deliver *dv, const struct parcel *pc, bool infra, est_us floor)
{
    const struct est_destination_config *d = dv->w->dest;
    const struct est_retry_policy policy = {d->retries, d->retry_initial, d->retry_max};
    unsigned failed = pc->attempts;

    if (infra && failed >= d->retries)
        failed = d->retries > 1 ? d->retries - 1 : 1;
    return est_loop_now(dv->w->loop) +
           est_retry_wait(&policy, failed ? failed : 1, floor, &dv->w->rng);
}

void deliver_give_back(struct shipment *s, size_t i, bool infra, est_us floor)
{
    struct parcel *pc = deliver_parcel(s, i);

    if (pc->first_failed_at == 0)
        pc->first_failed_at = est_clock_wall();
    est_series_add(s->dv->retried, 1);
    est_batch_give_back(&s->batch, s->dv->w->lanes, i, wait_for(s->dv, pc, infra, floor));
}

void deliver_retry_all(struct shipment *s, bool infra, est_us floor)
{
    for (size_t i = 0; i < s->batch.n; i++)
        if (deliver_parcel(s, i) != NULL)
            deliver_give_back(s, i, infra, floor);
    deliver_finish(s);
}
