/* Times as people read them. */
#include "span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_spans(void **state)
{
    static const struct {
        est_us d;
        const char *en, *pt;
    } cases[] = {
        {-1, "0 ms", "0 ms"},
        {0, "0 ms", "0 ms"},
        {999, "0 ms", "0 ms"},
        {38 * EST_MS, "38 ms", "38 ms"},
        {999999, "999 ms", "999 ms"},
        {EST_SECOND, "1.0 s", "1,0 s"},
        {1449 * EST_MS, "1.4 s", "1,4 s"},
        {59999 * EST_MS, "59.9 s", "59,9 s"},
        {60 * EST_SECOND, "1 min 0 s", "1 min 0 s"},
        {74200 * EST_MS, "1 min 14 s", "1 min 14 s"},
        {3599 * EST_SECOND, "59 min 59 s", "59 min 59 s"},
        {3660 * EST_SECOND, "1 h 1 min", "1 h 1 min"},
        {(6 * 24 + 4) * 3600 * EST_SECOND, "6 d 4 h", "6 d 4 h"},
    };
    char text[SPAN_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        span_text(EST_LANG_EN, cases[i].d, text);
        assert_string_equal(text, cases[i].en);
        span_text(EST_LANG_PT, cases[i].d, text);
        assert_string_equal(text, cases[i].pt);
    }
}

static void test_times(void **state)
{
    const int64_t at = 1764093310204; /* 2025-11-25T17:55:10.204Z */
    char text[SPAN_TEXT];

    (void)state;
    assert_int_equal(setenv("TZ", "America/Sao_Paulo", 1), 0);
    tzset();
    span_time(EST_LANG_EN, at, at + 60000, text);
    assert_string_equal(text, "14:55:10.204");
    span_time(EST_LANG_PT, at, at + 60000, text);
    assert_string_equal(text, "14:55:10,204");
    span_time(EST_LANG_PT, at, at + 86400000, text);
    assert_string_equal(text, "25/11 14:55:10,204");
    span_time(EST_LANG_EN, at, at + 86400000, text);
    assert_string_equal(text, "11-25 14:55:10.204");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
