/* The queue of a way into its stream: one append at a time, of as many as wait. What gathers while
 * one is under way goes with the next: a group commit that costs nobody a timer. */
#include "base/log.h"
#include "boots.h"
#include "catalog.h"
#include "core/extent.h"
#include "core/stamp.h"
#include "io/loop.h"
#include "metrics/metrics.h"
#include "way.h"

static const est_us REFUSAL = EST_SECOND;

/* The first n of the queue are in the stream. err: whether that is enough to promise them; what was
 * not promised is not missing when a Redis loses it. */
static void settle_appended(struct way *w, size_t n, est_err err)
{
    for (size_t i = 0; i < n; i++) {
        struct record *rec = EST_CONTAINER(est_list_first(&w->queue), struct record, node);
        if (err == EST_OK &&
            est_extents_add(w->extents, (uint32_t)rec->partition, rec->epoch, rec->n) != EST_OK)
            EST_LOG(EST_WARN, "extent_not_watched", EST_S("type", w->type->name));
        if (err == EST_OK && rec->ticket != NULL)
            mark_buffered(w, rec->partition);
        w->ways->buffered_bytes += rec->bytes;
        way_settle(w, rec, err, err == EST_OK);
    }
}

/* Redis does not take them, and says so: whoever sent them keeps them. */
static void refuse(struct way *w, size_t n, est_err err)
{
    struct ways *ws = w->ways;

    EST_LOG(EST_ERROR, "buffer_refuses", EST_S("type", w->type->name),
            EST_S("code", est_err_code(err)), EST_I("refused", w->sw.queue));
    ws->refusal = err;
    ws->refusal_until = est_loop_now(ws->loop) + REFUSAL;
    for (size_t i = 0; i < n; i++)
        way_settle(w, EST_CONTAINER(est_list_first(&w->queue), struct record, node), err, false);
    est_switch_appended(&w->sw, false, n);
    way_refuse_queue(w, err);
}

static void on_appended(void *arg, est_err err, size_t count)
{
    struct way *w = arg;
    size_t n = w->append.n;

    (void)count;
    if (!way_answered(&w->append))
        return;
    est_metrics_count(w->ways->metrics, EST_METRIC_BUFFER_APPENDS, est_err_code(err), NULL, 1);
    switch (err) {
    case EST_OK:
        settle_appended(w, n, EST_OK);
        est_switch_appended(&w->sw, true, 0);
        break;
    case EST_ERR_REDIS_REPLICAS: /* in the master, which may be lost alone: not promised */
        settle_appended(w, n, err);
        est_switch_appended(&w->sw, true, 0);
        way_restamp(w, 0);
        break;
    case EST_ERR_REDIS_DOWN:
    case EST_ERR_REDIS_LOST:
        break; /* est_switch_store(false) is at hand: sent again when it is up */
    case EST_ERR_FENCED:
        est_switch_appended(&w->sw, false, 0);
        boots_fenced(w->ways->boots, boots_own(w->ways->boots));
        break;
    default: refuse(w, n, err); break;
    }
}

void spill_append(struct way *w, size_t n)
{
    struct est_buffer_entry entries[EST_SWITCH_APPEND_MAX];
    struct boot *own = boots_own(w->ways->boots);
    struct est_buffer_stream s;
    size_t i = 0;
    est_err err;

    boots_need(w->ways->boots);
    boots_stream(own, w->type->name, &s);
    EST_LIST_EACH(node, &w->queue) {
        const struct record *rec = EST_CONTAINER(node, struct record, node);
        char *chain = w->ways->chains[i];
        entries[i] = (struct est_buffer_entry){.id = record_id(rec),
                                               .chain = est_view(chain, way_chain(w, rec, chain)),
                                               .record = record_entry(rec)};
        if (++i == n)
            break;
    }
    w->append = (struct way_command){n, true, w->append.ignored};
    err = est_buffer_append(w->ways->buffer, &s, entries, n, on_appended, w);
    if (err != EST_OK) {
        w->append.sent = false;
        refuse(w, n, err);
    }
}
