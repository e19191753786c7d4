/* What lies in Kafka, as JSON lines, for tests that must not trust our own programs:
 *   topic_dump count BROKERS PREFIX   {"topic","records"} for every topic whose name begins so
 *   topic_dump read BROKERS TOPIC     every record: partition, offset, timestamp, key, headers, and
 *                                     the value in hexadecimal (null for a tombstone) */
#include "base/buf.h"
#include "base/jsonw.h"

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 20000, LINE_MAX_BYTES = 64 * 1024 * 1024 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "topic_dump: %s: %s\n", what, why);
    exit(69);
}

static void check(const char *what, rd_kafka_resp_err_t err)
{
    if (err)
        die(what, rd_kafka_err2str(err));
}

static rd_kafka_t *open_reader(const char *brokers)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},   {"group.id", "topic_dump"},
        {"enable.auto.commit", "false"},  {"log_level", "3"},
        {"enable.partition.eof", "true"}, {"fetch.wait.max.ms", "20"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char text[256];

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            die(settings[i][0], text);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!rk)
        die("reader", text);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void print_line(struct est_buf *line)
{
    est_buf_putc(line, '\n');
    if (est_buf_err(line))
        die("output", "a record is larger than this tool prints");
    fwrite(line->data, 1, line->len, stdout);
    est_buf_clear(line);
}

/* The leader of a topic made a moment ago may not know yet that it is one. */
static rd_kafka_resp_err_t query_offsets(rd_kafka_t *rk, const char *topic, int32_t partition,
                                         int64_t *low, int64_t *high)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (int left = WAIT_MS / 50; left > 0; left--) {
        err = rd_kafka_query_watermark_offsets(rk, topic, partition, low, high, WAIT_MS);
        if (err != RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION &&
            err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
            break;
        (void)nanosleep(&pause, NULL); /* between two questions, not instead of one */
    }
    return err;
}

static int64_t count_records(rd_kafka_t *rk, const rd_kafka_metadata_topic_t *topic)
{
    int64_t sum = 0;

    for (int i = 0; i < topic->partition_cnt; i++) {
        int64_t low, high;

        check(topic->topic, query_offsets(rk, topic->topic, topic->partitions[i].id, &low, &high));
        sum += high - low;
    }
    return sum;
}

static void run_count(rd_kafka_t *rk, const char *prefix)
{
    const struct rd_kafka_metadata *meta;
    struct est_buf line;

    est_buf_init(&line, LINE_MAX_BYTES);
    check("topics", rd_kafka_metadata(rk, 1, NULL, &meta, WAIT_MS));
    for (int i = 0; i < meta->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &meta->topics[i];

        if (strncmp(topic->topic, prefix, strlen(prefix)) != 0)
            continue;
        est_buf_puts(&line, "{");
        est_json_put_name(&line, "topic");
        est_json_put_str(&line, topic->topic);
        est_json_put_name(&line, "records");
        est_buf_put_i64(&line, count_records(rk, topic));
        est_buf_putc(&line, '}');
        print_line(&line);
    }
    rd_kafka_metadata_destroy(meta);
    est_buf_fini(&line);
}

static void put_hex(struct est_buf *line, const unsigned char *data, size_t n)
{
    est_buf_putc(line, '"');
    for (size_t i = 0; i < n; i++)
        est_buf_printf(line, "%02x", data[i]);
    est_buf_putc(line, '"');
}

static void put_headers(struct est_buf *line, const rd_kafka_message_t *msg)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t n;

    est_buf_putc(line, '[');
    if (rd_kafka_message_headers(msg, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &n); i++) {
            est_buf_puts(line, i > 0 ? ",[" : "[");
            est_json_put_str(line, name);
            est_buf_putc(line, ',');
            est_json_put_string(line, est_view(value ? value : "", n));
            est_buf_putc(line, ']');
        }
    est_buf_putc(line, ']');
}

static void put_record(struct est_buf *line, const rd_kafka_message_t *msg)
{
    est_buf_printf(line, "{\"partition\":%d,\"offset\":%lld,\"timestamp\":%lld", msg->partition,
                   (long long)msg->offset, (long long)rd_kafka_message_timestamp(msg, NULL));
    est_json_put_name(line, "key");
    est_json_put_string(line, est_view(msg->key ? msg->key : "", msg->key_len));
    est_json_put_name(line, "headers");
    put_headers(line, msg);
    est_json_put_name(line, "value");
    if (msg->payload)
        put_hex(line, msg->payload, msg->len);
    else
        est_buf_puts(line, "null");
    est_buf_putc(line, '}');
}

/* Every partition of the topic from its first record; returns how many there are. */
static int assign_all(rd_kafka_t *rk, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_partition_list_t *list;
    int n;

    check("topic", rd_kafka_metadata(rk, 0, topic, &meta, WAIT_MS));
    n = meta->topic_cnt == 1 ? meta->topics[0].partition_cnt : 0;
    list = rd_kafka_topic_partition_list_new(n);
    for (int i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, name, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    check("assign", rd_kafka_assign(rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(meta);
    rd_kafka_topic_destroy(topic);
    return n;
}

static void run_read(rd_kafka_t *rk, const char *topic)
{
    struct est_buf line;
    int open = assign_all(rk, topic);

    est_buf_init(&line, LINE_MAX_BYTES);
    while (open > 0) {
        rd_kafka_message_t *msg = rd_kafka_consumer_poll(rk, WAIT_MS);

        if (!msg)
            die(topic, "no answer in time");
        if (msg->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open--;
        } else {
            check(topic, msg->err);
            put_record(&line, msg);
            print_line(&line);
        }
        rd_kafka_message_destroy(msg);
    }
    est_buf_fini(&line);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(rd_kafka_t *rk, const char *what);
    } verbs[] = {{"count", run_count}, {"read", run_read}};

    for (size_t i = 0; argc == 4 && i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            rd_kafka_t *rk = open_reader(argv[2]);

            verbs[i].run(rk, argv[3]);
            rd_kafka_consumer_close(rk);
            rd_kafka_destroy(rk);
            return 0;
        }
    }
    fprintf(stderr, "usage: topic_dump count BROKERS PREFIX | topic_dump read BROKERS TOPIC\n");
    return 64;
}
