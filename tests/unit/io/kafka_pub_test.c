/* The producer against librdkafka's mock cluster, which lives in this process and fails as it is
 * told. */
#include "io/kafka_pub.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cmocka.h>

enum { PRODUCE = 0, RECORDS_MAX = 20000, PARTITIONS = 4 };

static struct est_loop *lp;
static struct est_kafka_pub *kp;
static rd_kafka_t *host; /* the client that the mock cluster lives in */
static rd_kafka_mock_cluster_t *cluster;

/* What has been reported, by the record's number. */
static struct outcome {
    unsigned times;
    est_err err;
    int32_t partition;
    int64_t offset;
} outcomes[RECORDS_MAX];
static size_t reported;
static int states_up, states_down;
static char last_detail[256];

static void on_delivered(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset)
{
    struct outcome *o = opaque;

    assert_ptr_equal(arg, &outcomes);
    o->times++;
    o->err = err;
    o->partition = partition;
    o->offset = offset;
    reported++;
}

static void on_state(void *arg, bool up, const char *detail)
{
    (void)arg;
    states_up += up;
    states_down += !up;
    (void)snprintf(last_detail, sizeof(last_detail), "%s", detail);
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    (void)level;
    assert_non_null(facility);
    assert_non_null(text);
}

static const struct est_kafka_pub_handlers handlers = {on_delivered, on_state, on_log, &outcomes};

static struct est_kafka_pub_options usual(void)
{
    return (struct est_kafka_pub_options){.brokers = rd_kafka_mock_cluster_bootstraps(cluster),
                                          .client_id = "test",
                                          .linger = 2 * EST_MS,
                                          .message_timeout = 3 * EST_SECOND,
                                          .queue_max_records = 10000,
                                          .queue_max_bytes = 8 * 1024 * 1024,
                                          .record_max_bytes = 100000};
}

static void open_pub(struct est_kafka_pub_options opt)
{
    struct est_why why = {0};

    if (est_kafka_pub_new(lp, &opt, &handlers, &kp, &why) != EST_OK)
        fail_msg("%s", why.text);
}

static int open_cluster(void **state)
{
    char text[200];

    (void)state;
    memset(outcomes, 0, sizeof(outcomes));
    reported = 0;
    states_up = states_down = 0;
    kp = NULL;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof(text));
    assert_non_null(host);
    cluster = rd_kafka_mock_cluster_new(host, 1);
    assert_non_null(cluster);
    assert_int_equal(rd_kafka_mock_topic_create(cluster, "events", PARTITIONS, 1), 0);
    return 0;
}

static int close_cluster(void **state)
{
    (void)state;
    est_kafka_pub_free(kp);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    est_loop_free(lp);
    return 0;
}

static est_err send_to(int32_t partition, size_t number, struct est_why *why)
{
    static const struct est_record_header headers[] = {{"h1", {"v1", 2}}, {"empty", {"", 0}}};
    char value[40];
    struct est_record rec = {.topic = "events",
                             .partition = partition,
                             .key = EST_VIEW_LIT("key"),
                             .headers = headers,
                             .n_headers = 2};

    rec.value = est_view(value, (size_t)snprintf(value, sizeof(value), "value %zu", number));
    return est_kafka_pub_send(kp, &rec, &outcomes[number], why);
}

static void send_some(size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        assert_int_equal(send_to((int32_t)(i % PARTITIONS), i, NULL), EST_OK);
}

#define WAIT_UNTIL(seconds, cond)                                             \
    for (est_us until_ = est_clock_mono() + (seconds)*EST_SECOND; !(cond);) { \
        assert_true(est_clock_mono() < until_);                               \
        est_loop_turn(lp, 10 * EST_MS);                                       \
    }

static void all_once(size_t n, est_err want)
{
    for (size_t i = 0; i < n; i++)
        if (outcomes[i].times != 1 || outcomes[i].err != want)
            fail_msg("record %zu: %u times, %s", i, outcomes[i].times,
                     est_err_code(outcomes[i].err));
}

/* --- acknowledged --- */

static void each_is_acknowledged_once(void **state)
{
    static const size_t n = 5000;
    int64_t next[PARTITIONS] = {0};

    (void)state;
    open_pub(usual());
    send_some(0, n);
    assert_int_equal(est_kafka_pub_pending(kp), n);
    WAIT_UNTIL(10, reported == n);
    all_once(n, EST_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(outcomes[i].partition, i % PARTITIONS);
        assert_int_equal(outcomes[i].offset, next[i % PARTITIONS]++);
    }
    assert_int_equal(est_kafka_pub_pending(kp), 0);
    assert_int_equal(states_down, 0);
}

/* Many small bursts: the event queue runs empty between them, and its descriptor must speak each
 * time. */
/* Behind a request without answer none goes out: were it taken and the first one refused, the first
 * one's retry would pass for a repeat and be reported as done, though it is nowhere. */
static void one_request_at_a_time(void **state)
{
    const est_us rtt = 400 * EST_MS;
    est_us first = 0, second = 0, sent;

    (void)state;
    open_pub(usual());
    send_some(0, PARTITIONS);
    WAIT_UNTIL(10, reported == PARTITIONS);
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, (int)(rtt / EST_MS));
    assert_int_equal(send_to(0, 10, NULL), EST_OK);
    sent = est_clock_mono();
    WAIT_UNTIL(10, est_clock_mono() - sent > rtt / 4); /* long past the linger: it is on its way */
    assert_int_equal(send_to(0, 11, NULL), EST_OK);
    for (est_us until = est_clock_mono() + 10 * EST_SECOND; second == 0;) {
        assert_true(est_clock_mono() < until);
        est_loop_turn(lp, 10 * EST_MS);
        first = first == 0 && outcomes[10].times ? est_clock_mono() : first;
        second = outcomes[11].times ? est_clock_mono() : 0;
    }
    assert_true(first != 0 && second - first > rtt / 2);
}

static void the_descriptor_never_falls_silent(void **state)
{
    struct est_kafka_pub_options opt = usual();
    size_t sent = 0;

    (void)state;
    opt.linger = 0;
    open_pub(opt);
    for (size_t burst = 0; burst < 600; burst++) {
        size_t n = 1 + burst % 13;
        send_some(sent, n);
        sent += n;
        WAIT_UNTIL(5, reported == sent);
    }
    all_once(sent, EST_OK);
}

static void what_is_sent_is_what_arrives(void **state)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[200];
    rd_kafka_t *reader;
    rd_kafka_topic_t *topic;
    rd_kafka_message_t *m;
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    struct est_record rec = {.topic = "events", .partition = 1, .timestamp_ms = 1795541841004};

    (void)state;
    open_pub(usual());
    assert_int_equal(send_to(1, 7, NULL), EST_OK);
    assert_int_equal(est_kafka_pub_send(kp, &rec, &outcomes[8], NULL),
                     EST_OK); /* no key, no value */
    WAIT_UNTIL(5, reported == 2);
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers",
                                       rd_kafka_mock_cluster_bootstraps(cluster), text,
                                       sizeof(text)),
                     RD_KAFKA_CONF_OK);
    reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(reader);
    topic = rd_kafka_topic_new(reader, "events", NULL);
    assert_int_equal(rd_kafka_consume_start(topic, 1, RD_KAFKA_OFFSET_BEGINNING), 0);
    m = rd_kafka_consume(topic, 1, 5000);
    assert_non_null(m);
    assert_int_equal(m->err, 0);
    assert_true(est_view_is(est_view(m->payload, m->len), "value 7"));
    assert_true(est_view_is(est_view(m->key, m->key_len), "key"));
    assert_int_equal(rd_kafka_message_headers(m, &headers), 0);
    assert_int_equal(rd_kafka_header_cnt(headers), 2);
    assert_int_equal(rd_kafka_header_get_last(headers, "h1", &value, &len), 0);
    assert_true(est_view_is(est_view(value, len), "v1"));
    rd_kafka_message_destroy(m);
    m = rd_kafka_consume(topic, 1, 5000);
    assert_non_null(m);
    assert_null(m->payload);
    assert_null(m->key);
    assert_int_equal(rd_kafka_message_timestamp(m, NULL), 1795541841004);
    rd_kafka_message_destroy(m);
    (void)rd_kafka_consume_stop(topic, 1);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(reader);
}

/* --- errors of the broker --- */

static void broker_errors(void **state)
{
    static const struct {
        rd_kafka_resp_err_t code;
        est_err want;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, EST_OK}, /* retried by the client */
        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, EST_OK},
        {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, EST_OK},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, EST_ERR_TOO_LARGE},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, EST_ERR_KAFKA_REFUSED},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
         EST_ERR_KAFKA_TOPIC}, /* last: for some time */
    };
    size_t n = sizeof(cases) / sizeof(cases[0]);

    (void)state;
    open_pub(usual());
    send_some(0, 1);
    WAIT_UNTIL(5, reported == 1);
    for (size_t i = 0; i < n; i++) {
        size_t before = reported;
        rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, cases[i].code);
        assert_int_equal(send_to(0, before, NULL), EST_OK);
        WAIT_UNTIL(5, reported == before + 1);
        if (outcomes[before].err != cases[i].want || outcomes[before].times != 1)
            fail_msg("row %zu: %s", i, est_err_code(outcomes[before].err));
        assert_int_equal(est_kafka_pub_pending(kp), 0);
        assert_false(est_kafka_pub_is_fatal(kp));
        if (i == n - 1)
            break;
        assert_int_equal(send_to(0, before + 1, NULL), EST_OK); /* and the next one goes through */
        WAIT_UNTIL(5, reported == before + 2);
        if (outcomes[before + 1].err != EST_OK)
            fail_msg("row %zu, the next record: %s", i, est_err_code(outcomes[before + 1].err));
    }
}

static void refused_at_once(void **state)
{
    struct est_kafka_pub_options opt = usual();
    struct est_record rec = {.topic = "events"};
    static char big[200000];
    struct est_why why = {0};
    int32_t n;

    (void)state;
    opt.queue_max_records = 100;
    open_pub(opt);
    assert_int_equal(est_kafka_pub_partitions(kp, "events", 5 * EST_SECOND, &n, NULL), EST_OK);
    WAIT_UNTIL(5, (send_to(PARTITIONS, 1, &why)) == EST_ERR_KAFKA_TOPIC);
    assert_non_null(strstr(why.text, "events"));
    reported = 0;
    rec.value = est_view(big, sizeof(big));
    assert_int_equal(est_kafka_pub_send(kp, &rec, &outcomes[0], NULL), EST_ERR_TOO_LARGE);
    assert_true(est_kafka_pub_purge(kp, EST_SECOND));
    rd_kafka_mock_broker_set_down(cluster, 1);
    memset(outcomes, 0, sizeof(outcomes));
    reported = 0;
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(send_to(0, i, NULL), EST_OK);
    assert_int_equal(send_to(0, 100, &why), EST_ERR_FULL);
    assert_int_equal(est_kafka_pub_pending(kp), 100);
    assert_true(est_kafka_pub_purge(kp, 2 * EST_SECOND));
    assert_int_equal(reported, 100);
    all_once(100, EST_ERR_KAFKA_PURGED);
}

/* --- brokers that go --- */

static void down_purged_and_up_again(void **state)
{
    est_us begun;
    int32_t n = 0;

    (void)state;
    open_pub(usual());
    send_some(0, 100);
    WAIT_UNTIL(5, reported == 100);
    rd_kafka_mock_broker_set_down(cluster, 1);
    WAIT_UNTIL(5, states_down == 1);
    send_some(100, 200);
    est_loop_turn(lp, 50 * EST_MS);
    assert_int_equal(reported, 100);
    begun = est_clock_mono();
    assert_true(est_kafka_pub_purge(kp, 2 * EST_SECOND));
    assert_true(est_clock_mono() - begun < 2 * EST_SECOND);
    assert_int_equal(reported, 300);
    for (size_t i = 100; i < 300; i++)
        assert_int_equal(outcomes[i].err, EST_ERR_KAFKA_PURGED);
    begun = est_clock_mono();
    assert_int_equal(est_kafka_pub_partitions(kp, "events", 100 * EST_MS, &n, NULL),
                     EST_ERR_KAFKA_DOWN);
    assert_true(est_clock_mono() - begun < 500 * EST_MS);
    assert_int_equal(n, 0);
    rd_kafka_mock_broker_set_up(cluster, 1);
    assert_int_equal(est_kafka_pub_partitions(kp, "events", 5 * EST_SECOND, &n, NULL), EST_OK);
    assert_int_equal(n, PARTITIONS);
    assert_int_equal(states_up, 1);
    send_some(300, 100);
    WAIT_UNTIL(10, reported == 400);
    for (size_t i = 300; i < 400; i++)
        assert_int_equal(outcomes[i].err, EST_OK);
    rd_kafka_mock_broker_set_down(cluster, 1); /* and the next outage is told as well */
    WAIT_UNTIL(5, states_down == 2);
}

static struct {
    size_t times;
    est_err err;
    int32_t counts[2];
} answer;

static void on_counts(void *arg, est_err err, const int32_t *counts)
{
    (void)arg;
    answer.times++;
    answer.err = err;
    for (size_t i = 0; counts != NULL && i < 2; i++)
        answer.counts[i] = counts[i];
}

static est_err ask(est_us timeout)
{
    static const char *const topics[] = {"events", "more"};

    return est_kafka_pub_ask(kp, topics, 2, timeout, on_counts, NULL);
}

/* The loop goes on while a broker that does not answer is asked. */
static void asking_does_not_block(void **state)
{
    est_us begun;

    (void)state;
    assert_int_equal(rd_kafka_mock_topic_create(cluster, "more", 3, 1), 0);
    open_pub(usual());
    memset(&answer, 0, sizeof(answer));
    for (size_t times = 1; answer.counts[0] == 0 || answer.counts[1] == 0; times++) {
        assert_int_equal(ask(5 * EST_SECOND), EST_OK);
        assert_int_equal(ask(5 * EST_SECOND), EST_ERR_AGAIN);
        WAIT_UNTIL(10, answer.times == times);
        assert_int_equal(answer.err, EST_OK);
        assert_true(times < 100);
    }
    assert_int_equal(answer.counts[0], PARTITIONS);
    assert_int_equal(answer.counts[1], 3);

    rd_kafka_mock_broker_set_down(cluster, 1);
    WAIT_UNTIL(5, states_down == 1);
    answer.times = 0;
    begun = est_clock_mono();
    assert_int_equal(ask(EST_SECOND), EST_OK);
    est_loop_turn(lp, 10 * EST_MS);
    assert_true(est_clock_mono() - begun < 500 * EST_MS);
    assert_int_equal(answer.times, 0);
    WAIT_UNTIL(5, answer.times == 1);
    assert_int_equal(answer.err, EST_ERR_KAFKA_DOWN);
    assert_int_equal(ask(200 * EST_MS), EST_OK); /* and the end waits for it */
}

static void records_time_out(void **state)
{
    struct est_kafka_pub_options opt = usual();

    (void)state;
    opt.message_timeout = 300 * EST_MS;
    open_pub(opt);
    send_some(0, 10);
    WAIT_UNTIL(5, reported == 10);
    rd_kafka_mock_broker_set_down(cluster, 1);
    send_some(10, 10);
    WAIT_UNTIL(5, reported == 20);
    for (size_t i = 10; i < 20; i++)
        assert_int_equal(outcomes[i].err, EST_ERR_TIMEOUT);
}

/* In flight: the broker has the request and has not answered. */
static void purged_in_flight(void **state)
{
    (void)state;
    open_pub(usual());
    send_some(0, 1);
    WAIT_UNTIL(5, reported == 1);
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 800);
    send_some(1, 50);
    for (int i = 0; i < 10; i++)
        est_loop_turn(lp, 10 * EST_MS);
    assert_int_equal(reported, 1);
    assert_true(est_kafka_pub_purge(kp, 2 * EST_SECOND));
    assert_int_equal(reported, 51);
    for (size_t i = 1; i < 51; i++)
        assert_int_equal(outcomes[i].times, 1);
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    send_some(51, 10);
    WAIT_UNTIL(10, reported == 61);
    assert_int_equal(outcomes[60].err, EST_OK);
}

/* --- the client's own failures --- */

static void a_fatal_error(void **state)
{
    (void)state;
    open_pub(usual());
    send_some(0, 1);
    WAIT_UNTIL(5, reported == 1);
    assert_false(est_kafka_pub_is_fatal(kp));
    /* For an idempotent producer this answer means that order can no longer be promised. */
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_int_equal(send_to(0, 1, NULL), EST_OK);
    WAIT_UNTIL(5, reported == 2);
    if (!est_kafka_pub_is_fatal(kp)) /* some versions recover from it by a new epoch */
        return;
    assert_int_equal(states_down, 1);
    assert_true(strlen(last_detail) > 0);
    assert_int_equal(send_to(0, 2, NULL), EST_ERR_KAFKA_FATAL);
    assert_true(est_kafka_pub_purge(kp, EST_SECOND));
}

static void options(void **state)
{
    static const struct {
        struct est_kafka_option option;
        est_err want;
    } cases[] = {
        {{"enable.idempotence", "false"}, EST_ERR_INVALID},
        {{"acks", "1"}, EST_ERR_INVALID},
        {{"request.required.acks", "1"}, EST_ERR_INVALID},
        {{"message.timeout.ms", "1"}, EST_ERR_INVALID},
        {{"delivery.timeout.ms", "1"}, EST_ERR_INVALID},
        {{"delivery.report.only.error", "true"}, EST_ERR_INVALID},
        {{"transactional.id", "t"}, EST_ERR_INVALID},
        {{"queuing.strategy", "lifo"}, EST_ERR_INVALID},
        {{"enable.gapless.guarantee", "true"}, EST_ERR_INVALID},
        {{"log.queue", "false"}, EST_ERR_INVALID},
        {{"no.such.property", "1"}, EST_ERR_INVALID},
        {{"linger.ms", "abc"}, EST_ERR_INVALID},
        {{"max.in.flight.requests.per.connection", "100"},
         EST_ERR_INVALID}, /* breaks idempotence */
        {{"compression.codec", "lz4"}, EST_OK},
        {{"socket.nagle.disable", "true"}, EST_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_kafka_pub_options opt = usual();
        struct est_why why = {0};
        opt.extra = &cases[i].option;
        opt.n_extra = 1;
        kp = NULL;
        if (est_kafka_pub_new(lp, &opt, &handlers, &kp, &why) != cases[i].want)
            fail_msg("%s: %s", cases[i].option.name, why.text);
        if (cases[i].want != EST_OK)
            assert_null(kp);
        est_kafka_pub_free(kp);
        kp = NULL;
    }
    est_kafka_pub_free(NULL);
}

static void freed_with_records_pending(void **state)
{
    est_us begun;

    (void)state;
    open_pub(usual());
    rd_kafka_mock_broker_set_down(cluster, 1);
    send_some(0, 100);
    begun = est_clock_mono();
    est_kafka_pub_free(kp);
    kp = NULL;
    assert_true(est_clock_mono() - begun < 3 * EST_SECOND);
    assert_int_equal(reported, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_cluster, close_cluster)
    const struct CMUnitTest tests[] = {
        T(each_is_acknowledged_once),
        T(one_request_at_a_time),
        T(the_descriptor_never_falls_silent),
        T(what_is_sent_is_what_arrives),
        T(broker_errors),
        T(refused_at_once),
        T(down_purged_and_up_again),
        T(asking_does_not_block),
        T(records_time_out),
        T(purged_in_flight),
        T(a_fatal_error),
        T(options),
        T(freed_with_records_pending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
