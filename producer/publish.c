#include "publish.h"

#include "admit.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "boots.h"
#include "broker.h"
#include "catalog.h"
#include "config/config.h"
#include "core/health.h"
#include "core/stamp.h"
#include "io/loop.h"
#include "metrics/metrics.h"
#include "way.h"

#include <stdio.h>
#include <string.h>

enum { POOL_MAX = 16384, SHARE_MIN = 64 };
/* Redis gets this long to answer the first look, before types begin without it. */
static const est_us FIRST_LOOK = EST_SECOND, TICK = 100 * EST_MS, RATE_STEP = 10 * EST_MS;

/* What the streams that are ours hold, as Redis tells it. */
struct holding {
    uint64_t entries, bytes;
    est_us oldest_age;
};

struct publish {
    struct publish_options opt;
    struct ways ways;
    struct way *all;      /* as in the catalog */
    struct way **ordered; /* by priority */
    struct holding *told, *telling;
    size_t n;
    est_us started;
    bool kafka_there; /* a broker has answered since Kafka was last lost */
    bool taking_over;
    est_err store_err; /* why Redis cannot be used; EST_OK = it can */
    est_us store_down; /* since when */
    bool leaving;      /* no more is read from Redis */
    bool closing;      /* leases have been given back */
    est_us oldest_age; /* of the oldest entry that waits in Redis */
    double tokens;     /* what redis.drain_rate allows now */
    est_us tokens_at;
    struct est_timer tick, wake;
};

static est_us now_of(const struct publish *p)
{
    return est_loop_now(p->opt.loop);
}

static struct way *way_of(const struct publish *p, const struct catalog_type *t)
{
    return &p->all[t - catalog_at(p->opt.catalog, 0)];
}

/* --- Kafka lost and found --- */

static bool is_of_topics(const char *reason)
{
    return strcmp(reason, "topic_failed") == 0 || strcmp(reason, "topic_timeout") == 0;
}

static void take_over(struct publish *p, const char *reason)
{
    bool topic_only = is_of_topics(reason);

    p->taking_over = true;
    p->ways.lost = reason; /* what is sent while this goes on would overtake */
    p->kafka_there &= topic_only;
    est_metrics_count(p->opt.metrics, EST_METRIC_KAFKA_TAKEOVERS, reason, NULL, 1);
    EST_LOG(EST_WARN, "kafka_lost", EST_S("reason", reason),
            EST_I("unacknowledged", broker_pending(p->ways.broker)));
    (void)broker_purge(p->ways.broker);
    p->ways.lost = NULL;
    for (size_t i = 0; i < p->n; i++)
        way_lost(&p->all[i], !topic_only || p->all[i].at_fault);
    p->taking_over = false;
}

static void on_lost(void *arg)
{
    struct publish *p = arg;

    if (p->kafka_there && !p->taking_over && p->ways.lost == NULL)
        p->ways.lost = "brokers_down";
}

static void on_answered(void *arg)
{
    struct publish *p = arg;

    if (p->ways.lost == NULL)
        p->kafka_there = true;
}

static void on_delivered(void *arg, struct record *rec, est_err err)
{
    struct publish *p = arg;

    if (err != EST_OK && !p->taking_over)
        est_metrics_count(p->opt.metrics, EST_METRIC_KAFKA_FAILURES, est_err_code(err), NULL, 1);
    if (err == EST_OK && p->ways.lost == NULL)
        p->kafka_there = true;
    way_delivered(rec->way, rec, err);
}

/* Types begin when it is known what older boots left, or when Redis has had its time. */
static bool may_begin(const struct publish *p)
{
    return boots_looked(p->ways.boots) || now_of(p) - p->started >= FIRST_LOOK;
}

static void tell_evidence(struct publish *p)
{
    if (!p->kafka_there || !may_begin(p))
        return;
    for (size_t i = 0; i < p->n; i++)
        if (!p->all[i].sw.evidence && p->all[i].type->kafka_partitions > 0)
            est_switch_evidence(&p->all[i].sw);
}

/* Somebody has to ask whether Kafka is there when no record of a stream can show it. */
static void ask_broker(struct publish *p)
{
    bool wanted = !broker_is_known(p->ways.broker);

    for (size_t i = 0; i < p->n; i++) {
        const struct est_switch *sw = &p->all[i].sw;
        wanted |= sw->state != EST_DIRECT && !sw->evidence && sw->own == 0 && sw->older == 0;
    }
    broker_ask(p->ways.broker, wanted);
}

/* --- partitions --- */

static void set_partitions(struct publish *p, struct catalog_type *t, uint32_t n)
{
    if (n > est_stamp_partitions(p->ways.stamp, t->stamp) &&
        est_stamp_grow(p->ways.stamp, t->stamp, n) != EST_OK) {
        EST_LOG(EST_ERROR, "partitions_not_known", EST_S("topic", t->topic));
        return;
    }
    t->partitions = (int32_t)n;
}

static void on_partitions(void *arg, struct catalog_type *t)
{
    struct publish *p = arg;

    set_partitions(p, t, (uint32_t)t->kafka_partitions);
    boots_put_partitions(p->ways.boots, t->name, (uint32_t)t->kafka_partitions);
}

static void on_remembered(void *arg, const char *type, uint32_t count)
{
    struct publish *p = arg;

    for (size_t i = 0; i < p->n; i++) {
        struct catalog_type *t = p->all[i].type;
        if (strcmp(t->name, type) == 0 && t->kafka_partitions == 0 && count > 0)
            set_partitions(p, t, count);
    }
}

/* Neither Kafka nor Redis knows: what `esteira topics apply` would make. */
static void assume_partitions(struct publish *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct catalog_type *t = p->all[i].type;
        if (t->partitions == 0 && may_begin(p))
            set_partitions(p, t, (uint32_t)est_config_type(p->opt.config, t->name)->partitions);
    }
}

/* --- Redis --- */

static void on_store(void *arg, bool up, est_err err, const char *detail)
{
    struct publish *p = arg;

    (void)detail;
    if (!up && p->store_err == EST_OK)
        p->store_down = now_of(p);
    p->store_err = up ? EST_OK : err;
    for (size_t i = 0; i < p->n; i++) {
        const struct catalog_type *t = p->all[i].type;
        way_store(&p->all[i], up);
        if (up && t->kafka_partitions > 0) /* told while Redis was away */
            boots_put_partitions(p->ways.boots, t->name, (uint32_t)t->kafka_partitions);
    }
}

static void on_found(void *arg, struct boot *boot, const char *type, uint64_t entries)
{
    struct publish *p = arg;

    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->all[i].type->name, type) == 0) {
            EST_LOG(EST_INFO, "older_stream", EST_S("type", type), EST_S("boot", boots_id(boot)),
                    EST_I("entries", entries));
            if (way_older_found(&p->all[i], boot, (size_t)entries) != EST_OK)
                EST_LOG(EST_ERROR, "older_stream_not_followed", EST_S("type", type));
            return;
        }
    EST_LOG(EST_WARN, "stream_of_no_type", EST_S("type", type), EST_S("boot", boots_id(boot)),
            EST_I("entries", entries));
}

static void on_gone(void *arg, struct boot *boot)
{
    struct publish *p = arg;
    bool flies = false;

    for (size_t i = 0; i < p->n; i++)
        flies |= p->all[i].source == boot && !est_list_empty(&p->all[i].flying);
    if (flies) /* what we hold of it must not come behind what the new owner sends */
        take_over(p, "adopted_elsewhere");
    for (size_t i = 0; i < p->n; i++)
        way_older_gone(&p->all[i], boot);
}

static void on_told(void *arg, const struct est_buffer_type *told)
{
    struct publish *p = arg;
    uint64_t sum = 0;

    if (told != NULL) {
        for (size_t i = 0; i < p->n; i++) {
            struct holding *h = &p->telling[i];
            if (strcmp(p->all[i].type->name, told->type) != 0)
                continue;
            h->entries += told->entries;
            h->bytes += told->bytes;
            h->oldest_age = told->oldest_age > h->oldest_age ? told->oldest_age : h->oldest_age;
        }
        return;
    }
    p->oldest_age = 0;
    for (size_t i = 0; i < p->n; i++) {
        sum += p->telling[i].bytes;
        if (p->telling[i].oldest_age > p->oldest_age)
            p->oldest_age = p->telling[i].oldest_age;
    }
    p->ways.buffered_bytes = sum;
    memcpy(p->told, p->telling, p->n * sizeof(*p->told));
    memset(p->telling, 0, p->n * sizeof(*p->telling));
}

/* Another shim has taken our lease: to the others this life is over. What is not durable was
 * promised to nobody; what we left in the streams is in the other's hands. */
static void be_born_again(struct publish *p)
{
    char boot[EST_BOOT_LEN + 1];

    p->ways.fenced = false;
    take_over(p, "fenced");
    for (size_t i = 0; i < p->n; i++)
        way_abandon(&p->all[i]);
    est_boot_id(boot);
    if (boots_reborn(p->ways.boots, boot) != EST_OK) {
        p->ways.fenced = true; /* without memory: again in the next turn */
        return;
    }
    est_stamp_reboot(p->ways.stamp, boot);
    EST_LOG(EST_WARN, "reborn", EST_S("boot", boot));
}

static void on_fenced(void *arg)
{
    struct publish *p = arg;

    p->ways.fenced = true;
}

/* --- each turn --- */

static bool rests(const struct way *w)
{
    return w->sw.state == EST_DIRECT && w->sw.own == 0 && w->sw.queue == 0 && w->sw.flying == 0 &&
           w->sw.undeleted == 0;
}

static size_t flying(const struct publish *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += p->all[i].sw.flying;
    return n;
}

static void refill(struct publish *p)
{
    double rate = (double)p->opt.config->redis_drain_rate;
    est_us now = now_of(p);

    p->tokens += rate * (double)(now - p->tokens_at) / (double)EST_SECOND;
    p->tokens -= (double)p->ways.flown;
    p->ways.flown = 0;
    if (p->tokens > rate)
        p->tokens = rate;
    p->tokens_at = now;
}

/* Entries that reads under way may yet send. A read that waits for a lease has asked for none. */
static size_t promised(const struct publish *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += p->all[i].read_waits ? 0 : p->all[i].sw.asked;
    return n;
}

static size_t allowed(const struct publish *p, size_t wanted)
{
    double left = p->tokens - (double)promised(p);

    if (left < 1)
        return 0;
    return (double)wanted < left ? wanted : (size_t)left;
}

/* A Kafka that takes its time gets no more before it has taken what it has: else a large window
 * would make it late for good, and be taken back each time. */
static bool is_behind(const struct publish *p, const struct way *w)
{
    est_us since = way_waits_for_kafka(w);

    return since != 0 && now_of(p) - since > p->opt.config->producer_ack_timeout / 4;
}

static bool may_read(const struct publish *p, const struct way *w)
{
    return !p->leaving && boots_looked(p->ways.boots) && !is_behind(p, w);
}

/* The window and the rate of draining are one for all types: the most important take first, and
 * each may have a few, so that none stands still. The rate counts what was sent, not what was asked
 * for: most reads of a short stream come back with less. */
static void pump(struct publish *p)
{
    size_t window = p->opt.config->redis_window;
    bool limited = p->opt.config->redis_drain_rate > 0;

    refill(p);
    for (size_t i = 0; i < p->n; i++) {
        struct way *w = p->ordered[i];
        size_t before = flying(p);
        size_t room = before + SHARE_MIN < window ? window - before : SHARE_MIN;
        if (limited)
            room = allowed(p, room);
        /* Before it is known what older boots left, nothing of ours is read: it would overtake. */
        w->sw.allowance = may_read(p, w) ? room : 0;
        way_pump(w);
    }
}

static bool all_rest(const struct publish *p)
{
    bool all = true;

    for (size_t i = 0; i < p->n; i++)
        all &= rests(&p->all[i]);
    return all;
}

static void rest(struct publish *p)
{
    bool all = all_rest(p);

    boots_watch(p->ways.boots, !all);
    if (all && boots_has(boots_own(p->ways.boots)))
        boots_rest(p->ways.boots);
}

static void on_wake(void *arg)
{
    (void)arg; /* the end of this turn does it */
}

/* When a way has something to do though nothing happens: a pause ends, or the rate allows more. */
static void set_wake(struct publish *p)
{
    est_us at = 0;

    for (size_t i = 0; i < p->n; i++) {
        est_us due = est_switch_due(&p->all[i].sw);
        if (due == 0)
            continue;
        if (due <= now_of(p)) /* it waits for its share of the rate */
            due = now_of(p) + RATE_STEP;
        at = at == 0 || due < at ? due : at;
    }
    if (at == 0 && p->opt.config->redis_drain_rate > 0 && !all_rest(p))
        at = now_of(p) + RATE_STEP;
    if (at != 0)
        est_loop_timer_at(p->opt.loop, &p->wake, at);
    else
        est_loop_timer_off(p->opt.loop, &p->wake);
}

static void on_turn(void *arg)
{
    struct publish *p = arg;

    if (p->closing)
        return;
    if (p->ways.lost != NULL)
        take_over(p, p->ways.lost);
    if (p->ways.fenced)
        be_born_again(p);
    tell_evidence(p);
    pump(p);
    if (p->ways.lost != NULL) /* a release that failed at once */
        take_over(p, p->ways.lost);
    ask_broker(p);
    rest(p);
    set_wake(p);
}

/* --- deadlines and health --- */

/* Not a mere moment between two connections. */
static bool is_store_gone(const struct publish *p)
{
    return p->store_err != EST_OK && now_of(p) - p->store_down >= p->opt.config->redis_timeout;
}

static void check_deadlines(struct publish *p)
{
    const struct est_config *cfg = p->opt.config;

    bool late = false, alive = false;

    for (size_t i = 0; i < p->n; i++) {
        struct way *w = &p->all[i];
        est_us kafka = way_waits_for_kafka(w), buffer = way_waits_for_buffer(w);
        w->at_fault |= kafka != 0 && now_of(p) - kafka >= cfg->producer_ack_timeout;
        late |= w->at_fault;
        alive |= !w->at_fault && w->acked_at != 0 &&
                 now_of(p) - w->acked_at < cfg->producer_ack_timeout / 2;
        if (buffer != 0 && !w->sw.append_sent &&
            (is_store_gone(p) ||
             now_of(p) - buffer >= cfg->producer_ack_timeout + cfg->redis_timeout))
            way_refuse_queue(w, p->store_err ? p->store_err : EST_ERR_REDIS_DOWN);
    }
    /* Others were acknowledged a moment ago: it is these topics, not the brokers. */
    if (late && p->ways.lost == NULL)
        p->ways.lost = alive ? "topic_timeout" : "ack_timeout";
}

struct trouble {
    const char *code, *text;
};
static const struct trouble kafka_down = {"kafka_down", "no Kafka broker takes records"},
                            redis_down = {"redis_down", "Redis cannot be used"},
                            refuses = {"buffer_refuses", "Redis takes no more entries"},
                            buffer_full = {"buffer_full", "redis.buffer_bytes is reached"},
                            buffer_old = {"buffer_old", "redis.buffer_age is reached"};

static void note(struct publish *p, struct est_health *h, const struct trouble *t, bool is)
{
    if (is)
        (void)est_health_add(h, t->code, t->text, now_of(p));
    else
        (void)est_health_remove(h, t->code);
}

static bool is_full(const struct publish *p, size_t more)
{
    return p->ways.buffered_bytes + more > p->opt.config->redis_buffer_bytes;
}

static bool is_old(const struct publish *p)
{
    est_us max = p->opt.config->redis_buffer_age;

    return max > 0 && p->oldest_age > max;
}

void publish_check_health(struct publish *p)
{
    bool away = false, blocked = false;

    for (size_t i = 0; i < p->n; i++) {
        away |= p->all[i].sw.state != EST_DIRECT;
        blocked |= way_ready(&p->all[i]) == EST_ERR_KAFKA_DOWN;
    }
    note(p, p->opt.health, &kafka_down, blocked);
    note(p, p->opt.health, &redis_down, blocked && p->store_err != EST_OK);
    note(p, p->opt.health, &refuses, away && now_of(p) < p->ways.refusal_until);
    note(p, p->opt.health, &buffer_full, away && is_full(p, 0));
    note(p, p->opt.health, &buffer_old, away && is_old(p));
    note(p, p->opt.warnings, &kafka_down, away && !p->kafka_there && !blocked);
    note(p, p->opt.warnings, &redis_down, p->store_err != EST_OK && !blocked);
}

static void on_tick(void *arg)
{
    struct publish *p = arg;

    check_deadlines(p);
    assume_partitions(p);
    publish_check_health(p);
    est_loop_timer_at(p->opt.loop, &p->tick, now_of(p) + TICK);
}

/* --- sending --- */

est_err publish_ready(const struct publish *p, const struct admit *ad)
{
    const struct est_config *cfg = p->opt.config;
    const struct ways *ws = &p->ways;
    bool buffered = false;

    if (p->closing)
        return EST_ERR_KAFKA_DOWN;
    if (ws->pending > 0 && (ws->pending + ad->n > cfg->producer_queue_records ||
                            ws->pending_bytes + ad->values.len > cfg->producer_queue_bytes))
        return EST_ERR_FULL;
    for (size_t i = 0; i < ad->n; i++) {
        const struct way *w = way_of(p, ad->items[i].type);
        est_err err = way_ready(w);
        if (err != EST_OK)
            return err;
        buffered |= w->sw.state != EST_DIRECT;
    }
    return buffered && (is_full(p, ad->values.len) || is_old(p)) ? EST_ERR_REDIS_FULL : EST_OK;
}

void publish_send(struct publish *p, const struct admit *ad, const struct admit_item *it,
                  void *ticket, size_t index)
{
    way_accept(way_of(p, it->type), ad, it, ticket, index);
}

size_t publish_pending(const struct publish *p)
{
    return p->ways.pending;
}

/* What flies lands and leaves its stream first, so that nobody has to send it again. */
static bool has_landed(const struct publish *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->all[i].sw.flying > 0 || p->all[i].sw.undeleted > 0)
            return false;
    return true;
}

bool publish_leave(struct publish *p)
{
    p->leaving = true;
    if (!p->closing && p->store_err == EST_OK && !has_landed(p))
        return false;
    if (!p->closing)
        boots_leave(p->ways.boots);
    p->closing = true;
    return boots_left(p->ways.boots);
}

void publish_metrics(const struct publish *p)
{
    struct est_metrics *m = p->opt.metrics;

    est_metrics_gauge(m, EST_METRIC_KAFKA_UP, NULL, NULL, p->kafka_there);
    est_metrics_gauge(m, EST_METRIC_KAFKA_PENDING, NULL, NULL,
                      (double)broker_pending(p->ways.broker));
    for (size_t i = 0; i < p->n; i++) {
        const struct way *w = &p->all[i];
        const char *type = w->type->name;
        /* Our own count is exact in direct only: else it is what Redis told at the last look. */
        est_metrics_gauge(m, EST_METRIC_REDIS_QUEUE, type, NULL,
                          w->sw.state == EST_DIRECT ? (double)w->sw.own
                                                    : (double)p->told[i].entries);
        est_metrics_gauge(m, EST_METRIC_BUFFER_STATE, type, NULL, (double)w->sw.state);
        est_metrics_gauge(m, EST_METRIC_BUFFER_BYTES, type, NULL, (double)p->told[i].bytes);
        est_metrics_gauge(m, EST_METRIC_BUFFER_OLDEST, type, NULL,
                          (double)p->told[i].oldest_age / (double)EST_SECOND);
    }
}

/* --- life --- */

static void order_by_priority(struct publish *p)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t at = i;
        uint64_t mine = est_config_type(p->opt.config, p->all[i].type->name)->priority;
        for (; at > 0 &&
               est_config_type(p->opt.config, p->ordered[at - 1]->type->name)->priority > mine;
             at--)
            p->ordered[at] = p->ordered[at - 1];
        p->ordered[at] = &p->all[i];
    }
}

static est_err init_types(struct publish *p, struct est_why *reterr)
{
    for (size_t i = 0; i < p->n; i++) {
        struct catalog_type *t = catalog_at(p->opt.catalog, i);
        est_err err = est_stamp_add(p->ways.stamp, t->name, 1, &t->stamp);
        if (err != EST_OK)
            return est_why_set(reterr, err, "type %s: its name cannot stand in a chain", t->name);
        err = way_init(&p->all[i], &p->ways, t);
        if (err != EST_OK)
            return est_why_set(reterr, err, "no memory for type %s", t->name);
    }
    order_by_priority(p);
    return EST_OK;
}

static est_err open_services(struct publish *p, const char *boot, struct est_why *reterr)
{
    const struct broker_options br = {p->opt.loop, p->opt.config, p->opt.catalog, on_delivered,
                                      on_lost,     on_answered,   on_partitions,  p};
    const struct boots_options bo = {
        p->opt.loop, p->opt.config, p->opt.metrics, boot,          on_store, on_found,
        on_gone,     on_fenced,     on_told,        on_remembered, p};
    est_err err = boots_new(&bo, &p->ways.boots, reterr);

    if (err != EST_OK)
        return err;
    p->ways.buffer = boots_buffer(p->ways.boots);
    return broker_new(&br, &p->ways.broker, reterr);
}

static est_err allocate(struct publish *p, const char *boot)
{
    p->all = est_calloc(p->n, sizeof(*p->all));
    p->ordered = est_calloc(p->n, sizeof(struct way *));
    p->told = est_calloc(p->n, sizeof(*p->told));
    p->telling = est_calloc(p->n, sizeof(*p->telling));
    p->ways.chains = est_calloc(EST_SWITCH_APPEND_MAX, sizeof(*p->ways.chains));
    if (p->all == NULL || p->ordered == NULL || p->told == NULL || p->telling == NULL ||
        p->ways.chains == NULL)
        return EST_ERR_NOMEM;
    return est_stamp_new(boot, &p->ways.stamp);
}

est_err publish_new(const struct publish_options *opt, struct publish **ret, struct est_why *reterr)
{
    struct publish *p = est_calloc(1, sizeof(*p));
    char boot[EST_BOOT_LEN + 1];
    est_err err;

    if (p == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for publishing");
    p->opt = *opt;
    p->n = catalog_count(opt->catalog);
    p->started = p->tokens_at = p->store_down = now_of(p);
    p->store_err = EST_ERR_REDIS_DOWN;
    p->tick = (struct est_timer){.fn = on_tick, .arg = p};
    p->wake = (struct est_timer){.fn = on_wake, .arg = p};
    p->ways = (struct ways){.loop = opt->loop,
                            .config = opt->config,
                            .metrics = opt->metrics,
                            .settled = opt->settled,
                            .arg = opt->arg};
    record_pool_init(&p->ways.pool, POOL_MAX);
    est_boot_id(boot);
    err = allocate(p, boot) == EST_OK ? init_types(p, reterr)
                                      : est_why_set(reterr, EST_ERR_NOMEM, "no memory for types");
    if (err == EST_OK)
        err = open_services(p, boot, reterr);
    if (err != EST_OK) {
        publish_free(p);
        return err;
    }
    EST_LOG(EST_INFO, "boot", EST_S("boot", boot));
    est_loop_on_turn(opt->loop, on_turn, p);
    est_loop_timer_at(opt->loop, &p->tick, now_of(p) + TICK);
    *ret = p;
    return EST_OK;
}

void publish_free(struct publish *p)
{
    if (p == NULL)
        return;
    est_loop_timer_off(p->opt.loop, &p->tick);
    est_loop_timer_off(p->opt.loop, &p->wake);
    p->closing = true;
    if (p->ways.broker != NULL) {
        p->taking_over = true;
        (void)broker_purge(p->ways.broker);
    }
    broker_free(p->ways.broker);
    boots_free(p->ways.boots);
    for (size_t i = 0; p->all != NULL && i < p->n; i++)
        way_fini(&p->all[i]);
    record_pool_fini(&p->ways.pool);
    est_stamp_free(p->ways.stamp);
    est_free(p->ways.chains);
    est_free(p->telling);
    est_free(p->told);
    est_free(p->ordered);
    est_free(p->all);
    est_free(p);
}
