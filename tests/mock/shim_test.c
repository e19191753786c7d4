/* The shim as a process, against brokers that are slow, that refuse, and that are away. */
#include "core/chain.h"
#include "daemon.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <yyjson.h>

#include <cmocka.h>

enum { PRODUCE = 0, PARTITIONS = 4 };

static const char *const types[] = {"message", "message_status", "order",     "payment", "user",
                                    "session", "interaction",    "bot_error", "custom"};

static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;
static struct daemon shim;
static unsigned port, ops_port;
static struct answer an;

static int open_cluster(void **state)
{
    char text[200];

    (void)state;
    host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof(text));
    assert_non_null(host);
    cluster = rd_kafka_mock_cluster_new(host, 1);
    assert_non_null(cluster);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        (void)snprintf(text, sizeof(text), "esteira.%s", types[i]);
        assert_int_equal(rd_kafka_mock_topic_create(cluster, text, PARTITIONS, 1), 0);
    }
    return 0;
}

static int close_cluster(void **state)
{
    (void)state;
    (void)daemon_stop(&shim, SIGKILL, 5 * EST_SECOND);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}

static void start(const char *ack_timeout)
{
    char brokers[160], listen[64], ops[64], timeout[64];
    const char *const settings[] = {"ESTEIRA_CONFIG=" ESTEIRA_SOURCE_DIR "/pipeline.yaml",
                                    "REDIS_URL=unix:///nonexistent/no-redis.sock",
                                    brokers,
                                    listen,
                                    ops,
                                    timeout,
                                    NULL};

    port = daemon_free_port();
    ops_port = daemon_free_port();
    (void)snprintf(brokers, sizeof(brokers), "ESTEIRA_KAFKA_BROKERS=%s",
                   rd_kafka_mock_cluster_bootstraps(cluster));
    (void)snprintf(listen, sizeof(listen), "ESTEIRA_PRODUCER_LISTEN=127.0.0.1:%u", port);
    (void)snprintf(ops, sizeof(ops), "ESTEIRA_PRODUCER_OPS_LISTEN=127.0.0.1:%u", ops_port);
    (void)snprintf(timeout, sizeof(timeout), "ESTEIRA_PRODUCER_ACK_TIMEOUT=%s", ack_timeout);
    daemon_start(&shim, ESTEIRA_BIN "/esteira-producer", settings);
}

static int ready(void)
{
    http_ask(ops_port, "GET", "/readyz", "text/plain", "", &an);
    return an.status;
}

/* Ask again until the answer is `want`. */
#define WAIT_READY(want)                                                           \
    for (est_us until_ = est_clock_mono() + 20 * EST_SECOND; ready() != (want);) { \
        assert_true(est_clock_mono() < until_);                                    \
        (void)poll(NULL, 0, 20);                                                   \
    }

static const char *event(size_t number, char out[256])
{
    (void)snprintf(out, 256,
                   "{\"event\":\"order_created\",\"id\":\"e-%zu\",\"key\":\"k%zu\","
                   "\"payload\":{\"order_id\":\"o-%zu\"}}",
                   number, number % 7, number);
    return out;
}

static void post(size_t number)
{
    char body[256];

    http_ask(port, "POST", "/v1/events", "application/json", event(number, body), &an);
}

static bool has(const char *text)
{
    return strstr(an.body, text) != NULL || strstr(an.head, text) != NULL;
}

/* Is the body one JSON document? */
static yyjson_doc *json(void)
{
    yyjson_doc *doc = yyjson_read(an.body, an.body_len, 0);

    if (doc == NULL)
        fail_msg("no JSON: %s", an.body);
    return doc;
}

static size_t in_array(const char *name)
{
    yyjson_doc *doc = json();
    size_t n = yyjson_arr_size(yyjson_obj_get(yyjson_doc_get_root(doc), name));

    yyjson_doc_free(doc);
    return n;
}

static void stop_well(void)
{
    assert_int_equal(daemon_stop(&shim, SIGTERM, 15 * EST_SECOND), 0);
}

/* --- what is in the topic afterwards --- */

enum { SEEN_MAX = 4096 };

static struct seen {
    char id[32], chain[EST_CHAIN_TEXT_MAX + 1];
    struct est_chain parts;
} seen[SEEN_MAX];
static size_t n_seen;

/* The value begins, behind its framing, with the same chain and the record's time: also when the
 * record was taken back and sent once more. */
static void check_value(const rd_kafka_message_t *m, const char *chain)
{
    char want[EST_CHAIN_TEXT_MAX + 32];
    size_t n = (size_t)snprintf(want, sizeof(want), "%s@%lld", chain,
                                (long long)rd_kafka_message_timestamp(m, NULL));
    const char *value = m->payload;
    size_t at = n < 64 ? 12 : 13; /* framing, branch, length */

    if (m->len < at + n || value[10] != 2 || memcmp(value + at, want, n) != 0)
        fail_msg("the value of %s says another chain", want);
}

static void note(rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const void *chain, *id;
    size_t chain_len, id_len;
    struct seen *s = &seen[n_seen];

    assert_int_equal(rd_kafka_message_headers(m, &headers), 0);
    if (m->payload == NULL) { /* a mark */
        assert_int_equal(rd_kafka_header_get_last(headers, "esteira-mark", &id, &id_len), 0);
        return;
    }
    assert_true(++n_seen < SEEN_MAX);
    assert_int_equal(rd_kafka_header_get_last(headers, "esteira-chain", &chain, &chain_len), 0);
    assert_int_equal(rd_kafka_header_get_last(headers, "ce_id", &id, &id_len), 0);
    (void)snprintf(s->chain, sizeof(s->chain), "%.*s", (int)chain_len, (const char *)chain);
    (void)snprintf(s->id, sizeof(s->id), "%.*s", (int)id_len, (const char *)id);
    assert_int_equal(est_chain_parse(est_view_str(s->chain), &s->parts), EST_OK);
    assert_int_equal(s->parts.partition, m->partition);
    check_value(m, s->chain);
}

static void read_topic(const char *name)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[200];
    rd_kafka_t *reader;
    rd_kafka_topic_t *topic;

    n_seen = 0;
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers",
                                       rd_kafka_mock_cluster_bootstraps(cluster), text,
                                       sizeof(text)),
                     RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "enable.partition.eof", "true", text, sizeof(text)),
                     RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", text, sizeof(text)),
                     RD_KAFKA_CONF_OK);
    reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(reader);
    topic = rd_kafka_topic_new(reader, name, NULL);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        rd_kafka_message_t *m;
        assert_int_equal(rd_kafka_consume_start(topic, p, RD_KAFKA_OFFSET_BEGINNING), 0);
        while ((m = rd_kafka_consume(topic, p, 10000)) != NULL && m->err == 0) {
            note(m);
            rd_kafka_message_destroy(m);
        }
        assert_non_null(m);
        assert_int_equal(m->err, RD_KAFKA_RESP_ERR__PARTITION_EOF);
        rd_kafka_message_destroy(m);
        (void)rd_kafka_consume_stop(topic, p);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(reader);
}

static bool same_chain(const struct est_chain *a, const struct est_chain *b)
{
    return strcmp(a->boot, b->boot) == 0 && a->epoch == b->epoch && a->partition == b->partition &&
           est_view_eq(a->type, b->type);
}

static const struct seen *seen_id(const char *id)
{
    for (size_t i = 0; i < n_seen; i++)
        if (strcmp(seen[i].id, id) == 0)
            return &seen[i];
    return NULL;
}

/* An acknowledged event is there, and so is every number before its own in its chain. */
static void check_acknowledged(size_t number)
{
    const struct seen *s;
    char id[32];

    (void)snprintf(id, sizeof(id), "e-%zu", number);
    s = seen_id(id);
    if (s == NULL)
        fail_msg("%s was answered 202 and is lost", id);
    for (uint64_t n = 0; n < s->parts.n; n++) {
        bool found = false;
        for (size_t i = 0; i < n_seen && !found; i++)
            found = same_chain(&seen[i].parts, &s->parts) && seen[i].parts.n == n;
        if (!found)
            fail_msg("%s has %s, and number %llu before it is missing", id, s->chain,
                     (unsigned long long)n);
    }
}

/* --- tests --- */

static void answers_when_kafka_has_acknowledged(void **state)
{
    (void)state;
    start("5s");
    WAIT_READY(200);
    post(1);
    assert_int_equal(an.status, 202);
    assert_string_equal(an.body, "{\"id\":\"e-1\",\"buffered\":false}\n");
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 400);
    post(2);
    assert_int_equal(an.status, 202);
    assert_true(an.took >= 390 * EST_MS);
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    http_ask(port, "POST", "/v1/events", "application/x-ndjson",
             "{\"event\":\"order_created\",\"id\":\"e-3\",\"payload\":{}}\n"
             "{\"event\":\"what_is_this\",\"id\":\"e-\xC3\xA9\\\"\",\"payload\":{\"a\":[1]}}\n",
             &an);
    assert_int_equal(an.status, 202);
    assert_string_equal(an.body,
                        "{\"accepted\":2,\"buffered\":0,\"ids\":[\"e-3\",\"e-\xC3\xA9\\\"\"]}\n");
    read_topic("esteira.order");
    assert_int_equal(n_seen, 3);
    read_topic("esteira.custom");
    assert_int_equal(n_seen, 1);
    stop_well();
}

static void too_slow_is_taken_back(void **state)
{
    est_us until;

    (void)state;
    start("300ms");
    WAIT_READY(200);
    post(1);
    assert_int_equal(an.status, 202);
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 1500);
    http_ask(port, "POST", "/v1/events", "application/x-ndjson",
             "{\"event\":\"order_created\",\"id\":\"r-1\",\"payload\":{}}\n"
             "{\"event\":\"user_login\",\"id\":\"r-2\",\"payload\":{}}\n",
             &an);
    assert_int_equal(an.status, 503);
    assert_true(an.took >= 290 * EST_MS && an.took < 3 * EST_SECOND);
    assert_int_equal(in_array("retry_ids"), 2);
    assert_true(has("\"r-1\"") && has("\"r-2\"") && has("Retry-After: ") &&
                has("application/problem+json"));
    post(3); /* refused at once, without waiting for Kafka */
    assert_int_equal(an.status, 503);
    yyjson_doc_free(json());
    assert_int_equal(ready(), 503);
    assert_true(has("kafka_down"));
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
    WAIT_READY(200);
    for (until = est_clock_mono() + 10 * EST_SECOND; an.status != 202; post(4))
        assert_true(est_clock_mono() < until);
    read_topic("esteira.order");
    check_acknowledged(1);
    check_acknowledged(4);
    stop_well();
}

/* As far away as a broker may be: each question takes 60 ms, and there are nine topics. */
static void a_broker_far_away(void **state)
{
    (void)state;
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 60);
    rd_kafka_mock_broker_set_down(cluster, 1);
    start("2s");
    WAIT_READY(503);
    rd_kafka_mock_broker_set_up(cluster, 1);
    WAIT_READY(200);
    post(1);
    assert_int_equal(an.status, 202);
    stop_well();
}

static void away_from_the_start(void **state)
{
    (void)state;
    rd_kafka_mock_broker_set_down(cluster, 1);
    start("1s");
    WAIT_READY(503);
    assert_true(has("kafka_down"));
    yyjson_doc_free(json());
    for (est_us until = est_clock_mono() + 15 * EST_SECOND; post(1), an.status == 0;)
        assert_true(est_clock_mono() < until);
    assert_int_equal(an.status, 503);
    assert_true(has("Retry-After: "));
    yyjson_doc_free(json());
    http_ask(ops_port, "GET", "/healthz", "text/plain", "", &an);
    assert_int_equal(an.status, 200);
    rd_kafka_mock_broker_set_up(cluster, 1);
    WAIT_READY(200);
    post(2);
    assert_int_equal(an.status, 202);
    read_topic("esteira.order");
    check_acknowledged(2);
    stop_well();
}

static void goes_away_and_comes_back(void **state)
{
    (void)state;
    start("1s");
    WAIT_READY(200);
    post(1);
    assert_int_equal(an.status, 202);
    for (size_t round = 0; round < 2; round++) {
        rd_kafka_mock_broker_set_down(cluster, 1);
        WAIT_READY(503);
        post(10 + round);
        assert_int_equal(an.status, 503);
        rd_kafka_mock_broker_set_up(cluster, 1);
        WAIT_READY(200);
        post(20 + round);
        assert_int_equal(an.status, 202);
    }
    read_topic("esteira.order");
    check_acknowledged(1);
    check_acknowledged(20);
    check_acknowledged(21);
    stop_well();
}

/* Errors of the broker between good records: whatever was answered 202 stands in a chain without
 * gap. */
static void chains_of_what_was_acknowledged_have_no_gap(void **state)
{
    static const rd_kafka_resp_err_t errors[] = {
        RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_INVALID_RECORD,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NO_ERROR,
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE};
    enum { N = 60 };
    static int status[N];
    size_t acknowledged = 0, refused = 0;
    bool higher = false;

    (void)state;
    start("2s");
    WAIT_READY(200);
    for (size_t i = 0; i < N; i++) {
        rd_kafka_resp_err_t error = errors[i % (sizeof(errors) / sizeof(errors[0]))];
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, error);
        post(i);
        status[i] = an.status;
        acknowledged += an.status == 202;
        refused += an.status == 503;
        if (an.status == 503)
            WAIT_READY(200);
    }
    assert_int_equal(acknowledged + refused, N);
    assert_true(acknowledged > N / 3 && refused > N / 10);
    read_topic("esteira.order");
    for (size_t i = 0; i < N; i++)
        if (status[i] == 202)
            check_acknowledged(i);
    for (size_t i = 0; i < n_seen; i++)
        higher |= seen[i].parts.epoch > 0;
    assert_true(higher);
    stop_well();
}

static void a_stop_answers_what_is_under_way(void **state)
{
    char body[256];
    int fds[10];

    (void)state;
    start("5s");
    WAIT_READY(200);
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 600);
    for (size_t i = 0; i < 10; i++)
        fds[i] = http_send(port, "POST", "/v1/events", "application/json", event(i, body));
    for (est_us until = est_clock_mono() + 10 * EST_SECOND;;) {
        http_ask(ops_port, "GET", "/metrics", "text/plain", "", &an);
        if (has("\nesteira_kafka_unacknowledged 10\n"))
            break;
        assert_true(est_clock_mono() < until);
    }
    assert_int_equal(kill(shim.pid, SIGTERM), 0);
    for (size_t i = 0; i < 10; i++) {
        http_read(fds[i], &an, 10 * EST_SECOND);
        assert_int_equal(an.status, 202);
    }
    assert_int_equal(daemon_wait(&shim, 10 * EST_SECOND), 0);
    shim.pid = 0;
    read_topic("esteira.order");
    for (size_t i = 0; i < 10; i++)
        check_acknowledged(i);
}

/* Kafka is gone for good: the stop is still bounded, and everybody gets an answer. */
static void a_stop_without_kafka_is_bounded(void **state)
{
    char body[256];
    int fd;

    (void)state;
    start("5s");
    WAIT_READY(200);
    (void)rd_kafka_mock_broker_set_rtt(cluster, 1, 60000);
    fd = http_send(port, "POST", "/v1/events", "application/json", event(1, body));
    (void)poll(NULL, 0, 100);
    assert_int_equal(daemon_stop(&shim, SIGTERM, 25 * EST_SECOND), 0);
    http_read(fd, &an, EST_SECOND);
    assert_int_equal(an.status, 503);
    assert_int_equal(in_array("retry_ids"), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_cluster, close_cluster)
    const struct CMUnitTest tests[] = {
        T(answers_when_kafka_has_acknowledged),
        T(too_slow_is_taken_back),
        T(a_broker_far_away),
        T(away_from_the_start),
        T(goes_away_and_comes_back),
        T(chains_of_what_was_acknowledged_have_no_gap),
        T(a_stop_answers_what_is_under_way),
        T(a_stop_without_kafka_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
