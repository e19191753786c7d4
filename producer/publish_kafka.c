/* Kafka lost and found, and how many partitions it has. */
#include "base/log.h"
#include "core/stamp.h"
#include "publish_state.h"

#include <string.h>

/* Redis gets this long to answer the first look, before types begin without it. */
static const est_us FIRST_LOOK = EST_SECOND;

static bool is_of_topics(const char *reason)
{
    return strcmp(reason, "topic_failed") == 0 || strcmp(reason, "topic_timeout") == 0;
}

/* While Kafka is away its return is asked for with a few records, again and again. */
static void tell_loss(struct publish *p, const char *reason)
{
    bool again = p->loss_told && !is_of_topics(reason);

    est_metrics_count(p->opt.metrics, EST_METRIC_KAFKA_TAKEOVERS, again ? "still_away" : reason,
                      NULL, 1);
    EST_LOG(again ? EST_DEBUG : EST_WARN, again ? "kafka_still_away" : "kafka_lost",
            EST_S("reason", reason), EST_I("unacknowledged", broker_pending(p->ways.broker)));
    p->loss_told |= !is_of_topics(reason);
}

static void found(struct publish *p)
{
    p->kafka_there = true;
    p->loss_told = false;
}

void publish_take_over(struct publish *p, const char *reason)
{
    bool topic_only = is_of_topics(reason);

    p->taking_over = true;
    p->ways.lost = reason; /* what is sent while this goes on would overtake */
    tell_loss(p, reason);
    p->kafka_there &= topic_only;
    (void)broker_purge(p->ways.broker);
    p->ways.lost = NULL;
    for (size_t i = 0; i < p->n; i++)
        way_lost(&p->all[i], !topic_only || p->all[i].at_fault);
    p->taking_over = false;
}

void publish_on_lost(void *arg)
{
    struct publish *p = arg;

    if (p->kafka_there && !p->taking_over && p->ways.lost == NULL)
        p->ways.lost = "brokers_down";
}

void publish_on_answered(void *arg)
{
    struct publish *p = arg;

    if (p->ways.lost == NULL)
        found(p);
}

void publish_on_delivered(void *arg, struct record *rec, est_err err)
{
    struct publish *p = arg;

    if (err != EST_OK && !p->taking_over)
        est_metrics_count(p->opt.metrics, EST_METRIC_KAFKA_FAILURES, est_err_code(err), NULL, 1);
    if (err == EST_OK && p->ways.lost == NULL)
        found(p);
    way_delivered(rec->way, rec, err);
}

/* Types begin when it is known what older boots left, or when Redis has had its time. */
static bool may_begin(const struct publish *p)
{
    return boots_looked(p->ways.boots) || publish_now(p) - p->started >= FIRST_LOOK;
}

void publish_tell_evidence(struct publish *p)
{
    if (!p->kafka_there || !may_begin(p))
        return;
    for (size_t i = 0; i < p->n; i++)
        if (!p->all[i].sw.evidence && p->all[i].type->kafka_partitions > 0)
            est_switch_evidence(&p->all[i].sw);
}

/* Somebody has to ask whether Kafka is there when no record of a stream can show it. */
void publish_ask_broker(struct publish *p)
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

void publish_on_partitions(void *arg, struct catalog_type *t)
{
    struct publish *p = arg;

    set_partitions(p, t, (uint32_t)t->kafka_partitions);
    boots_put_partitions(p->ways.boots, t->name, (uint32_t)t->kafka_partitions);
}

void publish_on_remembered(void *arg, const char *type, uint32_t count)
{
    struct publish *p = arg;

    for (size_t i = 0; i < p->n; i++) {
        struct catalog_type *t = p->all[i].type;
        if (strcmp(t->name, type) == 0 && t->kafka_partitions == 0 && count > 0)
            set_partitions(p, t, count);
    }
}

/* Neither Kafka nor Redis knows: what `esteira topics apply` would make. */
void publish_assume_partitions(struct publish *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct catalog_type *t = p->all[i].type;
        if (t->partitions == 0 && may_begin(p))
            set_partitions(p, t, (uint32_t)est_config_type(p->opt.config, t->name)->partitions);
    }
}
