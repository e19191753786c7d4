#include "deadletter.h"

#include "base/log.h"
#include "base/mem.h"
#include "codec/deadletter.h"
#include "config/config.h"
#include "core/limiter.h"
#include "io/kafka_pub.h"
#include "metrics/metrics.h"
#include "parcel.h"
#include "part.h"
#include "worker.h"

#include <stdio.h>

enum {
    PENDING_MAX = 1000,
    HEADERS_MAX = 256,
    ADDED_MAX = 16,
    TOPIC_MAX = 400,
    TEXT_MAX = 1024,
    OPTIONS_MAX = 64,
    RECORD_MAX = 128 * 1024 * 1024, /* twice the largest event_max */
    LINES_A_SECOND = 20
};
static const est_us WRITE_TIMEOUT = 10 * EST_SECOND, WRITE_AGAIN = EST_SECOND;

/* One condemned parcel. */
struct letter {
    struct est_node node; /* in deadletter.waiting or .sent */
    struct deadletter *dl;
    struct parcel *pc; /* NULL once abandoned */
    enum est_verdict_class class;
    int status;
    est_us failed_at;
    char reason[TEXT_MAX];
};

struct deadletter {
    struct worker *w;
    struct est_kafka_pub *pub;
    struct est_node waiting, sent;
    size_t n;
    struct est_timer again;
    struct est_limiter lines; /* a flood of poison is counted, not told line by line */
    uint64_t untold;
};

/* --- the record --- */

struct added {
    struct est_record_header headers[ADDED_MAX];
    char texts[ADDED_MAX][64];
    size_t n;
};

static void add_text(struct added *a, const char *name, const char *text)
{
    a->headers[a->n++] = (struct est_record_header){name, est_view_str(text)};
}

static void add_number(struct added *a, const char *name, long long number)
{
    (void)snprintf(a->texts[a->n], sizeof(a->texts[0]), "%lld", number);
    add_text(a, name, a->texts[a->n]);
}

static void add_time(struct added *a, const char *name, est_us wall)
{
    est_rfc3339_format(wall, a->texts[a->n]);
    add_text(a, name, a->texts[a->n]);
}

static long long replays_of(const struct est_kafka_msg *msg)
{
    unsigned long long n = 0;

    (void)est_view_u64(est_kafka_msg_header(msg, EST_REPLAY_COUNT_HEADER), 1000000, &n);
    return (long long)n;
}

static void describe(const struct letter *l, struct added *a)
{
    const struct parcel *pc = l->pc;

    a->n = 0;
    add_text(a, "__dlq.errors.topic", pc->part->type->topic);
    add_number(a, "__dlq.errors.partition", pc->part->partition);
    add_number(a, "__dlq.errors.offset", est_kafka_msg_offset(pc->msg));
    add_text(a, "__dlq.errors.group", l->dl->w->dest->group);
    add_number(a, "__dlq.errors.delivery.count", pc->attempts);
    add_text(a, "__dlq.errors.message", l->reason);
    add_text(a, "esteira-error-class", est_verdict_class_name(l->class));
    if (l->status != 0)
        add_number(a, "esteira-http-status", l->status);
    add_number(a, "esteira-attempts", pc->attempts);
    add_time(a, "esteira-first-failed-at",
             pc->first_failed_at ? pc->first_failed_at : l->failed_at);
    add_time(a, "esteira-failed-at", l->failed_at);
    add_number(a, EST_REPLAY_COUNT_HEADER, replays_of(pc->msg));
}

/* Put on by an earlier hop; and whom a replay was for, which the DLQ's name says too. */
static bool is_added(const struct added *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->headers[i].name, name) == 0)
            return true;
    return strcmp(name, EST_REPLAY_FOR_HEADER) == 0;
}

/* The record's own headers in their order, without those that an earlier hop had added, then ours.
 */
static size_t join_headers(const struct est_kafka_msg *msg, const struct added *a,
                           struct est_record_header out[HEADERS_MAX + ADDED_MAX])
{
    size_t n_own, n = 0;
    const struct est_record_header *own = est_kafka_msg_headers(msg, &n_own);

    for (size_t i = 0; i < n_own && n < HEADERS_MAX; i++)
        if (!is_added(a, own[i].name))
            out[n++] = own[i];
    memcpy(out + n, a->headers, a->n * sizeof(*out));
    return n + a->n;
}

static est_err write_record(struct letter *l, struct est_why *why)
{
    const struct worker *w = l->dl->w;
    const struct est_kafka_msg *msg = l->pc->msg;
    struct est_record_header headers[HEADERS_MAX + ADDED_MAX];
    struct added a;
    char topic[TOPIC_MAX];
    struct est_record rec = {.topic = topic,
                             .partition = -1,
                             .headers = headers,
                             .timestamp_ms = est_kafka_msg_timestamp_ms(msg)};

    if (parcel_own(l->pc) != EST_OK)
        return est_why_set(why, EST_ERR_NOMEM, "no memory for the record");
    rec.key = est_kafka_msg_key(msg);
    rec.value = est_kafka_msg_value(msg);
    describe(l, &a);
    rec.n_headers = join_headers(msg, &a, headers);
    (void)snprintf(topic, sizeof(topic), "%s%s.%s", w->dest->dead_letter_prefix, w->dest->name,
                   l->pc->part->type->topic);
    return est_kafka_pub_send(l->dl->pub, &rec, l, why);
}

/* Its partition is not committed past it meanwhile. */
static void write_failed(struct deadletter *dl, est_err err, const char *detail)
{
    EST_LOG(EST_ERROR, "dlq_write_failed", EST_S("code", est_err_code(err)),
            EST_S("detail", detail));
    est_metrics_count(dl->w->metrics, EST_METRIC_DLQ_FAILURES, dl->w->dest->name, NULL, 1);
    (void)est_health_add(&dl->w->health, "dlq", "the DLQ topic cannot be written",
                         est_loop_now(dl->w->loop));
    est_loop_timer_at(dl->w->loop, &dl->again, est_loop_now(dl->w->loop) + WRITE_AGAIN);
}

static est_err open_pub(struct deadletter *dl, struct est_why *reterr);

/* After a fatal error only a new client writes again; the old one first reports all that it has. */
static est_err renew(struct deadletter *dl, struct est_why *why)
{
    if (dl->pub != NULL && !est_kafka_pub_is_fatal(dl->pub))
        return EST_OK;
    if (dl->pub != NULL && est_kafka_pub_pending(dl->pub) > 0)
        return est_why_set(why, EST_ERR_KAFKA_FATAL, "its last reports are waited for");
    est_kafka_pub_free(dl->pub);
    dl->pub = NULL;
    return open_pub(dl, why);
}

/* A letter that is refused for what it is must not hold up the others. */
static bool is_its_own(est_err err)
{
    return err == EST_ERR_TOO_LARGE || err == EST_ERR_KAFKA_TOPIC;
}

static void send_waiting(void *arg)
{
    struct deadletter *dl = arg;
    struct est_why why = {0};
    est_err err = renew(dl, &why);

    if (err != EST_OK) {
        write_failed(dl, err, why.text);
        return;
    }
    EST_LIST_EACH(n, &dl->waiting) {
        err = write_record(EST_CONTAINER(n, struct letter, node), &why);
        if (err == EST_OK) {
            est_list_remove(n);
            est_list_append(&dl->sent, n);
            continue;
        }
        write_failed(dl, err, why.text);
        if (!is_its_own(err))
            return;
    }
}

/* --- outcomes --- */

static void forget(struct letter *l)
{
    est_list_remove(&l->node);
    l->dl->n--;
    est_free(l);
}

static void on_delivered(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset)
{
    struct deadletter *dl = arg;
    struct letter *l = opaque;
    struct parcel *pc = l->pc;

    (void)partition;
    (void)offset;
    if (pc == NULL) {
        forget(l);
        return;
    }
    if (err != EST_OK) {
        est_list_remove(&l->node);
        est_list_append(&dl->waiting, &l->node);
        write_failed(dl, err, est_err_text(err));
        return;
    }
    if (est_list_empty(&dl->waiting))
        (void)est_health_remove(&dl->w->health, "dlq");
    est_metrics_count(dl->w->metrics, EST_METRIC_DEAD_LETTERED, dl->w->dest->name,
                      est_verdict_class_name(l->class), 1);
    forget(l);
    worker_settle(dl->w, pc, EST_END_DEAD);
}

static void on_state(void *arg, bool up, const char *detail)
{
    (void)arg;
    (void)up;
    (void)detail; /* the group member tells the same, and its reports decide */
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    EST_LOG(level <= 3 ? EST_WARN : EST_DEBUG, "kafka_client", EST_S("facility", facility),
            EST_S("text", text));
}

static void tell(struct letter *l)
{
    struct deadletter *dl = l->dl;
    const struct parcel *pc = l->pc;

    if (est_limiter_take(&dl->lines, 1, est_loop_now(dl->w->loop)) > 0) {
        dl->untold++;
        return;
    }
    EST_LOG(EST_WARN, "dead_lettered", EST_S("class", est_verdict_class_name(l->class)),
            EST_S("topic", pc->part->type->topic), EST_I("partition", pc->part->partition),
            EST_I("offset", est_kafka_msg_offset(pc->msg)), EST_V("id", parcel_id(pc)),
            EST_I("status", l->status), EST_I("attempts", pc->attempts),
            EST_I("untold_before", dl->untold));
    dl->untold = 0;
}

void deadletter_put(struct deadletter *dl, struct parcel *pc, enum est_verdict_class class,
                    int status, const char *reason)
{
    struct letter *l = est_calloc(1, sizeof(*l));

    if (l ==
        NULL) { /* stays unsettled: the offset is not committed, the next owner reads it again */
        EST_LOG(EST_ERROR, "no_memory", EST_S("topic", pc->part->type->topic));
        worker_give_up(dl->w, "no memory for a dead letter");
        return;
    }
    *l = (struct letter){
        .dl = dl, .pc = pc, .class = class, .status = status, .failed_at = est_clock_wall()};
    (void)snprintf(l->reason, sizeof(l->reason), "%s", reason);
    est_list_append(&dl->waiting, &l->node);
    dl->n++;
    part_handed_out(pc->part, est_kafka_msg_offset(pc->msg));
    tell(l);
    if (!est_loop_timer_armed(&dl->again))
        send_waiting(dl);
}

size_t deadletter_pending(const struct deadletter *dl)
{
    return dl->n;
}

bool deadletter_is_full(const struct deadletter *dl)
{
    return dl->n >= PENDING_MAX;
}

void deadletter_abandon(struct deadletter *dl)
{
    EST_LIST_EACH(n, &dl->waiting)
        forget(EST_CONTAINER(n, struct letter, node));
    EST_LIST_EACH(n, &dl->sent)
        EST_CONTAINER(n, struct letter, node)->pc = NULL;
    (void)est_health_remove(&dl->w->health, "dlq"); /* it is the next owner's to write them */
}

/* --- life --- */

/* What could be read can be written, whoever wrote it: how large a record may be is for the topic
 * to say. */
static est_err open_pub(struct deadletter *dl, struct est_why *reterr)
{
    const struct est_config *cfg = dl->w->cfg;
    struct est_kafka_option extra[OPTIONS_MAX];
    struct est_kafka_pub_options o = {.brokers = cfg->kafka_brokers,
                                      .client_id = "esteira-consumer",
                                      .linger = cfg->kafka_linger,
                                      .message_timeout = WRITE_TIMEOUT,
                                      .queue_max_records = 2 * PENDING_MAX,
                                      .queue_max_bytes = RECORD_MAX,
                                      .record_max_bytes = RECORD_MAX,
                                      .extra = extra};
    const struct est_kafka_pub_handlers h = {on_delivered, on_state, on_log, dl};

    for (; o.n_extra < cfg->kafka_options.n && o.n_extra < OPTIONS_MAX; o.n_extra++)
        extra[o.n_extra] = (struct est_kafka_option){cfg->kafka_options.items[o.n_extra].name,
                                                     cfg->kafka_options.items[o.n_extra].value};
    return est_kafka_pub_new(dl->w->loop, &o, &h, &dl->pub, reterr);
}

est_err deadletter_new(struct worker *w, struct deadletter **ret, struct est_why *reterr)
{
    struct deadletter *dl = est_calloc(1, sizeof(*dl));
    est_err err;

    if (dl == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the DLQ");
    dl->w = w;
    est_limiter_init(&dl->lines, LINES_A_SECOND, est_loop_now(w->loop));
    dl->again = (struct est_timer){.fn = send_waiting, .arg = dl};
    est_list_init(&dl->waiting);
    est_list_init(&dl->sent);
    err = open_pub(dl, reterr);
    if (err != EST_OK) {
        est_free(dl);
        return err;
    }
    *ret = dl;
    return EST_OK;
}

void deadletter_free(struct deadletter *dl)
{
    if (dl == NULL)
        return;
    deadletter_abandon(dl);
    est_loop_timer_off(dl->w->loop, &dl->again);
    est_kafka_pub_free(dl->pub);
    EST_LIST_EACH(n, &dl->sent)
        est_free(EST_CONTAINER(n, struct letter, node));
    est_free(dl);
}
