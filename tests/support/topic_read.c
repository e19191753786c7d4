#include "topic_read.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { GATHER_MS = 20, BATCH = 1000 };

void topic_read_die(const char *what, const char *why)
{
    (void)fprintf(stderr, "reading Kafka: %s: %s\n", what, why);
    exit(69);
}

void topic_read_check(const char *what, rd_kafka_resp_err_t err)
{
    if (err)
        topic_read_die(what, rd_kafka_err2str(err));
}

rd_kafka_t *topic_read_open(const char *brokers)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},          {"group.id", "topic_read"},
        {"enable.auto.commit", "false"},         {"log_level", "3"},
        {"enable.partition.eof", "true"},        {"fetch.wait.max.ms", "20"},
        {"queued.max.messages.kbytes", "32768"}, {"check.crcs", "false"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char text[256];

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            topic_read_die(settings[i][0], text);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!rk)
        topic_read_die("reader", text);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

void topic_read_close(rd_kafka_t *rk)
{
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static bool is_wanted(const char *topic, const char *name, bool prefix)
{
    struct est_view v = est_view_str(topic);

    return prefix ? est_view_starts(v, est_view_str(name)) : est_view_is(v, name);
}

/* Returns how many partitions there are. */
static int assign_all(rd_kafka_t *rk, const char *name, bool prefix)
{
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);
    int n;

    topic_read_check("topics", rd_kafka_metadata(rk, 1, NULL, &meta, TOPIC_READ_WAIT_MS));
    for (int i = 0; i < meta->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &meta->topics[i];
        if (!is_wanted(topic->topic, name, prefix))
            continue;
        for (int p = 0; p < topic->partition_cnt; p++)
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[p].id)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
    }
    topic_read_check("assign", rd_kafka_assign(rk, list));
    n = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(meta);
    return n;
}

void topic_read_all(rd_kafka_t *rk, const char *name, bool prefix,
                    void (*take)(const rd_kafka_message_t *msg, void *arg), void *arg)
{
    int open = assign_all(rk, name, prefix);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_message_t *batch[BATCH];
    est_us heard = est_clock_mono();

    while (open > 0) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, GATHER_MS, batch, BATCH);
        est_us now = est_clock_mono();
        if (n < 0 || (n == 0 && now - heard > TOPIC_READ_WAIT_MS * EST_MS))
            topic_read_die(name, "no answer in time");
        heard = n > 0 ? now : heard;
        for (ssize_t i = 0; i < n; i++) {
            if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR)
                take(batch[i], arg);
            open -= batch[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            rd_kafka_message_destroy(batch[i]);
        }
    }
    rd_kafka_queue_destroy(queue);
    topic_read_check("unassign", rd_kafka_assign(rk, NULL));
}

struct est_view topic_read_header(const rd_kafka_message_t *msg, const char *name)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value;
    size_t n;

    if (rd_kafka_message_headers(msg, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &n) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return EST_VIEW_NONE;
    return est_view(value, n);
}
