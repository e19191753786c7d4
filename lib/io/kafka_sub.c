#include "kafka_sub_state.h"

#include "kafka_msg_borrow.h"
#include "kafka_sub_conf.h"

#include "base/assert.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const est_us POLL_INTERVAL = 300 * EST_SECOND; /* librdkafka's own default */

/* --- records --- */

const char *est_kafka_sub_own_name(const struct est_kafka_sub *ks, const char *name)
{
    for (size_t i = 0; i < ks->n_topics; i++)
        if (strcmp(ks->topics[i], name) == 0)
            return ks->topics[i];
    EST_UNREACHABLE("a topic that was not subscribed");
}

/* Records come in runs of one topic. */
static const char *topic_name(struct est_kafka_sub *ks, const rd_kafka_topic_t *rkt)
{
    if (rkt != ks->last_rkt) {
        ks->last_topic = est_kafka_sub_own_name(ks, rd_kafka_topic_name(rkt));
        ks->last_rkt = rkt;
    }
    return ks->last_topic;
}

/* librdkafka 2.0 stops fetching when its queue is full and then looks at it only once a second,
 * unless something else wakes the thread of that broker. Any request does: so one is sent for each
 * quarter of a queue that was emptied. Without it a backlog moves one queue a second (15,000
 * records/s). */
static void count_taken(struct est_kafka_sub *ks, const rd_kafka_message_t *msg)
{
    ks->taken++;
    ks->taken_bytes += msg->len + msg->key_len;
    if (ks->taken < EST_KAFKA_SUB_QUEUE / 4 && ks->taken_bytes < ks->fetch_max_bytes / 4)
        return;
    ks->taken = ks->taken_bytes = 0;
    if (!ks->closing)
        est_kafka_sub_probe(ks);
}

/* Takes ev, which brings one message. A record that finds no memory must not be passed over, for
 * what comes behind it would be committed past it: the client counts as dead. */
static void take_record(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *msg = rd_kafka_event_message_next(ev);
    struct est_kafka_msg *m;

    est_kafka_sub_set_up(ks, true, "records arrive again");
    if (msg == NULL || msg->err != RD_KAFKA_RESP_ERR_NO_ERROR ||
        ks->giving != EST_KAFKA_SUB_KEEPS) {
        rd_kafka_event_destroy(ev);
        return;
    }
    count_taken(ks, msg);
    if (est_kafka_msg_borrow(ev, msg, topic_name(ks, msg->rkt), &ks->messages, &m) == EST_OK) {
        ks->on.record(ks->on.arg, m);
        return;
    }
    rd_kafka_event_destroy(ev);
    ks->on.fatal(ks->on.arg, "no memory for a record");
}

/* --- the queue --- */

static void take_event(void *arg, rd_kafka_event_t *ev)
{
    static const struct {
        rd_kafka_event_type_t type;
        void (*take)(struct est_kafka_sub *ks, rd_kafka_event_t *ev);
    } table[] = {
        {RD_KAFKA_EVENT_OFFSET_COMMIT, est_kafka_sub_take_commit},
        {RD_KAFKA_EVENT_REBALANCE, est_kafka_sub_take_rebalance},
        {RD_KAFKA_EVENT_ERROR, est_kafka_sub_take_error},
        {RD_KAFKA_EVENT_LOG, est_kafka_sub_take_log},
        {RD_KAFKA_EVENT_LISTCONSUMERGROUPS_RESULT, est_kafka_sub_take_probe},
    };
    rd_kafka_event_type_t type = rd_kafka_event_type(ev);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].type == type) {
            table[i].take(arg, ev);
            return;
        }
}

/* What a pause throws away is passed over in silence: a queue that was full of it is empty at once,
 * and nothing that was taken would have told librdkafka. */
static void on_no_records(void *arg)
{
    struct est_kafka_sub *ks = arg;

    if (!ks->dropped)
        return;
    ks->dropped = false;
    est_kafka_sub_nudge(ks);
}

static void take_record_event(void *arg, rd_kafka_event_t *ev)
{
    if (rd_kafka_event_type(ev) == RD_KAFKA_EVENT_FETCH) {
        take_record(arg, ev);
        return;
    }
    take_event(arg, ev); /* an error of one partition */
    rd_kafka_event_destroy(ev);
}

/* A member that polls nothing for max.poll.interval.ms is expelled, and nothing is what an idle
 * topic or held records give it to poll. */
static void on_poll_timer(void *arg)
{
    struct est_kafka_sub *ks = arg;

    est_kafka_wake_soon(&ks->wake);
    est_loop_timer_at(ks->loop, &ks->poll_timer, est_loop_now(ks->loop) + ks->poll_every);
}

void est_kafka_sub_hold(struct est_kafka_sub *ks, bool held)
{
    est_kafka_wake_hold(&ks->records_wake, held);
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
    ks->dropped = true;
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
    est_kafka_sub_drop_unread(ks);
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
    ks->records = rd_kafka_queue_new(ks->rk);
    ks->results = rd_kafka_queue_new(ks->rk);
    (void)rd_kafka_set_log_queue(ks->rk, ks->queue);
    err = est_kafka_wake_init(&ks->wake, ks->loop, ks->queue, take_event, ks, reterr);
    if (err == EST_OK)
        err = est_kafka_wake_init(&ks->records_wake, ks->loop, ks->records, take_record_event, ks,
                                  reterr);
    ks->records_wake.fn_takes = true;
    ks->records_wake.fn_empty = on_no_records;
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

/* As the operator has it; librdkafka refuses anything below a second. */
static est_us poll_interval(const rd_kafka_conf_t *conf)
{
    char text[24];
    size_t size = sizeof(text);

    if (rd_kafka_conf_get(conf, "max.poll.interval.ms", text, &size) != RD_KAFKA_CONF_OK)
        return POLL_INTERVAL;
    return strtol(text, NULL, 10) * EST_MS;
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
        ks->poll_every = poll_interval(conf) / 3;
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
                                 .records_wake = {.fd = -1},
                                 .results_wake = {.fd = -1},
                                 .poll_timer = {.fn = on_poll_timer, .arg = ks},
                                 .give_timer = {.fn = est_kafka_sub_on_give_timer, .arg = ks},
                                 .assign_timer = {.fn = est_kafka_sub_on_assign_timer, .arg = ks}};
    est_pool_init(&ks->messages, est_kafka_msg_block(), EST_KAFKA_SUB_QUEUE);
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
    on_poll_timer(ks);
    *ret = ks;
    return EST_OK;
}

/* rd_kafka_destroy joins librdkafka's threads: tens of milliseconds, once, at the end. */
void est_kafka_sub_free(struct est_kafka_sub *ks)
{
    if (ks == NULL)
        return;
    est_loop_timer_off(ks->loop, &ks->poll_timer);
    est_loop_timer_off(ks->loop, &ks->give_timer);
    est_loop_timer_off(ks->loop, &ks->assign_timer);
    est_kafka_wake_fini(&ks->wake);
    est_kafka_wake_fini(&ks->records_wake);
    est_kafka_wake_fini(&ks->results_wake);
    if (ks->revoked != NULL)
        rd_kafka_topic_partition_list_destroy(ks->revoked);
    if (ks->unread != NULL)
        rd_kafka_topic_partition_list_destroy(ks->unread);
    if (ks->results != NULL)
        rd_kafka_queue_destroy(ks->results);
    if (ks->records != NULL)
        rd_kafka_queue_destroy(ks->records);
    if (ks->queue != NULL)
        rd_kafka_queue_destroy(ks->queue);
    if (ks->rk != NULL)
        rd_kafka_destroy_flags(ks->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    for (size_t i = 0; i < ks->n_topics; i++)
        est_free(ks->topics[i]);
    est_free(ks->topics);
    est_pool_fini(&ks->messages);
    est_free(ks);
}
