#include "io/loop.h"
#include "base/mem.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static struct est_loop *lp;

static int open_loop(void **state)
{
    (void)state;
    return est_loop_new(&lp, NULL) == EST_OK ? 0 : -1;
}

static int close_loop(void **state)
{
    (void)state;
    est_loop_free(lp);
    return 0;
}

/* --- watches --- */

struct bell {
    struct est_watch watch;
    struct bell *silence; /* unwatched when this one rings */
    unsigned rung;
};

static void on_bell(void *arg, uint32_t events)
{
    struct bell *b = arg;

    assert_true(events & EPOLLIN);
    b->rung++;
    if (b->silence != NULL) {
        est_loop_unwatch(lp, &b->silence->watch);
        (void)close(b->silence->watch.fd);
        b->silence->watch.fn = NULL; /* a further call would not be survived */
    }
}

static void bell_init(struct bell *b, bool ringing)
{
    *b = (struct bell){.watch = {.fd = eventfd(ringing, EFD_NONBLOCK | EFD_CLOEXEC),
                                 .events = EPOLLIN,
                                 .fn = on_bell,
                                 .arg = b}};
    assert_true(b->watch.fd >= 0);
    assert_int_equal(est_loop_watch(lp, &b->watch), EST_OK);
}

static void bell_fini(struct bell *b)
{
    est_loop_unwatch(lp, &b->watch);
    (void)close(b->watch.fd);
}

static void watches_are_level_triggered(void **state)
{
    struct bell b;

    (void)state;
    bell_init(&b, true);
    est_loop_turn(lp, 0);
    est_loop_turn(lp, 0);
    assert_int_equal(b.rung, 2);
    est_loop_watch_events(lp, &b.watch, 0);
    est_loop_turn(lp, 0);
    assert_int_equal(b.rung, 2);
    est_loop_watch_events(lp, &b.watch, EPOLLIN);
    est_loop_turn(lp, 0);
    assert_int_equal(b.rung, 3);
    bell_fini(&b);
}

/* Two ring in one turn and each silences the other: the second must not be called. */
static void an_unwatched_one_is_not_called_in_the_same_turn(void **state)
{
    struct bell a, b;

    (void)state;
    bell_init(&a, true);
    bell_init(&b, true);
    a.silence = &b;
    b.silence = &a;
    est_loop_turn(lp, 0);
    assert_int_equal(a.rung + b.rung, 1);
    bell_fini(a.rung ? &a : &b);
}

static void a_callback_may_remove_itself(void **state)
{
    struct bell a;

    (void)state;
    bell_init(&a, true);
    a.silence = &a;
    est_loop_turn(lp, 0);
    est_loop_turn(lp, 0);
    assert_int_equal(a.rung, 1);
}

static void a_bad_descriptor_is_refused(void **state)
{
    struct est_watch w = {.fd = -1, .events = EPOLLIN, .fn = on_bell};

    (void)state;
    assert_int_equal(est_loop_watch(lp, &w), EST_ERR_IO);
}

/* --- timers --- */

struct alarm {
    struct est_timer timer;
    unsigned fired;
    est_us again; /* armed again for now + again, unless negative */
    struct alarm *cancel;
    unsigned order;
};

static unsigned counter;

static void on_alarm(void *arg)
{
    struct alarm *a = arg;

    a->fired++;
    a->order = ++counter;
    assert_false(est_loop_timer_armed(&a->timer));
    if (a->again >= 0)
        est_loop_timer_at(lp, &a->timer, est_loop_now(lp) + a->again);
    if (a->cancel != NULL)
        est_loop_timer_off(lp, &a->cancel->timer);
}

static void alarm_init(struct alarm *a)
{
    *a = (struct alarm){.timer = {.fn = on_alarm, .arg = a}, .again = -1};
}

static void fires_once_and_not_early(void **state)
{
    struct alarm a;
    est_us at = est_clock_mono() + 30 * EST_MS;

    (void)state;
    alarm_init(&a);
    est_loop_timer_at(lp, &a.timer, at);
    assert_true(est_loop_timer_armed(&a.timer));
    while (a.fired == 0)
        est_loop_turn(lp, EST_SECOND);
    assert_true(est_loop_now(lp) >= at);
    est_loop_turn(lp, EST_MS);
    assert_int_equal(a.fired, 1);
}

static void fire_in_order_of_time(void **state)
{
    struct alarm a[10];
    est_us now = est_clock_mono();

    (void)state;
    counter = 0;
    for (unsigned i = 0; i < 10; i++) {
        alarm_init(&a[i]);
        est_loop_timer_at(lp, &a[i].timer, now - 1000 + (est_us)(i * 7 % 10));
    }
    est_loop_turn(lp, 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(a[i].order, i * 7 % 10 + 1);
}

static void moves_and_goes_off(void **state)
{
    struct alarm a, b;
    est_us now = est_clock_mono();

    (void)state;
    alarm_init(&a);
    alarm_init(&b);
    est_loop_timer_at(lp, &a.timer, now + 3600 * EST_SECOND);
    est_loop_timer_at(lp, &b.timer, now);
    est_loop_timer_at(lp, &a.timer, now - 1);
    a.cancel = &b; /* in the same turn */
    est_loop_turn(lp, 0);
    assert_int_equal(a.fired, 1);
    assert_int_equal(b.fired, 0);
    est_loop_timer_off(lp, &a.timer);
    est_loop_turn(lp, 0);
    assert_int_equal(a.fired, 1);
}

/* One that is always due comes once a turn, and the others have their turn too. */
static void one_that_is_always_due_does_not_stop_the_loop(void **state)
{
    struct alarm greedy, other;
    struct bell b;

    (void)state;
    alarm_init(&greedy);
    alarm_init(&other);
    greedy.again = 0;
    bell_init(&b, true);
    est_loop_timer_at(lp, &greedy.timer, 0);
    est_loop_timer_at(lp, &other.timer, 0);
    for (unsigned i = 1; i <= 3; i++) {
        est_loop_turn(lp, EST_SECOND);
        assert_true(greedy.fired >= i && greedy.fired <= 2 * i);
        assert_int_equal(b.rung, i);
    }
    assert_int_equal(other.fired, 1);
    est_loop_timer_off(lp, &greedy.timer);
    bell_fini(&b);
}

static void reserved_timers_need_no_memory(void **state)
{
    enum { N = 300 };
    static struct alarm a[N];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        alarm_init(&a[i]);
        assert_int_equal(est_loop_timer_reserve(lp), EST_OK);
    }
    est_mem_fail_after(0);
    for (size_t i = 0; i < N; i++)
        est_loop_timer_at(lp, &a[i].timer, 0);
    est_mem_fail_after(-1);
    est_loop_turn(lp, 0);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(a[i].fired, 1);
        est_loop_timer_release(lp);
    }
    est_mem_fail_after(0);
    for (int i = 0; i < N; i++)
        assert_int_equal(est_loop_timer_reserve(lp), EST_OK);
    est_mem_fail_after(-1);
}

/* --- the rest --- */

static unsigned hooks;

static void on_turn(void *arg)
{
    hooks++;
    if (arg != NULL && hooks == 3)
        est_loop_stop(lp);
}

static void hooks_run_each_turn_and_stop_ends_run(void **state)
{
    struct alarm a;

    (void)state;
    hooks = 0;
    est_loop_on_turn(lp, on_turn, lp);
    alarm_init(&a);
    a.again = EST_MS;
    est_loop_timer_at(lp, &a.timer, 0);
    est_loop_run(lp);
    assert_int_equal(hooks, 3);
    est_loop_stop(lp); /* before run: it does not begin, once */
    est_loop_run(lp);
    assert_int_equal(hooks, 3);
    est_loop_timer_off(lp, &a.timer);
}

static int last_signal;

static void on_signal(void *arg, int signo)
{
    assert_ptr_equal(arg, &last_signal);
    last_signal = signo;
}

static void signals_arrive_in_the_loop(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

    (void)state;
    assert_int_equal(est_loop_on_signal(lp, on_signal, &last_signal), EST_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(kill(getpid(), signals[i]), 0);
        est_loop_turn(lp, EST_SECOND);
        assert_int_equal(last_signal, signals[i]);
    }
    assert_int_equal(kill(getpid(), SIGPIPE), 0); /* ignored */
}

static void slow_down(void *arg)
{
    est_us until = est_clock_mono() + 20 * EST_MS;

    (void)arg;
    while (est_clock_mono() < until) {
    }
}

static void lag_is_the_longest_turn(void **state)
{
    struct est_timer t = {.fn = slow_down};

    (void)state;
    est_loop_timer_at(lp, &t, 0);
    est_loop_turn(lp, 0);
    est_loop_turn(lp, 0);
    assert_true(est_loop_take_lag(lp) >= 20 * EST_MS);
    est_loop_turn(lp, 0);
    assert_true(est_loop_take_lag(lp) < 20 * EST_MS);
}

static void without_memory(void **state)
{
    struct est_loop *other = NULL;

    (void)state;
    for (long after = 0; after < 2; after++) {
        struct est_why why = {0};
        est_mem_fail_after(after);
        assert_int_equal(est_loop_new(&other, &why), EST_ERR_NOMEM);
        est_mem_fail_after(-1);
        assert_null(other);
        assert_int_equal(why.code, EST_ERR_NOMEM);
    }
    est_loop_free(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        T(watches_are_level_triggered),
        T(an_unwatched_one_is_not_called_in_the_same_turn),
        T(a_callback_may_remove_itself),
        T(a_bad_descriptor_is_refused),
        T(fires_once_and_not_early),
        T(fire_in_order_of_time),
        T(moves_and_goes_off),
        T(one_that_is_always_due_does_not_stop_the_loop),
        T(reserved_timers_need_no_memory),
        T(hooks_run_each_turn_and_stop_ends_run),
        T(signals_arrive_in_the_loop),
        T(lag_is_the_longest_turn),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
