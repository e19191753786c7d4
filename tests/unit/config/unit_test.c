#include "config/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY (86400 * EST_SECOND)

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        est_err err;
        est_us want;
    } cases[] = {
        {"5000", EST_OK, 5 * EST_SECOND},
        {"500ms", EST_OK, 500 * EST_MS},
        {"1.5s", EST_OK, 1500 * EST_MS},
        {"5 s", EST_OK, 5 * EST_SECOND},
        {"7d", EST_OK, 7 * DAY},
        {"2h", EST_OK, 7200 * EST_SECOND},
        {"0", EST_OK, 0},
        {"250us", EST_OK, 250},
        {"0.000001s", EST_OK, 1},
        {"", EST_ERR_INVALID, 0},
        {"s", EST_ERR_INVALID, 0},
        {"-1s", EST_ERR_INVALID, 0},
        {"+1s", EST_ERR_INVALID, 0},
        {"1.s", EST_ERR_INVALID, 0},
        {".5s", EST_ERR_INVALID, 0},
        {"1.0000001s", EST_ERR_INVALID, 0},
        {"5sec", EST_ERR_UNSUPPORTED, 0},
        {"5  s", EST_ERR_UNSUPPORTED, 0},
        {"5S", EST_ERR_UNSUPPORTED, 0},
        {"1.5us", EST_ERR_RANGE, 0},
        {"106751992d", EST_ERR_RANGE, 0},
        {"106751991d", EST_OK, 106751991 * DAY},
        {"18446744073709551616", EST_ERR_RANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_us got = -1;
        assert_int_equal(est_unit_duration(est_view_str(cases[i].text), &got), cases[i].err);
        assert_int_equal(got, cases[i].err ? -1 : cases[i].want);
    }
}

static void test_size(void **state)
{
    static const struct {
        const char *text;
        est_err err;
        size_t want;
    } cases[] = {
        {"512", EST_OK, 512},
        {"512B", EST_OK, 512},
        {"64KiB", EST_OK, 65536},
        {"1.5MiB", EST_OK, 1572864},
        {"16 MiB", EST_OK, 16777216},
        {"1GiB", EST_OK, 1073741824},
        {"16MB", EST_ERR_UNSUPPORTED, 0},
        {"16M", EST_ERR_UNSUPPORTED, 0},
        {"", EST_ERR_INVALID, 0},
        {"MiB", EST_ERR_INVALID, 0},
        {"0.3B", EST_ERR_RANGE, 0},
        {"99999999TiB", EST_ERR_RANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t got = 77;
        assert_int_equal(est_unit_size(est_view_str(cases[i].text), &got), cases[i].err);
        assert_int_equal(got, cases[i].err ? 77 : cases[i].want);
    }
}

static void test_count(void **state)
{
    unsigned n = 77;

    (void)state;
    assert_int_equal(est_unit_count(est_view_str("4294967295"), &n), EST_OK);
    assert_int_equal(n, 4294967295U);
    assert_int_equal(est_unit_count(est_view_str("4294967296"), &n), EST_ERR_RANGE);
    assert_int_equal(est_unit_count(est_view_str("1.0"), &n), EST_ERR_INVALID);
    assert_int_equal(est_unit_count(est_view_str("0x10"), &n), EST_ERR_INVALID);
    assert_int_equal(est_unit_count(est_view_str(""), &n), EST_ERR_INVALID);
}

static void test_text(void **state)
{
    static const struct {
        est_us d;
        const char *want;
    } durations[] = {
        {0, "0"},
        {1, "1us"},
        {1500 * EST_MS, "1500ms"},
        {90 * EST_SECOND, "90s"},
        {7 * DAY, "7d"},
        {3600 * EST_SECOND, "1h"},
    };
    static const struct {
        size_t n;
        const char *want;
    } sizes[] = {{0, "0"}, {1, "1B"}, {1536, "1536B"}, {65536, "64KiB"}, {16777216, "16MiB"}};
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 64);
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        est_buf_clear(&b);
        est_unit_put_duration(&b, durations[i].d);
        assert_true(est_view_is(est_buf_view(&b), durations[i].want));
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        est_buf_clear(&b);
        est_unit_put_size(&b, sizes[i].n);
        assert_true(est_view_is(est_buf_view(&b), sizes[i].want));
    }
    est_buf_fini(&b);
}

static void test_guess(void **state)
{
    static const struct {
        const char *text;
        bool duration;
        const char *want; /* NULL = cannot be told */
    } cases[] = {
        {"16MB", false, "16MiB"}, {"64k", false, "64KiB"},  {"5sec", true, "5s"},
        {"10min", true, "10m"},   {"2 horas", true, "2 h"}, {"16MB", true, NULL},
        {"5x", true, NULL},       {"5", true, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char got[EST_UNIT_TEXT] = "";
        bool known = est_unit_guess(est_view_str(cases[i].text), cases[i].duration, got);
        assert_int_equal(known, cases[i].want != NULL);
        assert_string_equal(got, known ? cases[i].want : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration), cmocka_unit_test(test_size),  cmocka_unit_test(test_count),
        cmocka_unit_test(test_text),     cmocka_unit_test(test_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
