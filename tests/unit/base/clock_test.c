#include "base/clock.h"
#include "base/id.h"

#include <stdio.h>
#include <time.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static void parses(void **state)
{
    static const struct {
        const char *text;
        est_us want;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1000},
        {"2000-02-29T00:00:00Z", 951782400000000},
        {"2024-02-29T12:00:00Z", 1709208000000000},
        {"2026-11-24T17:37:21.004Z", 1795541841004000},
        {"2026-11-24t17:37:21.004z", 1795541841004000},
        {"2026-11-24 17:37:21.004Z", 1795541841004000},
        {"2026-11-24T14:37:21.004-03:00", 1795541841004000},
        {"2026-11-24T23:07:21.004+05:30", 1795541841004000},
        {"2026-11-24T17:37:21.004-00:00", 1795541841004000},
        {"2026-11-25T17:36:21.004+23:59", 1795541841004000},
        {"2026-11-24T17:37:21.0041239999999999999999Z", 1795541841004123},
        {"2026-11-24T17:37:21.5Z", 1795541841500000},
        {"1990-12-31T23:59:60Z", 662688000000000},
        {"0000-01-01T00:00:00Z", -62167219200000000},
        {"9999-12-31T23:59:59.999999Z", 253402300799999999},
        {"1900-03-01T00:00:00Z", -2203891200000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_us got = 4711;
        if (!est_rfc3339_parse(est_view_str(cases[i].text), &got) || got != cases[i].want)
            fail_msg("%s: %lld", cases[i].text, (long long)got);
    }
}

static void refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11-24",
        "2026-11-24T17:37:21",
        "2026-11-24T17:37Z",
        "2026-11-24T17:37:21.Z",
        "2026-11-24T17:37:21,5Z",
        "2026-11-24T17:37:21Z ",
        " 2026-11-24T17:37:21Z",
        "2026-11-24T17:37:21ZZ",
        "2026-11-24T17:37:21+0300",
        "2026-11-24T17:37:21+03",
        "2026-11-24T17:37:21+03:0",
        "2026-11-24T17:37:21+24:00",
        "2026-11-24T17:37:21+03:60",
        "2026-11-24T24:00:00Z",
        "2026-11-24T17:60:00Z",
        "2026-11-24T17:37:61Z",
        "2026-00-24T17:37:21Z",
        "2026-13-24T17:37:21Z",
        "2026-11-00T17:37:21Z",
        "2026-11-31T17:37:21Z",
        "2026-02-29T17:37:21Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "26-11-24T17:37:21Z",
        "+026-11-24T17:37:21Z",
        "2026-1-24T17:37:21Z",
        "2026/11/24T17:37:21Z",
        "2026-11-24_17:37:21Z",
        "12026-11-24T17:37:21Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
    };
    est_us got = 4711;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (est_rfc3339_parse(est_view_str(cases[i]), &got))
            fail_msg("%s was taken", cases[i]);
    assert_false(est_rfc3339_parse(EST_VIEW_NONE, &got));
    assert_false(est_rfc3339_parse(EST_VIEW_LIT("2026-11-24\00017:37:21Z"), &got));
    assert_int_equal(got, 4711);
}

static void formats(void **state)
{
    static const struct {
        est_us wall;
        const char *want;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.000Z"},
        {1000, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.999Z"},
        {-1001, "1969-12-31T23:59:59.998Z"},
        {951782400000000, "2000-02-29T00:00:00.000Z"},
        {-62167219200000000, "0000-01-01T00:00:00.000Z"},
        {253402300799999999, "9999-12-31T23:59:59.999Z"},
        {-62167219200000001, "0000-01-01T00:00:00.000Z"},
        {253402300800000000, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    char out[EST_RFC3339_LEN + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_rfc3339_format(cases[i].wall, out);
        assert_string_equal(out, cases[i].want);
    }
}

/* Beside the C library's calendar, over all the years that can be written. */
static void random_times_agree_with_the_library(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        int64_t ms = (int64_t)est_random_below(253402300800000 + 62167219200000) - 62167219200000;
        time_t secs = (time_t)(ms / 1000 - (ms % 1000 < 0));
        char got[EST_RFC3339_LEN + 1], want[64];
        struct tm tm;
        est_us back;
        assert_non_null(gmtime_r(&secs, &tm));
        (void)snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                       (int)(ms - (int64_t)secs * 1000));
        est_rfc3339_format(ms * 1000, got);
        assert_string_equal(got, want);
        assert_true(est_rfc3339_parse(est_view(got, EST_RFC3339_LEN), &back));
        assert_int_equal(back, ms * 1000);
    }
}

static void clocks_go(void **state)
{
    est_us before = est_clock_mono();

    (void)state;
    assert_true(est_clock_mono() >= before);
    assert_true(est_clock_wall() > 1577836800 * EST_SECOND); /* 2020 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),    cmocka_unit_test(refuses),
        cmocka_unit_test(formats),   cmocka_unit_test(random_times_agree_with_the_library),
        cmocka_unit_test(clocks_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
