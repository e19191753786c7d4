#include "publish.h"

#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/stamp.h"
#include "publish_state.h"

enum { POOL_MAX = 16384, SHARE_MIN = 64 };
static const est_us TICK = 100 * EST_MS, RATE_STEP = 10 * EST_MS;

static struct way *way_of(const struct publish *p, const struct catalog_type *t)
{
    return &p->all[t - catalog_at(p->opt.catalog, 0)];
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
    est_us now = publish_now(p);

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

    return since != 0 && publish_now(p) - since > p->opt.config->producer_ack_timeout / 4;
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
        if (due <= publish_now(p)) /* it waits for its share of the rate */
            due = publish_now(p) + RATE_STEP;
        at = at == 0 || due < at ? due : at;
    }
    if (at == 0 && p->opt.config->redis_drain_rate > 0 && !all_rest(p))
        at = publish_now(p) + RATE_STEP;
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
        publish_take_over(p, p->ways.lost);
    if (p->ways.fenced)
        publish_be_born_again(p);
    publish_tell_evidence(p);
    pump(p);
    if (p->ways.lost != NULL) /* a release that failed at once */
        publish_take_over(p, p->ways.lost);
    publish_ask_broker(p);
    rest(p);
    set_wake(p);
}

static void on_tick(void *arg)
{
    struct publish *p = arg;

    publish_check_deadlines(p);
    publish_assume_partitions(p);
    publish_check_health(p);
    est_loop_timer_at(p->opt.loop, &p->tick, publish_now(p) + TICK);
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
    return buffered && (publish_is_full(p, ad->values.len) || publish_is_old(p))
               ? EST_ERR_REDIS_FULL
               : EST_OK;
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

static void mark_the_end(struct publish *p)
{
    p->leaving = true;
    for (size_t i = 0; i < p->n; i++)
        mark_all(&p->all[i]);
}

bool publish_leave(struct publish *p)
{
    if (!p->leaving) {
        mark_the_end(p);
        return false; /* they are pending for a moment */
    }
    if (!p->closing && p->store_err == EST_OK && !has_landed(p))
        return false;
    if (!p->closing)
        boots_leave(p->ways.boots);
    p->closing = true;
    return boots_left(p->ways.boots);
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
    const struct broker_options br = {
        p->opt.loop,     p->opt.config,       p->opt.catalog,        publish_on_delivered,
        publish_on_lost, publish_on_answered, publish_on_partitions, p};
    const struct boots_options bo = {p->opt.loop,
                                     p->opt.config,
                                     p->opt.metrics,
                                     boot,
                                     publish_on_store,
                                     publish_on_found,
                                     publish_on_gone,
                                     publish_on_fenced,
                                     publish_on_told,
                                     publish_on_remembered,
                                     p};
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
    p->started = p->tokens_at = p->store_down = publish_now(p);
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
    est_loop_timer_at(opt->loop, &p->tick, publish_now(p) + TICK);
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
