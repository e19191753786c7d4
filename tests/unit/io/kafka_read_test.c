/* The reader that is in no group, against librdkafka's mock broker. Where to begin by time is
 * Kafka's work and unknown to that broker: the command line's scenario has it. */
#include "io/kafka_read.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { PARTITIONS = 3, RECORDS = 300 };
static const est_us DEADLINE = 20 * EST_SECOND;
static const char TOPIC[] = "t";

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
    assert_int_equal(rd_kafka_mock_topic_create(mock.cluster, TOPIC, PARTITIONS, 1), 0);
    return 0;
}

static int stop_mock(void **state)
{
    (void)state;
    rd_kafka_destroy(mock.rk);
    return 0;
}

static void produce(int from, int to)
{
    for (int i = from; i < to; i++) {
        char value[16];
        int n = snprintf(value, sizeof(value), "%d", i);
        assert_int_equal(
            rd_kafka_producev(mock.rk, RD_KAFKA_V_TOPIC(TOPIC),
                              RD_KAFKA_V_PARTITION(i % PARTITIONS), RD_KAFKA_V_KEY("k", 1),
                              RD_KAFKA_V_VALUE(value, (size_t)n), RD_KAFKA_V_HEADER("h", "v", 1),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            0);
    }
    assert_int_equal(rd_kafka_flush(mock.rk, 10000), 0);
}

static est_err open_reader(const char *topic, int64_t since_ms, bool until_now,
                           struct est_kafka_read **ret)
{
    const struct est_kafka_read_options opt = {
        .brokers = rd_kafka_mock_cluster_bootstraps(mock.cluster),
        .client_id = "read-test",
        .topic = topic,
        .since_ms = since_ms,
        .until_now = until_now,
        .timeout = 5 * EST_SECOND,
    };
    struct est_why why;

    return est_kafka_read_new(&opt, ret, &why);
}

/* What comes next that is not "nothing yet". */
static est_err next(struct est_kafka_read *kr, struct est_kafka_msg **ret)
{
    est_us until = est_clock_mono() + DEADLINE;
    est_err err = EST_ERR_AGAIN;

    while (err == EST_ERR_AGAIN && est_clock_mono() < until)
        err = est_kafka_read_next(kr, 100 * EST_MS, ret, NULL);
    return err;
}

static int number_of(const struct est_kafka_msg *m)
{
    struct est_view v = est_kafka_msg_value(m);
    unsigned long long n;

    assert_true(est_view_u64(v, RECORDS * 2, &n));
    return (int)n;
}

static void check_record(const struct est_kafka_msg *m, int last[PARTITIONS])
{
    int32_t p = est_kafka_msg_partition(m);

    assert_in_range(p, 0, PARTITIONS - 1);
    assert_true(number_of(m) > last[p]);
    assert_true(est_view_is(est_kafka_msg_header(m, "h"), "v"));
    assert_true(est_view_is(est_kafka_msg_key(m), "k"));
    assert_string_equal(est_kafka_msg_topic(m), TOPIC);
    last[p] = number_of(m);
}

/* The end of what is there comes once; then each record once, in the order of its partition. */
static void test_end_then_what_comes(void **state)
{
    int last[PARTITIONS] = {-1, -1, -1};
    struct est_kafka_read *kr;
    struct est_kafka_msg *m = NULL;

    (void)state;
    produce(0, PARTITIONS);
    assert_int_equal(open_reader(TOPIC, EST_KAFKA_READ_END, false, &kr), EST_OK);
    assert_int_equal(next(kr, &m), EST_ERR_CLOSED);
    produce(PARTITIONS, RECORDS);
    for (int i = PARTITIONS; i < RECORDS; i++) {
        assert_int_equal(next(kr, &m), EST_OK);
        check_record(m, last);
        est_kafka_msg_free(m);
    }
    assert_int_equal(est_kafka_read_next(kr, 100 * EST_MS, &m, NULL), EST_ERR_AGAIN);
    est_kafka_read_free(kr);
}

/* What comes after it was opened is not told, not even by a partition that has not ended yet. */
static void test_until_now(void **state)
{
    int last[PARTITIONS] = {-1, -1, -1};
    struct est_kafka_read *kr;
    struct est_kafka_msg *m = NULL;

    (void)state;
    produce(0, RECORDS);
    assert_int_equal(open_reader(TOPIC, 0, true, &kr), EST_OK);
    assert_int_equal(est_kafka_read_total(kr), RECORDS);
    produce(RECORDS, RECORDS + PARTITIONS);
    for (int i = 0; i < RECORDS; i++) {
        assert_int_equal(next(kr, &m), EST_OK);
        check_record(m, last);
        assert_true(number_of(m) < RECORDS);
        est_kafka_msg_free(m);
    }
    assert_int_equal(next(kr, &m), EST_ERR_CLOSED);
    assert_int_equal(next(kr, &m), EST_ERR_CLOSED);
    est_kafka_read_free(kr);
}

static void test_until_now_of_an_empty_topic(void **state)
{
    struct est_kafka_read *kr;
    struct est_kafka_msg *m = NULL;

    (void)state;
    assert_int_equal(open_reader(TOPIC, 0, true, &kr), EST_OK);
    assert_int_equal(est_kafka_read_total(kr), 0);
    assert_int_equal(next(kr, &m), EST_ERR_CLOSED);
    est_kafka_read_free(kr);
}

/* A record that is put back must have every header that it had. */
static void test_many_headers(void **state)
{
    enum { MANY = 300 };
    rd_kafka_headers_t *headers = rd_kafka_headers_new(MANY);
    struct est_kafka_read *kr;
    struct est_kafka_msg *m = NULL;
    size_t n;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "h%d", i);
        assert_int_equal(rd_kafka_header_add(headers, name, -1, "v", 1), 0);
    }
    assert_int_equal(rd_kafka_producev(mock.rk, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     0);
    assert_int_equal(rd_kafka_flush(mock.rk, 10000), 0);
    assert_int_equal(open_reader(TOPIC, 0, true, &kr), EST_OK);
    assert_int_equal(next(kr, &m), EST_OK);
    assert_string_equal(est_kafka_msg_headers(m, &n)[MANY - 1].name, "h299");
    assert_int_equal(n, MANY);
    assert_null(est_kafka_msg_value(m).data);
    est_kafka_msg_free(m);
    est_kafka_read_free(kr);
}

static void test_nobody_there(void **state)
{
    const struct est_kafka_read_options opt = {.brokers = "127.0.0.1:9",
                                               .client_id = "read-test",
                                               .topic = TOPIC,
                                               .since_ms = EST_KAFKA_READ_END,
                                               .timeout = 300 * EST_MS};
    struct est_kafka_read *kr = NULL;
    struct est_why why;

    (void)state;
    assert_int_equal(est_kafka_read_new(&opt, &kr, &why), EST_ERR_KAFKA_DOWN);
    assert_null(kr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_end_then_what_comes, start_mock, stop_mock),
        cmocka_unit_test_setup_teardown(test_until_now, start_mock, stop_mock),
        cmocka_unit_test_setup_teardown(test_until_now_of_an_empty_topic, start_mock, stop_mock),
        cmocka_unit_test_setup_teardown(test_many_headers, start_mock, stop_mock),
        cmocka_unit_test(test_nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
