#include "worker.h"

#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "commits.h"
#include "config/config.h"
#include "core/lanes.h"
#include "deadletter.h"
#include "deliver.h"
#include "hide.h"
#include "intake.h"
#include "io/loop.h"
#include "io/ops.h"
#include "metrics/metrics.h"
#include "parcel.h"
#include "worker_ops.h"

#include <signal.h>
#include <stdio.h>

enum { OPTIONS_MAX = 64, LANES_SLACK = 2, PARCELS_KEPT = 10000 };
static const est_us REVOKE_BOUND = 5 * EST_SECOND, COMMIT_TIMEOUT = 2 * EST_SECOND;
static const est_us CLOSE_CHECK = 10 * EST_MS;

/* What only the life of the process needs. */
struct life {
    struct worker w;
    struct est_ops *ops;
    struct commits commits;
    struct est_timer revoke_bound, closing;
    bool leaving; /* the group is left: `revoked` is to come */
    est_us give_until, close_until;
    struct hide hide;
};

static struct life *life_of(struct worker *w)
{
    return EST_CONTAINER(w, struct life, w);
}

/* --- what is settled --- */

void worker_settled(struct worker *w)
{
    commits_settled(&life_of(w)->commits);
}

void worker_settle(struct worker *w, struct parcel *pc, enum est_end end)
{
    (void)est_account_settle(pc->part->account, est_kafka_msg_offset(pc->msg), end);
    parcel_free(&w->parcels, pc);
    worker_settled(w);
}

static void on_committed(void *arg, est_err err, const char *detail)
{
    struct life *l = arg;

    commits_done(&l->commits, err, detail);
}

/* --- the group --- */

static void on_assigned(void *arg, const struct est_kafka_position *pos, size_t n)
{
    struct life *l = arg;
    struct est_why why = {0};

    EST_LOG(EST_INFO, "assigned", EST_S("group", l->w.dest->group), EST_I("partitions", n));
    if (n > 0 && parts_assign(&l->w.parts, l->w.cfg, pos, n, &why) != EST_OK) {
        worker_give_up(&l->w, why.text); /* it would hold partitions that nobody delivers */
        return;
    }
    (void)est_health_remove(&l->w.health, "joining");
    l->w.kafka_up = true;
    est_metrics_gauge(l->w.metrics, EST_METRIC_ASSIGNED, NULL, NULL, (double)n);
}

/* What nobody has in flight goes, its next owner reads it again: all of it, or what lies above all
 * that was handed out. */
static void drop_waiting(struct worker *w, bool all)
{
    for (size_t i = 0; i < w->parts.n; i++) {
        struct part *p = &w->parts.items[i];
        intake_drop(w->intake, p);
        EST_LIST_EACH(n, &p->parcels) {
            struct parcel *pc = EST_CONTAINER(n, struct parcel, node);
            if (pc->item.lane == NULL || pc->item.out)
                continue; /* condemned, or in a request */
            if (!all && est_kafka_msg_offset(pc->msg) < p->high)
                continue;
            est_lanes_settle(w->lanes, &pc->item);
            parcel_free(&w->parcels, pc);
        }
    }
}

static void give_back_now(struct worker *w)
{
    struct life *l = life_of(w);
    struct est_kafka_position *pos = w->parts.n ? est_calloc(w->parts.n, sizeof(*pos)) : NULL;
    size_t n;

    parts_rewind(&w->parts);
    n = pos && !w->lost ? parts_to_commit(&w->parts, pos) : 0;
    est_loop_timer_off(w->loop, &l->revoke_bound);
    drop_waiting(w, true);
    for (size_t i = 0; i < w->parts.n;
         i++) /* condemned and not yet in the DLQ: read again as well */
        EST_LIST_EACH(node, &w->parts.items[i].parcels)
            parcel_free(&w->parcels, EST_CONTAINER(node, struct parcel, node));
    EST_LOG(EST_INFO, "revoked", EST_I("partitions", w->parts.n), EST_I("committing", n),
            EST_I("lost", w->lost));
    w->giving_back = false;
    est_kafka_sub_revoke_done(w->sub, pos, n);
    parts_clear(&w->parts);
    est_free(pos);
    est_metrics_gauge(w->metrics, EST_METRIC_ASSIGNED, NULL, NULL, 0);
}

void worker_progress(struct worker *w)
{
    struct life *l = life_of(w);

    if (w->giving_back && !l->leaving && deliver_in_flight(w->deliver) == 0 &&
        deadletter_pending(w->deadletter) == 0 && !deliver_can_go_on(w->deliver, l->give_until))
        est_loop_timer_at(w->loop, &l->revoke_bound, 0); /* not from inside what just ended */
}

/* A member that closes is no longer heard of by the group, which expels it by its session timeout
 * and refuses what it commits then: so what takes time comes before. */
static void leave(struct life *l)
{
    est_loop_timer_off(l->w.loop, &l->revoke_bound); /* it is `revoked` that gives back from here */
    l->w.draining = false;
    l->leaving = true;
    est_kafka_sub_close(l->w.sub);
}

static void on_revoke_bound(void *arg)
{
    struct life *l = arg;

    if (deliver_in_flight(l->w.deliver) > 0 || deadletter_pending(l->w.deadletter) > 0)
        EST_LOG(EST_WARN, "revoke_bound", EST_I("in_flight", deliver_in_flight(l->w.deliver)),
                EST_I("dead_letters", deadletter_pending(l->w.deadletter)));
    deliver_abandon(l->w.deliver);
    deadletter_abandon(l->w.deadletter);
    if (l->w.draining)
        leave(l);
    else
        give_back_now(&l->w);
}

/* The rest of consumer.drain_timeout is for the last commit and for leaving. */
static est_us stop_bound(const struct life *l)
{
    est_us until = l->close_until - l->w.cfg->consumer_drain_timeout / 4;
    est_us now = est_loop_now(l->w.loop);

    return until > now ? until - now : 0;
}

static void give_back_until(struct life *l, bool all, est_us bound)
{
    l->w.giving_back = true;
    drop_waiting(&l->w, all);
    l->give_until = est_loop_now(l->w.loop) + bound;
    est_loop_timer_at(l->w.loop, &l->revoke_bound, l->give_until);
}

static void on_revoked(void *arg, const struct est_kafka_position *pos, size_t n, bool lost)
{
    struct life *l = arg;
    est_us bound = l->w.stopping ? stop_bound(l) : REVOKE_BOUND;

    (void)pos;
    (void)n;
    l->w.lost = lost;
    if (l->w.draining)
        leave(l); /* it is asked for while we stop: then that is how it ends */
    l->leaving = false;
    give_back_until(l, lost, lost ? 0 : bound);
}

static void on_record(void *arg, struct est_kafka_msg *msg)
{
    struct life *l = arg;
    struct part *p =
        parts_find(&l->w.parts, est_kafka_msg_topic(msg), est_kafka_msg_partition(msg));

    if (p != NULL && !l->w.giving_back &&
        !hide_has(&l->hide, p->type->name, p->partition, est_kafka_msg_offset(msg)))
        intake_take(l->w.intake, p, msg);
    else
        est_kafka_msg_free(msg);
}

static void on_state(void *arg, bool up, const char *detail)
{
    struct life *l = arg;

    l->w.kafka_up = up;
    EST_LOG(up ? EST_INFO : EST_WARN, up ? "kafka_up" : "kafka_down", EST_S("detail", detail));
    if (up)
        (void)est_health_remove(&l->w.health, "kafka_down");
    else
        (void)est_health_add(&l->w.health, "kafka_down", "no Kafka broker can be reached",
                             est_loop_now(l->w.loop));
}

static void on_fatal(void *arg, const char *detail)
{
    struct life *l = arg;

    EST_LOG(EST_ERROR, "kafka_fatal", EST_S("detail", detail));
    l->w.failed = true;
    est_loop_stop(l->w.loop);
}

void worker_give_up(struct worker *w, const char *why)
{
    EST_LOG(EST_ERROR, "gives_up", EST_S("detail", why));
    w->failed = true;
    est_loop_stop(w->loop);
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    EST_LOG(level <= 3 ? EST_WARN : EST_DEBUG, "kafka_client", EST_S("facility", facility),
            EST_S("text", text));
}

static void on_turn(void *arg)
{
    struct life *l = arg;

    deliver_dispatch(l->w.deliver);
    if (l->w.giving_back)
        worker_progress(&l->w);
    else
        intake_resume(l->w.intake);
}

/* --- stopping --- */

static void on_closing(void *arg)
{
    struct life *l = arg;

    if (est_kafka_sub_closed(l->w.sub)) {
        EST_LOG(EST_INFO, "left_group", EST_S("group", l->w.dest->group));
        est_loop_stop(l->w.loop);
    } else if (est_loop_now(l->w.loop) >= l->close_until) {
        EST_LOG(EST_WARN, "left_group_late", EST_S("group", l->w.dest->group));
        est_loop_stop(l->w.loop);
    } else {
        est_loop_timer_at(l->w.loop, &l->closing, est_loop_now(l->w.loop) + CLOSE_CHECK);
    }
}

static void stop(struct life *l)
{
    (void)est_health_add(&l->w.health, "stopping", "the consumer is stopping",
                         est_loop_now(l->w.loop));
    l->w.stopping = true;
    l->close_until = est_loop_now(l->w.loop) + l->w.cfg->consumer_drain_timeout;
    if (l->w.giving_back) {
        est_kafka_sub_close(l->w.sub);
    } else {
        l->w.draining = true;
        give_back_until(l, false, stop_bound(l));
        worker_progress(&l->w);
    }
    on_closing(l);
}

static void on_signal(void *arg, int signo)
{
    struct life *l = arg;

    if (signo == SIGHUP || l->w.stopping)
        return; /* the token's file is looked at every second anyway */
    EST_LOG(EST_INFO, "stopping", EST_I("signal", signo),
            EST_I("in_flight", deliver_in_flight(l->w.deliver)));
    stop(l);
}

void worker_start_over(struct worker *w, const char *why)
{
    w->failed = true;
    if (w->stopping)
        return;
    EST_LOG(EST_ERROR, "starts_over", EST_S("detail", why));
    stop(life_of(w));
}

/* --- life --- */

static est_err open_sub(struct life *l, struct est_why *reterr)
{
    const struct est_config *cfg = l->w.cfg;
    const struct est_kafka_sub_handlers h = {on_record, on_assigned, on_revoked, on_committed,
                                             on_state,  on_fatal,    on_log,     l};
    struct est_kafka_option extra[OPTIONS_MAX];
    const char **topics = est_calloc(cfg->n_types, sizeof(*topics));
    struct est_kafka_sub_options o = {.brokers = cfg->kafka_brokers,
                                      .client_id = "esteira-consumer",
                                      .group = l->w.dest->group,
                                      .member_id = cfg->consumer_member_id,
                                      .topics = topics,
                                      .n_topics = cfg->n_types,
                                      .from_earliest = true,
                                      .session_timeout = cfg->consumer_session_timeout,
                                      .heartbeat = cfg->consumer_heartbeat,
                                      .commit_timeout = COMMIT_TIMEOUT,
                                      .fetch_max_bytes = cfg->consumer_fetch_bytes,
                                      .extra = extra};
    est_err err;

    if (topics == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the topics");
    for (size_t i = 0; i < cfg->n_types; i++)
        topics[i] = cfg->types[i].topic;
    for (; o.n_extra < cfg->kafka_options.n && o.n_extra < OPTIONS_MAX; o.n_extra++)
        extra[o.n_extra] = (struct est_kafka_option){cfg->kafka_options.items[o.n_extra].name,
                                                     cfg->kafka_options.items[o.n_extra].value};
    err = est_kafka_sub_new(l->w.loop, &o, &h, &l->w.sub, reterr);
    est_free(topics);
    return err;
}

static est_err open_basics(struct life *l, struct est_why *reterr)
{
    const struct est_config *cfg = l->w.cfg;
    const struct est_lanes_limits limits = {(size_t)cfg->consumer_lanes_records * LANES_SLACK,
                                            cfg->consumer_lanes_bytes * LANES_SLACK, cfg->n_types};
    uint64_t seed[3];
    est_err err = est_loop_new(&l->w.loop, reterr);

    if (err != EST_OK)
        return err;
    est_random(seed, sizeof(seed));
    est_rng_seed(&l->w.rng, seed[2]);
    if (est_loop_on_signal(l->w.loop, on_signal, l) != EST_OK)
        return est_why_set(reterr, EST_ERR_IO, "cannot watch for signals");
    if (est_metrics_new(EST_IN_CONSUMER, &l->w.metrics) != EST_OK ||
        est_lanes_new(limits, seed[0], seed[1], &l->w.lanes) != EST_OK)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the lanes");
    est_pool_init(&l->w.parcels, sizeof(struct parcel), PARCELS_KEPT);
    loans_init(&l->w.loans, l->w.lanes, cfg->consumer_fetch_bytes);
    commits_init(&l->commits, &l->w);
    return EST_OK;
}

static est_err open_parts(struct life *l, struct est_why *reterr)
{
    est_err err = open_basics(l, reterr);

    if (err == EST_OK)
        err = deadletter_new(&l->w, &l->w.deadletter, reterr);
    if (err == EST_OK)
        err = deliver_new(&l->w, &l->w.deliver, reterr);
    if (err == EST_OK)
        err = intake_new(&l->w, &l->w.intake, reterr);
    if (err == EST_OK)
        err = open_sub(l, reterr);
    if (err == EST_OK)
        err = worker_ops_open(&l->w, &l->ops, reterr);
    if (err == EST_OK)
        est_loop_on_turn(l->w.loop, on_turn, l);
    return err;
}

est_err worker_new(const struct est_config *cfg, const char *destination, struct worker **ret,
                   struct est_why *reterr)
{
    struct life *l = est_calloc(1, sizeof(*l));
    est_err err;

    if (l == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the consumer");
    l->w.cfg = cfg;
    l->w.dest = destination ? est_config_destination(cfg, destination) : &cfg->destinations[0];
    if (l->w.dest == NULL) {
        est_free(l);
        return est_why_set(reterr, EST_ERR_NOTFOUND,
                           "there is no destination \"%s\" in the configuration", destination);
    }
    l->revoke_bound = (struct est_timer){.fn = on_revoke_bound, .arg = l};
    l->closing = (struct est_timer){.fn = on_closing, .arg = l};
    est_health_init(&l->w.health);
    err = hide_init(&l->hide);
    err = err == EST_OK ? open_parts(l, reterr)
                        : est_why_set(reterr, err, "ESTEIRA_TEST_HIDE: TYPE/PARTITION/FIRST-LAST");
    if (err != EST_OK) {
        worker_free(&l->w);
        return err;
    }
    (void)est_health_add(&l->w.health, "joining", "the group has not assigned partitions yet",
                         est_loop_now(l->w.loop));
    est_metrics_gauge(l->w.metrics, EST_METRIC_BUILD_INFO, "esteira-consumer", ESTEIRA_VERSION, 1);
    *ret = &l->w;
    return EST_OK;
}

bool worker_run(struct worker *w)
{
    EST_LOG(EST_INFO, "started", EST_S("version", ESTEIRA_VERSION), EST_S("group", w->dest->group),
            EST_S("config", w->cfg->path));
    est_loop_run(w->loop);
    EST_LOG(EST_INFO, "stopped");
    return !w->failed;
}

static void free_parcels(struct worker *w)
{
    for (size_t i = 0; i < w->parts.n; i++) {
        struct part *p = &w->parts.items[i];
        intake_drop(w->intake, p);
        EST_LIST_EACH(n, &p->parcels)
            parcel_free(&w->parcels, EST_CONTAINER(n, struct parcel, node));
    }
    parts_clear(&w->parts);
}

void worker_free(struct worker *w)
{
    struct life *l = life_of(w);

    est_ops_free(l->ops);
    deliver_free(w->deliver);
    deadletter_free(w->deadletter);
    if (w->intake != NULL)
        free_parcels(w);
    est_kafka_sub_free(w->sub);
    intake_free(w->intake);
    est_lanes_free(w->lanes);
    est_pool_fini(&w->parcels);
    est_metrics_free(w->metrics);
    if (w->loop != NULL) {
        commits_fini(&l->commits);
        est_loop_timer_off(w->loop, &l->revoke_bound);
        est_loop_timer_off(w->loop, &l->closing);
    }
    est_loop_free(w->loop);
    est_free(l);
}
