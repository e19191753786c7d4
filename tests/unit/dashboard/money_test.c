#include "money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void parses_digits(void **state)
{
    static const struct {
        const char *given;
        bool ok;
        int64_t want;
    } cases[] = {
        {"599.90", true, 59990}, {"2399", true, 239900}, {"0.5", true, 50},
        {"0.07", true, 7},       {"10.500", true, 1050}, {"999999999999.99", true, 99999999999999},
        {"", false, 0},          {".", false, 0},        {".5", false, 0},
        {"5.", false, 0},        {"-1", false, 0},       {"+1", false, 0},
        {"1e3", false, 0},       {"1.005", false, 0},    {"1,50", false, 0},
        {"1.2.3", false, 0},     {"1 000", false, 0},    {"9999999999999", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t minor = -1;
        bool ok = money_parse(est_view_str(cases[i].given), &minor);
        if (ok != cases[i].ok || (ok && minor != cases[i].want))
            fail_msg("\"%s\": %d, %lld", cases[i].given, ok, (long long)minor);
        if (!ok)
            assert_int_equal(minor, -1);
    }
    assert_false(money_parse(EST_VIEW_NONE, &(int64_t){0}));
}

static void prints_two_places(void **state)
{
    static const struct {
        int64_t given;
        const char *want;
    } cases[] = {{0, "0.00"}, {7, "0.07"}, {59990, "599.90"}, {-150, "-1.50"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_buf out;
        est_buf_init(&out, 64);
        money_print(&out, cases[i].given);
        assert_true(est_view_is(est_buf_view(&out), cases[i].want));
        est_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_digits),
        cmocka_unit_test(prints_two_places),
    };

    return cmocka_run_group_tests_name("dashboard money", tests, NULL, NULL);
}
