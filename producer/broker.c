#include "broker.h"

#include "base/log.h"
#include "base/mem.h"
#include "catalog.h"
#include "codec/chain_field.h"
#include "codec/entry.h"
#include "config/config.h"
#include "core/chain.h"
#include "io/kafka_pub.h"
#include "record.h"

#include <string.h>

enum { RECORD_OVERHEAD = 16 * 1024, OPTIONS_MAX = 64, KEEP_BYTES = 1 << 20 };
static const est_us PURGE_BOUND = 5 * EST_SECOND;
static const est_us ASK_BOUND = EST_SECOND, PROBE_EVERY = EST_SECOND,
                    REFRESH_EVERY = 60 * EST_SECOND, SOON = 20 * EST_MS;
/* At a start the topics may have been made a moment ago, and nobody is served meanwhile. */
static const est_us EAGER_FOR = 5 * EST_SECOND, EAGER_EVERY = 50 * EST_MS;

struct broker {
    struct broker_options opt;
    struct est_kafka_pub *kafka; /* NULL after one was given up */
    struct est_timer probe;
    struct est_buf value; /* of the record in hand, its chain set or taken out */
    const char **topics;  /* as in the catalog */
    size_t n;
    est_us born;
    bool asking, known, wanted;
};

/* --- what the client tells --- */

/* As the value was before it was sent: whoever sends it next gives it another chain. */
static struct est_view without_chain(struct broker *b, struct est_view value)
{
    for (size_t i = 0; i < b->n; i++) {
        est_buf_clear(&b->value);
        if (est_chain_field_put(catalog_at(b->opt.catalog, i)->schema, value, EST_VIEW_NONE, 0,
                                &b->value))
            return est_buf_view(&b->value);
    }
    return value;
}

/* The report of a failed record has its bytes: from here on the record holds them again. */
static est_err hold_returned(struct broker *b, struct record *rec)
{
    struct est_record_header headers[EST_ENTRY_HEADERS_MAX + 1];
    struct est_record back;
    struct est_entry e = {0};
    struct est_view id = EST_VIEW_LIT("");

    if (est_kafka_pub_returned(b->kafka, headers, EST_ENTRY_HEADERS_MAX + 1, &back) != EST_OK)
        return EST_ERR_RANGE;
    e.key = back.key;
    e.value = without_chain(b, back.value);
    if (b->value.failed)
        return EST_ERR_NOMEM;
    e.timestamp_ms = rec->timestamp_ms;
    for (size_t i = 0; i < back.n_headers; i++) {
        if (strcmp(headers[i].name, EST_CHAIN_HEADER) == 0)
            continue;
        if (strcmp(headers[i].name, "ce_id") == 0)
            id = headers[i].value;
        e.headers[e.n_headers++] =
            (struct est_entry_header){est_view_str(headers[i].name), headers[i].value};
    }
    return record_hold(rec, id, &e);
}

static void on_delivered(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset)
{
    struct broker *b = arg;
    struct record *rec = opaque;

    (void)partition;
    (void)offset;
    if (err != EST_OK && rec->data == NULL && !record_is_drained(rec) &&
        hold_returned(b, rec) != EST_OK)
        EST_LOG(EST_ERROR, "record_not_held", EST_S("code", est_err_code(err)));
    b->opt.delivered(b->opt.arg, rec, err);
}

static void on_state(void *arg, bool up, const char *detail)
{
    struct broker *b = arg;

    (void)detail;
    if (!up)
        b->opt.lost(b->opt.arg);
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    EST_LOG(level <= 3 ? EST_WARN : EST_DEBUG, "kafka_client", EST_S("facility", facility),
            EST_S("text", text));
}

/* --- the client --- */

static est_err open_client(struct broker *b, struct est_why *reterr)
{
    const struct est_config *cfg = b->opt.config;
    struct est_kafka_option extra[OPTIONS_MAX];
    /* A request of any size is let in when nothing waits; a drain adds its window; and librdkafka
     * counts headers as well. */
    struct est_kafka_pub_options o = {
        .brokers = cfg->kafka_brokers,
        .client_id = "esteira-producer",
        .linger = cfg->kafka_linger,
        .message_timeout = cfg->kafka_message_timeout,
        .queue_max_records =
            cfg->producer_queue_records + cfg->producer_batch_max + cfg->redis_window,
        .queue_max_bytes = (cfg->producer_queue_bytes + cfg->producer_body_max) * 2,
        .record_max_bytes = cfg->producer_event_max + RECORD_OVERHEAD,
        .extra = extra,
    };
    const struct est_kafka_pub_handlers h = {on_delivered, on_state, on_log, b};

    for (; o.n_extra < cfg->kafka_options.n && o.n_extra < OPTIONS_MAX; o.n_extra++)
        extra[o.n_extra] = (struct est_kafka_option){cfg->kafka_options.items[o.n_extra].name,
                                                     cfg->kafka_options.items[o.n_extra].value};
    return est_kafka_pub_new(b->opt.loop, &o, &h, &b->kafka, reterr);
}

static void close_client(struct broker *b)
{
    est_kafka_pub_free(b->kafka);
    b->kafka = NULL;
    b->asking = false;
}

/* After a fatal error the client is replaced, once a probe at most: a new one has no memory of how
 * often it has failed. */
static bool revive(struct broker *b)
{
    struct est_why why = {0};

    if (b->kafka != NULL && !est_kafka_pub_is_fatal(b->kafka))
        return true;
    if (b->kafka != NULL && est_kafka_pub_pending(b->kafka) > 0)
        return false; /* not taken back yet */
    close_client(b);
    if (open_client(b, &why) == EST_OK)
        return true;
    EST_LOG(EST_ERROR, "kafka_client_failed", EST_S("code", est_err_code(why.code)),
            EST_S("detail", why.text));
    return false;
}

/* --- questions --- */

static void ask_again(struct broker *b)
{
    est_us pause = REFRESH_EVERY;

    if (b->asking || est_loop_timer_armed(&b->probe))
        return;
    if (!b->known && est_clock_mono() - b->born < EAGER_FOR)
        pause = EAGER_EVERY;
    else if (b->wanted)
        pause = PROBE_EVERY;
    est_loop_timer_at(b->opt.loop, &b->probe, est_loop_now(b->opt.loop) + pause);
}

static void learn(struct broker *b, struct catalog_type *t, int32_t n)
{
    if (n == t->kafka_partitions)
        return;
    EST_LOG(EST_INFO, "partitions", EST_S("topic", t->topic), EST_I("partitions", n));
    t->kafka_partitions = t->partitions = n;
    b->opt.partitions(b->opt.arg, t);
}

static void on_counts(void *arg, est_err err, const int32_t *counts)
{
    struct broker *b = arg;
    bool known = true;

    b->asking = false;
    for (size_t i = 0; err == EST_OK && i < b->n; i++) {
        if (counts[i] > 0)
            learn(b, catalog_at(b->opt.catalog, i), counts[i]);
        known &= catalog_at(b->opt.catalog, i)->kafka_partitions > 0;
    }
    if (err == EST_OK) {
        b->known = known;
        b->opt.answered(b->opt.arg);
    }
    ask_again(b);
}

static void on_probe(void *arg)
{
    struct broker *b = arg;

    b->asking = revive(b) &&
                est_kafka_pub_ask(b->kafka, b->topics, b->n, ASK_BOUND, on_counts, b) == EST_OK;
    ask_again(b);
}

void broker_ask(struct broker *b, bool wanted)
{
    if (b->wanted == wanted)
        return;
    b->wanted = wanted;
    if (wanted && !b->asking)
        est_loop_timer_at(b->opt.loop, &b->probe, est_loop_now(b->opt.loop) + SOON);
}

bool broker_is_known(const struct broker *b)
{
    return b->known;
}

/* --- records --- */

/* Names of entries end where the view ends; Kafka's client wants them NUL-terminated. */
struct names {
    char text[EST_ENTRY_HEADERS_MAX * (EST_ENTRY_NAME_MAX + 1)];
    size_t n;
};

static const char *terminated(struct names *names, struct est_view name)
{
    char *at = &names->text[names->n];

    memcpy(at, name.data, name.len);
    at[name.len] = '\0';
    names->n += name.len + 1;
    return at;
}

/* A consumer that need not look for a trace context need not take the headers apart: then, and only
 * then, the value says its chain as well. */
static bool is_traced(const struct est_entry *e)
{
    for (size_t i = 0; i < e->n_headers; i++)
        if (est_view_is(e->headers[i].name, "traceparent"))
            return true;
    return false;
}

static void clear_value(struct broker *b)
{
    if (b->value.cap > KEEP_BYTES)
        est_buf_fini(&b->value);
    est_buf_clear(&b->value);
}

/* Without memory the header alone says it. */
static struct est_view with_chain(struct broker *b, const struct catalog_type *t,
                                  const struct est_entry *e, struct est_view chain)
{
    clear_value(b);
    if (is_traced(e) ||
        !est_chain_field_put(t->schema, e->value, chain, e->timestamp_ms, &b->value) ||
        b->value.failed)
        return e->value;
    return est_buf_view(&b->value);
}

est_err broker_send(struct broker *b, const struct catalog_type *t, struct record *rec,
                    const struct est_entry *e, struct est_view chain, struct est_why *why)
{
    struct est_record_header headers[EST_ENTRY_HEADERS_MAX + 1];
    struct names names;
    struct est_record out = {.topic = t->topic,
                             .partition = rec->partition,
                             .key = e->key,
                             .value = with_chain(b, t, e, chain),
                             .headers = headers,
                             .timestamp_ms = e->timestamp_ms};

    if (b->kafka == NULL)
        return est_why_set(why, EST_ERR_KAFKA_DOWN, "the Kafka client has failed");
    names.n = 0;
    for (; out.n_headers < e->n_headers; out.n_headers++) {
        const struct est_entry_header *h = &e->headers[out.n_headers];
        headers[out.n_headers] = (struct est_record_header){terminated(&names, h->name), h->value};
    }
    headers[out.n_headers++] = (struct est_record_header){EST_CHAIN_HEADER, chain};
    return est_kafka_pub_send(b->kafka, &out, rec, why);
}

bool broker_purge(struct broker *b)
{
    if (b->kafka == NULL || est_kafka_pub_purge(b->kafka, PURGE_BOUND))
        return true;
    EST_LOG(EST_ERROR, "purge_incomplete", EST_I("unreported", est_kafka_pub_pending(b->kafka)));
    close_client(b);
    ask_again(b); /* which makes a new one */
    return false;
}

size_t broker_pending(const struct broker *b)
{
    return b->kafka == NULL ? 0 : est_kafka_pub_pending(b->kafka);
}

/* --- life --- */

est_err broker_new(const struct broker_options *opt, struct broker **ret, struct est_why *reterr)
{
    struct broker *b = est_calloc(1, sizeof(*b));
    est_err err;

    if (b == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for Kafka's client");
    b->opt = *opt;
    b->born = est_clock_mono();
    b->probe = (struct est_timer){.fn = on_probe, .arg = b};
    est_buf_init(&b->value, opt->config->producer_event_max + RECORD_OVERHEAD);
    b->n = catalog_count(opt->catalog);
    b->topics = est_calloc(b->n, sizeof(*b->topics));
    for (size_t i = 0; b->topics != NULL && i < b->n; i++)
        b->topics[i] = catalog_at(opt->catalog, i)->topic;
    err = b->topics == NULL ? est_why_set(reterr, EST_ERR_NOMEM, "no memory for the topics")
                            : open_client(b, reterr);
    if (err != EST_OK) {
        broker_free(b);
        return err;
    }
    broker_ask(b, true);
    *ret = b;
    return EST_OK;
}

void broker_free(struct broker *b)
{
    if (b == NULL)
        return;
    est_loop_timer_off(b->opt.loop, &b->probe);
    close_client(b);
    est_buf_fini(&b->value);
    est_free(b->topics);
    est_free(b);
}
