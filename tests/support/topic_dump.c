/* What lies in Kafka, as JSON lines, for tests that must not trust our own programs:
 *   topic_dump count BROKERS PREFIX   {"topic","records"} for every topic whose name begins so
 *   topic_dump read BROKERS TOPIC     every record: partition, offset, timestamp, key, headers, and
 *                                     the value in hexadecimal (null for a tombstone) */
#include "base/buf.h"
#include "base/jsonw.h"
#include "topic_read.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = TOPIC_READ_WAIT_MS, LINE_MAX_BYTES = 64 * 1024 * 1024 };

static void print_line(struct est_buf *line)
{
    est_buf_putc(line, '\n');
    if (est_buf_err(line))
        topic_read_die("output", "a record is larger than this tool prints");
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

        topic_read_check(topic->topic,
                         query_offsets(rk, topic->topic, topic->partitions[i].id, &low, &high));
        sum += high - low;
    }
    return sum;
}

static void run_count(rd_kafka_t *rk, const char *prefix)
{
    const struct rd_kafka_metadata *meta;
    struct est_buf line;

    est_buf_init(&line, LINE_MAX_BYTES);
    topic_read_check("topics", rd_kafka_metadata(rk, 1, NULL, &meta, WAIT_MS));
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

static void take(const rd_kafka_message_t *msg, void *line)
{
    put_record(line, msg);
    print_line(line);
}

static void run_read(rd_kafka_t *rk, const char *topic)
{
    struct est_buf line;

    est_buf_init(&line, LINE_MAX_BYTES);
    topic_read_all(rk, topic, false, take, &line);
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
            rd_kafka_t *rk = topic_read_open(argv[2]);

            verbs[i].run(rk, argv[3]);
            topic_read_close(rk);
            return 0;
        }
    }
    fprintf(stderr, "usage: topic_dump count BROKERS PREFIX | topic_dump read BROKERS TOPIC\n");
    return 64;
}
