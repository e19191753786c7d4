#include "kafka_sub.h"

#include "kafka_client.h"
#include "kafka_sub_conf.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

enum {
    COMMITTED_WAIT_MS =
        2000, /* the one call here that blocks: what the group committed, at assign */
    PROBE_WAIT_MS = 5000,
    TEXT_MAX = 512
};

enum giving { GIVING_NOT, GIVING_ASKED, GIVING_COMMITS };

struct est_kafka_sub {
    struct est_loop *loop;
    struct est_kafka_sub_handlers on;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;   /* records, rebalances, errors, log */
    rd_kafka_queue_t *results; /* of commits and probes: they do not wait behind records */
    struct est_kafka_wake wake, results_wake;
    struct est_timer give_timer;
    char **topics;
    size_t n_topics;
    const rd_kafka_topic_t *last_rkt; /* the topic of the last record, and our name of it */
    const char *last_topic;
    struct est_record_header *headers; /* scratch of take_record */
    size_t headers_cap;
    est_us commit_timeout;
    enum giving giving;
    rd_kafka_topic_partition_list_t *revoked;
    bool lost, committing, down, probing, closing;
    size_t fetch_max_bytes;
    size_t taken, taken_bytes; /* records handed over since librdkafka was last nudged */
    char give_tag;             /* its address is the opaque of a revoke's last commit */
};

static void tell_log(struct est_kafka_sub *ks, int level, const char *facility, const char *text)
{
    if (ks->on.log != NULL)
        ks->on.log(ks->on.arg, level, facility, text);
}

/* --- up and down --- */

/* A consumer is never told that a broker is back. Asking for the groups is the cheapest request
 * that waits for any broker: its answer, whatever it says, shows that one lives. */
static void probe(struct est_kafka_sub *ks)
{
    rd_kafka_AdminOptions_t *opt =
        rd_kafka_AdminOptions_new(ks->rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);

    if (opt == NULL)
        return;
    (void)rd_kafka_AdminOptions_set_request_timeout(opt, PROBE_WAIT_MS, NULL, 0);
    rd_kafka_ListConsumerGroups(ks->rk, opt, ks->results);
    rd_kafka_AdminOptions_destroy(opt);
    ks->probing = true;
}

static void set_up(struct est_kafka_sub *ks, bool up, const char *detail)
{
    if (ks->down == !up)
        return;
    ks->down = !up;
    if (ks->on.state != NULL)
        ks->on.state(ks->on.arg, up, detail);
    if (!up && !ks->probing && !ks->closing)
        probe(ks);
}

static void take_probe(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(ev);

    ks->probing = false;
    if (!ks->down || ks->closing)
        return;
    if (code < 0) /* librdkafka's own codes: no broker said anything */
        probe(ks);
    else
        set_up(ks, true, "a broker answers again");
}

static void take_error(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(ev);
    char text[TEXT_MAX];

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(ks->rk, text, sizeof(text));
        ks->on.fatal(ks->on.arg, text);
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        set_up(ks, false, rd_kafka_event_error_string(ev));
    else
        tell_log(ks, 4, rd_kafka_err2name(code), rd_kafka_event_error_string(ev));
}

static void take_log(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    const char *facility, *text;
    int level;

    if (rd_kafka_event_log(ev, &facility, &text, &level) == 0)
        tell_log(ks, level, facility, text);
}

/* --- records --- */

/* Our own copy of the name, which outlives librdkafka's. Records come in runs of one topic. */
static const char *topic_name(struct est_kafka_sub *ks, const rd_kafka_topic_t *rkt)
{
    const char *name;

    if (rkt == ks->last_rkt)
        return ks->last_topic;
    name = rd_kafka_topic_name(rkt);
    for (size_t i = 0; i < ks->n_topics; i++)
        if (strcmp(ks->topics[i], name) == 0) {
            ks->last_rkt = rkt;
            ks->last_topic = ks->topics[i];
            return ks->last_topic;
        }
    EST_UNREACHABLE("a record of a topic that was not subscribed");
}

static const char *own_name(const struct est_kafka_sub *ks, const char *name)
{
    for (size_t i = 0; i < ks->n_topics; i++)
        if (strcmp(ks->topics[i], name) == 0)
            return ks->topics[i];
    EST_UNREACHABLE("a partition of a topic that was not subscribed");
}

static bool has_room_for_headers(struct est_kafka_sub *ks, size_t n)
{
    struct est_record_header *grown;

    if (n <= ks->headers_cap)
        return true;
    grown = est_realloc(ks->headers, n * sizeof(*grown));
    if (grown == NULL)
        return false;
    ks->headers = grown;
    ks->headers_cap = n;
    return true;
}

static est_err read_headers(struct est_kafka_sub *ks, const rd_kafka_message_t *msg, size_t *ret_n)
{
    rd_kafka_headers_t *list;
    const char *name;
    const void *value;
    size_t n = 0, size;

    if (rd_kafka_message_headers(msg, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (!has_room_for_headers(ks, rd_kafka_header_cnt(list)))
            return EST_ERR_NOMEM;
        while (rd_kafka_header_get_all(list, n, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR)
            ks->headers[n++] = (struct est_record_header){name, est_view(value, size)};
    }
    *ret_n = n;
    return EST_OK;
}

static struct est_view view_of(const void *data, size_t len)
{
    return est_view(data, data ? len : 0);
}

static est_err copy_record(struct est_kafka_sub *ks, const rd_kafka_message_t *msg,
                           struct est_kafka_msg **ret)
{
    rd_kafka_timestamp_type_t kind;
    int64_t at = rd_kafka_message_timestamp(msg, &kind);
    struct est_record rec = {.topic = topic_name(ks, msg->rkt),
                             .partition = msg->partition,
                             .key = view_of(msg->key, msg->key_len),
                             .value = view_of(msg->payload, msg->len),
                             .timestamp_ms = kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : at};
    est_err err = read_headers(ks, msg, &rec.n_headers);

    rec.headers = ks->headers;
    return err == EST_OK ? est_kafka_msg_new(&rec, msg->offset, ret) : err;
}

/* A record that finds no memory must not be passed over, for what comes behind it would be
 * committed past it: the client counts as dead. */
/* librdkafka 2.0 stops fetching when its queue is full and then looks at it only once a second,
 * unless something else wakes the thread of that broker. Any request does: so one is sent for each
 * quarter of a queue that was emptied. Without it a backlog moves one queue a second (15,000
 * records/s). */
static void nudge(struct est_kafka_sub *ks, const rd_kafka_message_t *msg)
{
    ks->taken++;
    ks->taken_bytes += msg->len + msg->key_len;
    if (ks->taken < EST_KAFKA_SUB_QUEUE / 4 && ks->taken_bytes < ks->fetch_max_bytes / 4)
        return;
    ks->taken = ks->taken_bytes = 0;
    if (!ks->probing && !ks->closing)
        probe(ks);
}

static void take_record(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *msg;
    struct est_kafka_msg *m;

    set_up(ks, true, "records arrive again");
    while ((msg = rd_kafka_event_message_next(ev)) != NULL) {
        if (msg->err != RD_KAFKA_RESP_ERR_NO_ERROR || ks->giving != GIVING_NOT)
            continue;
        nudge(ks, msg);
        if (copy_record(ks, msg, &m) == EST_OK)
            ks->on.record(ks->on.arg, m);
        else
            ks->on.fatal(ks->on.arg, "no memory for a record");
    }
}

/* --- partitions come and go --- */

/* The views point into the list. NULL when memory is out. */
static struct est_kafka_position *positions_of(const struct est_kafka_sub *ks,
                                               const rd_kafka_topic_partition_list_t *list)
{
    size_t n = (size_t)list->cnt;
    struct est_kafka_position *parts = est_calloc(n ? n : 1, sizeof(*parts));

    for (size_t i = 0; parts != NULL && i < n; i++) {
        const rd_kafka_topic_partition_t *tp = &list->elems[i];
        parts[i] =
            (struct est_kafka_position){.topic = own_name(ks, tp->topic),
                                        .partition = tp->partition,
                                        .offset = tp->offset >= 0 ? tp->offset : -1,
                                        .metadata = view_of(tp->metadata, tp->metadata_size)};
    }
    return parts;
}

/* Without an answer in time the list stays as it is, and librdkafka asks again by itself before it
 * fetches: only the metadata is missed. */
static void read_committed(struct est_kafka_sub *ks, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(ks->rk, list, COMMITTED_WAIT_MS);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        tell_log(ks, 4, "COMMITTED", rd_kafka_err2str(code));
}

static void assign(struct est_kafka_sub *ks, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(ks->rk, list);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        tell_log(ks, 3, "ASSIGN", rd_kafka_err2str(code));
}

/* Memory that is out here leaves no way on that keeps the promise: the client counts as dead. */
static void take_assignment(struct est_kafka_sub *ks, rd_kafka_topic_partition_list_t *list)
{
    struct est_kafka_position *parts;

    set_up(ks, true, "the group coordinator answers");
    read_committed(ks, list);
    parts = positions_of(ks, list);
    if (parts == NULL) {
        ks->on.fatal(ks->on.arg, "no memory for an assignment");
        return;
    }
    ks->on.assigned(ks->on.arg, parts, (size_t)list->cnt);
    est_free(parts);
    assign(ks, list);
}

static void give_back(struct est_kafka_sub *ks)
{
    est_loop_timer_off(ks->loop, &ks->give_timer);
    rd_kafka_topic_partition_list_destroy(ks->revoked);
    ks->revoked = NULL;
    ks->giving = GIVING_NOT;
    assign(ks, NULL);
}

static void on_give_timer(void *arg)
{
    struct est_kafka_sub *ks = arg;

    if (ks->on.committed != NULL)
        ks->on.committed(ks->on.arg, EST_ERR_TIMEOUT, "the last commit of a revoked partition");
    give_back(ks);
}

static void take_revocation(struct est_kafka_sub *ks, const rd_kafka_topic_partition_list_t *list)
{
    struct est_kafka_position *parts;

    EST_ASSERT(ks->giving == GIVING_NOT);
    ks->revoked = rd_kafka_topic_partition_list_copy(list);
    ks->lost = rd_kafka_assignment_lost(ks->rk) != 0;
    ks->giving = GIVING_ASKED;
    parts = positions_of(ks, list);
    if (parts == NULL) {
        ks->on.fatal(ks->on.arg, "no memory for a revocation");
        return;
    }
    ks->on.revoked(ks->on.arg, parts, (size_t)list->cnt, ks->lost);
    est_free(parts);
}

static void take_rebalance(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);

    switch ((int)rd_kafka_event_error(ev)) {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS: take_assignment(ks, list); break;
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS: take_revocation(ks, list); break;
    default: tell_log(ks, 3, "REBALANCE", rd_kafka_event_error_string(ev)); assign(ks, NULL);
    }
}

/* --- commits --- */

static bool add_position(rd_kafka_topic_partition_list_t *list, const struct est_kafka_position *at)
{
    rd_kafka_topic_partition_t *tp =
        rd_kafka_topic_partition_list_add(list, at->topic, at->partition);

    tp->offset = at->offset;
    if (at->metadata.len == 0)
        return true;
    tp->metadata = rd_kafka_mem_malloc(NULL, at->metadata.len); /* freed with the list */
    if (tp->metadata == NULL)
        return false;
    memcpy(tp->metadata, at->metadata.data, at->metadata.len);
    tp->metadata_size = at->metadata.len;
    return true;
}

/* rd_kafka_commit_queue, since rd_kafka_commit(async) without a callback never reports. */
static est_err commit(struct est_kafka_sub *ks, const struct est_kafka_position *parts, size_t n,
                      void *tag, struct est_why *reterr)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    bool complete = true;

    for (size_t i = 0; complete && i < n; i++)
        complete = add_position(list, &parts[i]);
    if (complete)
        code = rd_kafka_commit_queue(ks->rk, list, ks->results, NULL, tag);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return est_why_set(reterr, EST_ERR_AGAIN, "commit: %s", rd_kafka_err2str(code));
    return EST_OK;
}

est_err est_kafka_sub_commit(struct est_kafka_sub *ks, const struct est_kafka_position *parts,
                             size_t n, struct est_why *reterr)
{
    est_err err;

    if (ks->committing || ks->giving != GIVING_NOT)
        return est_why_set(reterr, EST_ERR_AGAIN, "a commit is under way");
    if ((err = commit(ks, parts, n, NULL, reterr)) == EST_OK)
        ks->committing = true;
    return err;
}

void est_kafka_sub_revoke_done(struct est_kafka_sub *ks, const struct est_kafka_position *parts,
                               size_t n)
{
    EST_ASSERT(ks->giving == GIVING_ASKED);
    ks->giving = GIVING_COMMITS;
    if (ks->lost || n == 0 || commit(ks, parts, n, &ks->give_tag, NULL) != EST_OK)
        give_back(ks);
    else
        est_loop_timer_at(ks->loop, &ks->give_timer, est_clock_mono() + ks->commit_timeout);
}

/* The result of the whole request, and of each partition of it. */
static rd_kafka_resp_err_t commit_code(rd_kafka_event_t *ev)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);
    rd_kafka_resp_err_t code = rd_kafka_event_error(ev);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && i < list->cnt; i++)
        code = list->elems[i].err;
    return code;
}

static void take_commit(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t code = commit_code(ev);
    bool is_last = rd_kafka_event_opaque(ev) == &ks->give_tag;
    est_err err = code == RD_KAFKA_RESP_ERR_NO_ERROR ? EST_OK
                  : code < 0                         ? EST_ERR_KAFKA_DOWN
                                                     : EST_ERR_KAFKA_REFUSED;

    if (!is_last)
        ks->committing = false;
    if (err == EST_OK)
        set_up(ks, true, "a commit was acknowledged");
    if (ks->on.committed != NULL)
        ks->on.committed(ks->on.arg, err, err == EST_OK ? "" : rd_kafka_err2str(code));
    if (is_last && ks->giving == GIVING_COMMITS)
        give_back(ks);
}

/* --- the queue --- */

static void take_event(void *arg, rd_kafka_event_t *ev)
{
    static const struct {
        rd_kafka_event_type_t type;
        void (*take)(struct est_kafka_sub *ks, rd_kafka_event_t *ev);
    } table[] = {
        {RD_KAFKA_EVENT_FETCH, take_record},
        {RD_KAFKA_EVENT_OFFSET_COMMIT, take_commit},
        {RD_KAFKA_EVENT_REBALANCE, take_rebalance},
        {RD_KAFKA_EVENT_ERROR, take_error},
        {RD_KAFKA_EVENT_LOG, take_log},
        {RD_KAFKA_EVENT_LISTCONSUMERGROUPS_RESULT, take_probe},
    };
    rd_kafka_event_type_t type = rd_kafka_event_type(ev);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].type == type) {
            table[i].take(arg, ev);
            return;
        }
}

est_err est_kafka_sub_pause(struct est_kafka_sub *ks, const char *topic, int32_t partition,
                            bool paused)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t code;

    (void)rd_kafka_topic_partition_list_add(list, topic, partition);
    code =
        paused ? rd_kafka_pause_partitions(ks->rk, list) : rd_kafka_resume_partitions(ks->rk, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[0].err;
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? EST_OK : EST_ERR_NOTFOUND;
}

int64_t est_kafka_sub_end_offset(struct est_kafka_sub *ks, const char *topic, int32_t partition)
{
    int64_t low, high;

    if (rd_kafka_get_watermark_offsets(ks->rk, topic, partition, &low, &high) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return high >= 0 ? high : -1;
}

void est_kafka_sub_close(struct est_kafka_sub *ks)
{
    if (ks->closing)
        return;
    ks->closing = true;
    rd_kafka_error_destroy(rd_kafka_consumer_close_queue(ks->rk, ks->queue));
}

bool est_kafka_sub_closed(const struct est_kafka_sub *ks)
{
    return ks->closing && rd_kafka_consumer_closed(ks->rk) != 0;
}

/* --- construction --- */

static est_err copy_topics(struct est_kafka_sub *ks, const struct est_kafka_sub_options *opt)
{
    ks->topics = est_calloc(opt->n_topics, sizeof(*ks->topics));
    for (size_t i = 0; ks->topics != NULL && i < opt->n_topics; i++) {
        ks->topics[i] = est_strdup(opt->topics[i]);
        if (ks->topics[i] == NULL)
            return EST_ERR_NOMEM;
        ks->n_topics++;
    }
    return ks->topics != NULL ? EST_OK : EST_ERR_NOMEM;
}

/* poll_set_consumer must come before get_consumer. */
static est_err open_queues(struct est_kafka_sub *ks, struct est_why *reterr)
{
    est_err err;

    (void)rd_kafka_poll_set_consumer(ks->rk);
    ks->queue = rd_kafka_queue_get_consumer(ks->rk);
    ks->results = rd_kafka_queue_new(ks->rk);
    (void)rd_kafka_set_log_queue(ks->rk, ks->queue);
    err = est_kafka_wake_init(&ks->wake, ks->loop, ks->queue, take_event, ks, reterr);
    if (err == EST_OK)
        err = est_kafka_wake_init(&ks->results_wake, ks->loop, ks->results, take_event, ks, reterr);
    return err;
}

static est_err subscribe(struct est_kafka_sub *ks, struct est_why *reterr)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)ks->n_topics);
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < ks->n_topics; i++)
        (void)rd_kafka_topic_partition_list_add(list, ks->topics[i], RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(ks->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return est_why_set(reterr, EST_ERR_INVALID, "subscribe: %s", rd_kafka_err2str(code));
    return EST_OK;
}

static est_err open_client(struct est_kafka_sub *ks, const struct est_kafka_sub_options *opt,
                           struct est_why *reterr)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    est_err err = est_kafka_sub_conf_fill(conf, opt, reterr);

    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE |
                                       RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR |
                                       RD_KAFKA_EVENT_LOG);
    if (err == EST_OK)
        err = est_kafka_new(RD_KAFKA_CONSUMER, &conf, &ks->rk, reterr);
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    return err;
}

est_err est_kafka_sub_new(struct est_loop *lp, const struct est_kafka_sub_options *opt,
                          const struct est_kafka_sub_handlers *h, struct est_kafka_sub **ret,
                          struct est_why *reterr)
{
    struct est_kafka_sub *ks = est_calloc(1, sizeof(*ks));
    est_err err = EST_ERR_NOMEM;

    if (ks == NULL)
        return est_why_set(reterr, err, "no memory for the Kafka consumer");
    *ks = (struct est_kafka_sub){.loop = lp,
                                 .on = *h,
                                 .commit_timeout = opt->commit_timeout,
                                 .fetch_max_bytes = opt->fetch_max_bytes,
                                 .wake = {.fd = -1},
                                 .results_wake = {.fd = -1},
                                 .give_timer = {.fn = on_give_timer, .arg = ks}};
    if (copy_topics(ks, opt) != EST_OK)
        (void)est_why_set(reterr, err, "no memory for the Kafka consumer");
    else
        err = open_client(ks, opt, reterr);
    if (err == EST_OK)
        err = open_queues(ks, reterr);
    if (err == EST_OK)
        err = subscribe(ks, reterr);
    if (err != EST_OK) {
        est_kafka_sub_free(ks);
        return err;
    }
    *ret = ks;
    return EST_OK;
}

/* rd_kafka_destroy joins librdkafka's threads: tens of milliseconds, once, at the end. */
void est_kafka_sub_free(struct est_kafka_sub *ks)
{
    if (ks == NULL)
        return;
    est_loop_timer_off(ks->loop, &ks->give_timer);
    est_kafka_wake_fini(&ks->wake);
    est_kafka_wake_fini(&ks->results_wake);
    if (ks->revoked != NULL)
        rd_kafka_topic_partition_list_destroy(ks->revoked);
    if (ks->results != NULL)
        rd_kafka_queue_destroy(ks->results);
    if (ks->queue != NULL)
        rd_kafka_queue_destroy(ks->queue);
    if (ks->rk != NULL)
        rd_kafka_destroy_flags(ks->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    for (size_t i = 0; i < ks->n_topics; i++)
        est_free(ks->topics[i]);
    est_free(ks->topics);
    est_free(ks->headers);
    est_free(ks);
}
