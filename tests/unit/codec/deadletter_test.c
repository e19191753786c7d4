#include "codec/deadletter.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#define HEADER(name, value)       \
    {                             \
        name, EST_VIEW_LIT(value) \
    }
struct header {
    const char *name;
    struct est_view value;
};

static struct est_deadletter read_all(const struct header *headers, size_t n)
{
    struct est_deadletter dl;

    est_deadletter_init(&dl);
    for (size_t i = 0; i < n; i++)
        est_deadletter_read(&dl, headers[i].name, headers[i].value);
    return dl;
}

static void ours(void **state)
{
    static const struct header headers[] = {
        HEADER("ce_id", "019ab3f2"),
        HEADER("content-type", "application/avro"),
        HEADER("__dlq.errors.topic", "esteira.order"),
        HEADER("__dlq.errors.partition", "3"),
        HEADER("__dlq.errors.offset", "18790"),
        HEADER("__dlq.errors.group", "esteira.dashboard"),
        HEADER("__dlq.errors.delivery.count", "2"),
        HEADER("__dlq.errors.message", "the dashboard refused the event"),
        HEADER("esteira-error-class", "http_4xx"),
        HEADER("esteira-http-status", "422"),
        HEADER("esteira-attempts", "2"),
        HEADER("esteira-first-failed-at", "1970-01-01T00:00:01.000Z"),
        HEADER("esteira-failed-at", "1970-01-01T00:00:02.500Z"),
        HEADER("esteira-replay-count", "7"),
    };
    struct est_deadletter dl = read_all(headers, sizeof(headers) / sizeof(headers[0]));

    (void)state;
    assert_int_equal(dl.writer, EST_DEADLETTER_ESTEIRA);
    assert_true(est_view_is(dl.topic, "esteira.order") && est_view_is(dl.id, "019ab3f2"));
    assert_true(est_view_is(dl.group, "esteira.dashboard") && est_view_is(dl.class, "http_4xx"));
    assert_true(est_view_is(dl.message, "the dashboard refused the event"));
    assert_int_equal(dl.partition, 3);
    assert_int_equal(dl.offset, 18790);
    assert_int_equal(dl.status, 422);
    assert_int_equal(dl.attempts, 2);
    assert_int_equal(dl.replays, 7);
    assert_int_equal(dl.first_failed_at, EST_SECOND);
    assert_int_equal(dl.failed_at, 2500 * EST_MS);
}

static void connect_and_streams(void **state)
{
    static const struct header connect[] = {
        HEADER("__connect.errors.topic", "orders"),
        HEADER("__connect.errors.partition", "1"),
        HEADER("__connect.errors.offset", "12"),
        HEADER("__connect.errors.connector.name", "http-sink"),
        HEADER("__connect.errors.exception.class.name",
               "org.apache.kafka.connect.errors.DataException"),
        HEADER("__connect.errors.exception.message", "no"),
    };
    static const struct header streams[] = {
        HEADER("__streams.errors.topic", "in"),
        HEADER("__streams.errors.partition", "2"),
        HEADER("__streams.errors.offset", "9"),
        HEADER("__streams.errors.exception", "java.lang.RuntimeException"),
        HEADER("__streams.errors.message", "x"),
    };
    struct est_deadletter c = read_all(connect, sizeof(connect) / sizeof(connect[0]));
    struct est_deadletter s = read_all(streams, sizeof(streams) / sizeof(streams[0]));

    (void)state;
    assert_int_equal(c.writer, EST_DEADLETTER_CONNECT);
    assert_true(est_view_is(c.topic, "orders") && est_view_is(c.group, "http-sink"));
    assert_true(est_view_is(c.class, "org.apache.kafka.connect.errors.DataException"));
    assert_true(c.partition == 1 && c.offset == 12 && est_view_is(c.message, "no"));
    assert_int_equal(s.writer, EST_DEADLETTER_STREAMS);
    assert_true(est_view_is(s.topic, "in") && s.partition == 2 && s.offset == 9);
    assert_true(est_view_is(s.class, "java.lang.RuntimeException"));
}

/* Java's bytes, not digits. */
static void spring(void **state)
{
    static const struct header headers[] = {
        HEADER("kafka_dlt-original-topic", "orders"),
        HEADER("kafka_dlt-original-partition", "\0\0\1\2"),
        HEADER("kafka_dlt-original-offset", "\0\0\0\1\0\0\0\3"),
        HEADER("kafka_dlt-original-consumer-group", "g"),
        HEADER("kafka_dlt-exception-fqcn", "a.B"),
        HEADER("kafka_dlt-exception-message", "m"),
    };
    struct est_deadletter dl = read_all(headers, sizeof(headers) / sizeof(headers[0]));

    (void)state;
    assert_int_equal(dl.writer, EST_DEADLETTER_SPRING);
    assert_int_equal(dl.partition, 258);
    assert_true(dl.offset == ((int64_t)1 << 32) + 3);
    assert_true(est_view_is(dl.group, "g") && est_view_is(dl.class, "a.B"));
}

static void what_does_not_fit_is_as_none(void **state)
{
    static const struct header headers[] = {
        HEADER("__dlq.errors.partition", "-1"),
        HEADER("__dlq.errors.offset", "99999999999999999999"),
        HEADER("esteira-http-status", "4000"),
        HEADER("esteira-attempts", "two"),
        HEADER("esteira-failed-at", "yesterday"),
        HEADER("kafka_dlt-original-partition", "\200\0\0\1"),
        HEADER("kafka_dlt-original-offset", "7"),
        {"__dlq.errors.topic", {NULL, 0}},
        {"kafka_dlt-original-offset", {"", 0}},
    };
    struct est_deadletter dl = read_all(headers, sizeof(headers) / sizeof(headers[0]));

    (void)state;
    assert_int_equal(dl.partition, -1);
    assert_int_equal(dl.offset, -1);
    assert_true(dl.status == 0 && dl.attempts == 0 && dl.failed_at == 0 && dl.topic.data == NULL);
}

static void what_a_replay_leaves_out(void **state)
{
    static const char *const added[] = {
        "__dlq.errors.topic",      "__dlq.errors.whatever",  "__connect.errors.stage",
        "__streams.errors.offset", "kafka_dlt-key-message",  "retry_topic-attempts",
        "esteira-error-class",     "esteira-replay-count",   "esteira-replay-for",
        "esteira-failed-at",       "esteira-first-failed-at"};
    static const char *const own[] = {"ce_id",        "ce_type",  "traceparent", "esteira-chain",
                                      "esteira-mark", "esteira-", "__dlq"};

    (void)state;
    for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
        assert_true(est_deadletter_is_added(added[i]));
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        assert_false(est_deadletter_is_added(own[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours),
        cmocka_unit_test(connect_and_streams),
        cmocka_unit_test(spring),
        cmocka_unit_test(what_does_not_fit_is_as_none),
        cmocka_unit_test(what_a_replay_leaves_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
