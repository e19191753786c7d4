#include "kafka_admin.h"

#include "base/assert.h"
#include "base/mem.h"
#include "io/kafka_client.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

struct est_kafka_admin {
    rd_kafka_t *rk;
};

/* librdkafka's errors of these calls in our words. Its own codes (< 0) mean that nobody answered.
 */
static est_err translate(rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return EST_OK;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return EST_ERR_AGAIN;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return EST_ERR_NOTFOUND;
    return code < 0 ? EST_ERR_KAFKA_DOWN : EST_ERR_KAFKA_REFUSED;
}

est_err est_kafka_admin_new(const char *brokers, const char *client_id,
                            const struct est_kafka_option *extra, size_t n_extra,
                            struct est_kafka_admin **ret, struct est_why *reterr)
{
    const struct est_kafka_setting own[] = {
        {"bootstrap.servers", brokers, 0},
        {"client.id", client_id, 0},
        {"allow.auto.create.topics", "false", 0},
        {"log_level", "2", 0}, /* what goes wrong comes back as a result */
    };
    struct est_kafka_admin *ka = est_calloc(1, sizeof(*ka));
    est_err err;

    if (ka == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the Kafka client");
    err = est_kafka_open(RD_KAFKA_PRODUCER, own, sizeof(own) / sizeof(own[0]), extra, n_extra,
                         &ka->rk, reterr);
    if (err == EST_OK)
        *ret = ka;
    else
        est_free(ka);
    return err;
}

void est_kafka_admin_free(struct est_kafka_admin *ka)
{
    if (ka == NULL)
        return;
    rd_kafka_destroy(ka->rk);
    est_free(ka);
}

/* --- creating --- */

static rd_kafka_NewTopic_t *new_topic(const struct est_kafka_topic_wish *wish,
                                      struct est_why *reterr)
{
    char text[EST_WHY_TEXT / 2];
    rd_kafka_NewTopic_t *nt =
        rd_kafka_NewTopic_new(wish->topic, wish->partitions, wish->replication, text, sizeof(text));

    if (nt == NULL) {
        (void)est_why_set(reterr, EST_ERR_INVALID, "topic %s: %s", wish->topic, text);
        return NULL;
    }
    for (size_t i = 0; i < wish->n_configs; i++)
        (void)rd_kafka_NewTopic_set_config(nt, wish->configs[i].name, wish->configs[i].value);
    return nt;
}

static est_err tell_results(rd_kafka_event_t *ev, est_kafka_topic_told *told, void *arg,
                            struct est_why *reterr)
{
    const rd_kafka_CreateTopics_result_t *res = rd_kafka_event_CreateTopics_result(ev);
    est_err first = EST_OK;
    size_t n = 0;
    const rd_kafka_topic_result_t **all = rd_kafka_CreateTopics_result_topics(res, &n);

    for (size_t i = 0; i < n; i++) {
        est_err err = translate(rd_kafka_topic_result_error(all[i]));
        const char *text = rd_kafka_topic_result_error_string(all[i]);
        const char *topic = rd_kafka_topic_result_name(all[i]);

        told(arg, topic, err, text != NULL ? text : "");
        if (first == EST_OK && err != EST_OK && err != EST_ERR_AGAIN)
            first = est_why_set(reterr, err, "topic %s: %s", topic, text != NULL ? text : "");
    }
    return first;
}

/* Waits for the one result of a request, and gives queue and options back. */
static est_err await(rd_kafka_queue_t *queue, rd_kafka_AdminOptions_t *opt, est_us timeout,
                     const char *what, rd_kafka_event_t **ret, struct est_why *reterr)
{
    rd_kafka_event_t *ev = rd_kafka_queue_poll(queue, (int)(timeout / EST_MS) + 500);
    est_err err = EST_OK;

    if (ev == NULL)
        err = est_why_set(reterr, EST_ERR_KAFKA_DOWN, "Kafka did not answer in time");
    else if (rd_kafka_event_error(ev) != RD_KAFKA_RESP_ERR_NO_ERROR)
        err = est_why_set(reterr, translate(rd_kafka_event_error(ev)), "%s: %s", what,
                          rd_kafka_event_error_string(ev));
    if (err != EST_OK && ev != NULL)
        rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(opt);
    *ret = ev;
    return err;
}

static rd_kafka_AdminOptions_t *options_of(struct est_kafka_admin *ka, rd_kafka_admin_op_t op,
                                           est_us timeout)
{
    rd_kafka_AdminOptions_t *opt = rd_kafka_AdminOptions_new(ka->rk, op);
    int ms = (int)(timeout / EST_MS);

    (void)rd_kafka_AdminOptions_set_request_timeout(opt, ms, NULL, 0);
    (void)rd_kafka_AdminOptions_set_operation_timeout(opt, ms, NULL, 0);
    return opt;
}

static est_err create(struct est_kafka_admin *ka, rd_kafka_NewTopic_t **topics, size_t n,
                      est_us timeout, est_kafka_topic_told *told, void *arg, struct est_why *reterr)
{
    rd_kafka_AdminOptions_t *opt = options_of(ka, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(ka->rk);
    rd_kafka_event_t *ev = NULL;
    est_err err;

    rd_kafka_CreateTopics(ka->rk, topics, n, opt, queue);
    err = await(queue, opt, timeout, "creating topics", &ev, reterr);
    if (err != EST_OK)
        return err;
    err = tell_results(ev, told, arg, reterr);
    rd_kafka_event_destroy(ev);
    return err;
}

est_err est_kafka_admin_create(struct est_kafka_admin *ka,
                               const struct est_kafka_topic_wish *wishes, size_t n, est_us timeout,
                               est_kafka_topic_told *told, void *arg, struct est_why *reterr)
{
    rd_kafka_NewTopic_t **topics = est_calloc(n ? n : 1, sizeof(rd_kafka_NewTopic_t *));
    est_err err = EST_OK;
    size_t made = 0;

    if (topics == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the topics");
    while (made < n && (topics[made] = new_topic(&wishes[made], reterr)) != NULL)
        made++;
    if (made < n)
        err = EST_ERR_INVALID;
    else if (n > 0)
        err = create(ka, topics, n, timeout, told, arg, reterr);
    rd_kafka_NewTopic_destroy_array(topics, made);
    est_free(topics);
    return err;
}

/* --- growing --- */

static est_err grown(const rd_kafka_event_t *ev, struct est_why *reterr)
{
    const rd_kafka_CreatePartitions_result_t *res =
        rd_kafka_event_CreatePartitions_result((rd_kafka_event_t *)ev);
    size_t n = 0;
    const rd_kafka_topic_result_t **all = rd_kafka_CreatePartitions_result_topics(res, &n);
    est_err err = n == 1 ? translate(rd_kafka_topic_result_error(all[0])) : EST_ERR_KAFKA_REFUSED;

    if (err != EST_OK)
        return est_why_set(reterr, err, "%s",
                           n == 1 ? rd_kafka_topic_result_error_string(all[0]) : "no result");
    return EST_OK;
}

est_err est_kafka_admin_grow(struct est_kafka_admin *ka, const char *topic, int32_t total,
                             est_us timeout, struct est_why *reterr)
{
    char text[EST_WHY_TEXT / 2];
    rd_kafka_NewPartitions_t *wish =
        rd_kafka_NewPartitions_new(topic, (size_t)total, text, sizeof(text));
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *opt;
    rd_kafka_event_t *ev = NULL;
    est_err err;

    if (wish == NULL)
        return est_why_set(reterr, EST_ERR_INVALID, "topic %s: %s", topic, text);
    queue = rd_kafka_queue_new(ka->rk);
    opt = options_of(ka, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout);
    rd_kafka_CreatePartitions(ka->rk, &wish, 1, opt, queue);
    err = await(queue, opt, timeout, "growing a topic", &ev, reterr);
    if (err == EST_OK) {
        err = grown(ev, reterr);
        rd_kafka_event_destroy(ev);
    }
    rd_kafka_NewPartitions_destroy(wish);
    return err;
}

/* --- deleting --- */

static est_err note_cuts(rd_kafka_event_t *ev, struct est_kafka_cut *cuts, size_t n,
                         struct est_why *reterr)
{
    const rd_kafka_topic_partition_list_t *parts =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(ev));
    est_err first = EST_OK;

    for (int i = 0; i < parts->cnt; i++)
        for (size_t c = 0; c < n; c++)
            if (cuts[c].partition == parts->elems[i].partition)
                cuts[c].err = translate(parts->elems[i].err);
    for (size_t c = 0; c < n && first == EST_OK; c++)
        if (cuts[c].err != EST_OK)
            first = est_why_set(reterr, cuts[c].err, "partition %d: %s", (int)cuts[c].partition,
                                est_err_text(cuts[c].err));
    return first;
}

est_err est_kafka_admin_delete_records(struct est_kafka_admin *ka, const char *topic,
                                       struct est_kafka_cut *cuts, size_t n, est_us timeout,
                                       struct est_why *reterr)
{
    rd_kafka_AdminOptions_t *opt = options_of(ka, RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(ka->rk);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new((int)n);
    rd_kafka_DeleteRecords_t *request;
    rd_kafka_event_t *ev = NULL;
    est_err err;

    for (size_t i = 0; i < n; i++) {
        cuts[i].err = EST_ERR_KAFKA_DOWN; /* until it is told */
        rd_kafka_topic_partition_list_add(parts, topic, cuts[i].partition)->offset = cuts[i].before;
    }
    request = rd_kafka_DeleteRecords_new(parts);
    rd_kafka_topic_partition_list_destroy(parts);
    rd_kafka_DeleteRecords(ka->rk, &request, 1, opt, queue);
    err = await(queue, opt, timeout, "deleting records", &ev, reterr);
    rd_kafka_DeleteRecords_destroy(request);
    if (err != EST_OK)
        return err;
    err = note_cuts(ev, cuts, n, reterr);
    rd_kafka_event_destroy(ev);
    return err;
}

/* --- looking --- */

est_err est_kafka_admin_partitions(struct est_kafka_admin *ka, const char *topic, est_us timeout,
                                   int32_t *ret, struct est_why *reterr)
{
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(ka->rk, topic, NULL);
    const rd_kafka_metadata_t *md;
    rd_kafka_resp_err_t code;

    if (rkt == NULL)
        return est_why_set(reterr, translate(rd_kafka_last_error()), "topic %s", topic);
    code = rd_kafka_metadata(ka->rk, 0, rkt, &md, (int)(timeout / EST_MS));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        EST_ASSERT(md->topic_cnt == 1);
        code = md->topics[0].err;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            *ret = md->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_topic_destroy(rkt);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return est_why_set(reterr, translate(code), "topic %s: %s", topic, rd_kafka_err2str(code));
    return EST_OK;
}

static void count_copies(const rd_kafka_metadata_t *md, struct est_kafka_copies *ret)
{
    for (int t = 0; t < md->topic_cnt; t++) {
        for (int p = 0; p < md->topics[t].partition_cnt; p++) {
            const rd_kafka_metadata_partition_t *part = &md->topics[t].partitions[p];
            ret->partitions++;
            ret->behind += part->isr_cnt < part->replica_cnt;
            ret->leaderless += part->leader < 0;
        }
    }
}

est_err est_kafka_admin_copies(struct est_kafka_admin *ka, est_us timeout,
                               struct est_kafka_copies *ret, struct est_why *reterr)
{
    const rd_kafka_metadata_t *md;
    rd_kafka_resp_err_t code = rd_kafka_metadata(ka->rk, 1, NULL, &md, (int)(timeout / EST_MS));

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return est_why_set(reterr, translate(code), "%s", rd_kafka_err2str(code));
    *ret = (struct est_kafka_copies){.brokers = (unsigned)md->broker_cnt};
    count_copies(md, ret);
    rd_kafka_metadata_destroy(md);
    return EST_OK;
}
