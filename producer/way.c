#include "way.h"

#include "admit.h"
#include "base/log.h"
#include "base/mem.h"
#include "boots.h"
#include "broker.h"
#include "catalog.h"
#include "codec/entry.h"
#include "config/config.h"
#include "core/extent.h"
#include "core/stamp.h"
#include "io/loop.h"
#include "metrics/metrics.h"

#include <string.h>

static const est_us PROBE_FIRST = 50 * EST_MS, PROBE_MAX = EST_SECOND;

/* --- outcomes --- */

static void leave(struct way *w, struct record *rec)
{
    est_list_remove(&rec->node);
    w->ways->pending--;
    w->ways->pending_bytes -= rec->bytes;
}

static void tell(struct way *w, const struct record *rec, est_err err, bool buffered)
{
    est_series_add(err == EST_OK ? w->accepted : w->not_promised, 1);
    if (err == EST_OK && buffered)
        est_series_add(w->buffered, 1);
    w->ways->settled(w->ways->arg, rec->ticket, rec->index, err, buffered);
}

/* A mark has no ticket. */
void way_settle(struct way *w, struct record *rec, est_err err, bool buffered)
{
    struct ways *ws = w->ways;

    leave(w, rec);
    if (err != EST_OK)
        est_stamp_break(ws->stamp, w->type->stamp, (uint32_t)rec->partition);
    if (rec->ticket != NULL)
        tell(w, rec, err, buffered);
    record_give(&ws->pool, rec);
}

/* --- stamping --- */

static bool stamp(struct way *w, struct record *rec)
{
    struct est_chain chain;

    if (est_stamp_next(w->ways->stamp, w->type->stamp, (uint32_t)rec->partition, &chain) != EST_OK)
        return false;
    rec->epoch = chain.epoch;
    rec->n = chain.n;
    mark_stamped(w, rec->partition);
    return true;
}

size_t way_chain(const struct way *w, const struct record *rec, char out[EST_CHAIN_TEXT_MAX + 1])
{
    struct est_chain chain = {.epoch = rec->epoch,
                              .type = est_view_str(w->type->name),
                              .partition = (uint32_t)rec->partition,
                              .n = rec->n};

    memcpy(chain.boot, est_stamp_boot(w->ways->stamp), sizeof(chain.boot));
    return est_chain_format(&chain, out);
}

void way_restamp(struct way *w, size_t skip)
{
    EST_LIST_EACH(n, &w->queue) {
        struct record *rec = EST_CONTAINER(n, struct record, node);
        if (skip > 0)
            skip--;
        else if (rec->epoch !=
                 est_stamp_epoch(w->ways->stamp, w->type->stamp, (uint32_t)rec->partition))
            (void)stamp(w, rec);
    }
}

/* --- direct --- */

static est_err send_direct(struct way *w, struct record *rec, const struct est_entry *e)
{
    char chain[EST_CHAIN_TEXT_MAX + 1];
    struct est_why why = {0};
    est_err err;

    /* Behind one that could not be sent nothing is sent any more: it would overtake it. */
    if (w->ways->lost != NULL)
        return EST_ERR_KAFKA_PURGED;
    err = broker_send(w->ways->broker, w->type, rec, e, est_view(chain, way_chain(w, rec, chain)),
                      &why);
    if (err != EST_OK)
        w->ways->lost = "failed";
    return err;
}

/* The state is direct now: what the queue still holds goes to Kafka in its order, with the bytes
 * kept until the report. */
static void release(struct way *w)
{
    est_us now = est_loop_now(w->ways->loop);
    struct est_node *n;

    while ((n = est_list_first(&w->queue)) != NULL) {
        struct record *rec = EST_CONTAINER(n, struct record, node);
        struct est_entry e;
        struct est_why why = {0};
        est_list_remove(n);
        est_list_append(&w->direct, n);
        rec->since = now;
        rec->failed = est_entry_read(record_entry(rec), &e, &why);
        if (rec->failed == EST_OK)
            rec->failed = send_direct(w, rec, &e);
    }
}

static void accept_direct(struct way *w, struct record *rec, const struct est_entry *e,
                          struct est_view id)
{
    est_list_append(&w->direct, &rec->node);
    rec->failed = send_direct(w, rec, e);
    if (rec->failed != EST_OK)
        (void)record_hold(rec, id, e); /* without its bytes it ends as not promised */
}

/* --- accepting --- */

static void put_header(struct est_entry *e, const char *name, struct est_view value)
{
    if (value.data != NULL)
        e->headers[e->n_headers++] = (struct est_entry_header){est_view_str(name), value};
}

/* CloudEvents 1.0, Kafka binding in binary mode, and W3C trace context. */
static void entry_of(const struct admit *ad, const struct admit_item *it,
                     char time[EST_RFC3339_LEN + 1], struct est_entry *e)
{
    const struct est_event *ev = &it->ev;

    e->key = it->key;
    e->value = admit_value(ad, it);
    e->timestamp_ms = ev->received_at / EST_MS;
    e->n_headers = 0;
    est_rfc3339_format(ev->occurred_at, time);
    put_header(e, "ce_specversion", EST_VIEW_LIT("1.0"));
    put_header(e, "ce_id", ev->id);
    put_header(e, "ce_type", ev->event);
    put_header(e, "ce_source", ev->source);
    put_header(e, "ce_time", est_view(time, EST_RFC3339_LEN));
    put_header(e, "ce_subject", ev->subject);
    put_header(e, "content-type", EST_VIEW_LIT("application/avro"));
    put_header(e, "traceparent", ev->traceparent);
    put_header(e, "tracestate", ev->tracestate);
}

static struct record *take(struct way *w, const struct admit_item *it, void *ticket, size_t index)
{
    struct record *rec = record_take(&w->ways->pool);

    if (rec == NULL)
        return NULL;
    rec->way = w;
    rec->ticket = ticket;
    rec->index = index;
    rec->bytes = it->value_len + it->key.len;
    rec->since = est_loop_now(w->ways->loop);
    rec->timestamp_ms = it->ev.received_at / EST_MS;
    rec->partition = it->partition;
    w->ways->pending++;
    w->ways->pending_bytes += rec->bytes;
    return rec;
}

void way_put(struct way *w, struct record *rec, const struct est_entry *e, struct est_view id)
{
    enum est_switch_route route = est_switch_route(&w->sw);

    if (route == EST_TO_KAFKA) {
        accept_direct(w, rec, e, id);
        est_switch_sent(&w->sw, route);
    } else if (record_hold(rec, id, e) != EST_OK) {
        way_settle(w, rec, EST_ERR_NOMEM, false);
        way_restamp(w, w->sw.appending);
    } else {
        est_list_append(&w->queue, &rec->node);
        est_switch_sent(&w->sw, route);
    }
}

void way_accept(struct way *w, const struct admit *ad, const struct admit_item *it, void *ticket,
                size_t index)
{
    struct record *rec = take(w, it, ticket, index);
    char time[EST_RFC3339_LEN + 1];
    struct est_entry e;

    if (rec == NULL) { /* nothing was stamped */
        w->ways->settled(w->ways->arg, ticket, index, EST_ERR_NOMEM, false);
        return;
    }
    entry_of(ad, it, time, &e);
    if (est_switch_route(&w->sw) == EST_TO_NOBODY || !stamp(w, rec))
        way_settle(w, rec, EST_ERR_KAFKA_DOWN, false);
    else
        way_put(w, rec, &e, it->ev.id);
}

est_err way_ready(const struct way *w)
{
    const struct ways *ws = w->ways;

    switch (est_switch_route(&w->sw)) {
    case EST_TO_KAFKA: return ws->lost == NULL || ws->buffer != NULL ? EST_OK : EST_ERR_KAFKA_DOWN;
    case EST_TO_BUFFER: break;
    case EST_TO_NOBODY: return EST_ERR_KAFKA_DOWN;
    }
    if (w->type->partitions == 0)
        return EST_ERR_KAFKA_DOWN;
    if (est_loop_now(ws->loop) < ws->refusal_until)
        return ws->refusal;
    return EST_OK;
}

/* --- reports --- */

void way_delivered(struct way *w, struct record *rec, est_err err)
{
    if (err == EST_OK)
        w->acked_at = est_loop_now(w->ways->loop);
    if (record_is_drained(rec)) {
        drain_delivered(w, rec, err);
    } else if (err == EST_OK) {
        est_switch_acked_direct(&w->sw);
        way_settle(w, rec, EST_OK, false);
    } else {
        rec->failed = err;
        w->at_fault |= err == EST_ERR_KAFKA_TOPIC;
        if (w->ways->lost == NULL)
            w->ways->lost = err == EST_ERR_KAFKA_TOPIC ? "topic_failed" : "failed";
    }
}

/* --- Kafka is lost --- */

/* Refused for what it is, or its bytes are nowhere: nothing can save it. */
static bool is_hopeless(const struct record *rec)
{
    return rec->data == NULL || rec->failed == EST_ERR_TOO_LARGE ||
           rec->failed == EST_ERR_KAFKA_REFUSED;
}

/* The direct records to the front of the queue, in order; how many. */
static size_t take_back(struct way *w)
{
    struct est_node saved;
    struct est_node *n;
    size_t back = 0;

    est_list_init(&saved);
    while ((n = est_list_first(&w->direct)) != NULL) {
        struct record *rec = EST_CONTAINER(n, struct record, node);
        if (is_hopeless(rec)) {
            way_settle(w, rec, rec->failed ? rec->failed : EST_ERR_KAFKA_PURGED, false);
            continue;
        }
        est_list_remove(n);
        est_list_append(&saved, n);
        rec->failed = EST_OK;
        back++;
    }
    while (!est_list_empty(&saved)) {
        n = saved.prev; /* the last one first, each before the former */
        est_list_remove(n);
        est_list_prepend(&w->queue, n);
    }
    return back;
}

/* The broker is well, another type's topic is not: the purge took these along, they go again. */
static void send_again(struct way *w)
{
    EST_LIST_EACH(n, &w->direct) {
        struct record *rec = EST_CONTAINER(n, struct record, node);
        struct est_entry e;
        struct est_why why = {0};
        rec->failed = est_entry_read(record_entry(rec), &e, &why);
        if (rec->failed == EST_OK)
            rec->failed = send_direct(w, rec, &e);
    }
}

static bool any_hopeless(const struct way *w)
{
    EST_LIST_EACH(n, &w->direct)
        if (is_hopeless(EST_CONTAINER(n, struct record, node)))
            return true;
    return false;
}

void way_lost(struct way *w, bool at_fault)
{
    w->at_fault = false;
    if (!at_fault && w->sw.state == EST_DIRECT && est_list_empty(&w->flying) && !any_hopeless(w)) {
        send_again(w);
        return;
    }
    drain_forget_flying(w);
    est_switch_lost(&w->sw, take_back(w), est_loop_now(w->ways->loop));
    way_restamp(w, 0);
}

static est_us since_of(const struct est_node *list)
{
    const struct est_node *n = est_list_first(list);

    return n == NULL ? 0 : EST_CONTAINER(n, struct record, node)->since;
}

est_us way_waits_for_kafka(const struct way *w)
{
    est_us direct = since_of(&w->direct), flying = since_of(&w->flying);

    return direct == 0 || (flying != 0 && flying < direct) ? flying : direct;
}

est_us way_waits_for_buffer(const struct way *w)
{
    return since_of(&w->queue);
}

void way_refuse_queue(struct way *w, est_err err)
{
    size_t n = 0;
    struct est_node *first;

    for (; (first = est_list_first(&w->queue)) != NULL; n++)
        way_settle(w, EST_CONTAINER(first, struct record, node), err, false);
    est_switch_dropped(&w->sw, n);
}

/* --- older streams --- */

est_err way_older_found(struct way *w, struct boot *boot)
{
    struct older *o = est_calloc(1, sizeof(*o));

    if (o == NULL)
        return EST_ERR_NOMEM;
    o->boot = boot;
    est_list_append(&w->older, &o->node);
    boots_open(boot);
    est_switch_older(&w->sw, w->sw.older + 1, est_loop_now(w->ways->loop));
    return EST_OK;
}

void way_older_gone(struct way *w, const struct boot *boot)
{
    EST_LIST_EACH(n, &w->older) {
        struct older *o = EST_CONTAINER(n, struct older, node);
        if (o->boot != boot)
            continue;
        if (w->source == boot) {
            way_ignore(&w->read);
            way_ignore(&w->delete);
            w->read_waits = false;
            w->source = NULL;
        }
        drain_forget_undeleted(w);
        est_list_remove(n);
        boots_unlink(o->boot);
        est_free(o);
        est_switch_older(&w->sw, w->sw.older - 1, est_loop_now(w->ways->loop));
    }
}

/* --- Redis --- */

void way_store(struct way *w, bool up)
{
    if (!up) {
        way_ignore(&w->append);
        way_ignore(&w->read);
        way_ignore(&w->delete);
        w->read_waits = false;
        drain_forget_undeleted(w);
    }
    est_switch_store(&w->sw, up);
}

void way_abandon(struct way *w)
{
    bool up = w->sw.store, evidence = w->sw.evidence;
    size_t older = w->sw.older;
    struct est_node *n;

    way_store(w, false);
    while ((n = est_list_first(&w->queue)) != NULL)
        way_settle(w, EST_CONTAINER(n, struct record, node), EST_ERR_FENCED, false);
    est_extents_clear(w->extents);
    mark_forget(w);
    w->source = NULL;
    est_switch_init(&w->sw, &w->sw.opt);
    est_switch_store(&w->sw, up);
    est_switch_older(&w->sw, older, est_loop_now(w->ways->loop));
    if (evidence)
        est_switch_evidence(&w->sw);
}

/* --- pumping --- */

static void tell_state(const struct way *w, enum est_switch_state to)
{
    EST_LOG(to == EST_BUFFERING ? EST_WARN : EST_INFO, "buffer_state", EST_S("type", w->type->name),
            EST_S("from", est_switch_state_name(w->told)), EST_S("to", est_switch_state_name(to)),
            EST_I("queued", w->sw.queue), EST_I("stream", w->sw.own),
            EST_I("older_streams", w->sw.older));
    est_metrics_count(w->ways->metrics, EST_METRIC_BUFFER_TRANSITIONS, w->type->name,
                      est_switch_state_name(to), 1);
}

static void follow_state(struct way *w)
{
    enum est_switch_state to = est_switch_shown(&w->sw);

    if (to == w->told)
        return;
    tell_state(w, to);
    w->told = to;
    if (to == EST_DIRECT)
        mark_drained(w);
}

void way_pump(struct way *w)
{
    struct est_switch_step step;

    if (w->read_waits)
        drain_go_on(w);
    do {
        drain_end_older(w);
        step = est_switch_next(&w->sw, est_loop_now(w->ways->loop));
        switch (step.act) {
        case EST_ACT_NONE: break;
        case EST_ACT_APPEND: spill_append(w, step.n); break;
        case EST_ACT_READ: drain_read(w, step.n, step.from_head); break;
        case EST_ACT_DELETE: drain_delete(w, step.n); break;
        case EST_ACT_RELEASE: release(w); break;
        }
        follow_state(w);
    } while (step.act != EST_ACT_NONE);
}

/* --- life --- */

est_err way_init(struct way *w, struct ways *ws, struct catalog_type *type)
{
    const struct est_switch_options opt = {ws->config->redis_window, PROBE_FIRST, PROBE_MAX};

    w->ways = ws;
    w->type = type;
    est_switch_init(&w->sw, &opt);
    w->told = w->sw.state;
    est_list_init(&w->direct);
    est_list_init(&w->queue);
    est_list_init(&w->flying);
    est_list_init(&w->undeleted);
    est_list_init(&w->older);
    w->accepted = est_metrics_series(ws->metrics, EST_METRIC_ACCEPTED, type->name, NULL);
    w->buffered = est_metrics_series(ws->metrics, EST_METRIC_BUFFERED, type->name, NULL);
    w->drained = est_metrics_series(ws->metrics, EST_METRIC_DRAINED, type->name, NULL);
    w->missing = est_metrics_series(ws->metrics, EST_METRIC_BUFFER_MISSING, type->name, NULL);
    w->not_promised = est_metrics_series(ws->metrics, EST_METRIC_NOT_PROMISED, type->name, NULL);
    return est_extents_new(&w->extents);
}

void way_fini(struct way *w)
{
    struct est_node *n;

    if (w->ways == NULL)
        return;
    while ((n = est_list_first(&w->direct)) != NULL)
        way_settle(w, EST_CONTAINER(n, struct record, node), EST_ERR_KAFKA_PURGED, false);
    while ((n = est_list_first(&w->queue)) != NULL)
        way_settle(w, EST_CONTAINER(n, struct record, node), EST_ERR_REDIS_DOWN, false);
    drain_forget_flying(w);
    drain_forget_undeleted(w);
    while ((n = est_list_first(&w->older)) != NULL) {
        est_list_remove(n);
        est_free(EST_CONTAINER(n, struct older, node));
    }
    est_extents_free(w->extents);
    est_free(w->touched);
}
