/* The shared place against a real Redis: slots, the gate, the one probe, and what a jumping clock
 * and a lost Redis do to them. */
#include "io/turnstile.h"

#include "redis_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { REPLICAS = 3 };
#define SEC EST_SECOND

static struct est_loop *lp;
static struct redis_server server;
static struct est_redis *redis;
static struct est_turnstile *replica[REPLICAS];
static bool is_up;

static struct {
    bool done;
    est_err err;
    struct est_turnstile_answer a;
    unsigned calls;
} got;

static void on_state(void *arg, bool up, est_err err, const char *detail)
{
    (void)arg;
    (void)err;
    (void)detail;
    is_up = up;
}

static void on_answer(void *arg, est_err err, const struct est_turnstile_answer *a)
{
    (void)arg;
    got.err = err;
    got.calls++;
    got.done = true;
    if (a != NULL)
        got.a = *a;
}

static void set_token(const char *token)
{
    for (int i = 0; i < REPLICAS; i++)
        est_turnstile_set(replica[i], "esteira:", token);
}

static int open_all(void **state)
{
    const struct est_redis_options opt = {.timeout = 20 * SEC, .state = on_state};
    struct est_redis_options with_url = opt;
    static int tests;
    char token[32];

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    with_url.url = server.url;
    is_up = false;
    assert_int_equal(est_redis_new(lp, &with_url, &redis, NULL), EST_OK);
    redis_turn_until(lp, &is_up, 20);
    for (int i = 0; i < REPLICAS; i++)
        assert_int_equal(est_turnstile_new(redis, on_answer, NULL, &replica[i]), EST_OK);
    (void)snprintf(token, sizeof(token), "token-%d", tests++); /* a hash of its own */
    set_token(token);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    est_redis_free(redis);
    for (int i = 0; i < REPLICAS; i++)
        est_turnstile_free(replica[i]);
    est_loop_free(lp);
    return 0;
}

static struct est_turnstile_answer ask(int i, struct est_turnstile_question q)
{
    memset(&got, 0, sizeof(got));
    assert_int_equal(est_turnstile_ask(replica[i], &q), EST_OK);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.err, EST_OK);
    return got.a;
}

/* Slots far apart, so that the machine's own pace does not matter. */
static const struct est_turnstile_question slot = {
    .every = 100 * SEC, .slack = 200 * SEC, .wants_slot = true};
static const struct est_turnstile_question look = {0};

static bool about(est_us time, est_us want)
{
    return time <= want && time > want - 30 * SEC;
}

static void slots_are_handed_out_one_after_the_other(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) /* what slack allows at once */
        assert_int_equal(ask(i, slot).slot, 0);
    for (int i = 1; i <= 16; i++)
        assert_true(about(ask(i % REPLICAS, slot).slot, i * 100 * SEC));
    assert_int_equal(ask(0, slot).slot, -1);
    assert_true(got.a.again > 0 && got.a.again <= 100 * SEC);
    assert_int_equal(ask(0, look).slot, -1);
    assert_int_equal(got.a.down, -1);
}

static void another_token_has_a_budget_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        (void)ask(0, slot);
    assert_true(got.a.slot > 0);
    set_token("another one");
    assert_int_equal(ask(0, slot).slot, 0);
}

static void a_closed_gate_is_closed_for_all_and_voids_their_slots(void **state)
{
    struct est_turnstile_question close = {.close_for = 300 * SEC};
    uint64_t epoch;

    (void)state;
    epoch = ask(1, slot).epoch;
    assert_int_equal(est_turnstile_tell(replica[0], &close), EST_OK);
    assert_true(about(ask(1, slot).gate, 300 * SEC));
    assert_int_equal(got.a.slot, -1);
    assert_int_equal(got.a.epoch, epoch + 1);
    close.close_for = 10 * SEC; /* shortens nothing */
    assert_true(about(ask(2, close).gate, 300 * SEC));
    assert_int_equal(got.a.epoch, epoch + 1);
}

static void one_alone_probes_what_is_down(void **state)
{
    struct est_turnstile_question down = {.down_for = 1}, up = {.down_for = -1};
    struct est_turnstile_question probe = slot;

    (void)state;
    probe.probe_for = 50 * SEC;
    (void)ask(0, down);
    assert_int_equal(ask(1, slot).slot, -1); /* no slots meanwhile */
    assert_true(got.a.down >= 0);
    assert_true(ask(1, probe).probe);
    assert_int_equal(got.a.slot, 0);
    assert_false(ask(2, probe).probe);
    assert_true(about(got.a.down, 50 * SEC));
    (void)ask(1, up);
    assert_int_equal(ask(2, probe).down, -1);
    assert_false(got.a.probe);
    assert_int_equal(got.a.slot, 0);
}

static void down_is_not_shortened_and_a_gate_holds_probes_too(void **state)
{
    struct est_turnstile_question down = {.down_for = 100 * SEC}, less = {.down_for = SEC};
    struct est_turnstile_question close = {.close_for = 100 * SEC}, probe = {.probe_for = SEC};

    (void)state;
    (void)ask(0, down);
    assert_true(about(ask(1, less).down, 100 * SEC));
    (void)ask(0, (struct est_turnstile_question){.down_for = -1});
    (void)ask(0, (struct est_turnstile_question){.down_for = 1});
    (void)ask(0, close);
    assert_false(ask(0, probe).probe);
}

static char *hash_key(void)
{
    static char key[128];

    (void)snprintf(key, sizeof(key), "%s", redis_server_do(&server, "KEYS esteira:budget:*"));
    assert_null(strchr(key, ' '));
    return key;
}

/* Written when Redis' clock stood a year later. */
static void a_clock_that_went_back_makes_nothing_longer(void **state)
{
    char command[400];

    (void)state;
    (void)redis_server_do(&server, "FLUSHALL");
    (void)ask(0, slot);
    (void)snprintf(command, sizeof(command),
                   "HSET %s next 9000000000000000 gate_at 9000000000000000 gate_for 40000000 "
                   "down_at 9000000000000000 down_for 50000000",
                   hash_key());
    (void)redis_server_do(&server, command);
    assert_true(about(ask(0, slot).gate, 40 * SEC));
    assert_true(about(got.a.down, 50 * SEC));
    (void)snprintf(command, sizeof(command), "HSET %s gate_for 0 down_for 0", hash_key());
    (void)redis_server_do(&server, command);
    assert_true(ask(0, slot).slot <= 41 * SEC);
    assert_true(redis_server_number(&server, "DBSIZE") == 1);
    (void)snprintf(command, sizeof(command), "PTTL %s", hash_key());
    assert_true(redis_server_number(&server, command) > 0);
}

static void looking_writes_nothing(void **state)
{
    (void)state;
    (void)redis_server_do(&server, "FLUSHALL");
    (void)ask(0, look);
    assert_int_equal(redis_server_number(&server, "DBSIZE"), 0);
}

static void an_error_is_told_and_a_forgotten_answer_is_not(void **state)
{
    char command[200];

    (void)state;
    (void)redis_server_do(&server, "FLUSHALL");
    (void)ask(0, slot);
    (void)snprintf(command, sizeof(command), "DEL %s", hash_key());
    (void)redis_server_do(&server, command);
    set_token("x");
    (void)ask(0, slot);
    (void)snprintf(command, sizeof(command), "SET %s text", hash_key());
    (void)redis_server_do(&server, command);
    memset(&got, 0, sizeof(got));
    assert_int_equal(est_turnstile_ask(replica[0], &slot), EST_OK);
    redis_turn_until(lp, &got.done, 20);
    assert_int_not_equal(got.err, EST_OK);
    memset(&got, 0, sizeof(got));
    assert_int_equal(est_turnstile_ask(replica[0], &slot), EST_OK);
    set_token("y");
    (void)redis_server_do(&server, "FLUSHALL");
    assert_int_equal(est_turnstile_ask(replica[0], &slot), EST_OK);
    redis_turn_until(lp, &got.done, 20);
    redis_turn_for(lp, 20 * EST_MS);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.err, EST_OK);
}

static void a_lost_redis_is_told(void **state)
{
    (void)state;
    redis_server_signal(&server, 19); /* SIGSTOP */
    memset(&got, 0, sizeof(got));
    assert_int_equal(est_turnstile_ask(replica[0], &slot), EST_OK);
    redis_turn_for(lp, 20 * EST_MS);
    assert_false(got.done);
    redis_server_kill(&server);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.err, EST_ERR_REDIS_LOST);
    redis_server_again(&server, NULL, true);
}

#define WITH_REDIS(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REDIS(slots_are_handed_out_one_after_the_other),
        WITH_REDIS(another_token_has_a_budget_of_its_own),
        WITH_REDIS(a_closed_gate_is_closed_for_all_and_voids_their_slots),
        WITH_REDIS(one_alone_probes_what_is_down),
        WITH_REDIS(down_is_not_shortened_and_a_gate_holds_probes_too),
        WITH_REDIS(a_clock_that_went_back_makes_nothing_longer),
        WITH_REDIS(looking_writes_nothing),
        WITH_REDIS(an_error_is_told_and_a_forgotten_answer_is_not),
        WITH_REDIS(a_lost_redis_is_told),
    };
    int failed;

    redis_server_start(&server, false, NULL);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    redis_server_stop(&server);
    return failed;
}
