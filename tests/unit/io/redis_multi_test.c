/* Transactions against a real server. */
#include "io/redis.h"

#include "base/mem.h"
#include "redis_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct est_loop *lp;
static struct redis_server server;
static struct est_redis *redis;
static bool up;

static struct {
    bool done;
    unsigned calls;
    est_err err;
    bool answered;
    enum est_redis_kind kinds[EST_REDIS_MULTI_MAX];
    int64_t integers[EST_REDIS_MULTI_MAX];
    size_t n;
} got;

static void on_state(void *arg, bool is_up, est_err err, const char *detail)
{
    (void)arg;
    (void)err;
    (void)detail;
    up = is_up;
}

static void on_reply(void *arg, est_err err, const struct est_redis_reply *r)
{
    (void)arg;
    got.done = true;
    got.calls++;
    got.err = err;
    got.answered = r != NULL;
    got.n = est_redis_n(r);
    for (size_t i = 0; i < got.n && i < EST_REDIS_MULTI_MAX; i++) {
        got.kinds[i] = est_redis_kind(est_redis_item(r, i));
        got.integers[i] = est_redis_integer(est_redis_item(r, i));
    }
}

static const struct est_view incr[] = {EST_VIEW_LIT("INCR"), EST_VIEW_LIT("n")};
static const struct est_view push[] = {EST_VIEW_LIT("RPUSH"), EST_VIEW_LIT("n"), EST_VIEW_LIT("x")};
static const struct est_view short_of_words[] = {EST_VIEW_LIT("GET")};

static est_err run(const struct est_redis_words *words, size_t n)
{
    memset(&got, 0, sizeof(got));
    assert_int_equal(est_redis_multi(redis, n, words, on_reply, NULL), EST_OK);
    assert_false(got.done);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.calls, 1);
    return got.err;
}

static int set_up(void **s)
{
    struct est_redis_options opt = {.timeout = 2 * EST_SECOND, .state = on_state};

    (void)s;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    redis_server_start(&server, false, NULL);
    opt.url = server.url;
    up = false;
    assert_int_equal(est_redis_new(lp, &opt, &redis, NULL), EST_OK);
    redis_turn_until(lp, &up, 20);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    est_redis_free(redis);
    est_loop_free(lp);
    redis_server_stop(&server);
    return 0;
}

static void answers_in_order(void **unused)
{
    const struct est_redis_words words[] = {{2, incr}, {2, incr}};

    (void)unused;
    assert_int_equal(run(words, 2), EST_OK);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.integers[0], 1);
    assert_int_equal(got.integers[1], 2);
}

/* One that fails when it runs leaves the others done; the answer says which. */
static void a_fault_inside(void **unused)
{
    const struct est_redis_words words[] = {{2, incr}, {3, push}, {2, incr}};

    (void)unused;
    assert_int_equal(run(words, 3), EST_OK);
    assert_int_equal(got.n, 3);
    assert_int_equal(got.kinds[1], EST_REDIS_FAULT);
    assert_int_equal(got.integers[2], 2);
}

/* One that cannot even be queued: nothing runs. */
static void all_or_nothing(void **unused)
{
    const struct est_redis_words words[] = {{2, incr}, {1, short_of_words}};

    (void)unused;
    assert_int_equal(run(words, 2), EST_ERR_REDIS);
    assert_false(got.answered);
    assert_string_equal(redis_server_do(&server, "GET n"), "");
    assert_int_equal(run(words, 1), EST_OK); /* and the connection is as before */
    assert_true(up);
}

/* The error that tells most is the first, not EXEC's. */
static void first_error_counts(void **unused)
{
    const struct est_redis_words words[] = {{2, incr}};

    (void)unused;
    (void)redis_server_do(&server, "CONFIG SET maxmemory 1");
    assert_int_equal(run(words, 1), EST_ERR_REDIS_FULL);
}

static void lost_and_down(void **unused)
{
    const struct est_redis_words words[] = {{2, incr}};

    (void)unused;
    redis_server_signal(&server, SIGSTOP);
    memset(&got, 0, sizeof(got));
    assert_int_equal(est_redis_multi(redis, 1, words, on_reply, NULL), EST_OK);
    redis_server_kill(&server);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.err, EST_ERR_REDIS_LOST);
    assert_int_equal(run(words, 1), EST_ERR_REDIS_DOWN);
}

/* No memory in its middle: the server must not take what follows for the rest of it. */
static void half_sent(void **unused)
{
    const struct est_redis_words words[] = {{2, incr}, {2, incr}};
    long failures = 0;

    (void)unused;
    for (est_err err = EST_ERR_NOMEM; err != EST_OK; failures++) {
        memset(&got, 0, sizeof(got));
        est_mem_fail_after(failures);
        err = est_redis_multi(redis, 2, words, on_reply, NULL);
        est_mem_fail_after(-1);
        if (err != EST_OK) {
            assert_int_equal(err, EST_ERR_NOMEM);
            redis_turn_until(lp, &up, 20);
            assert_int_equal(got.calls, 0);
            assert_int_equal(run(words, 1), EST_OK);
        }
    }
    assert_true(failures > 4); /* its own memory, and each of its four commands' */
    redis_turn_until(lp, &got.done, 20);
}

static void freed_under_way(void **unused)
{
    const struct est_redis_words words[] = {{2, incr}, {2, incr}};

    (void)unused;
    memset(&got, 0, sizeof(got));
    assert_int_equal(est_redis_multi(redis, 2, words, on_reply, NULL), EST_OK);
    est_redis_free(redis);
    redis = NULL;
    est_loop_turn(lp, 10 * EST_MS);
    assert_int_equal(got.calls, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_in_order),   TEST(a_fault_inside), TEST(all_or_nothing),
        TEST(first_error_counts), TEST(lost_and_down),  TEST(half_sent),
        TEST(freed_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
