#include "codec_fixture.h"

#include "codec/number.h"

static void test_i64(void **state)
{
    static const struct {
        const char *text;
        enum est_number_fault fault;
        int64_t want;
    } cases[] = {
        {"0", EST_NUMBER_OK, 0},
        {"-0", EST_NUMBER_OK, 0},
        {"42", EST_NUMBER_OK, 42},
        {"-42", EST_NUMBER_OK, -42},
        {"9007199254740993", EST_NUMBER_OK, 9007199254740993},
        {"9223372036854775807", EST_NUMBER_OK, INT64_MAX},
        {"-9223372036854775808", EST_NUMBER_OK, INT64_MIN},
        {"9223372036854775808", EST_NUMBER_RANGE, 0},
        {"-9223372036854775809", EST_NUMBER_RANGE, 0},
        {"99999999999999999999", EST_NUMBER_RANGE, 0},
        {"", EST_NUMBER_SYNTAX, 0},
        {"-", EST_NUMBER_SYNTAX, 0},
        {"007", EST_NUMBER_SYNTAX, 0},
        {"1.0", EST_NUMBER_SYNTAX, 0},
        {"1e3", EST_NUMBER_SYNTAX, 0},
        {"+1", EST_NUMBER_SYNTAX, 0},
        {" 1", EST_NUMBER_SYNTAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t n = 0;
        if (est_number_i64(est_view_str(cases[i].text), &n) != cases[i].fault || n != cases[i].want)
            fail_msg("%s gave %lld", cases[i].text, (long long)n);
    }
}

static void test_decimal(void **state)
{
    static const struct {
        const char *text;
        unsigned precision, scale;
        enum est_number_fault fault;
        int64_t want;
    } cases[] = {
        {"599.90", 18, 2, EST_NUMBER_OK, 59990},
        {"599.9", 18, 2, EST_NUMBER_OK, 59990},
        {"599", 18, 2, EST_NUMBER_OK, 59900},
        {"-0.01", 18, 2, EST_NUMBER_OK, -1},
        {"0", 18, 2, EST_NUMBER_OK, 0},
        {"-0", 18, 2, EST_NUMBER_OK, 0},
        {"-0.00", 18, 2, EST_NUMBER_OK, 0},
        {"1e2", 18, 2, EST_NUMBER_OK, 10000},
        {"1E+2", 18, 2, EST_NUMBER_OK, 10000},
        {"1.5e1", 18, 2, EST_NUMBER_OK, 1500},
        {"12345e-2", 18, 2, EST_NUMBER_OK, 12345},
        {"599.9000", 18, 2, EST_NUMBER_OK, 59990},
        {"100000000000000e-14", 18, 2, EST_NUMBER_OK, 100},
        {"0.000000000000000000000000000", 18, 2, EST_NUMBER_OK, 0},
        {"0e999999999999", 18, 2, EST_NUMBER_OK, 0},
        {"9999999999999999.99", 18, 2, EST_NUMBER_OK, 999999999999999999},
        {"10000000000000000", 18, 2, EST_NUMBER_RANGE, 0},
        {"1e16", 18, 2, EST_NUMBER_RANGE, 0},
        {"1e99999999999999999999", 18, 2, EST_NUMBER_RANGE, 0},
        {"12345678901234567890", 18, 0, EST_NUMBER_RANGE, 0},
        {"599.999", 18, 2, EST_NUMBER_FRACTION, 0},
        {"1e-3", 18, 2, EST_NUMBER_FRACTION, 0},
        {"0.1234567890123456789012345", 18, 2, EST_NUMBER_FRACTION, 0},
        {"1e-99999999999999999999", 18, 2, EST_NUMBER_FRACTION, 0},
        {"999.9", 4, 1, EST_NUMBER_OK, 9999},
        {"1000.0", 4, 1, EST_NUMBER_RANGE, 0},
        {"", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"R$ 10", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"1.234,56", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"1,5", 18, 2, EST_NUMBER_SYNTAX, 0},
        {".5", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"5.", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"05", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"1e", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"1e+", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"--1", 18, 2, EST_NUMBER_SYNTAX, 0},
        {"1 ", 18, 2, EST_NUMBER_SYNTAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t n = 0;
        enum est_number_fault fault =
            est_number_decimal(est_view_str(cases[i].text), cases[i].precision, cases[i].scale, &n);
        if (fault != cases[i].fault || n != cases[i].want)
            fail_msg("%s gave %d, %lld", cases[i].text, (int)fault, (long long)n);
    }
}

static void test_double(void **state)
{
    static const struct {
        const char *text;
        enum est_number_fault fault;
        double want;
    } cases[] = {
        {"1.5", EST_NUMBER_OK, 1.5},    {"-23.5505", EST_NUMBER_OK, -23.5505},
        {"2", EST_NUMBER_OK, 2},        {"1e308", EST_NUMBER_OK, 1e308},
        {"1e999", EST_NUMBER_RANGE, 0}, {"nan", EST_NUMBER_RANGE, 0},
        {"", EST_NUMBER_SYNTAX, 0},     {"1,5", EST_NUMBER_SYNTAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double d = 0;
        if (est_number_double(est_view_str(cases[i].text), &d) != cases[i].fault ||
            d != cases[i].want)
            fail_msg("%s gave %g", cases[i].text, d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i64),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_double),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
