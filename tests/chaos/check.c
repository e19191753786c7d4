/* What a load was promised, against all that lies in Kafka; one line of JSON. Reads Kafka past our
 * own libraries, which must not be their own witness.
 *   chaos_check BROKERS PREFIX FILE…   topics whose names begin so; FILE: what chaos_load wrote */
#include "base/clock.h"
#include "tally.h"

#include <librdkafka/rdkafka.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000, GATHER_MS = 20, BATCH = 1000 };

static struct tally tally;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "chaos_check: %s: %s\n", what, why);
    exit(69);
}

static void check(const char *what, rd_kafka_resp_err_t err)
{
    if (err)
        die(what, rd_kafka_err2str(err));
}

/* TAG LANES KEYS, then ACCEPTED SENT of each lane. */
static void read_load(const char *file)
{
    FILE *f = fopen(file, "r");
    char tag[TALLY_TAG_MAX + 1];
    uint32_t lanes, keys;
    uint64_t accepted, sent;

    if (f == NULL || fscanf(f, "%31s %" SCNu32 " %" SCNu32, tag, &lanes, &keys) != 3 ||
        tally_add(&tally, tag, lanes, keys) != EST_OK)
        die(file, "not a list of chaos_load");
    for (uint32_t i = 0; i < lanes; i++)
        if (fscanf(f, "%" SCNu64 " %" SCNu64, &accepted, &sent) != 2 ||
            tally_lane(&tally, i, accepted, sent) != EST_OK)
            die(file, "a lane is missing");
    (void)fclose(f);
}

static rd_kafka_t *open_reader(const char *brokers)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},          {"group.id", "chaos_check"},
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
            die(settings[i][0], text);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!rk)
        die("reader", text);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

/* Every partition of every such topic from its first record; returns how many there are. */
static int assign_all(rd_kafka_t *rk, const char *prefix)
{
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);
    int n;

    check("topics", rd_kafka_metadata(rk, 1, NULL, &meta, WAIT_MS));
    for (int i = 0; i < meta->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &meta->topics[i];
        if (strncmp(topic->topic, prefix, strlen(prefix)) != 0)
            continue;
        for (int p = 0; p < topic->partition_cnt; p++)
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[p].id)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
    }
    check("assign", rd_kafka_assign(rk, list));
    n = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(meta);
    return n;
}

static struct est_view header(const rd_kafka_message_t *msg, const char *name)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value;
    size_t n;

    if (rd_kafka_message_headers(msg, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &n) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return EST_VIEW_NONE;
    return est_view(value, n);
}

static void take(const rd_kafka_message_t *msg)
{
    struct est_view id = header(msg, "ce_id");
    est_err err =
        tally_take(&tally, id.data != NULL ? id : EST_VIEW_LIT("?"), header(msg, EST_CHAIN_HEADER));

    if (err != EST_OK)
        die("tally", est_err_text(err));
}

/* The partitions whose end this one tells. */
static int take_any(const rd_kafka_message_t *msg)
{
    if (msg->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        take(msg);
    return msg->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
}

static void read_all(rd_kafka_t *rk, int open)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_message_t *batch[BATCH];
    est_us heard = est_clock_mono();

    while (open > 0) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, GATHER_MS, batch, BATCH);
        est_us now = est_clock_mono();
        if (n < 0 || (n == 0 && now - heard > WAIT_MS * EST_MS))
            die("reading", "no answer in time");
        heard = n > 0 ? now : heard;
        for (ssize_t i = 0; i < n; i++) {
            open -= take_any(batch[i]);
            rd_kafka_message_destroy(batch[i]);
        }
    }
    rd_kafka_queue_destroy(queue);
}

static void print(const struct tally_sum *s)
{
    const struct {
        const char *name;
        uint64_t n;
    } fields[] = {
        {"records", s->records},
        {"foreign", s->foreign},
        {"sent", s->sent},
        {"accepted", s->accepted},
        {"delivered", s->delivered},
        {"lost", s->lost},
        {"unpromised", s->unpromised},
        {"duplicates", s->duplicates},
        {"inversions", s->inversions},
        {"boot_inversions", s->boot_inversions},
        {"boots", s->boots},
        {"holes", s->holes},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        printf("%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", fields[i].name, fields[i].n);
    printf("}\n");
}

int main(int argc, char **argv)
{
    rd_kafka_t *rk;

    if (argc < 4) {
        fprintf(stderr, "usage: chaos_check BROKERS PREFIX FILE…\n");
        return 64;
    }
    tally_init(&tally);
    for (int i = 3; i < argc; i++)
        read_load(argv[i]);
    rk = open_reader(argv[1]);
    read_all(rk, assign_all(rk, argv[2]));
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    print(tally_end(&tally));
    tally_fini(&tally);
    return 0;
}
