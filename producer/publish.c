#include "publish.h"

#include "admit.h"
#include "base/id.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog.h"
#include "config/config.h"
#include "core/health.h"
#include "core/stamp.h"
#include "io/kafka_pub.h"
#include "metrics/metrics.h"

#include <string.h>

enum { RECORD_OVERHEAD = 16 * 1024, OPTIONS_MAX = 64, FLIGHT_POOL_MAX = 16384 };
static const est_us PURGE_BOUND = 5 * EST_SECOND, WARM_UP = 5 * EST_SECOND;
static const est_us PROBE_EVERY = EST_SECOND, PROBE_BOUND = 100 * EST_MS,
                    REFRESH_EVERY = 60 * EST_SECOND;

enum state { LEARNING, DIRECT, AWAY };

/* One record between send and report. */
struct flight {
    struct est_node node; /* in publish.flights, oldest first; or in the pool */
    struct publish *publish;
    struct catalog_type *type;
    void *ticket;
    size_t index, bytes;
    est_us sent_at;
    int32_t partition;
    est_err failed; /* sending itself failed: told in the next turn */
};

struct publish {
    struct publish_options opt;
    struct est_kafka_pub *kafka;
    struct est_stamp *stamp;
    struct est_series **accepted, **not_promised; /* by type */
    enum state state;
    bool taking_over;
    const char *takeover_reason; /* a takeover is due at the end of this turn */
    struct est_node flights, unsent, pool;
    size_t n_pool, pending, pending_bytes;
    size_t asked; /* types whose partitions this round of learn() has asked for */
    bool known;   /* every type's partitions have been told in this life */
    struct est_timer oldest, probe;
};

/* --- state --- */

/* Why a takeover happens: the label of its metric, and what /readyz says meanwhile. */
static const char *const reasons[][2] = {
    {"brokers_down", "no Kafka broker can be reached"},
    {"ack_timeout", "Kafka does not acknowledge within producer.ack_timeout"},
    {"failed", "Kafka did not take a record"},
    {"stopping", "the shim is stopping"},
};

static const char *sentence_of(const char *reason)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(reasons[i][0], reason) == 0)
            return reasons[i][1];
    return reason;
}

static void set_away(struct publish *p, const char *detail)
{
    (void)est_health_add(p->opt.health, "kafka_down", detail, est_loop_now(p->opt.loop));
    if (p->state == DIRECT) {
        p->state = AWAY;
        EST_LOG(EST_WARN, "kafka_away", EST_S("detail", detail),
                EST_I("unacknowledged", p->pending));
    }
    est_loop_timer_at(p->opt.loop, &p->probe, est_loop_now(p->opt.loop) + 20 * EST_MS);
}

static void set_direct(struct publish *p)
{
    if (p->state != DIRECT)
        EST_LOG(EST_INFO, "kafka_direct", EST_I("types", catalog_count(p->opt.catalog)));
    p->state = DIRECT;
    (void)est_health_remove(p->opt.health, "kafka_down");
}

/* --- settling --- */

static size_t type_index(const struct publish *p, const struct catalog_type *t)
{
    return (size_t)(t - catalog_at(p->opt.catalog, 0));
}

static void settle(struct flight *f, est_err err)
{
    struct publish *p = f->publish;

    est_list_remove(&f->node);
    p->pending--;
    p->pending_bytes -= f->bytes;
    if (err == EST_OK) {
        est_series_add(p->accepted[type_index(p, f->type)], 1);
    } else {
        est_series_add(p->not_promised[type_index(p, f->type)], 1);
        est_metrics_count(p->opt.metrics, EST_METRIC_KAFKA_FAILURES, est_err_code(err), NULL, 1);
        est_stamp_break(p->stamp, f->type->stamp, (uint32_t)f->partition);
        if (!p->taking_over && p->takeover_reason == NULL)
            p->takeover_reason = "failed";
    }
    p->opt.settled(p->opt.arg, f->ticket, f->index, err);
    if (p->n_pool < FLIGHT_POOL_MAX) {
        est_list_append(&p->pool, &f->node);
        p->n_pool++;
    } else {
        est_free(f);
    }
}

static void settle_unsent(struct publish *p)
{
    struct est_node *n;

    while ((n = est_list_first(&p->unsent)) != NULL) {
        struct flight *f = EST_CONTAINER(n, struct flight, node);
        settle(f, f->failed);
    }
}

/* With its client go the reports that have not come: nobody else would settle these. */
static void drop_kafka(struct publish *p)
{
    struct est_node *n;

    est_kafka_pub_free(p->kafka);
    p->kafka = NULL;
    while ((n = est_list_first(&p->flights)) != NULL)
        settle(EST_CONTAINER(n, struct flight, node), EST_ERR_KAFKA_PURGED);
}

static void take_over(struct publish *p, const char *reason)
{
    p->taking_over = true;
    est_metrics_count(p->opt.metrics, EST_METRIC_KAFKA_TAKEOVERS, reason, NULL, 1);
    set_away(p, sentence_of(reason));
    if (!est_kafka_pub_purge(p->kafka, PURGE_BOUND))
        EST_LOG(EST_ERROR, "purge_incomplete",
                EST_I("unreported", est_kafka_pub_pending(p->kafka)));
    settle_unsent(p);
    p->taking_over = false;
    p->takeover_reason = NULL;
}

static void on_turn(void *arg)
{
    struct publish *p = arg;

    settle_unsent(p);
    if (p->takeover_reason != NULL)
        take_over(p, p->takeover_reason);
}

/* --- what Kafka tells --- */

static void on_delivered(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset)
{
    (void)arg;
    (void)partition;
    (void)offset;
    settle(opaque, err);
}

static void on_state(void *arg, bool up, const char *detail)
{
    struct publish *p = arg;

    (void)detail;
    if (!up && p->state == DIRECT)
        p->takeover_reason = "brokers_down";
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    EST_LOG(level <= 3 ? EST_WARN : EST_DEBUG, "kafka_client", EST_S("facility", facility),
            EST_S("text", text));
}

static void on_oldest(void *arg)
{
    struct publish *p = arg;
    const struct est_node *n = est_list_first(&p->flights);
    est_us due;

    if (n == NULL)
        return;
    due = EST_CONTAINER(n, struct flight, node)->sent_at + p->opt.config->producer_ack_timeout;
    if (est_loop_now(p->opt.loop) < due)
        est_loop_timer_at(p->opt.loop, &p->oldest, due);
    else
        p->takeover_reason = "ack_timeout";
}

/* --- partitions --- */

static est_err learn_type(struct publish *p, struct catalog_type *t, est_us bound,
                          struct est_why *why)
{
    int32_t n;
    est_err err = est_kafka_pub_partitions(p->kafka, t->topic, bound, &n, why);

    if (err != EST_OK || n == t->partitions)
        return err;
    if ((uint32_t)n > est_stamp_partitions(p->stamp, t->stamp) &&
        est_stamp_grow(p->stamp, t->stamp, (uint32_t)n) != EST_OK)
        return est_why_set(why, EST_ERR_NOMEM, "no memory for the partitions of %s", t->topic);
    EST_LOG(EST_INFO, "partitions", EST_S("topic", t->topic), EST_I("partitions", n));
    t->partitions = n;
    return EST_OK;
}

/* One round over all types, which goes on where the last call had to stop: a broker that is far
 * away answers few questions within `bound`, and yet the round ends. */
static est_err learn(struct publish *p, est_us bound, struct est_why *why)
{
    est_us until = est_clock_mono() + bound;

    for (size_t n = catalog_count(p->opt.catalog); p->asked < n; p->asked++) {
        est_us left = until - est_clock_mono();
        est_err err = EST_ERR_TIMEOUT;
        if (left <= 0)
            return est_why_set(why, err, "Kafka answers slowly: %zu of %zu topics known", p->asked,
                               n);
        err = learn_type(p, catalog_at(p->opt.catalog, p->asked), left, why);
        if (err != EST_OK)
            return err;
    }
    p->asked = 0;
    p->known = true;
    return EST_OK;
}

/* Does a broker answer? All partitions being known, one question is enough. */
static est_err look(struct publish *p, struct est_why *why)
{
    if (p->state == AWAY && p->known)
        return learn_type(p, catalog_at(p->opt.catalog, 0), PROBE_BOUND, why);
    return learn(p, PROBE_BOUND, why);
}

static est_err open_kafka(struct publish *p, struct est_why *reterr)
{
    const struct est_config *cfg = p->opt.config;
    struct est_kafka_option extra[OPTIONS_MAX];
    struct est_kafka_pub_options o = {
        .brokers = cfg->kafka_brokers,
        .client_id = "esteira-producer",
        .linger = cfg->kafka_linger,
        .message_timeout = cfg->kafka_message_timeout,
        /* publish_ready lets a request of any size in when nothing waits; and it counts values and
         * keys, librdkafka headers as well. */
        .queue_max_records = cfg->producer_queue_records + cfg->producer_batch_max,
        .queue_max_bytes = (cfg->producer_queue_bytes + cfg->producer_body_max) * 2,
        .record_max_bytes = cfg->producer_event_max + RECORD_OVERHEAD,
        .extra = extra,
    };
    const struct est_kafka_pub_handlers h = {on_delivered, on_state, on_log, p};

    for (; o.n_extra < cfg->kafka_options.n && o.n_extra < OPTIONS_MAX; o.n_extra++)
        extra[o.n_extra] = (struct est_kafka_option){cfg->kafka_options.items[o.n_extra].name,
                                                     cfg->kafka_options.items[o.n_extra].value};
    return est_kafka_pub_new(p->opt.loop, &o, &h, &p->kafka, reterr);
}

/* After a fatal error the client is replaced; everything it held has been taken over before. */
static bool revive(struct publish *p)
{
    struct est_why why = {0};

    if (p->kafka != NULL && !est_kafka_pub_is_fatal(p->kafka))
        return true;
    drop_kafka(p);
    if (open_kafka(p, &why) == EST_OK)
        return true;
    EST_LOG(EST_ERROR, "kafka_client_failed", EST_S("code", est_err_code(why.code)),
            EST_S("detail", why.text));
    return false;
}

/* Away: does a broker answer again? Direct: has a topic grown? Asking blocks, so it is bounded. */
static void on_probe(void *arg)
{
    struct publish *p = arg;
    struct est_why why = {0};
    bool ok = revive(p) && look(p, &why) == EST_OK;

    if (ok)
        set_direct(p);
    est_loop_timer_at(p->opt.loop, &p->probe,
                      est_clock_mono() + (p->state == DIRECT ? REFRESH_EVERY : PROBE_EVERY));
}

void publish_warm_up(struct publish *p)
{
    struct est_why why = {0};
    est_err err = learn(p, WARM_UP, &why);

    if (err == EST_OK)
        set_direct(p);
    else
        set_away(p, why.text);
    est_loop_timer_at(p->opt.loop, &p->probe,
                      est_clock_mono() + (err ? PROBE_EVERY : REFRESH_EVERY));
}

/* --- life --- */

static est_err init_types(struct publish *p, struct est_why *reterr)
{
    size_t n = catalog_count(p->opt.catalog);
    char boot[EST_BOOT_LEN + 1];

    est_boot_id(boot);
    p->accepted = est_calloc(n, sizeof(struct est_series *));
    p->not_promised = est_calloc(n, sizeof(struct est_series *));
    if (p->accepted == NULL || p->not_promised == NULL || est_stamp_new(boot, &p->stamp) != EST_OK)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the types");
    for (size_t i = 0; i < n; i++) {
        struct catalog_type *t = catalog_at(p->opt.catalog, i);
        est_err err = est_stamp_add(p->stamp, t->name, 1, &t->stamp);
        if (err != EST_OK)
            return est_why_set(reterr, err, "type %s: its name cannot stand in a chain", t->name);
        p->accepted[i] = est_metrics_series(p->opt.metrics, EST_METRIC_ACCEPTED, t->name, NULL);
        /* Nothing is kept in Redis by this version, so nothing can wait there. */
        est_metrics_gauge(p->opt.metrics, EST_METRIC_REDIS_QUEUE, t->name, NULL, 0);
        p->not_promised[i] =
            est_metrics_series(p->opt.metrics, EST_METRIC_NOT_PROMISED, t->name, NULL);
    }
    EST_LOG(EST_INFO, "boot", EST_S("boot", boot));
    return EST_OK;
}

est_err publish_new(const struct publish_options *opt, struct publish **ret, struct est_why *reterr)
{
    struct publish *p = est_calloc(1, sizeof(*p));
    est_err err;

    if (p == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for publishing");
    p->opt = *opt;
    p->oldest = (struct est_timer){.fn = on_oldest, .arg = p};
    p->probe = (struct est_timer){.fn = on_probe, .arg = p};
    est_list_init(&p->flights);
    est_list_init(&p->unsent);
    est_list_init(&p->pool);
    err = init_types(p, reterr);
    if (err == EST_OK)
        err = open_kafka(p, reterr);
    if (err != EST_OK) {
        publish_free(p);
        return err;
    }
    est_loop_on_turn(opt->loop, on_turn, p);
    *ret = p;
    return EST_OK;
}

void publish_give_up(struct publish *p)
{
    if (p->kafka != NULL && p->pending > 0)
        take_over(p, "stopping");
}

void publish_free(struct publish *p)
{
    if (p == NULL)
        return;
    publish_give_up(p);
    est_loop_timer_off(p->opt.loop, &p->oldest);
    est_loop_timer_off(p->opt.loop, &p->probe);
    drop_kafka(p);
    EST_LIST_EACH(n, &p->pool)
        est_free(EST_CONTAINER(n, struct flight, node));
    est_stamp_free(p->stamp);
    est_free(p->accepted);
    est_free(p->not_promised);
    est_free(p);
}

/* --- sending --- */

est_err publish_ready(const struct publish *p, size_t n, size_t bytes)
{
    const struct est_config *cfg = p->opt.config;

    if (p->state != DIRECT || p->takeover_reason != NULL || !est_list_empty(&p->unsent))
        return EST_ERR_KAFKA_DOWN;
    if (p->pending > 0 && (p->pending + n > cfg->producer_queue_records ||
                           p->pending_bytes + bytes > cfg->producer_queue_bytes))
        return EST_ERR_FULL;
    return EST_OK;
}

static struct flight *take_flight(struct publish *p)
{
    struct est_node *n = est_list_first(&p->pool);
    struct flight *f;

    if (n != NULL) {
        est_list_remove(n);
        p->n_pool--;
        return EST_CONTAINER(n, struct flight, node);
    }
    f = est_calloc(1, sizeof(*f));
    if (f != NULL)
        est_list_init(&f->node);
    return f;
}

static void put_header(struct est_record_header *headers, size_t *n, const char *name,
                       struct est_view value)
{
    if (value.data != NULL)
        headers[(*n)++] = (struct est_record_header){name, value};
}

/* CloudEvents 1.0, Kafka binding in binary mode, W3C trace context, and our chain. */
static est_err send_record(struct publish *p, const struct admit *ad, const struct admit_item *it,
                           struct flight *f, struct est_why *why)
{
    const struct est_event *ev = &it->ev;
    struct est_record_header headers[10];
    struct est_record rec = {.topic = it->type->topic,
                             .partition = it->partition,
                             .key = it->key,
                             .value = admit_value(ad, it),
                             .headers = headers,
                             .timestamp_ms = ev->received_at / EST_MS};
    char time[EST_RFC3339_LEN + 1], chain_text[EST_CHAIN_TEXT_MAX + 1];
    struct est_chain chain;
    est_err err = est_stamp_next(p->stamp, it->type->stamp, (uint32_t)it->partition, &chain);

    if (err != EST_OK)
        return err;
    est_rfc3339_format(ev->occurred_at, time);
    put_header(headers, &rec.n_headers, "ce_specversion", EST_VIEW_LIT("1.0"));
    put_header(headers, &rec.n_headers, "ce_id", ev->id);
    put_header(headers, &rec.n_headers, "ce_type", ev->event);
    put_header(headers, &rec.n_headers, "ce_source", ev->source);
    put_header(headers, &rec.n_headers, "ce_time", est_view(time, EST_RFC3339_LEN));
    put_header(headers, &rec.n_headers, "ce_subject", ev->subject);
    put_header(headers, &rec.n_headers, "content-type", EST_VIEW_LIT("application/avro"));
    put_header(headers, &rec.n_headers, "traceparent", ev->traceparent);
    put_header(headers, &rec.n_headers, "tracestate", ev->tracestate);
    put_header(headers, &rec.n_headers, EST_CHAIN_HEADER,
               est_view(chain_text, est_chain_format(&chain, chain_text)));
    return est_kafka_pub_send(p->kafka, &rec, f, why);
}

void publish_send(struct publish *p, const struct admit *ad, const struct admit_item *it,
                  void *ticket, size_t index)
{
    struct flight *f = take_flight(p);
    struct est_why why = {0};

    if (f ==
        NULL) { /* nothing was stamped; the answer is given at the last item, so not from here */
        p->opt.settled(p->opt.arg, ticket, index, EST_ERR_NOMEM);
        return;
    }
    *f = (struct flight){.publish = p,
                         .type = it->type,
                         .ticket = ticket,
                         .index = index,
                         .bytes = it->value_len + it->key.len,
                         .sent_at = est_loop_now(p->opt.loop),
                         .partition = it->partition};
    p->pending++;
    p->pending_bytes += f->bytes;
    /* Behind one that could not be sent nothing is sent any more, so that no number is skipped. */
    f->failed = est_list_empty(&p->unsent) ? send_record(p, ad, it, f, &why) : EST_ERR_KAFKA_PURGED;
    est_list_append(f->failed ? &p->unsent : &p->flights, &f->node);
    if (!est_loop_timer_armed(&p->oldest))
        est_loop_timer_at(p->opt.loop, &p->oldest,
                          f->sent_at + p->opt.config->producer_ack_timeout);
}

size_t publish_pending(const struct publish *p)
{
    return p->pending;
}

void publish_metrics(const struct publish *p)
{
    est_metrics_gauge(p->opt.metrics, EST_METRIC_KAFKA_UP, NULL, NULL, p->state == DIRECT);
    est_metrics_gauge(p->opt.metrics, EST_METRIC_KAFKA_PENDING, NULL, NULL, (double)p->pending);
}
