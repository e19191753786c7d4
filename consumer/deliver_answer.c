#include "deliver_state.h"

#include "attempts.h"
#include "base/log.h"
#include "codec/results.h"
#include "config/config.h"
#include "core/ratelimit.h"
#include "core/retry.h"
#include "deadletter.h"
#include "metrics/metrics.h"

enum { FORBIDDEN_MAX = 8 }; /* refusals of an event alone that others pass by */
static const est_us AFTER_PROBE = EST_SECOND;

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

    attempts_item(s->dv->attempts, i, r->status);
    if (v.act == EST_VERDICT_DELIVERED)
        deliver_settle(s, i, r->duplicate);
    else if (v.act == EST_VERDICT_POISON && !deadletter_is_full(s->dv->w->deadletter))
        deliver_condemn(s, i, v.class, r->status);
    else {
        s->failed_class = v.class;
        s->failed_status = r->status;
        deliver_give_back(s, i, true, floor);
    }
}

/* False when results[] cannot be read: the outcome of every event is unknown. */
static bool take_results(struct shipment *s, const struct est_http_result *res, est_us floor)
{
    struct deliver *dv = s->dv;
    struct est_why why = {0};
    size_t k = 0;

    for (size_t i = s->range.from; i < s->range.to; i++)
        if (deliver_parcel(s, i) != NULL)
            dv->ids[k++] = parcel_id(deliver_parcel(s, i));
    if (est_results_parse(dv->results, res->body, k, dv->ids, &why) != EST_OK) {
        EST_LOG(EST_WARN, "results_unreadable", EST_S("destination", dv->w->dest->name),
                EST_S("detail", why.text));
        return false;
    }
    k = 0;
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (deliver_parcel(s, i) != NULL)
            take_item(s, i, est_results_at(dv->results, k++), floor);
    return true;
}

static void deliver_all(struct shipment *s, bool duplicate)
{
    for (size_t i = s->range.from; i < s->range.to; i++)
        if (deliver_parcel(s, i) != NULL)
            deliver_settle(s, i, duplicate);
}

static void on_health(void *arg, const struct est_http_result *res);

/* Everything that this batch asked was refused. A good status answer says that the fault is the
 * events'. */
void deliver_ask_health(struct shipment *s)
{
    const struct endpoint_request rq = {
        .method = "GET", .path = "/api/v1/status", .timeout = s->line->timeout};
    struct est_why why = {0};

    if (deliver_allow(s) != DELIVER_GO) {
        if (!deliver_hold(s, HOLD_HEALTH))
            deliver_finish(s);
        return;
    }
    s->asking_health = true;
    if (endpoint_send(&s->dv->endpoint, &rq, on_health, s, &s->call, &why) == EST_OK)
        return;
    s->asking_health = false;
    deliver_forgo(s);
    deliver_retry_all(s, false, 0);
}

static size_t only_in(const struct shipment *s)
{
    size_t i = s->range.from;

    while (deliver_parcel(s, i) == NULL)
        i++;
    return i;
}

static void condemn(struct shipment *s, enum est_verdict_class class, int status)
{
    deliver_condemn(s, only_in(s), class, status);
    deliver_send_next(s);
}

static void refused_alone(struct shipment *s, struct est_verdict v, int status)
{
    bool blames_all = est_bisect_blames_all(&s->bisect);

    if (deadletter_is_full(s->dv->w->deadletter)) {
        deliver_retry_all(s, false, 0);
        return;
    }
    (void)est_bisect_refuse(&s->bisect);
    if (!blames_all && v.class != EST_CLASS_FORBIDDEN) {
        condemn(s, v.class, status);
        return;
    }
    s->refused_class = v.class;
    s->refused_status = status;
    deliver_ask_health(s);
}

static void observe(struct shipment *s, struct est_verdict v, const struct est_http_result *res,
                    est_us floor)
{
    const struct est_ratelimit_fields fields = {res->rate_limit, res->rate_policy, res->rate_quota,
                                                res->rate_left, res->rate_reset};
    struct est_ratelimit said;
    bool is_said = est_ratelimit_read(&fields, est_clock_wall(), &said);
    struct endpoint_outcome o = {
        .verdict = v, .status = res->status, .wait = floor, .said = is_said ? &said : NULL};

    deliver_observe(s, &o);
}

static void on_health(void *arg, const struct est_http_result *res)
{
    struct shipment *s = arg;
    const struct est_outcome outcome = {res->err, res->status, 1, false};
    /* A receiver without a status route answers 404: it is there, and speaks HTTP. It is no proof
     * where 404 is what is asked about. */
    bool no_route = res->err == EST_OK && (res->status == 404 || res->status == 405) &&
                    s->refused_class != EST_CLASS_FORBIDDEN;
    struct est_verdict v = est_verdict_of(&outcome);
    est_us floor = 0;

    s->call = NULL;
    s->asking_health = false;
    (void)est_retry_after_parse(res->retry_after, est_clock_wall(), &floor);
    if (no_route)
        v = (struct est_verdict){EST_VERDICT_DELIVERED, EST_CLASS_NONE, false, false};
    observe(s, v, res, floor);
    if (v.act == EST_VERDICT_DELIVERED)
        condemn(s, s->refused_class, s->refused_status);
    else
        deliver_retry_all(s, s->refused_class == EST_CLASS_FORBIDDEN, 0);
}

/* Has anything else passed since one of the range was refused so before? Notes that it was now. */
static bool is_refused_again(struct shipment *s)
{
    uint64_t passed = s->dv->passed;
    bool again = false;

    for (size_t i = s->range.from; i < s->range.to; i++) {
        struct parcel *pc = deliver_parcel(s, i);
        if (pc == NULL)
            continue;
        again = again || pc->forbidden > 0 || (pc->passed_mark != 0 && pc->passed_mark != passed);
        if (pc->passed_mark == 0)
            pc->passed_mark = passed;
    }
    return again;
}

/* Where one of two servers behind an address has another version, or refuses for a rate, good
 * events meet with it more than once; hardly one meets with it each time. */
static enum est_verdict_act act_alone(struct parcel *pc)
{
    return ++pc->forbidden < FORBIDDEN_MAX ? EST_VERDICT_RETRY : EST_VERDICT_POISON;
}

/* A doubtful refusal is the endpoint's at first, and pauses it. It may be the event's when others
 * have passed meanwhile, and is when that event is refused each time. */
static struct est_verdict doubt(struct shipment *s, struct est_verdict v,
                                const struct est_http_result *res)
{
    if (v.act != EST_VERDICT_PAUSE || !est_verdict_is_doubtful(res->status) || !is_refused_again(s))
        return v;
    v.act = s->sent > 1 ? EST_VERDICT_SPLIT : act_alone(deliver_parcel(s, only_in(s)));
    v.class = EST_CLASS_FORBIDDEN;
    v.infra = false;
    return v;
}

/* The probes of the pause find out whether it was for one event of this batch: each takes a part of
 * it. One that stands alone waits until after the next probe, which so is another's: were it the
 * oldest, it would take every probe until its own backoff is the longer, and the others wait. */
static void paused(struct shipment *s, int status)
{
    struct deliver *dv = s->dv;
    est_us probe = endpoint_probe_at(&dv->endpoint) - est_loop_now(dv->w->loop);

    if (!est_verdict_is_doubtful(status))
        deliver_finish(s);
    else if (!est_bisect_refuse(&s->bisect))
        deliver_retry_all(s, true, probe + AFTER_PROBE);
    else {
        s->doubted = true;
        (void)deliver_hold(s, HOLD_RANGE);
    }
}

/* What fails while the breaker stays closed, others passing, is its own fault until it is shown
 * otherwise; what fails while it is open is nobody's. */
static bool is_blamed(const struct shipment *s, struct est_verdict v)
{
    return v.class != EST_CLASS_LOCAL && !endpoint_is_down(&s->dv->endpoint);
}

/* The events keep their places; a batch that is being halved, what it has found out as well. */
static void wait_for_budget(struct shipment *s)
{
    if (s->bisect.refused == 0 || !deliver_hold(s, HOLD_RANGE))
        deliver_finish(s);
}

void deliver_on_answer(void *arg, const struct est_http_result *res)
{
    struct shipment *s = arg;
    struct deliver *dv = s->dv;
    struct est_outcome outcome = {res->err, res->status, s->sent, !s->single};
    struct est_verdict v;
    est_us floor = 0;

    s->call = NULL;
    v = doubt(s, est_verdict_of(&outcome), res);
    (void)est_retry_after_parse(res->retry_after, est_clock_wall(), &floor);
    attempts_begin(dv->attempts, s);
    if (v.act == EST_VERDICT_PER_ITEM && !take_results(s, res, floor))
        v = (struct est_verdict){EST_VERDICT_RETRY, EST_CLASS_PROTOCOL, false, false};
    observe_metrics(dv, v, res, s->sent);
    attempts_end(dv->attempts, s, v, res);
    s->failed_class = v.class;
    s->failed_status = res->status;
    observe(s, v, res, floor);
    switch (v.act) {
    case EST_VERDICT_DELIVERED: deliver_all(s, res->status == 200); /* fall through */
    case EST_VERDICT_PER_ITEM:
        est_bisect_pass(&s->bisect);
        deliver_send_next(s);
        break;
    case EST_VERDICT_SPLIT:
        (void)est_bisect_refuse(&s->bisect);
        deliver_send_next(s);
        break;
    case EST_VERDICT_POISON: refused_alone(s, v, res->status); break;
    case EST_VERDICT_PAUSE:
        paused(s, res->status);
        break; /* the endpoint waits, the events keep their places */
    case EST_VERDICT_RETRY:
        if (v.class == EST_CLASS_RATE_LIMITED)
            wait_for_budget(s);
        else
            deliver_retry_all(s, is_blamed(s, v), floor);
        break;
    }
}
