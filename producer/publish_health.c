/* Deadlines, health and metrics of publishing. */
#include "core/health.h"
#include "publish_state.h"

/* Not a mere moment between two connections. */
static bool is_store_gone(const struct publish *p)
{
    return p->store_err != EST_OK && publish_now(p) - p->store_down >= p->opt.config->redis_timeout;
}

void publish_check_deadlines(struct publish *p)
{
    const struct est_config *cfg = p->opt.config;

    bool late = false, alive = false;

    for (size_t i = 0; i < p->n; i++) {
        struct way *w = &p->all[i];
        est_us kafka = way_waits_for_kafka(w), buffer = way_waits_for_buffer(w);
        w->at_fault |= kafka != 0 && publish_now(p) - kafka >= cfg->producer_ack_timeout;
        late |= w->at_fault;
        alive |= !w->at_fault && w->acked_at != 0 &&
                 publish_now(p) - w->acked_at < cfg->producer_ack_timeout / 2;
        if (buffer != 0 && !w->sw.append_sent &&
            (is_store_gone(p) ||
             publish_now(p) - buffer >= cfg->producer_ack_timeout + cfg->redis_timeout))
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
        (void)est_health_add(h, t->code, t->text, publish_now(p));
    else
        (void)est_health_remove(h, t->code);
}

bool publish_is_full(const struct publish *p, size_t more)
{
    return p->ways.buffered_bytes + more > p->opt.config->redis_buffer_bytes;
}

bool publish_is_old(const struct publish *p)
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
    note(p, p->opt.health, &refuses, away && publish_now(p) < p->ways.refusal_until);
    note(p, p->opt.health, &buffer_full, away && publish_is_full(p, 0));
    note(p, p->opt.health, &buffer_old, away && publish_is_old(p));
    note(p, p->opt.warnings, &kafka_down, away && !p->kafka_there && !blocked);
    note(p, p->opt.warnings, &redis_down, p->store_err != EST_OK && !blocked);
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
        est_metrics_gauge(m, EST_METRIC_BUFFER_STATE, type, NULL, (double)est_switch_shown(&w->sw));
        est_metrics_gauge(m, EST_METRIC_BUFFER_BYTES, type, NULL, (double)p->told[i].bytes);
        est_metrics_gauge(m, EST_METRIC_BUFFER_OLDEST, type, NULL,
                          (double)p->told[i].oldest_age / (double)EST_SECOND);
    }
}
