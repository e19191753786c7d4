#include "deliver.h"

#include "base/buf.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/results.h"
#include "config/config.h"
#include "core/batch.h"
#include "core/bisect.h"
#include "core/lanes.h"
#include "core/retry.h"
#include "deadletter.h"
#include "endpoint.h"
#include "io/loop.h"
#include "metrics/metrics.h"
#include "parcel.h"
#include "part.h"
#include "worker.h"

#include <stdio.h>

enum { ENVELOPE = 32, KEY_MAX = 400, BODY_KEEP = 2 * 1024 * 1024 };
static const est_us TOKEN_EVERY = EST_SECOND;

/* One batch under way: a request, or several one after the other when it is being halved. */
struct shipment {
    struct deliver *dv;
    bool busy;
    struct est_batch batch;
    struct est_bisect bisect;
    struct est_range range; /* of the request that is out */
    struct est_buf body;
    struct est_http_call *call;
    uint32_t ticket;
    size_t sent;                          /* events in the request that is out */
    enum est_verdict_class refused_class; /* why the one event of the last request was refused: */
    int refused_status;                   /* kept while the endpoint is asked for its health */
    bool asking_health; /* the request that is out asks whether the endpoint works at all */
};

struct deliver {
    struct worker *w;
    struct endpoint endpoint;
    struct est_batch_limits limits;
    struct est_results *results;
    struct est_view *ids; /* of the batch whose answer is read: the answers must be in its order */
    struct shipment *shipments; /* max_in_flight of them */
    size_t n, busy;
    struct est_timer wake, token;
    struct est_series **delivered, **duplicates; /* by type */
    struct est_series *seconds;
};

static void send_next(struct shipment *s);

static struct parcel *parcel_at(const struct shipment *s, size_t i)
{
    struct est_lane_item *item = s->batch.items[i];

    return item ? EST_CONTAINER(item, struct parcel, item) : NULL;
}

/* --- the end of an event's way --- */

static void settle_delivered(struct shipment *s, size_t i, bool duplicate)
{
    struct deliver *dv = s->dv;
    struct parcel *pc = parcel_at(s, i);
    size_t type = (size_t)(pc->part->type - dv->w->cfg->types);

    (void)est_batch_settle(&s->batch, dv->w->lanes, i);
    est_series_add(dv->delivered[type], 1);
    if (duplicate)
        est_series_add(dv->duplicates[type], 1);
    worker_settle(dv->w, pc);
}

static void settle_poison(struct shipment *s, size_t i, enum est_verdict_class class, int status)
{
    struct parcel *pc = parcel_at(s, i);
    char reason[160];

    (void)est_batch_settle(&s->batch, s->dv->w->lanes, i);
    (void)snprintf(reason, sizeof(reason), "%s (HTTP %d)",
                   est_err_text(est_verdict_class_err(class)), status);
    deadletter_put(s->dv->w->deadletter, pc, class, status, reason);
}

/* --- going back --- */

static void note_failure(struct parcel *pc)
{
    if (pc->first_failed_at == 0)
        pc->first_failed_at = est_clock_wall();
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

static void give_back(struct shipment *s, size_t i, est_us not_before)
{
    note_failure(parcel_at(s, i));
    est_metrics_count(s->dv->w->metrics, EST_METRIC_RETRIED, s->dv->w->dest->name, NULL, 1);
    est_batch_give_back(&s->batch, s->dv->w->lanes, i, not_before);
}

static void finish(struct shipment *s)
{
    est_batch_give_back_all(&s->batch, s->dv->w->lanes, 0, s->batch.n, 0);
    if (s->body.cap > BODY_KEEP)
        est_buf_fini(&s->body);
    s->busy = false;
    s->dv->busy--;
    worker_progress(s->dv->w);
}

/* --- answers --- */

static void observe_metrics(struct deliver *dv, struct est_verdict v,
                            const struct est_http_result *res, size_t n)
{
    const char *name = dv->w->dest->name;
    bool ok = v.act == EST_VERDICT_DELIVERED || v.act == EST_VERDICT_PER_ITEM;

    est_series_observe(dv->seconds, res->duration);
    if (!ok)
        est_metrics_count(dv->w->metrics, EST_METRIC_SEND_FAILURES, name,
                          est_verdict_class_name(v.class), 1);
    EST_LOG(ok ? EST_DEBUG : EST_WARN, "attempt", EST_S("destination", name),
            EST_I("status", res->status), EST_S("class", est_verdict_class_name(v.class)),
            EST_I("events", n), EST_I("ms", res->duration / EST_MS),
            EST_S("detail", res->err ? res->detail : NULL));
}

static void take_item(struct shipment *s, size_t i, const struct est_result *r, est_us floor)
{
    struct est_verdict v = est_verdict_of_item(r->status);

    if (v.act == EST_VERDICT_DELIVERED)
        settle_delivered(s, i, r->duplicate);
    else if (v.act == EST_VERDICT_POISON && !deadletter_is_full(s->dv->w->deadletter))
        settle_poison(s, i, v.class, r->status);
    else
        give_back(s, i, wait_for(s->dv, parcel_at(s, i), false, floor));
}

/* False when results[] cannot be read: the outcome of every event is unknown. */
static bool take_results(struct shipment *s, const struct est_http_result *res, est_us floor)
{
    struct deliver *dv = s->dv;
    struct est_why why = {0};
    size_t k = 0;

    for (size_t i = s->range.from; i < s->range.to; i++)
        if (parcel_at(s, i) != NULL)
            dv->ids[k++] = parcel_at(s, i)->id;
    if (est_results_parse(dv->results, res->body, k, dv->ids, &why) != EST_OK) {
        EST_LOG(EST_WARN, "results_unreadable", EST_S("destination", dv->w->dest->name),
                EST_S("detail", why.text));
        return false;
    }
    k = 0;
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (parcel_at(s, i) != NULL)
            take_item(s, i, est_results_at(dv->results, k++), floor);
    return true;
}

static void deliver_all(struct shipment *s, bool duplicate)
{
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (parcel_at(s, i) != NULL)
            settle_delivered(s, i, duplicate);
}

/* Everything that is left waits; what was in this request waits as its own attempts say. */
static void retry_all(struct shipment *s, bool infra, est_us floor)
{
    for (size_t i = 0; i < s->batch.n; i++)
        if (parcel_at(s, i) != NULL)
            give_back(s, i, wait_for(s->dv, parcel_at(s, i), infra, floor));
    finish(s);
}

static void on_health(void *arg, const struct est_http_result *res);

/* Everything that this batch asked was refused. Before the first event is condemned the endpoint
 * must show that it works: a good status answer says that the fault is the events'. */
static void ask_health(struct shipment *s)
{
    struct est_why why = {0};

    s->asking_health = true;
    if (endpoint_send(&s->dv->endpoint, "GET", "/api/v1/status", EST_VIEW_NONE, NULL, on_health, s,
                      &s->call, &why) != EST_OK)
        retry_all(s, true, 0);
}

static size_t only_in(const struct shipment *s)
{
    size_t i = s->range.from;

    while (parcel_at(s, i) == NULL)
        i++;
    return i;
}

static void condemn(struct shipment *s, enum est_verdict_class class, int status)
{
    settle_poison(s, only_in(s), class, status);
    send_next(s);
}

static void refused_alone(struct shipment *s, struct est_verdict v, int status)
{
    bool blames_all = est_bisect_blames_all(&s->bisect);

    if (deadletter_is_full(s->dv->w->deadletter)) {
        retry_all(s, false, 0);
        return;
    }
    (void)est_bisect_refuse(&s->bisect);
    if (!blames_all) {
        condemn(s, v.class, status);
        return;
    }
    s->refused_class = v.class;
    s->refused_status = status;
    ask_health(s);
}

static void on_health(void *arg, const struct est_http_result *res)
{
    struct shipment *s = arg;

    s->call = NULL;
    s->asking_health = false;
    /* A receiver without a status route answers 404: it is there, and speaks HTTP. */
    if (res->err == EST_OK && (res->status < 300 || res->status == 404 || res->status == 405))
        condemn(s, s->refused_class, s->refused_status);
    else
        retry_all(s, true, 0);
}

static void on_answer(void *arg, const struct est_http_result *res)
{
    struct shipment *s = arg;
    struct deliver *dv = s->dv;
    struct est_outcome outcome = {res->err, res->status, s->sent, s->batch.n > 1};
    struct est_verdict v;
    est_us floor = 0;

    s->call = NULL;
    v = est_verdict_of(&outcome);
    (void)est_retry_after_parse(res->retry_after, est_clock_wall(), &floor);
    observe_metrics(dv, v, res, s->sent);
    if (v.act == EST_VERDICT_PER_ITEM && !take_results(s, res, floor))
        v = (struct est_verdict){EST_VERDICT_RETRY, EST_CLASS_PROTOCOL, false, false};
    endpoint_observe(&dv->endpoint, s->ticket, v, res->status, floor);
    switch (v.act) {
    case EST_VERDICT_DELIVERED: deliver_all(s, res->status == 200); /* fall through */
    case EST_VERDICT_PER_ITEM:
        est_bisect_pass(&s->bisect);
        send_next(s);
        break;
    case EST_VERDICT_SPLIT:
        (void)est_bisect_refuse(&s->bisect);
        send_next(s);
        break;
    case EST_VERDICT_POISON: refused_alone(s, v, res->status); break;
    case EST_VERDICT_PAUSE: finish(s); break; /* the endpoint waits, the events keep their places */
    case EST_VERDICT_RETRY: retry_all(s, v.infra, floor); break;
    }
}

/* --- requests --- */

static void fill_body(struct shipment *s, bool single)
{
    const char *comma = "";

    est_buf_clear(&s->body);
    s->sent = 0;
    if (!single)
        est_buf_puts(&s->body, "{\"events\":[");
    for (size_t i = s->range.from; i < s->range.to; i++) {
        struct parcel *pc = parcel_at(s, i);
        if (pc == NULL)
            continue;
        est_buf_puts(&s->body, comma);
        est_buf_put(&s->body, pc->json, pc->json_len);
        comma = ",";
        pc->attempts++;
        s->sent++;
    }
    if (!single)
        est_buf_puts(&s->body, "]}");
}

/* One event: its id, quoted as the field wants it. Several: a digest of their ids in order. */
static void fill_key(const struct shipment *s, char out[KEY_MAX])
{
    struct est_batch_key key;
    char text[EST_BATCH_KEY_LEN + 1];

    if (s->sent == 1) {
        struct est_view id = parcel_at(s, only_in(s))->id;
        size_t n = 0;
        out[n++] = '"';
        for (size_t i = 0; i < id.len && n < KEY_MAX - 2; i++)
            out[n++] =
                id.data[i] >= ' ' && id.data[i] <= '~' && id.data[i] != '"' && id.data[i] != '\\'
                    ? id.data[i]
                    : '_';
        out[n++] = '"';
        out[n] = '\0';
        return;
    }
    est_batch_key_init(&key);
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (parcel_at(s, i) != NULL)
            est_batch_key_add(&key, parcel_at(s, i)->id);
    est_batch_key_text(&key, text);
    (void)snprintf(out, KEY_MAX, "\"%s\"", text);
}

static void post(struct shipment *s)
{
    bool single = s->batch.n == 1;
    struct est_why why = {0};
    char key[KEY_MAX];

    fill_body(s, single);
    fill_key(s, key);
    if (s->body.failed ||
        endpoint_send(&s->dv->endpoint, "POST", single ? "/api/v1/events" : "/api/v1/events/batch",
                      est_buf_view(&s->body), key, on_answer, s, &s->call, &why) != EST_OK) {
        EST_LOG(EST_ERROR, "request_not_started", EST_S("code", est_err_code(why.code)),
                EST_S("detail", why.text));
        endpoint_forgo(&s->dv->endpoint, s->ticket);
        retry_all(s, true, EST_SECOND);
    }
}

static bool has_any(const struct shipment *s)
{
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (parcel_at(s, i) != NULL)
            return true;
    return false;
}

/* The next range that still has events; each request asks the endpoint anew. */
static void send_next(struct shipment *s)
{
    while (est_bisect_next(&s->bisect, &s->range)) {
        if (!has_any(s)) {
            est_bisect_pass(&s->bisect);
            continue;
        }
        if (!endpoint_allow(&s->dv->endpoint, &s->ticket))
            break; /* what is left goes back to its lanes and is asked again from there */
        post(s);
        return;
    }
    finish(s);
}

static struct shipment *idle_shipment(struct deliver *dv)
{
    for (size_t i = 0; i < dv->n; i++)
        if (!dv->shipments[i].busy)
            return &dv->shipments[i];
    return NULL;
}

/* True when one was started. */
static bool start_one(struct deliver *dv)
{
    struct worker *w = dv->w;
    est_us now = est_loop_now(w->loop);
    struct shipment *s = idle_shipment(dv);
    uint32_t ticket;

    if (s == NULL || est_batch_due(&dv->limits, w->lanes, now) > now ||
        !endpoint_allow(&dv->endpoint, &ticket))
        return false;
    s->ticket = ticket;
    if (est_batch_fill(&s->batch, &dv->limits, w->lanes, now) == 0) {
        endpoint_forgo(&dv->endpoint, ticket);
        return false;
    }
    for (size_t i = 0; i < s->batch.n; i++)
        part_handed_out(parcel_at(s, i)->part, est_kafka_msg_offset(parcel_at(s, i)->msg));
    est_bisect_init(&s->bisect, (uint32_t)s->batch.n);
    (void)est_bisect_next(&s->bisect, &s->range);
    s->busy = true;
    dv->busy++;
    post(s);
    return true;
}

static void arm_wake(struct deliver *dv)
{
    est_us now = est_loop_now(dv->w->loop);
    est_us due = est_batch_due(&dv->limits, dv->w->lanes, now);
    est_us ready = endpoint_ready_at(&dv->endpoint);
    est_us at = due > ready ? due : ready;

    if (due == EST_NEVER || ready == EST_NEVER || idle_shipment(dv) == NULL)
        est_loop_timer_off(dv->w->loop, &dv->wake); /* an arrival or an answer comes first */
    else if (!est_loop_timer_armed(&dv->wake) || dv->wake.node.at != at)
        est_loop_timer_at(dv->w->loop, &dv->wake, at > now ? at : now + EST_MS);
}

void deliver_dispatch(struct deliver *dv)
{
    if (deadletter_is_full(dv->w->deadletter))
        return;
    while (start_one(dv)) {
    }
    arm_wake(dv);
}

static void on_wake(void *arg)
{
    (void)arg; /* the turn that this timer makes ends in deliver_dispatch */
}

static void on_token(void *arg)
{
    struct deliver *dv = arg;

    endpoint_check_token(&dv->endpoint);
    est_loop_timer_at(dv->w->loop, &dv->token, est_loop_now(dv->w->loop) + TOKEN_EVERY);
}

bool deliver_can_go_on(const struct deliver *dv, est_us until)
{
    struct est_lanes_stats st = est_lanes_stats(dv->w->lanes);

    if (st.records == 0 || endpoint_is_down(&dv->endpoint))
        return false;
    return st.ready > 0 || est_lanes_wake_at(dv->w->lanes) <= until;
}

size_t deliver_in_flight(const struct deliver *dv)
{
    return dv->busy;
}

void deliver_abandon(struct deliver *dv)
{
    for (size_t i = 0; i < dv->n; i++) {
        struct shipment *s = &dv->shipments[i];
        if (!s->busy)
            continue;
        if (s->call != NULL) {
            est_http_client_cancel(dv->endpoint.http, s->call);
            s->call = NULL;
            if (!s->asking_health)
                endpoint_forgo(&dv->endpoint, s->ticket);
            s->asking_health = false;
        }
        finish(s);
    }
}

/* --- life --- */

static est_err init_shipments(struct deliver *dv)
{
    const struct est_destination_config *d = dv->w->dest;

    dv->shipments = est_calloc(d->max_in_flight, sizeof(*dv->shipments));
    if (dv->shipments == NULL)
        return EST_ERR_NOMEM;
    for (; dv->n < d->max_in_flight; dv->n++) {
        struct shipment *s = &dv->shipments[dv->n];
        s->dv = dv;
        est_buf_init(&s->body, d->batch_bytes + dv->w->cfg->producer_event_max * 8 +
                                   d->batch_count + ENVELOPE);
        if (est_batch_init(&s->batch, d->batch_count) != EST_OK)
            return EST_ERR_NOMEM;
    }
    return EST_OK;
}

static est_err init_series(struct deliver *dv)
{
    const struct est_config *cfg = dv->w->cfg;
    const char *name = dv->w->dest->name;

    dv->delivered = est_calloc(cfg->n_types, sizeof(struct est_series *));
    dv->duplicates = est_calloc(cfg->n_types, sizeof(struct est_series *));
    if (dv->delivered == NULL || dv->duplicates == NULL)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < cfg->n_types; i++) {
        dv->delivered[i] =
            est_metrics_series(dv->w->metrics, EST_METRIC_DELIVERED, name, cfg->types[i].name);
        dv->duplicates[i] =
            est_metrics_series(dv->w->metrics, EST_METRIC_DUPLICATES, name, cfg->types[i].name);
    }
    dv->seconds = est_metrics_series(dv->w->metrics, EST_METRIC_SEND_SECONDS, name, NULL);
    return EST_OK;
}

est_err deliver_new(struct worker *w, struct deliver **ret, struct est_why *reterr)
{
    const struct est_destination_config *d = w->dest;
    struct deliver *dv = est_calloc(1, sizeof(*dv));
    est_err err;

    if (dv == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for delivery");
    dv->w = w;
    dv->limits = (struct est_batch_limits){d->batch_count, d->batch_bytes, 0, d->batch_age};
    dv->wake = (struct est_timer){.fn = on_wake, .arg = dv};
    dv->token = (struct est_timer){.fn = on_token, .arg = dv};
    err = endpoint_init(&dv->endpoint, w, reterr);
    if (err == EST_OK && (init_shipments(dv) != EST_OK || init_series(dv) != EST_OK ||
                          (dv->ids = est_calloc(d->batch_count, sizeof(*dv->ids))) == NULL ||
                          est_results_new(d->batch_count, &dv->results) != EST_OK))
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for delivery");
    if (err != EST_OK) {
        deliver_free(dv);
        return err;
    }
    if (d->token_file[0] != '\0')
        on_token(dv);
    *ret = dv;
    return EST_OK;
}

void deliver_free(struct deliver *dv)
{
    if (dv == NULL)
        return;
    est_loop_timer_off(dv->w->loop, &dv->wake);
    est_loop_timer_off(dv->w->loop, &dv->token);
    endpoint_fini(&dv->endpoint);
    for (size_t i = 0; i < dv->n; i++) {
        est_batch_fini(&dv->shipments[i].batch);
        est_buf_fini(&dv->shipments[i].body);
    }
    est_free(dv->shipments);
    est_results_free(dv->results);
    est_free(dv->ids);
    est_free(dv->delivered);
    est_free(dv->duplicates);
    est_free(dv);
}

void deliver_metrics(struct deliver *dv)
{
    struct est_lanes_stats st = est_lanes_stats(dv->w->lanes);
    struct est_metrics *m = dv->w->metrics;
    const char *name = dv->w->dest->name;

    est_metrics_gauge(m, EST_METRIC_IN_FLIGHT, name, NULL, (double)dv->busy);
    est_metrics_gauge(m, EST_METRIC_LANES, name, NULL, (double)st.lanes);
    est_metrics_gauge(m, EST_METRIC_WAITING, name, NULL, (double)st.records);
    est_metrics_gauge(m, EST_METRIC_WAITING_BYTES, name, NULL, (double)st.bytes);
}
