#include "core/limiter.h"

#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

static void one_second_at_once_and_then_the_rate(void **state)
{
    static const struct {
        est_us at;
        uint32_t n;
        est_us want_wait;
    } steps[] = {
        {0, 10, 0},           /* the burst */
        {0, 1, 100 * EST_MS}, /* ten a second */
        {99999, 1, 1},        /* to the microsecond */
        {100000, 1, 0},
        {100000, 3, 300 * EST_MS},
        {400000, 3, 0},
        {10 * EST_SECOND, 10, 0}, /* never more than one burst */
        {10 * EST_SECOND, 1, 100 * EST_MS},
        {9 * EST_SECOND, 1, 100 * EST_MS},
        {11 * EST_SECOND, 35, 0}, /* above the burst: a debt */
        {11 * EST_SECOND, 1, 2600 * EST_MS},
        {13600000, 1, 0},
    };
    struct est_limiter lim;

    (void)state;
    est_limiter_init(&lim, 10, 0);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        assert_int_equal(est_limiter_take(&lim, steps[i].n, steps[i].at), steps[i].want_wait);
}

static void it_is_never_more_than_full(void **state)
{
    struct est_limiter lim;

    (void)state;
    est_limiter_init(&lim, 3, 0);
    assert_int_equal(est_limiter_take(&lim, 1, 0), 0);
    assert_int_equal(est_limiter_take(&lim, 0, 333334), 0); /* a third of a second, rounded up */
    assert_int_equal(lim.level, 3 * 1000000);
}

static void rate_zero_is_no_limit(void **state)
{
    struct est_limiter lim;

    (void)state;
    est_limiter_init(&lim, 0, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(est_limiter_take(&lim, UINT32_MAX, 0), 0);
}

/* Over a long time exactly the rate is let in, whatever the sizes, also for a rate that does not
 * divide a second; and waiting as told always suffices. */
static void the_rate_holds_over_time(void **state)
{
    static const uint32_t rates[] = {1, 3, 7, 1000, 999983, 4294967295U};
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
        struct est_limiter lim;
        double let_in = 0;
        est_us now = 0;
        est_limiter_init(&lim, rates[r], now);
        for (int i = 0; i < 20000; i++) {
            uint32_t n = (uint32_t)est_rng_below(&rng, (uint64_t)rates[r] * 2 + 1) / 2 + 1;
            est_us wait = est_limiter_take(&lim, n, now);
            if (wait > 0) {
                now += wait;
                assert_int_equal(est_limiter_take(&lim, n, now), 0);
            }
            let_in += n;
        }
        let_in -= rates[r]; /* the burst at the start */
        assert_true(let_in <= (double)(now + 1) / EST_SECOND * rates[r] + 1);
        assert_true(let_in >= (double)now / EST_SECOND * rates[r] * 0.99 - 2.0 * rates[r]);
    }
}

static void a_long_sleep_and_a_deep_debt_do_not_overflow(void **state)
{
    struct est_limiter lim;

    (void)state;
    est_limiter_init(&lim, UINT32_MAX, 0);
    assert_int_equal(est_limiter_take(&lim, UINT32_MAX, 0), 0);
    assert_int_equal(est_limiter_take(&lim, UINT32_MAX, INT64_MAX / 2), 0);
    est_limiter_init(&lim, 1, 0);
    assert_int_equal(est_limiter_take(&lim, UINT32_MAX, 0), 0);
    assert_int_equal(est_limiter_take(&lim, 1, 0), (est_us)UINT32_MAX * EST_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_second_at_once_and_then_the_rate),
        cmocka_unit_test(it_is_never_more_than_full),
        cmocka_unit_test(rate_zero_is_no_limit),
        cmocka_unit_test(the_rate_holds_over_time),
        cmocka_unit_test(a_long_sleep_and_a_deep_debt_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
