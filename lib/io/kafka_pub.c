#include "kafka_pub.h"

#include "base/assert.h"
#include "base/map.h"
#include "base/mem.h"
#include "io/kafka_ask.h"
#include "io/kafka_client.h"

#include <stdio.h>
#include <string.h>

enum { TOPICS_MAX = 1024 };

struct est_kafka_pub {
    struct est_loop *loop;
    struct est_kafka_pub_handlers h;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct est_kafka_wake wake;
    struct est_map
        topics; /* name → rd_kafka_topic_t: a look-up by name per record would take a lock */
    size_t pending;
    bool down, fatal;
    struct est_kafka_ask ask;
    struct {
        const char *const *topics;
        int32_t *counts;
        size_t n;
        est_kafka_counts_fn *fn;
        void *arg;
    } asked;
    const rd_kafka_message_t *report; /* while its handler runs */
};

struct code_row {
    rd_kafka_resp_err_t code;
    est_err err;
};

static const struct code_row codes[] = {
    {RD_KAFKA_RESP_ERR_NO_ERROR, EST_OK},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, EST_ERR_FULL},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, EST_ERR_TOO_LARGE},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, EST_ERR_KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, EST_ERR_KAFKA_REFUSED},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, EST_ERR_KAFKA_TOPIC},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, EST_ERR_KAFKA_TOPIC},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, EST_ERR_KAFKA_TOPIC},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, EST_ERR_KAFKA_TOPIC},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, EST_ERR_KAFKA_TOPIC},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, EST_ERR_KAFKA_PURGED},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, EST_ERR_KAFKA_PURGED},
    {RD_KAFKA_RESP_ERR__FATAL, EST_ERR_KAFKA_FATAL},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, EST_ERR_TIMEOUT},
};

static est_err err_of(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].code == code)
            return codes[i].err;
    return EST_ERR_KAFKA_DOWN;
}

/* --- what librdkafka tells --- */

static void set_state(struct est_kafka_pub *kp, bool up, const char *detail)
{
    if (kp->down == !up)
        return;
    kp->down = !up;
    kp->h.state(kp->h.arg, up, detail);
}

static void on_reports(struct est_kafka_pub *kp, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *m;

    while ((m = rd_kafka_event_message_next(ev)) != NULL) {
        kp->pending--;
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            set_state(kp, true, "acknowledged");
        kp->report = m;
        kp->h.delivered(kp->h.arg, m->_private, err_of(m->err), m->partition, m->offset);
        kp->report = NULL;
    }
}

est_err est_kafka_pub_returned(const struct est_kafka_pub *kp, struct est_record_header *headers,
                               size_t room, struct est_record *ret)
{
    const rd_kafka_message_t *m = kp->report;
    rd_kafka_headers_t *hdrs;
    const void *value;
    size_t len;

    EST_ASSERT(m != NULL);
    *ret = (struct est_record){.partition = m->partition,
                               .key = est_view(m->key, m->key_len),
                               .value = est_view(m->payload, m->len),
                               .headers = headers};
    if (rd_kafka_message_headers(m, &hdrs) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return EST_OK;
    for (size_t i = 0; rd_kafka_header_get_all(hdrs, i, &headers[i].name, &value, &len) == 0;) {
        headers[i].value = est_view(value, len);
        ret->n_headers = ++i;
        if (i == room)
            return rd_kafka_header_cnt(hdrs) > room ? EST_ERR_RANGE : EST_OK;
    }
    return EST_OK;
}

static void on_error(struct est_kafka_pub *kp, rd_kafka_event_t *ev)
{
    char text[256];

    if (rd_kafka_event_error_is_fatal(ev)) {
        kp->fatal = true;
        (void)rd_kafka_fatal_error(kp->rk, text, sizeof(text));
        kp->down = false; /* fatal is worth telling also when the brokers were down before */
        set_state(kp, false, text);
    } else if (rd_kafka_event_error(ev) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        set_state(kp, false, rd_kafka_event_error_string(ev));
    }
}

static void on_queue_event(void *arg, rd_kafka_event_t *ev)
{
    struct est_kafka_pub *kp = arg;
    const char *facility, *text;
    int level;

    switch (rd_kafka_event_type(ev)) {
    case RD_KAFKA_EVENT_DR: on_reports(kp, ev); break;
    case RD_KAFKA_EVENT_ERROR: on_error(kp, ev); break;
    case RD_KAFKA_EVENT_LOG:
        if (rd_kafka_event_log(ev, &facility, &text, &level) == 0)
            kp->h.log(kp->h.arg, level, facility, text);
        break;
    default: break;
    }
}

/* --- what a broker answers --- */

/* A topic made a moment ago has partitions without a leader: it cannot be written to yet. */
static bool has_leaders(const rd_kafka_metadata_topic_t *t)
{
    for (int i = 0; i < t->partition_cnt; i++)
        if (t->partitions[i].leader < 0)
            return false;
    return true;
}

static int32_t count_in(const struct rd_kafka_metadata *md, const char *topic)
{
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, topic) == 0 &&
            md->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            return has_leaders(&md->topics[i]) ? md->topics[i].partition_cnt : 0;
    return 0;
}

static void on_metadata(void *arg, rd_kafka_resp_err_t code, const struct rd_kafka_metadata *md)
{
    struct est_kafka_pub *kp = arg;

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kp->asked.fn(kp->asked.arg, EST_ERR_KAFKA_DOWN, NULL);
        return;
    }
    for (size_t i = 0; i < kp->asked.n; i++)
        kp->asked.counts[i] = count_in(md, kp->asked.topics[i]);
    set_state(kp, true, "answered");
    kp->asked.fn(kp->asked.arg, EST_OK, kp->asked.counts);
}

/* --- life --- */

static est_err configure(rd_kafka_conf_t *conf, const struct est_kafka_pub_options *opt,
                         struct est_why *reterr)
{
    const struct est_kafka_setting settings[] = {
        {"bootstrap.servers", opt->brokers, 0},
        {"client.id", opt->client_id, 0},
        {"enable.idempotence", "true", 0},
        {"acks", "all", 0},
        /* One request at a time: a broker that has no state of this producer for a partition takes
         * any first sequence number. Were the first request refused (not the leader yet) and the
         * second taken, the first one's retry would look like a repeat and be reported as done,
         * though it is nowhere: seen on a topic made a moment before. */
        {"max.in.flight.requests.per.connection", "1", 0},
        {"linger.ms", NULL, opt->linger / EST_MS},
        {"message.timeout.ms", NULL, opt->message_timeout / EST_MS},
        {"queue.buffering.max.messages", NULL, (int64_t)opt->queue_max_records},
        {"queue.buffering.max.kbytes", NULL, (int64_t)(opt->queue_max_bytes / 1024)},
        {"message.max.bytes", NULL, (int64_t)opt->record_max_bytes},
        {"reconnect.backoff.ms", "50", 0},
        {"reconnect.backoff.max.ms", "1000", 0},
        {"socket.connection.setup.timeout.ms", "2000", 0},
        {"socket.keepalive.enable", "true", 0},
        {"topic.metadata.propagation.max.ms", "5000", 0},
        {"log.queue", "true", 0},
    };
    est_err err =
        est_kafka_configure(conf, settings, sizeof(settings) / sizeof(settings[0]), reterr);

    return err ? err : est_kafka_configure_extra(conf, opt->extra, opt->n_extra, reterr);
}

est_err est_kafka_pub_new(struct est_loop *lp, const struct est_kafka_pub_options *opt,
                          const struct est_kafka_pub_handlers *h, struct est_kafka_pub **ret,
                          struct est_why *reterr)
{
    struct est_kafka_pub *kp = est_calloc(1, sizeof(*kp));
    rd_kafka_conf_t *conf;
    est_err err;

    if (kp == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the Kafka producer");
    kp->loop = lp;
    kp->h = *h;
    kp->wake.fd = -1;
    est_map_init(&kp->topics, TOPICS_MAX, 0, 0);
    conf = rd_kafka_conf_new();
    err = configure(conf, opt, reterr);
    if (err == EST_OK) {
        rd_kafka_conf_set_events(conf,
                                 RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
        err = est_kafka_new(RD_KAFKA_PRODUCER, &conf, &kp->rk, reterr);
    }
    if (err != EST_OK) {
        rd_kafka_conf_destroy(conf);
        goto fail;
    }
    kp->queue = rd_kafka_queue_get_main(kp->rk);
    (void)rd_kafka_set_log_queue(kp->rk, kp->queue);
    err = est_kafka_wake_init(&kp->wake, lp, kp->queue, on_queue_event, kp, reterr);
    if (err == EST_OK)
        err = est_kafka_ask_init(&kp->ask, lp, kp->rk, on_metadata, kp, reterr);
    if (err != EST_OK)
        goto fail;
    *ret = kp;
    return EST_OK;
fail:
    est_kafka_pub_free(kp);
    return err;
}

void est_kafka_pub_free(struct est_kafka_pub *kp)
{
    rd_kafka_topic_t *rkt;
    size_t it = 0;

    if (kp == NULL)
        return;
    est_kafka_ask_fini(&kp->ask);
    est_free(kp->asked.counts);
    est_kafka_wake_fini(&kp->wake);
    while ((rkt = est_map_next(&kp->topics, &it, NULL)) != NULL)
        rd_kafka_topic_destroy(rkt);
    est_map_fini(&kp->topics);
    if (kp->rk != NULL)
        (void)rd_kafka_purge(kp->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    if (kp->queue != NULL)
        rd_kafka_queue_destroy(kp->queue);
    if (kp->rk != NULL)
        rd_kafka_destroy(kp->rk);
    est_free(kp);
}

/* --- sending --- */

static rd_kafka_topic_t *topic_of(struct est_kafka_pub *kp, const char *name)
{
    rd_kafka_topic_t *rkt = est_map_get(&kp->topics, est_view_str(name));

    if (rkt != NULL)
        return rkt;
    rkt = rd_kafka_topic_new(kp->rk, name, NULL);
    if (rkt != NULL && est_map_put(&kp->topics, est_view_str(name), rkt) != EST_OK) {
        rd_kafka_topic_destroy(rkt);
        rkt = NULL;
    }
    return rkt;
}

static rd_kafka_headers_t *headers_of(const struct est_record *rec)
{
    rd_kafka_headers_t *hdrs = rd_kafka_headers_new(rec->n_headers);

    for (size_t i = 0; hdrs != NULL && i < rec->n_headers; i++)
        (void)rd_kafka_header_add(hdrs, rec->headers[i].name, -1, rec->headers[i].value.data,
                                  (ssize_t)rec->headers[i].value.len);
    return hdrs;
}

est_err est_kafka_pub_send(struct est_kafka_pub *kp, const struct est_record *rec, void *opaque,
                           struct est_why *reterr)
{
    rd_kafka_topic_t *rkt = topic_of(kp, rec->topic);
    rd_kafka_headers_t *hdrs = headers_of(rec);
    rd_kafka_resp_err_t code;

    if (rkt == NULL || hdrs == NULL) {
        if (hdrs != NULL)
            rd_kafka_headers_destroy(hdrs);
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for a record of %s", rec->topic);
    }
    code = rd_kafka_producev(kp->rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_PARTITION(rec->partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_KEY(rec->key.data, rec->key.len),
                             RD_KAFKA_V_VALUE((void *)(uintptr_t)rec->value.data, rec->value.len),
                             RD_KAFKA_V_HEADERS(hdrs), RD_KAFKA_V_TIMESTAMP(rec->timestamp_ms),
                             RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(hdrs); /* librdkafka takes them only on success */
        return est_why_set(reterr, err_of(code), "%s: %s", rec->topic, rd_kafka_err2str(code));
    }
    kp->pending++;
    return EST_OK;
}

bool est_kafka_pub_purge(struct est_kafka_pub *kp, est_us bound)
{
    est_us until = est_clock_mono() + bound;

    (void)rd_kafka_purge(kp->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (kp->pending > 0 && est_clock_mono() < until)
        est_kafka_wake_wait(&kp->wake, 10 * EST_MS);
    return kp->pending == 0;
}

/* Within rd_kafka_flush linger.ms does not count; it returns when nothing is left inside. */
bool est_kafka_pub_flush(struct est_kafka_pub *kp, est_us bound)
{
    est_us until = est_clock_mono() + bound;

    while (kp->pending > 0 && est_clock_mono() < until) {
        (void)rd_kafka_flush(kp->rk, 10);
        est_kafka_wake_wait(&kp->wake, EST_MS);
    }
    return kp->pending == 0;
}

size_t est_kafka_pub_pending(const struct est_kafka_pub *kp)
{
    return kp->pending;
}

bool est_kafka_pub_is_fatal(const struct est_kafka_pub *kp)
{
    return kp->fatal;
}

/* --- partitions --- */

est_err est_kafka_pub_ask(struct est_kafka_pub *kp, const char *const *topics, size_t n,
                          est_us timeout, est_kafka_counts_fn *fn, void *arg)
{
    if (kp->ask.running)
        return EST_ERR_AGAIN;
    if (kp->asked.counts == NULL || kp->asked.n != n) {
        int32_t *counts = est_realloc(kp->asked.counts, n * sizeof(*counts));
        if (counts == NULL)
            return EST_ERR_NOMEM;
        kp->asked.counts = counts;
    }
    kp->asked.topics = topics;
    kp->asked.n = n;
    kp->asked.fn = fn;
    kp->asked.arg = arg;
    for (size_t i = 0; i < n; i++)
        if (topic_of(kp, topics[i]) == NULL)
            return EST_ERR_NOMEM;
    return est_kafka_ask_start(&kp->ask, timeout);
}

/* Asking for a topic that is not there creates it where the broker allows that, and answers "not
 * yet": so it is asked again until the time is up. */
est_err est_kafka_pub_partitions(struct est_kafka_pub *kp, const char *topic, est_us timeout,
                                 int32_t *ret, struct est_why *reterr)
{
    rd_kafka_topic_t *rkt = topic_of(kp, topic);
    est_us until = est_clock_mono() + timeout;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (rkt == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for topic %s", topic);
    for (est_us left = timeout; left > 0; left = until - est_clock_mono()) {
        const struct rd_kafka_metadata *md;
        int32_t n = 0;
        code = rd_kafka_metadata(kp->rk, 0, rkt, &md, (int)(left / EST_MS) + 1);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            n = count_in(md, topic);
            rd_kafka_metadata_destroy(md);
        }
        if (n > 0) {
            set_state(kp, true, "answered");
            *ret = n;
            return EST_OK;
        }
        est_kafka_wake_wait(&kp->wake, 20 * EST_MS);
    }
    return est_why_set(reterr, EST_ERR_KAFKA_DOWN, "%s: %s", topic,
                       code ? rd_kafka_err2str(code) : "the topic does not exist yet");
}
