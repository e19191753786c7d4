#include "dlq_writer.h"

#include "base/id.h"
#include "base/mem.h"
#include "core/murmur2.h"
#include "core/stamp.h"
#include "io/kafka_admin.h"
#include "io/kafka_pub.h"

#include <stdio.h>
#include <string.h>

enum { QUEUE_BYTES = 256 * 1024 * 1024, OVERHEAD = 64 * 1024, NOTES_MAX = 4 * DLQ_WINDOW };
static const est_us NOTE_AFTER = EST_SECOND, PURGE_BOUND = 5 * EST_SECOND;
static const est_us AFTER_FAILURE = 2 * EST_SECOND; /* for notes, when Kafka has failed already */

/* A topic that records go back to. */
struct dlq_target {
    char topic[DLQ_TOPIC_MAX];
    int32_t partitions; /* 0 = there is no such topic */
    size_t stamp;
    bool is_stamped; /* a chain can carry its type */
};

const char *dlq_target_topic(const struct dlq_target *t)
{
    return t->topic;
}

/* --- where to --- */

static const struct est_type_config *type_of(const struct est_config *cfg, struct est_view topic)
{
    for (size_t i = 0; i < cfg->n_types; i++)
        if (est_view_is(topic, cfg->types[i].topic))
            return &cfg->types[i];
    return NULL;
}

/* To put a record into a DLQ, or what notes them, would be to replay it for ever. */
static bool is_loop(const struct dlq *d, const struct dlq_entry *e)
{
    char topic[DLQ_TOPIC_MAX];

    if (est_view_is(e->letter.topic, e->source->topic))
        return true;
    for (size_t i = 0; i < d->cfg->n_destinations; i++) {
        const struct est_destination_config *dest = &d->cfg->destinations[i];
        (void)snprintf(topic, sizeof(topic), "%s%s.", dest->dead_letter_prefix, dest->name);
        if (est_view_starts(e->letter.topic, est_view_str(topic)))
            return true;
        dlq_replays_topic(dest, topic);
        if (est_view_is(e->letter.topic, topic))
            return true;
    }
    return false;
}

static enum dlq_refusal judge_name(const struct dlq *d, const struct dlq_entry *e)
{
    if (e->letter.topic.len == 0 || e->letter.topic.len >= DLQ_TOPIC_MAX)
        return DLQ_NO_SOURCE;
    if (is_loop(d, e))
        return DLQ_LOOP;
    return e->source->type == NULL || type_of(d->cfg, e->letter.topic) != NULL ? DLQ_FINE
                                                                               : DLQ_FOREIGN;
}

static est_err add_target(struct dlq_writer *w, struct est_view topic, struct dlq_target **ret,
                          struct est_why *why)
{
    const struct est_type_config *type = type_of(w->dlq->cfg, topic);
    struct est_view name = type != NULL ? est_view_str(type->name) : topic;
    struct dlq_target *t = &w->targets[w->n_targets];
    est_err err;

    *t = (struct dlq_target){.is_stamped = est_chain_is_type(name)};
    (void)snprintf(t->topic, sizeof(t->topic), "%.*s", (int)topic.len, topic.data);
    err =
        est_kafka_admin_partitions(w->ka, t->topic, w->dlq->cli->args.timeout, &t->partitions, why);
    if (err == EST_OK && t->is_stamped) {
        char text[EST_CHAIN_TYPE_MAX + 1];
        (void)snprintf(text, sizeof(text), "%.*s", (int)name.len, name.data);
        err = est_stamp_add(w->stamp, text, (uint32_t)t->partitions, &t->stamp);
    }
    if (err != EST_OK && err != EST_ERR_NOTFOUND)
        return err;
    w->n_targets++;
    *ret = t;
    return EST_OK;
}

static est_err find_target(struct dlq_writer *w, struct est_view topic, struct dlq_target **ret,
                           struct est_why *why)
{
    for (size_t i = 0; i < w->n_targets; i++) {
        if (!est_view_is(topic, w->targets[i].topic))
            continue;
        *ret = &w->targets[i];
        return EST_OK;
    }
    *ret = NULL;
    if (w->n_targets == w->cap_targets) /* more topics than a --topic of many sources may name */
        return est_why_set(why, EST_ERR_FULL, "too many source topics");
    return add_target(w, topic, ret, why);
}

est_err dlq_writer_judge(struct dlq_writer *w, const struct dlq_entry *e, struct dlq_target **ret,
                         enum dlq_refusal *ret_refusal, struct est_why *why)
{
    est_err err = EST_OK;

    *ret = NULL;
    *ret_refusal = judge_name(w->dlq, e);
    if (*ret_refusal == DLQ_FINE)
        err = find_target(w, e->letter.topic, ret, why);
    if (err == EST_OK && *ret != NULL && (*ret)->partitions == 0) {
        *ret = NULL;
        *ret_refusal = DLQ_GONE;
    }
    return err;
}

/* --- notes --- */

static est_err send_note(struct dlq_writer *w, const struct dlq_source *s,
                         const struct est_dlq_block *b, bool gone, struct est_why *why)
{
    char topic[DLQ_TOPIC_MAX], key[EST_DLQ_KEY_MAX + 1];
    struct est_record rec = {.topic = topic, .partition = 0};
    est_err err;

    dlq_replays_topic(s->dest, topic);
    rec.key = est_view(key, est_dlq_done_key(s->topic, b, key));
    if (!gone)
        rec.value = est_view((const char *)b->bits, sizeof(b->bits));
    err = est_kafka_pub_send(w->kp, &rec, NULL, why);
    w->notes += err == EST_OK;
    return err;
}

static void fail(struct dlq_writer *w, est_err err, const char *detail)
{
    if (w->err != EST_OK)
        return;
    w->err = err;
    (void)snprintf(w->detail, sizeof(w->detail), "%s", detail);
}

static void note(struct dlq_writer *w)
{
    struct est_why why = {.code = EST_OK};
    const struct est_dlq_block *b;
    est_err err = EST_OK;

    for (size_t i = 0; i < w->dlq->n; i++)
        while (err == EST_OK && (b = est_dlq_done_take(w->dlq->sources[i].done)) != NULL)
            err = send_note(w, &w->dlq->sources[i], b, false, &why);
    w->unnoted = 0;
    w->noted_at = est_loop_now(w->fetch.lp);
    if (err != EST_OK)
        fail(w, err, why.text);
}

struct forgetting {
    struct dlq_writer *w;
    const struct dlq_source *s;
};

static void forget_block(void *arg, const struct est_dlq_block *b)
{
    const struct forgetting *f = arg;
    struct est_why why = {.code = EST_OK};
    est_err err = send_note(f->w, f->s, b, true, &why);

    if (err != EST_OK)
        fail(f->w, err, why.text);
}

void dlq_writer_forget(struct dlq_writer *w, struct dlq_source *s, int32_t partition,
                       int64_t offset)
{
    struct forgetting f = {w, s};

    est_dlq_done_forget(s->done, partition, offset, forget_block, &f);
}

/* --- outcomes --- */

static void on_delivered(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset)
{
    struct dlq_writer *w = arg;
    struct dlq_flight *f = opaque;

    (void)partition;
    (void)offset;
    if (f == NULL) {
        w->notes--;
    } else {
        f->next = w->free;
        w->free = f;
        w->in_flight--;
    }
    if (err != EST_OK) {
        /* nothing more is sent; should that change, no number behind it may make it a hole */
        if (f != NULL && f->target->is_stamped)
            est_stamp_break(w->stamp, f->target->stamp, (uint32_t)f->to);
        fail(w, err, est_err_text(err));
    } else if (f != NULL) {
        w->done++;
        w->unnoted++;
        err = est_dlq_done_add(f->source->done, f->partition, f->offset);
        if (err != EST_OK)
            fail(w, err, est_err_text(err));
    }
}

static void on_state(void *arg, bool up, const char *detail)
{
    (void)arg;
    (void)up;
    (void)detail;
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    (void)level;
    (void)facility;
    (void)text;
}

/* --- putting back --- */

/* The partition it came from: another would break the order of its key. */
static int32_t partition_of(const struct dlq_target *t, const struct dlq_entry *e)
{
    struct est_view key = est_kafka_msg_key(e->msg);

    if (e->letter.partition >= 0 && e->letter.partition < t->partitions)
        return e->letter.partition;
    return key.data != NULL ? (int32_t)est_murmur2_partition(key, (uint32_t)t->partitions) : 0;
}

struct added {
    char chain[EST_CHAIN_TEXT_MAX + 1], count[24];
    struct est_record_header headers[3];
    size_t n;
};

static est_err make_added(struct dlq_writer *w, const struct dlq_entry *e,
                          const struct dlq_target *t, int32_t to, struct added *a)
{
    struct est_chain chain;
    est_err err = EST_OK;

    a->n = 0;
    if (t->is_stamped) {
        err = est_stamp_next(w->stamp, t->stamp, (uint32_t)to, &chain);
        if (err != EST_OK)
            return err;
        a->headers[a->n++] = (struct est_record_header){
            EST_CHAIN_HEADER, est_view(a->chain, est_chain_format(&chain, a->chain))};
    }
    (void)snprintf(a->count, sizeof(a->count), "%llu", (unsigned long long)e->letter.replays + 1);
    a->headers[a->n++] =
        (struct est_record_header){EST_REPLAY_COUNT_HEADER, est_view_str(a->count)};
    a->headers[a->n++] =
        (struct est_record_header){EST_REPLAY_FOR_HEADER, est_view_str(e->source->dest->name)};
    return EST_OK;
}

/* The second that it is: the old time may be older than what the topic keeps, and Kafka would
 * delete the record before it is read. */
static int64_t time_of_replay(void)
{
    int64_t ms = est_clock_wall() / EST_MS;

    return ms - ms % EST_REPLAY_TIME_STEP_MS;
}

/* The record's own headers, then ours. */
static est_err send(struct dlq_writer *w, const struct dlq_entry *e, const struct dlq_target *t,
                    struct dlq_flight *f, struct est_why *why)
{
    struct est_record rec = {.topic = t->topic,
                             .partition = f->to,
                             .key = est_kafka_msg_key(e->msg),
                             .value = est_kafka_msg_value(e->msg),
                             .timestamp_ms = time_of_replay()};
    size_t n = 0;
    const struct est_record_header *own = est_kafka_msg_headers(e->msg, &n);
    struct est_record_header *all = est_calloc(n + 3, sizeof(*all));
    struct added a;
    est_err err = all != NULL ? make_added(w, e, t, f->to, &a) : EST_ERR_NOMEM;

    for (size_t i = 0; err == EST_OK && i < n; i++)
        if (!est_deadletter_is_added(own[i].name) && strcmp(own[i].name, EST_CHAIN_HEADER) != 0)
            all[rec.n_headers++] = own[i];
    if (err == EST_OK) {
        memcpy(all + rec.n_headers, a.headers, a.n * sizeof(*all));
        rec.n_headers += a.n;
        rec.headers = all;
        err = est_kafka_pub_send(w->kp, &rec, f, why);
        if (err != EST_OK && t->is_stamped)
            est_stamp_break(w->stamp, t->stamp, (uint32_t)f->to);
    }
    est_free(all);
    return err;
}

bool dlq_writer_has_room(const struct dlq_writer *w)
{
    return w->free != NULL && w->notes < NOTES_MAX;
}

void dlq_writer_put(struct dlq_writer *w, const struct dlq_entry *e, struct dlq_target *target,
                    enum dlq_refusal *ret_refusal)
{
    struct dlq_flight *f = w->free;
    struct est_why why = {.code = EST_OK};
    est_err err;

    *ret_refusal = DLQ_FINE;
    w->free = f->next;
    *f = (struct dlq_flight){.source = e->source,
                             .target = target,
                             .partition = est_kafka_msg_partition(e->msg),
                             .offset = est_kafka_msg_offset(e->msg),
                             .to = partition_of(target, e)};
    err = send(w, e, target, f, &why);
    if (err == EST_OK) {
        w->in_flight++;
        return;
    }
    f->next = w->free;
    w->free = f;
    if (err == EST_ERR_TOO_LARGE)
        *ret_refusal = DLQ_KAFKA;
    else
        fail(w, err, why.text);
}

void dlq_writer_turn(struct dlq_writer *w, est_us wait)
{
    est_loop_turn(w->fetch.lp, wait);
    if (w->unnoted >= DLQ_NOTE_EVERY ||
        (w->unnoted > 0 && est_loop_now(w->fetch.lp) - w->noted_at >= NOTE_AFTER))
        note(w);
}

/* Until Kafka has answered for all of it, or has not for the time of --timeout: what is then still
 * on its way may be in Kafka or not, is not noted, and comes again. */
static void await_all(struct dlq_writer *w)
{
    est_us until =
        est_clock_mono() + (w->err != EST_OK ? AFTER_FAILURE : w->dlq->cli->args.timeout);

    while (est_kafka_pub_pending(w->kp) > 0 && est_clock_mono() < until)
        est_loop_turn(w->fetch.lp, 100 * EST_MS);
    if (est_kafka_pub_pending(w->kp) == 0)
        return;
    fail(w, EST_ERR_KAFKA_DOWN, est_err_text(EST_ERR_KAFKA_DOWN));
    (void)est_kafka_pub_purge(w->kp, PURGE_BOUND);
}

void dlq_writer_finish(struct dlq_writer *w)
{
    await_all(w);
    note(w);
    await_all(w);
}

/* --- life --- */

static void on_created(void *arg, const char *topic, est_err err, const char *text)
{
    (void)arg;
    (void)topic;
    (void)err;
    (void)text;
}

/* The topic for the notes, of each destination that has dead letters here. */
static est_err make_topics(struct dlq_writer *w, struct est_why *why)
{
    const struct dlq *d = w->dlq;
    static const struct est_kafka_option compact = {"cleanup.policy", "compact"};
    char topic[DLQ_TOPIC_MAX];
    struct est_kafka_topic_wish wish = {.topic = topic,
                                        .partitions = 1,
                                        .replication = (int32_t)d->cfg->kafka_replication,
                                        .configs = &compact,
                                        .n_configs = 1};
    est_err err = EST_OK;

    for (size_t i = 0; i < d->n && err == EST_OK; i++) {
        if (i > 0 && d->sources[i].dest == d->sources[i - 1].dest)
            continue;
        dlq_replays_topic(d->sources[i].dest, topic);
        err = est_kafka_admin_create(w->ka, &wish, 1, d->cli->args.timeout, on_created, NULL, why);
    }
    return err;
}

static est_err open_writer(struct dlq_writer *w, struct est_why *why)
{
    const struct est_config *cfg = w->dlq->cfg;
    const struct est_kafka_pub_options opt = {
        .brokers = cfg->kafka_brokers,
        .client_id = dlq_client_id(),
        .linger = cfg->kafka_linger,
        .message_timeout = w->dlq->cli->args.timeout,
        .queue_max_records = DLQ_WINDOW + 2 * NOTES_MAX,
        .queue_max_bytes = QUEUE_BYTES,
        .record_max_bytes = cfg->producer_event_max + OVERHEAD,
        .extra = w->dlq->extra,
        .n_extra = w->dlq->extra != NULL ? cfg->kafka_options.n : 0,
    };
    const struct est_kafka_pub_handlers h = {on_delivered, on_state, on_log, w};
    est_err err = make_topics(w, why);

    return err == EST_OK ? est_kafka_pub_new(w->fetch.lp, &opt, &h, &w->kp, why) : err;
}

static est_err open_parts(struct dlq_writer *w, bool act, struct est_why *why)
{
    const struct est_config *cfg = w->dlq->cfg;
    char boot[EST_BOOT_LEN + 1];
    est_err err = fetch_open(&w->fetch, "", why);

    est_boot_id(boot);
    w->cap_targets = cfg->n_types + EST_CONFIG_TYPES_MAX;
    w->targets = est_calloc(w->cap_targets, sizeof(*w->targets));
    if (err == EST_OK && (w->targets == NULL || est_stamp_new(boot, &w->stamp) != EST_OK))
        err = est_why_set(why, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    if (err == EST_OK)
        err = est_kafka_admin_new(cfg->kafka_brokers, dlq_client_id(), w->dlq->extra,
                                  w->dlq->extra != NULL ? cfg->kafka_options.n : 0, &w->ka, why);
    return err == EST_OK && act ? open_writer(w, why) : err;
}

bool dlq_writer_open(struct dlq_writer *w, struct dlq *d, bool act, int *ret_code)
{
    struct est_why why = {.code = EST_OK};
    est_err err;

    *w = (struct dlq_writer){.dlq = d};
    for (size_t i = 0; i < DLQ_WINDOW; i++) {
        w->flights[i].next = w->free;
        w->free = &w->flights[i];
    }
    err = open_parts(w, act, &why);
    if (err == EST_OK)
        return true;
    *ret_code = cli_exit_at_open(err);
    out_failure(&d->cli->out, err, &why, *ret_code);
    dlq_writer_close(w);
    return false;
}

void dlq_writer_close(struct dlq_writer *w)
{
    est_kafka_pub_free(w->kp);
    est_kafka_admin_free(w->ka);
    est_stamp_free(w->stamp);
    est_free(w->targets);
    fetch_close(&w->fetch);
}
