/* The group member against librdkafka's mock broker: every record once and in order, commits that
 * come back, a pause in mid-stream, partitions that move between two members, and leaving the
 * group. */
#include "io/kafka_sub_state.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { PARTITIONS = 4, RECORDS = 2000, PAUSED_AFTER = 300 };
static const est_us DEADLINE = 30 * EST_SECOND;
static const char TOPIC[] = "t";

/* --- the broker --- */

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
        assert_int_equal(rd_kafka_producev(
                             mock.rk, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_PARTITION(i % PARTITIONS),
                             RD_KAFKA_V_KEY("k", 1), RD_KAFKA_V_VALUE(value, (size_t)n),
                             RD_KAFKA_V_HEADER("a", "first", 5), RD_KAFKA_V_HEADER("a", "last", 4),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                         0);
    }
    assert_int_equal(rd_kafka_flush(mock.rk, 10000), 0);
}

/* --- a member --- */

struct member {
    struct est_loop *loop;
    struct est_kafka_sub *sub;
    int64_t next[PARTITIONS]; /* the offset that is expected; -1 = any */
    int expelled;             /* log lines that say so */
    int records, disordered, commits, commit_errors, assigned, revoked, states, fatals;
    size_t held;               /* partitions */
    int64_t began[PARTITIONS]; /* as the assignment said */
    char metadata[16];         /* of partition 0 */
    bool lost, check_headers;
    bool pause_partition_0;
    bool keep; /* the first record, in */
    struct est_kafka_msg *kept;
};

static void on_record(void *arg, struct est_kafka_msg *m)
{
    char value[4];
    struct member *mb = arg;
    int32_t p = est_kafka_msg_partition(m);
    int64_t offset = est_kafka_msg_offset(m);

    if (mb->next[p] >= 0 && offset != mb->next[p])
        mb->disordered++;
    mb->next[p] = offset + 1;
    mb->records++;
    assert_string_equal(est_kafka_msg_topic(m), TOPIC);
    assert_true(est_view_is(est_kafka_msg_key(m), "k"));
    /* copied first, and nothing is lost by it */
    assert_int_equal(est_kafka_msg_copy_header(m, "a", value, sizeof(value)), 4);
    assert_memory_equal(value, "last", 4);
    assert_int_equal(est_kafka_msg_copy_header(m, "b", value, sizeof(value)), 0);
    assert_int_equal(est_kafka_msg_copy_header(m, "a", value, 3), 0);
    est_kafka_msg_set_untraced(m);
    assert_int_equal(est_kafka_msg_copy_header(m, "traceparent", value, sizeof(value)), 0);
    assert_int_equal(est_kafka_msg_copy_header(m, "a", value, sizeof(value)), 4);
    assert_true(est_view_is(est_kafka_msg_header(m, "a"), "last"));
    assert_null(est_kafka_msg_header(m, "b").data);
    assert_true(est_kafka_msg_timestamp_ms(m) > 0);
    if (mb->keep && mb->kept == NULL)
        mb->kept = m;
    else
        est_kafka_msg_free(m);
    if (mb->pause_partition_0 && p == 0 && mb->next[0] == PAUSED_AFTER)
        assert_int_equal(est_kafka_sub_pause(mb->sub, TOPIC, 0, true), EST_OK);
}

static void on_assigned(void *arg, const struct est_kafka_position *parts, size_t n)
{
    struct member *mb = arg;

    mb->assigned++;
    mb->held = n;
    for (size_t i = 0; i < n; i++) {
        mb->began[parts[i].partition] = parts[i].offset;
        mb->next[parts[i].partition] = parts[i].offset >= 0 ? parts[i].offset : 0;
        if (parts[i].partition == 0 && parts[i].metadata.len < sizeof(mb->metadata)) {
            memcpy(mb->metadata, parts[i].metadata.data ? parts[i].metadata.data : "",
                   parts[i].metadata.len);
            mb->metadata[parts[i].metadata.len] = '\0';
        }
    }
}

static size_t positions(const struct member *mb, struct est_kafka_position out[PARTITIONS])
{
    size_t n = 0;

    for (int32_t p = 0; p < PARTITIONS; p++)
        if (mb->next[p] > 0)
            out[n++] = (struct est_kafka_position){TOPIC, p, mb->next[p], EST_VIEW_LIT("hint")};
    return n;
}

static void on_revoked(void *arg, const struct est_kafka_position *parts, size_t n, bool lost)
{
    struct member *mb = arg;
    struct est_kafka_position at[PARTITIONS];
    size_t n_at = positions(mb, at);

    (void)parts;
    assert_int_equal(n, mb->held);
    mb->revoked++;
    mb->lost |= lost;
    mb->held = 0;
    for (int p = 0; p < PARTITIONS; p++)
        mb->next[p] = -1;
    est_kafka_sub_revoke_done(mb->sub, at, n_at);
}

static void on_committed(void *arg, est_err err, const char *detail)
{
    struct member *mb = arg;

    mb->commits++;
    mb->commit_errors += err != EST_OK;
    if (err != EST_OK)
        print_message("commit: %s\n", detail);
}

static void on_state(void *arg, bool up, const char *detail)
{
    (void)up;
    (void)detail;
    ((struct member *)arg)->states++;
}

static void on_fatal(void *arg, const char *detail)
{
    print_message("fatal: %s\n", detail);
    ((struct member *)arg)->fatals++;
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)level;
    (void)facility;
    ((struct member *)arg)->expelled += strstr(text, "max.poll") != NULL;
}

/* Who polls nothing for so long is expelled; NULL = librdkafka's five minutes. */
static void open_polling(struct member *mb, struct est_loop *lp, const char *group,
                         const char *poll_interval_ms)
{
    static const char *const topics[] = {TOPIC};
    const struct est_kafka_option extra[] = {{"max.poll.interval.ms", poll_interval_ms}};
    const struct est_kafka_sub_options opt = {.brokers =
                                                  rd_kafka_mock_cluster_bootstraps(mock.cluster),
                                              .client_id = "test",
                                              .group = group,
                                              .topics = topics,
                                              .n_topics = 1,
                                              .from_earliest = true,
                                              .session_timeout = 6 * EST_SECOND,
                                              .heartbeat = 200 * EST_MS,
                                              .commit_timeout = 2 * EST_SECOND,
                                              .fetch_max_bytes = 1024 * 1024,
                                              .extra = extra,
                                              .n_extra = poll_interval_ms != NULL};
    const struct est_kafka_sub_handlers h = {on_record, on_assigned, on_revoked, on_committed,
                                             on_state,  on_fatal,    on_log,     mb};
    struct est_why why = {0};

    *mb = (struct member){.loop = lp};
    if (est_kafka_sub_new(lp, &opt, &h, &mb->sub, &why) != EST_OK)
        fail_msg("%s", why.text);
}

static void open_member(struct member *mb, struct est_loop *lp, const char *group)
{
    open_polling(mb, lp, group, NULL);
}

/* Turns the loop until the condition holds, at the latest until the deadline. */
#define WAIT_FOR(lp, condition)                           \
    do {                                                  \
        est_us until_ = est_clock_mono() + DEADLINE;      \
        while (!(condition) && est_clock_mono() < until_) \
            est_loop_turn(lp, 20 * EST_MS);               \
        assert_true(condition);                           \
    } while (0)

static void leave(struct member *mb)
{
    est_kafka_sub_close(mb->sub);
    WAIT_FOR(mb->loop, est_kafka_sub_closed(mb->sub));
    est_kafka_sub_free(mb->sub);
}

/* --- tests --- */

static void every_record_once_then_goes_on_from_the_commit(void **state)
{
    struct est_loop *lp;
    struct member mb;
    struct est_kafka_position at[PARTITIONS];

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    produce(0, RECORDS);
    open_member(&mb, lp, "once");
    WAIT_FOR(lp, mb.records >= RECORDS);
    assert_int_equal(mb.began[0], -1);
    assert_int_equal(est_kafka_sub_commit(mb.sub, at, positions(&mb, at), NULL), EST_OK);
    assert_int_equal(est_kafka_sub_commit(mb.sub, at, 1, NULL), EST_ERR_AGAIN);
    WAIT_FOR(lp, mb.commits == 1);
    assert_true(est_kafka_sub_end_offset(mb.sub, TOPIC, 0) == RECORDS / PARTITIONS);
    leave(&mb);
    assert_int_equal(mb.records, RECORDS);
    assert_int_equal(mb.disordered + mb.commit_errors + mb.fatals, 0);
    assert_int_equal(mb.revoked, 1);

    open_member(&mb, lp, "once");
    WAIT_FOR(lp, mb.assigned == 1);
    assert_int_equal(mb.began[0], RECORDS / PARTITIONS);
    assert_string_equal(mb.metadata, "hint");
    produce(RECORDS, RECORDS + PARTITIONS);
    WAIT_FOR(lp, mb.records >= PARTITIONS);
    leave(&mb);
    assert_int_equal(mb.records, PARTITIONS);
    assert_int_equal(mb.disordered, 0);
    est_loop_free(lp);
}

/* What librdkafka had fetched is thrown away by a pause; nothing of it may be missing or come
 * twice. */
static void a_pause_in_mid_stream_loses_and_repeats_nothing(void **state)
{
    struct est_loop *lp;
    struct member mb;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    produce(0, RECORDS);
    open_member(&mb, lp, "pause");
    mb.pause_partition_0 = true;
    WAIT_FOR(lp, mb.next[1] == RECORDS / PARTITIONS && mb.next[2] == RECORDS / PARTITIONS &&
                     mb.next[3] == RECORDS / PARTITIONS && mb.next[0] >= PAUSED_AFTER);
    assert_int_equal(est_kafka_sub_pause(mb.sub, TOPIC, 0, false), EST_OK);
    WAIT_FOR(lp, mb.next[0] == RECORDS / PARTITIONS);
    assert_int_equal(mb.records, RECORDS);
    assert_int_equal(mb.disordered, 0);
    leave(&mb);
    est_loop_free(lp);
}

/* librdkafka looks only once a second at a queue that was full. When a pause has emptied it, it is
 * nudged, by the probe that wakes its thread. (The mock broker does not know that request, and so
 * cannot show what comes of it: ./run chaos delivery --only stuck_key does.) */
static void what_a_pause_threw_away_is_asked_for_at_once(void **state)
{
    struct est_loop *lp;
    struct member mb;
    int before;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    produce(0, RECORDS);
    open_member(&mb, lp, "refetch");
    WAIT_FOR(lp, mb.records > 0);
    est_kafka_sub_hold(mb.sub, true);
    before = mb.records;
    for (int32_t p = 0; p < PARTITIONS; p++)
        assert_int_equal(est_kafka_sub_pause(mb.sub, TOPIC, p, true), EST_OK);
    est_loop_turn(lp, 20 * EST_MS);
    assert_true(mb.sub->dropped && !mb.sub->probing);
    est_kafka_sub_hold(mb.sub, false);
    for (int i = 0; i < 100 && mb.sub->dropped; i++)
        est_loop_turn(lp, 20 * EST_MS);
    assert_true(!mb.sub->dropped && mb.sub->probing);
    assert_int_equal(mb.records, before);
    for (int32_t p = 0; p < PARTITIONS; p++)
        assert_int_equal(est_kafka_sub_pause(mb.sub, TOPIC, p, false), EST_OK);
    est_kafka_sub_nudge(mb.sub); /* behind the one that is out, of which the answer is none to it */
    assert_true(mb.sub->nudge_again);
    WAIT_FOR(lp, !mb.sub->nudge_again && !mb.sub->probing);
    WAIT_FOR(lp, mb.records == RECORDS);
    assert_int_equal(mb.disordered, 0);
    leave(&mb);
    est_loop_free(lp);
}

static void held_records_wait_in_their_place(void **state)
{
    struct est_loop *lp;
    struct member mb;
    struct est_kafka_position at[PARTITIONS];
    int before;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    produce(0, PARTITIONS);
    open_member(&mb, lp, "held");
    WAIT_FOR(lp, mb.records == PARTITIONS);
    est_kafka_sub_hold(mb.sub, true);
    produce(PARTITIONS, RECORDS);
    before = mb.records;
    assert_int_equal(est_kafka_sub_commit(mb.sub, at, positions(&mb, at), NULL), EST_OK);
    WAIT_FOR(lp, mb.commits == 1);
    assert_int_equal(mb.records, before);
    est_kafka_sub_hold(mb.sub, false);
    WAIT_FOR(lp, mb.records == RECORDS);
    assert_int_equal(mb.disordered, 0);
    leave(&mb);
    est_loop_free(lp);
}

/* Nothing comes, and what came is held: the member still counts as one that polls. */
static void membership_outlasts_silence_and_a_hold(void **state)
{
    struct est_loop *lp;
    struct member mb;
    est_us until;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    open_polling(&mb, lp, "silent", "6000");
    WAIT_FOR(lp, mb.assigned == 1);
    est_kafka_sub_hold(mb.sub, true);
    produce(0, PARTITIONS);
    for (until = est_clock_mono() + 9 * EST_SECOND; est_clock_mono() < until;)
        est_loop_turn(lp, 100 * EST_MS);
    assert_int_equal(mb.expelled + mb.revoked, 0);
    est_kafka_sub_hold(mb.sub, false);
    WAIT_FOR(lp, mb.records == PARTITIONS);
    leave(&mb);
    est_loop_free(lp);
}

static void a_record_outlives_what_brought_it(void **state)
{
    char copied[4];
    struct est_loop *lp;
    struct member mb;
    struct est_kafka_msg *m;
    size_t n, borrowed;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    open_member(&mb, lp, "own");
    mb.keep = true;
    produce(0, 1);
    WAIT_FOR(lp, mb.kept != NULL);
    m = mb.kept;
    assert_false(est_kafka_msg_is_own(m));
    borrowed = est_kafka_msg_size(m);
    assert_true(borrowed > est_kafka_msg_value(m).len + 1);
    assert_int_equal(est_kafka_msg_own(m), EST_OK);
    assert_int_equal(est_kafka_msg_own(m), EST_OK);
    assert_true(est_kafka_msg_is_own(m));
    leave(&mb);
    assert_true(est_view_is(est_kafka_msg_value(m), "0"));
    assert_true(est_view_is(est_kafka_msg_key(m), "k"));
    assert_true(est_view_is(est_kafka_msg_header(m, "a"), "last"));
    assert_int_equal(est_kafka_msg_copy_header(m, "a", copied, sizeof(copied)), 4);
    assert_string_equal(est_kafka_msg_headers(m, &n)[0].name, "a");
    assert_int_equal(n, 2);
    est_kafka_msg_free(m);
    est_loop_free(lp);
}

static void partitions_move_to_a_second_member_and_back(void **state)
{
    struct est_loop *lp;
    struct member a, b;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    produce(0, RECORDS);
    open_member(&a, lp, "two");
    WAIT_FOR(lp, a.records == RECORDS);
    open_member(&b, lp, "two");
    WAIT_FOR(lp, a.held + b.held == PARTITIONS && b.held > 0 && a.held > 0);
    assert_int_equal(a.revoked, 1);
    assert_false(a.lost);
    produce(RECORDS, 2 * RECORDS);
    WAIT_FOR(lp, a.records + b.records >= 2 * RECORDS);
    leave(&b);
    WAIT_FOR(lp, a.held == PARTITIONS);
    assert_true(a.records + b.records >= 2 * RECORDS);
    assert_int_equal(a.disordered + b.disordered, 0);
    /* The mock broker may refuse a commit in a rebalance, where Apache Kafka takes it: records may
     * come twice here. What is seen is that the commits reach the broker and report. */
    assert_true(a.commits >= 1);
    leave(&a);
    est_loop_free(lp);
}

static void a_broker_that_goes_and_comes_is_told(void **state)
{
    struct est_loop *lp;
    struct member mb;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    open_member(&mb, lp, "down");
    WAIT_FOR(lp, mb.assigned == 1);
    assert_int_equal(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    WAIT_FOR(lp, mb.states == 1);
    assert_int_equal(rd_kafka_mock_broker_set_up(mock.cluster, 1), 0);
    WAIT_FOR(lp, mb.states == 2);
    leave(&mb);
    est_loop_free(lp);
}

static void a_wrong_property_is_named(void **state)
{
    static const struct est_kafka_option extra[] = {{"no.such.property", "1"}};
    static const char *const topics[] = {TOPIC};
    const struct est_kafka_sub_options opt = {.brokers = "127.0.0.1:1",
                                              .client_id = "test",
                                              .group = "g",
                                              .topics = topics,
                                              .n_topics = 1,
                                              .session_timeout = 6 * EST_SECOND,
                                              .heartbeat = EST_SECOND,
                                              .fetch_max_bytes = 1 << 20,
                                              .extra = extra,
                                              .n_extra = 1};
    const struct est_kafka_sub_handlers h = {0};
    struct est_kafka_sub *ks = NULL;
    struct est_why why = {0};
    struct est_loop *lp;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    assert_int_equal(est_kafka_sub_new(lp, &opt, &h, &ks, &why), EST_ERR_INVALID);
    assert_non_null(strstr(why.text, "no.such.property"));
    assert_null(ks);
    est_loop_free(lp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_record_once_then_goes_on_from_the_commit, start_mock,
                                        stop_mock),
        cmocka_unit_test_setup_teardown(a_pause_in_mid_stream_loses_and_repeats_nothing, start_mock,
                                        stop_mock),
        cmocka_unit_test_setup_teardown(what_a_pause_threw_away_is_asked_for_at_once, start_mock,
                                        stop_mock),
        cmocka_unit_test_setup_teardown(held_records_wait_in_their_place, start_mock, stop_mock),
        cmocka_unit_test_setup_teardown(membership_outlasts_silence_and_a_hold, start_mock,
                                        stop_mock),
        cmocka_unit_test_setup_teardown(a_record_outlives_what_brought_it, start_mock, stop_mock),
        cmocka_unit_test_setup_teardown(partitions_move_to_a_second_member_and_back, start_mock,
                                        stop_mock),
        cmocka_unit_test_setup_teardown(a_broker_that_goes_and_comes_is_told, start_mock,
                                        stop_mock),
        cmocka_unit_test(a_wrong_property_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
