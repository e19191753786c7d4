#include "config/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        size_t want;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"retries", "retries", 0},
        {"retrys", "retries", 2},
        {"lsiten", "listen", 1},
        {"Listen", "listen", 0},
        {"topic-prefix", "topic_prefix", 0},
        {"kitten", "sitting", 3},
        {"ca", "abc", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_view a = est_view_str(cases[i].a), b = est_view_str(cases[i].b);
        assert_int_equal(est_nearest_distance(a, b), cases[i].want);
        assert_int_equal(est_nearest_distance(b, a), cases[i].want);
    }
}

static void test_long_names_are_never_near(void **state)
{
    char name[66];

    (void)state;
    memset(name, 'a', sizeof(name));
    assert_true(est_nearest_distance(est_view(name, 65), est_view(name, 65)) == SIZE_MAX);
    assert_int_equal(est_nearest_distance(est_view(name, 64), est_view(name, 64)), 0);
}

static void test_offer(void **state)
{
    static const char *const known[] = {"timeout", "retries", "retry_max", "url", "headers"};
    static const struct {
        const char *name, *want; /* NULL = nothing is near */
    } cases[] = {
        {"retry", "retries"}, {"retrymax", "retry_max"}, {"time", "timeout"}, {"URL", "url"},
        {"uri", "url"},       {"colour", NULL},          {"x", NULL},         {"header", "headers"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_nearest near;
        est_nearest_init(&near, est_view_str(cases[i].name));
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            est_nearest_offer(&near, est_view_str(known[k]));
        assert_true(est_view_eq(near.best, est_view_str(cases[i].want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_long_names_are_never_near),
        cmocka_unit_test(test_offer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
