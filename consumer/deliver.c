#include "deliver_state.h"

#include "attempts.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/gzip.h"
#include "codec/results.h"
#include "config/config.h"
#include "core/lanes.h"
#include "deadletter.h"
#include "metrics/metrics.h"
#include "part.h"

enum { ENVELOPE = 32, BODY_KEEP = 2 * 1024 * 1024, PACK_FROM = 1024 };
static const est_us TOKEN_EVERY = EST_SECOND;

/* --- requests --- */

static void unhold(struct shipment *s)
{
    if (s->hold != HOLD_NOTHING)
        s->dv->held--;
    s->hold = HOLD_NOTHING;
}

bool deliver_hold(struct shipment *s, enum shipment_hold hold)
{
    bool is_halved = s->bisect.refused > 0 && !endpoint_is_refusing(&s->dv->endpoint);

    if (endpoint_is_down(&s->dv->endpoint) && !s->doubted && !is_halved)
        return false;
    unhold(s);
    s->hold = hold;
    s->dv->held++;
    return true;
}

void deliver_finish(struct shipment *s)
{
    est_batch_give_back_all(&s->batch, s->dv->w->lanes, 0, s->batch.n, 0);
    if (s->body.cap > BODY_KEEP)
        est_buf_fini(&s->body);
    if (s->packed.cap > BODY_KEEP)
        est_buf_fini(&s->packed);
    s->busy = false;
    s->dv->busy--;
    unhold(s);
    worker_progress(s->dv->w);
}

/* What cannot be packed goes as it is. */
static void pack(struct shipment *s, struct endpoint_request *rq)
{
    if (s->dv->gzip == NULL || s->body.failed || s->body.len < PACK_FROM ||
        est_gzip_pack(s->dv->gzip, rq->body, &s->packed) != EST_OK)
        return;
    rq->body = est_buf_view(&s->packed);
    rq->is_gzip = true;
}

static void post(struct shipment *s)
{
    struct est_why why = {0};
    struct deliver_trace trace;
    struct endpoint_request rq = {.method = "POST",
                                  .path = s->single ? "/api/v1/events" : "/api/v1/events/batch",
                                  .body = est_buf_view(&s->body),
                                  .key = s->key,
                                  .timeout = s->line->timeout};
    est_err err = EST_ERR_FULL;

    deliver_key(s, s->key);
    if (deliver_trace_of(s, &trace)) {
        rq.traceparent = trace.parent;
        rq.tracestate = trace.state[0] != '\0' ? trace.state : NULL;
    }
    pack(s, &rq);
    if (!s->body.failed)
        err = endpoint_send(&s->dv->endpoint, &rq, deliver_on_answer, s, &s->call, &why);
    if (err == EST_OK)
        return;
    EST_LOG(EST_ERROR, "request_not_started", EST_S("code", est_err_code(err)),
            EST_S("detail", why.text));
    deliver_forgo(s);
    deliver_retry_all(s, false, EST_SECOND);
}

static bool has_any(const struct shipment *s)
{
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (deliver_parcel(s, i) != NULL)
            return true;
    return false;
}

/* Each request asks the endpoint anew. Where only the budget or the window says no, the batch keeps
 * what the halving has found out, and waits; where the endpoint is down, what is left is asked
 * again from its lanes. */
void deliver_send_next(struct shipment *s)
{
    while (est_bisect_next(&s->bisect, &s->range)) {
        if (!has_any(s)) {
            est_bisect_pass(&s->bisect);
            continue;
        }
        if (deliver_allow(s) != DELIVER_GO) {
            if (deliver_hold(s, HOLD_RANGE))
                return;
            break;
        }
        if (deliver_load_range(s) > 0) {
            post(s);
            return;
        }
        deliver_forgo(s);
        est_bisect_pass(&s->bisect);
    }
    deliver_finish(s);
}

/* --- starting --- */

static struct shipment *idle_shipment(struct deliver *dv)
{
    for (size_t i = 0; i < dv->n; i++)
        if (!dv->shipments[i].busy)
            return &dv->shipments[i];
    return NULL;
}

static void start(struct shipment *s)
{
    for (size_t i = 0; i < s->batch.n; i++) {
        const struct parcel *pc = deliver_parcel(s, i);
        if (pc != NULL)
            part_handed_out(pc->part, est_kafka_msg_offset(pc->msg));
    }
    s->doubted = false;
    est_bisect_init(&s->bisect, (uint32_t)s->batch.n);
    (void)est_bisect_next(&s->bisect, &s->range);
    post(s);
}

/* What is under way goes before what is not. False while something has to wait for the endpoint. */
static bool resume_held(struct deliver *dv)
{
    for (size_t i = 0; dv->held > 0 && i < dv->n; i++) {
        struct shipment *s = &dv->shipments[i];
        enum shipment_hold hold = s->hold;
        if (hold == HOLD_NOTHING)
            continue;
        unhold(s);
        if (hold == HOLD_RANGE)
            deliver_send_next(s);
        else
            deliver_ask_health(s);
        if (s->hold != HOLD_NOTHING && line_may_start(s->line, est_loop_now(dv->w->loop)))
            return false;
    }
    return true;
}

/* True when a batch was taken. */
static bool start_one(struct deliver *dv)
{
    struct shipment *s = idle_shipment(dv);
    bool waits[EST_TURNS_MAX];
    struct est_batch_limits limits;
    size_t i = s != NULL ? deliver_pick(dv, waits) : dv->n_lines;

    if (i == dv->n_lines)
        return false;
    s->line = &dv->lines[i];
    if (deliver_allow(s) != DELIVER_GO)
        return false;
    est_turns_take(&dv->turns, i, waits);
    limits = deliver_limits(dv, s->line);
    if (est_batch_fill(&s->batch, &limits, dv->w->lanes, est_loop_now(dv->w->loop)) == 0) {
        deliver_forgo(s);
        return false;
    }
    s->busy = true;
    dv->busy++;
    if (deliver_load(s) > 0)
        start(s);
    else {
        deliver_forgo(s);
        deliver_finish(s);
    }
    return true;
}

static void arm_wake(struct deliver *dv)
{
    est_us now = est_loop_now(dv->w->loop);
    est_us at = deliver_wake_at(dv);

    if (at == EST_NEVER || (dv->held == 0 && idle_shipment(dv) == NULL))
        est_loop_timer_off(dv->w->loop, &dv->wake); /* an arrival or an answer comes first */
    else if (!est_loop_timer_armed(&dv->wake) || dv->wake.node.at != at)
        est_loop_timer_at(dv->w->loop, &dv->wake, at > now ? at : now + EST_MS);
}

static void measure_round(struct deliver *dv)
{
    const struct est_destination_config *d = dv->w->dest;
    size_t usual = (size_t)d->max_in_flight * d->batch_count;

    dv->request = deliver_limits(dv, &dv->lines[0]).count;
    dv->round = usual > dv->request ? usual : dv->request;
}

void deliver_dispatch(struct deliver *dv)
{
    measure_round(dv);
    if (deadletter_is_full(dv->w->deadletter))
        return;
    while (resume_held(dv) && start_one(dv)) {
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

    (void)endpoint_check_token(&dv->endpoint);
    est_loop_timer_at(dv->w->loop, &dv->token, est_loop_now(dv->w->loop) + TOKEN_EVERY);
}

bool deliver_can_go_on(const struct deliver *dv, est_us until)
{
    bool wakes = est_lanes_wake_at(dv->w->lanes) <= until;

    for (size_t i = 0; i < dv->n_lines && !endpoint_is_down(&dv->endpoint); i++) {
        struct est_lanes_group g = est_lanes_group(dv->w->lanes, i);
        if (!dv->lines[i].is_paused && (g.ready > 0 || (g.records > 0 && wakes)))
            return true;
    }
    return false;
}

size_t deliver_request(const struct deliver *dv)
{
    return dv->request;
}

size_t deliver_round(const struct deliver *dv)
{
    return dv->round;
}

size_t deliver_in_flight(const struct deliver *dv)
{
    return endpoint_is_down(&dv->endpoint) ? dv->busy - dv->held : dv->busy;
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
            deliver_forgo(s);
            if (!s->asking_health) {
                est_series_observe(dv->seconds, est_loop_now(dv->w->loop) - s->started_at);
                est_metrics_count(dv->w->metrics, EST_METRIC_SEND_FAILURES, dv->w->dest->name,
                                  est_verdict_class_name(EST_CLASS_LOCAL), 1);
                attempts_begin(dv->attempts, s);
                attempts_end(dv->attempts, s, (struct est_verdict){0}, NULL);
            }
            s->asking_health = false;
        }
        deliver_finish(s);
    }
}

/* --- life --- */

static est_err init_shipments(struct deliver *dv)
{
    const struct est_destination_config *d = dv->w->dest;
    size_t count = line_count_max(d), n = (size_t)d->max_in_flight * 2;

    dv->shipments = est_calloc(n, sizeof(*dv->shipments));
    if (dv->shipments == NULL)
        return EST_ERR_NOMEM;
    for (; dv->n < n; dv->n++) {
        struct shipment *s = &dv->shipments[dv->n];
        s->dv = dv;
        est_buf_init(&s->body,
                     d->batch_bytes + dv->w->cfg->producer_event_max * 8 + count + ENVELOPE);
        est_buf_init(&s->packed, s->body.max * 2);
        if (est_batch_init(&s->batch, count) != EST_OK)
            return EST_ERR_NOMEM;
    }
    return EST_OK;
}

static est_err init_lines(struct deliver *dv)
{
    const struct est_config *cfg = dv->w->cfg;

    dv->lines = est_calloc(cfg->n_types, sizeof(*dv->lines));
    if (dv->lines == NULL)
        return EST_ERR_NOMEM;
    est_turns_init(&dv->turns, cfg->n_types);
    for (; dv->n_lines < cfg->n_types; dv->n_lines++) {
        line_init(&dv->lines[dv->n_lines], cfg, dv->w->dest, dv->n_lines);
        est_turns_set(&dv->turns, dv->n_lines, cfg->types[dv->n_lines].priority);
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
    dv->retried = est_metrics_series(dv->w->metrics, EST_METRIC_RETRIED, name, NULL);
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
    dv->passed = 1;
    dv->wake = (struct est_timer){.fn = on_wake, .arg = dv};
    dv->token = (struct est_timer){.fn = on_token, .arg = dv};
    err = endpoint_init(&dv->endpoint, w, reterr);
    if (err == EST_OK)
        err = attempts_new(w, &dv->attempts, reterr);
    if (err == EST_OK &&
        (init_lines(dv) != EST_OK || init_shipments(dv) != EST_OK ||
         (d->compression == EST_COMPRESSION_GZIP && est_gzip_new(&dv->gzip) != EST_OK) ||
         init_series(dv) != EST_OK ||
         (dv->ids = est_calloc(line_count_max(d), sizeof(*dv->ids))) == NULL ||
         est_results_new(line_count_max(d), &dv->results) != EST_OK))
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for delivery");
    if (err != EST_OK) {
        deliver_free(dv);
        return err;
    }
    measure_round(dv);
    if (d->token_file[0] != '\0')
        on_token(dv);
    bulletin_init(&dv->bulletin, dv);
    pauses_init(&dv->pauses, dv);
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
    attempts_free(dv->attempts);
    bulletin_fini(&dv->bulletin);
    pauses_fini(&dv->pauses);
    for (size_t i = 0; i < dv->n; i++) {
        est_batch_fini(&dv->shipments[i].batch);
        est_buf_fini(&dv->shipments[i].body);
        est_buf_fini(&dv->shipments[i].packed);
    }
    est_free(dv->shipments);
    est_free(dv->lines);
    est_results_free(dv->results);
    est_gzip_free(dv->gzip);
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
    endpoint_metrics(&dv->endpoint);
}
