#include "attempts.h"

#include "base/log.h"
#include "base/mem.h"
#include "codec/attempt.h"
#include "config/config.h"
#include "deliver_state.h"
#include "io/http_out.h"
#include "io/kafka_pub.h"
#include "metrics/metrics.h"
#include "part.h"

#include <stdio.h>

enum {
    QUEUE_RECORDS = 10000,
    QUEUE_BYTES = 8 * 1024 * 1024,
    RECORD_MAX = 512 * 1024, /* 5,000 events, none beside another */
    TOPIC_MAX = 256,
    OPTIONS_MAX = 64
};
static const est_us LINGER = 200 * EST_MS, WRITE_TIMEOUT = 10 * EST_SECOND;
static const est_us FLUSH_BOUND = 500 * EST_MS;
static const est_us TELL_EVERY = 60 * EST_SECOND, RENEW_EVERY = 10 * EST_SECOND;

struct attempts {
    struct worker *w;
    struct est_kafka_pub *pub; /* NULL = off, or between two clients */
    char topic[TOPIC_MAX];
    struct est_attempt_item *items; /* by place in the batch; offset -1 = not in the request */
    size_t n;
    bool any_failed;
    struct est_buf record;
    est_us tell_at, renew_at;
    struct est_series *written, *dropped;
};

static const char *verdict_name(enum est_verdict_act act)
{
    static const char *const names[] = {
        [EST_VERDICT_DELIVERED] = "delivered", [EST_VERDICT_PER_ITEM] = "results",
        [EST_VERDICT_RETRY] = "retry",         [EST_VERDICT_PAUSE] = "pause",
        [EST_VERDICT_SPLIT] = "split",         [EST_VERDICT_POISON] = "refused",
    };

    return names[act];
}

/* --- writing --- */

static void drop(struct attempts *at, est_err err)
{
    est_us now = est_loop_now(at->w->loop);

    est_series_add(at->dropped, 1);
    if (now < at->tell_at)
        return;
    at->tell_at = now + TELL_EVERY;
    EST_LOG(EST_WARN, "attempts_dropped", EST_S("topic", at->topic),
            EST_S("code", est_err_code(err)), EST_I("dropped", est_series_count(at->dropped)));
}

static void on_delivered(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset)
{
    struct attempts *at = arg;

    (void)opaque;
    (void)partition;
    (void)offset;
    if (err == EST_OK)
        est_series_add(at->written, 1);
    else
        drop(at, err);
}

static void on_state(void *arg, bool up, const char *detail)
{
    (void)arg;
    (void)up;
    (void)detail; /* the group member tells the same */
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    EST_LOG(level <= 3 ? EST_WARN : EST_DEBUG, "kafka_client", EST_S("facility", facility),
            EST_S("text", text));
}

/* A client of its own: neither its queue nor a topic that is missing touches the dead letters. */
static est_err open_pub(struct attempts *at, struct est_why *reterr)
{
    const struct est_config *cfg = at->w->cfg;
    struct est_kafka_option extra[OPTIONS_MAX];
    struct est_kafka_pub_options o = {.brokers = cfg->kafka_brokers,
                                      .client_id = "esteira-consumer",
                                      .linger = LINGER,
                                      .message_timeout = WRITE_TIMEOUT,
                                      .queue_max_records = QUEUE_RECORDS,
                                      .queue_max_bytes = QUEUE_BYTES,
                                      .record_max_bytes = RECORD_MAX + 4096,
                                      .extra = extra};
    const struct est_kafka_pub_handlers h = {on_delivered, on_state, on_log, at};

    for (; o.n_extra < cfg->kafka_options.n && o.n_extra < OPTIONS_MAX; o.n_extra++)
        extra[o.n_extra] = (struct est_kafka_option){cfg->kafka_options.items[o.n_extra].name,
                                                     cfg->kafka_options.items[o.n_extra].value};
    return est_kafka_pub_new(at->w->loop, &o, &h, &at->pub, reterr);
}

/* After a fatal error only a new client writes again. */
static void renew(struct attempts *at)
{
    est_us now = est_loop_now(at->w->loop);
    struct est_why why = {0};

    if (at->pub != NULL && !est_kafka_pub_is_fatal(at->pub))
        return;
    if (now < at->renew_at)
        return;
    at->renew_at = now + RENEW_EVERY;
    est_kafka_pub_free(at->pub);
    at->pub = NULL;
    if (open_pub(at, &why) != EST_OK)
        EST_LOG(EST_WARN, "attempts_not_opened", EST_S("detail", why.text));
}

static void write_record(struct attempts *at, struct est_attempt *a)
{
    struct est_record rec = {
        .topic = at->topic, .partition = -1, .timestamp_ms = (a->at + a->duration) / EST_MS};
    struct est_why why = {0};
    est_err err;

    est_buf_clear(&at->record);
    est_attempt_put(&at->record, a);
    rec.value = est_buf_view(&at->record);
    err = est_buf_err(&at->record);
    if (err == EST_OK) {
        renew(at);
        err = at->pub != NULL ? est_kafka_pub_send(at->pub, &rec, NULL, &why) : EST_ERR_KAFKA_DOWN;
    }
    if (err != EST_OK)
        drop(at, err);
}

/* --- one request --- */

void attempts_begin(struct attempts *at, const struct shipment *s)
{
    at->n = 0;
    at->any_failed = false;
    if (at->items == NULL)
        return;
    at->n = s->range.to;
    for (size_t i = 0; i < at->n; i++) {
        const struct parcel *pc = i >= s->range.from ? deliver_parcel(s, i) : NULL;
        at->items[i] = (struct est_attempt_item){.offset = -1};
        if (pc != NULL)
            at->items[i] = (struct est_attempt_item){.topic = pc->part->type->topic,
                                                     .partition = pc->part->partition,
                                                     .offset = est_kafka_msg_offset(pc->msg),
                                                     .attempt = pc->attempts};
    }
}

void attempts_item(struct attempts *at, size_t i, int status)
{
    if (i < at->n)
        at->items[i].status = status;
    at->any_failed |= status < 200 || status > 299;
}

static size_t without_gaps(struct attempts *at)
{
    size_t n = 0;

    for (size_t i = 0; i < at->n; i++)
        if (at->items[i].offset >= 0)
            at->items[n++] = at->items[i];
    return n;
}

void attempts_end(struct attempts *at, const struct shipment *s, struct est_verdict v,
                  const struct est_http_result *res)
{
    bool ok = res != NULL && (v.act == EST_VERDICT_DELIVERED ||
                              (v.act == EST_VERDICT_PER_ITEM && !at->any_failed));
    struct est_attempt a = {.verdict = "unknown", .class = "abandoned", .items = at->items};

    if (at->items == NULL || (ok && at->w->dest->attempts == EST_ATTEMPTS_FAILURES))
        return;
    a.n = without_gaps(at);
    a.key = est_view_str(s->key);
    if (res != NULL) {
        a.duration = res->duration;
        a.status = res->status;
        a.verdict = verdict_name(v.act);
        a.class = v.class != EST_CLASS_NONE ? est_verdict_class_name(v.class) : NULL;
    }
    a.at = est_clock_wall() - a.duration;
    if (a.n > 0)
        write_record(at, &a);
    at->n = 0;
}

/* --- life --- */

est_err attempts_new(struct worker *w, struct attempts **ret, struct est_why *reterr)
{
    struct attempts *at = est_calloc(1, sizeof(*at));
    const struct est_destination_config *d = w->dest;
    est_err err;

    if (at == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the attempt log");
    at->w = w;
    est_buf_init(&at->record, RECORD_MAX);
    (void)snprintf(at->topic, sizeof(at->topic), "attempts.%s", d->name);
    at->written = est_metrics_series(w->metrics, EST_METRIC_ATTEMPTS_LOGGED, d->name, NULL);
    at->dropped = est_metrics_series(w->metrics, EST_METRIC_ATTEMPTS_DROPPED, d->name, NULL);
    *ret = at;
    if (d->attempts == EST_ATTEMPTS_OFF)
        return EST_OK;
    at->items = est_calloc(line_count_max(d), sizeof(*at->items));
    err = at->items != NULL ? open_pub(at, reterr)
                            : est_why_set(reterr, EST_ERR_NOMEM, "no memory for the attempt log");
    if (err != EST_OK) {
        attempts_free(at);
        *ret = NULL;
    }
    return err;
}

void attempts_free(struct attempts *at)
{
    if (at == NULL)
        return;
    if (at->pub != NULL)
        (void)est_kafka_pub_flush(at->pub, FLUSH_BOUND);
    est_kafka_pub_free(at->pub);
    est_buf_fini(&at->record);
    est_free(at->items);
    est_free(at);
}
