/* A group's offsets and the ends of topics, seen from outside, against librdkafka's mock broker. */
#include "io/kafka_look.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 3 };
static const char GROUP[] = "esteira.test", METADATA[] = "a note";
static const char *const topics[] = {"orders", "nowhere", "users"};

static struct {
    rd_kafka_t *rk; /* owns the mock cluster; also the producer */
    rd_kafka_mock_cluster_t *cluster;
} mock;

static int start_mock(void **state)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[200];

    (void)state;
    assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", text, sizeof(text)), 0);
    mock.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(mock.rk);
    mock.cluster = rd_kafka_handle_mock_cluster(mock.rk);
    assert_int_equal(rd_kafka_mock_topic_create(mock.cluster, topics[0], PARTITIONS, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(mock.cluster, topics[2], 1, 1), 0);
    return 0;
}

static int stop_mock(void **state)
{
    (void)state;
    rd_kafka_destroy(mock.rk);
    return 0;
}

static void produce(const char *topic, int32_t partition, int n, int64_t at_ms)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(
            rd_kafka_producev(mock.rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                              RD_KAFKA_V_VALUE("v", 1), RD_KAFKA_V_TIMESTAMP(at_ms + i),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            0);
    assert_int_equal(rd_kafka_flush(mock.rk, 10000), 0);
}

static void commit(const char *topic, int32_t partition, int64_t offset, const char *metadata)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *tp = rd_kafka_topic_partition_list_add(list, topic, partition);
    char text[200];
    rd_kafka_t *rk;

    (void)rd_kafka_conf_set(conf, "bootstrap.servers",
                            rd_kafka_mock_cluster_bootstraps(mock.cluster), text, sizeof(text));
    (void)rd_kafka_conf_set(conf, "group.id", GROUP, text, sizeof(text));
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(rk);
    tp->offset = offset;
    if (metadata != NULL) {
        tp->metadata_size = strlen(metadata);
        tp->metadata = rd_kafka_mem_malloc(NULL, tp->metadata_size);
        memcpy(tp->metadata, metadata, tp->metadata_size);
    }
    assert_int_equal(rd_kafka_commit(rk, list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

static struct est_kafka_look *look(void)
{
    const struct est_kafka_look_options opt = {
        .brokers = rd_kafka_mock_cluster_bootstraps(mock.cluster),
        .client_id = "look-test",
        .group = GROUP,
        .topics = topics,
        .n_topics = 3,
        .timeout = 10 * EST_SECOND,
    };
    struct est_kafka_look *k = NULL;
    struct est_why why = {0};

    if (est_kafka_look_new(&opt, &k, &why) != EST_OK)
        fail_msg("%s", why.text);
    return k;
}

static void test_offsets(void **state)
{
    struct est_kafka_look *k;
    const struct est_kafka_look_part *parts;
    struct est_why why = {0};
    size_t n;

    (void)state;
    produce(topics[0], 1, 7, 1000);
    produce(topics[2], 0, 3, 2000);
    commit(topics[0], 1, 5, METADATA);
    commit(topics[2], 0, 3, NULL);
    k = look();
    parts = est_kafka_look_parts(k, &n);
    assert_int_equal(n, PARTITIONS + 1); /* of "nowhere" none */
    for (size_t i = 0; i < PARTITIONS; i++) {
        assert_int_equal(parts[i].topic, 0);
        assert_int_equal(parts[i].partition, i);
        assert_int_equal(parts[i].low, 0);
        assert_int_equal(parts[i].high, i == 1 ? 7 : 0);
        assert_int_equal(parts[i].committed, i == 1 ? 5 : -1);
        assert_int_equal(parts[i].metadata.data != NULL, i == 1);
    }
    assert_true(est_view_is(parts[1].metadata, METADATA));
    assert_int_equal(parts[3].topic, 2);
    assert_int_equal(parts[3].high, 3);
    assert_int_equal(parts[3].committed, 3);
    assert_null(parts[3].metadata.data);

    produce(topics[2], 0, 2, 3000);
    assert_int_equal(est_kafka_look_refresh(k, &why), EST_OK);
    parts = est_kafka_look_parts(k, &n);
    assert_int_equal(n, PARTITIONS + 1);
    assert_int_equal(parts[3].high, 5);
    est_kafka_look_free(k);
}

/* Of what the group has passed, and where nothing waits, there is no time. */
static void test_times(void **state)
{
    struct est_kafka_look *k;
    const struct est_kafka_look_part *parts;
    struct est_why why = {0};
    size_t n;

    (void)state;
    produce(topics[0], 0, 2, 1764093200000);
    produce(topics[0], 1, 4, 1764093310000);
    produce(topics[0], 2, 3, 1764093100000);
    commit(topics[0], 0, 2, NULL);
    commit(topics[0], 1, 3, NULL);
    k = look();
    parts = est_kafka_look_parts(k, &n);
    for (int round = 0; round < 2; round++) {
        if (est_kafka_look_times(k, 10 * EST_SECOND, &why) != EST_OK)
            fail_msg("%s", why.text);
        assert_int_equal(parts[0].waits_since_ms, -1);
        assert_int_equal(parts[1].waits_since_ms, 1764093310003);
        assert_int_equal(parts[2].waits_since_ms, 1764093100000);
        assert_int_equal(parts[3].waits_since_ms, -1);
    }
    est_kafka_look_free(k);
}

static void test_nobody_answers(void **state)
{
    const struct est_kafka_look_options opt = {.brokers = "127.0.0.1:1",
                                               .client_id = "look-test",
                                               .group = GROUP,
                                               .topics = topics,
                                               .n_topics = 3,
                                               .timeout = 300 * EST_MS};
    struct est_kafka_look *k = NULL;
    struct est_why why = {0};

    (void)state;
    assert_int_equal(est_kafka_look_new(&opt, &k, &why), EST_ERR_KAFKA_DOWN);
    assert_null(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_offsets, start_mock, stop_mock),
        cmocka_unit_test_setup_teardown(test_times, start_mock, stop_mock),
        cmocka_unit_test(test_nobody_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
