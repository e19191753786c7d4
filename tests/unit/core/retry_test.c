#include "core/retry.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

static const struct est_retry_policy policy = {
    .attempts = 3, .initial = 500 * EST_MS, .max = 60 * EST_SECOND};

static void quick_attempts_follow_at_multiples(void **state)
{
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    assert_int_equal(est_retry_wait(&policy, 1, 0, &rng), 500 * EST_MS);
    assert_int_equal(est_retry_wait(&policy, 2, 0, &rng), 1000 * EST_MS);
}

/* The largest of many draws comes near the cap and never passes it; the smallest comes near the
 * step where the quick ones ended. */
static void later_attempts_are_drawn_below_a_doubling_cap(void **state)
{
    static const struct {
        unsigned failed;
        est_us cap;
    } cases[] = {
        {3, 2500 * EST_MS},
        {4, 3500 * EST_MS},
        {5, 5500 * EST_MS},
        {8, 33500 * EST_MS},
        {9, 60 * EST_SECOND},
        {70, 60 * EST_SECOND},
        {4000000000U, 60 * EST_SECOND},
    };
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_us most = 0, least = EST_NEVER;
        for (int j = 0; j < 2000; j++) {
            est_us wait = est_retry_wait(&policy, cases[i].failed, 0, &rng);
            most = wait > most ? wait : most;
            least = wait < least ? wait : least;
        }
        assert_in_range(most, cases[i].cap * 98 / 100, cases[i].cap);
        assert_in_range(least, 1500 * EST_MS, 1500 * EST_MS + cases[i].cap * 2 / 100);
    }
}

static void the_receiver_sets_a_floor(void **state)
{
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    assert_int_equal(est_retry_wait(&policy, 1, 7 * EST_SECOND, &rng), 7 * EST_SECOND);
    assert_int_equal(est_retry_wait(&policy, 1, 100 * EST_MS, &rng), 500 * EST_MS);
    for (int i = 0; i < 100; i++)
        assert_true(est_retry_wait(&policy, 20, 30 * EST_SECOND, &rng) >= 30 * EST_SECOND);
}

static void a_quick_wait_stays_below_the_maximum(void **state)
{
    struct est_retry_policy many = {
        .attempts = 4000000000U, .initial = EST_SECOND, .max = 5 * EST_SECOND};
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    assert_int_equal(est_retry_wait(&many, 4, 0, &rng), 4 * EST_SECOND);
    assert_int_equal(est_retry_wait(&many, 3999999999U, 0, &rng), 5 * EST_SECOND);
}

/* 1994-11-06T08:49:00Z, 37 seconds before the date of RFC 9110's examples. */
#define BEFORE (784111740 * EST_SECOND)

static void retry_after_values(void **state)
{
    static const struct {
        const char *value;
        est_us want; /* -1 = refused */
    } cases[] = {
        {"0", 0},
        {"120", 120 * EST_SECOND},
        {" 120\t", 120 * EST_SECOND},
        {"3600", EST_RETRY_AFTER_MAX},
        {"3601", EST_RETRY_AFTER_MAX},
        {"99999999999999999999999999", EST_RETRY_AFTER_MAX},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 37 * EST_SECOND},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 37 * EST_SECOND},
        {"Sun Nov  6 08:49:37 1994", 37 * EST_SECOND},
        {"Sun Nov 06 08:49:37 1994", 37 * EST_SECOND},
        {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
        {"Sun, 06 Nov 1994 08:48:59 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", EST_RETRY_AFTER_MAX},
        {"Sunday, 06-Nov-44 08:49:37 GMT", EST_RETRY_AFTER_MAX}, /* 50 years ahead */
        {"Sunday, 06-Nov-45 08:49:37 GMT", 0},                   /* 51 ahead means the past */
        {"", -1},
        {" ", -1},
        {"-1", -1},
        {"+1", -1},
        {"1.5", -1},
        {"1 s", -1},
        {"Sun, 06 Nov 1994 08:49:37", -1},
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ?", -1},
        {"Xxx, 06 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Xxx 1994 08:49:37 GMT", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
        {"Sun, 06 Nov 19x4 08:49:37 GMT", -1},
        {"Sunday, 06-Nov-x4 08:49:37 GMT", -1},
        {"Sunday, 06-Nov-9\xff 08:49:37 GMT", -1},
        {"1994-11-06T08:49:37Z", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_us wait = 42;
        bool ok = est_retry_after_parse(est_view_str(cases[i].value), BEFORE, &wait);
        if (ok != (cases[i].want >= 0) || (ok && wait != cases[i].want))
            fail_msg("%s: %d, %lld", cases[i].value, ok, (long long)wait);
        if (!ok)
            assert_int_equal(wait, 42);
    }
}

static void a_two_digit_year_is_at_most_50_years_ahead(void **state)
{
    static const struct {
        est_us year_begins; /* in seconds */
        const char *value;
        bool past;
    } cases[] = {
        {1262304000, "Friday, 01-Jan-60 00:00:00 GMT", false},  /* 2010: 2060 */
        {1262304000, "Friday, 01-Jan-61 00:00:00 GMT", true},   /* 2010: 1961 */
        {915148800, "Saturday, 01-Jan-00 00:00:00 GMT", false}, /* 1999: 2000 */
        {915148800, "Saturday, 01-Jan-98 00:00:00 GMT", true},  /* 1999: 1998 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_us wait;
        assert_true(est_retry_after_parse(est_view_str(cases[i].value),
                                          cases[i].year_begins * EST_SECOND, &wait));
        assert_int_equal(wait, cases[i].past ? 0 : EST_RETRY_AFTER_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_attempts_follow_at_multiples),
        cmocka_unit_test(later_attempts_are_drawn_below_a_doubling_cap),
        cmocka_unit_test(the_receiver_sets_a_floor),
        cmocka_unit_test(a_quick_wait_stays_below_the_maximum),
        cmocka_unit_test(retry_after_values),
        cmocka_unit_test(a_two_digit_year_is_at_most_50_years_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
