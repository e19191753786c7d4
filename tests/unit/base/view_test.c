#include "base/view.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#define V(s) EST_VIEW_LIT(s)

static void utf8(void **state)
{
    static const struct {
        struct est_view v;
        bool valid;
    } cases[] = {
        {V(""), true},
        {V("plain"), true},
        {V("a\0b"), true},
        {V("\x7f"), true},
        {V("\xC2\x80"), true},         /* U+0080 */
        {V("\xDF\xBF"), true},         /* U+07FF */
        {V("\xE0\xA0\x80"), true},     /* U+0800 */
        {V("\xED\x9F\xBF"), true},     /* U+D7FF */
        {V("\xEE\x80\x80"), true},     /* U+E000 */
        {V("\xEF\xBF\xBF"), true},     /* U+FFFF */
        {V("\xF0\x90\x80\x80"), true}, /* U+10000 */
        {V("\xF4\x8F\xBF\xBF"), true}, /* U+10FFFF */
        {V("ol\xC3\xA1 \xF0\x9F\x98\x80!"), true},
        {V("\x80"), false}, /* a continuation alone */
        {V("\xBF"), false},
        {V("\xC0\x80"), false}, /* overlong forms */
        {V("\xC1\xBF"), false},
        {V("\xE0\x80\x80"), false},
        {V("\xE0\x9F\xBF"), false},
        {V("\xF0\x80\x80\x80"), false},
        {V("\xF0\x8F\xBF\xBF"), false},
        {V("\xED\xA0\x80"), false}, /* surrogates */
        {V("\xED\xBF\xBF"), false},
        {V("\xF4\x90\x80\x80"), false}, /* above U+10FFFF */
        {V("\xF5\x80\x80\x80"), false},
        {V("\xFE"), false},
        {V("\xFF"), false},
        {V("\xF8\x88\x80\x80\x80"), false},
        {V("\xC2"), false}, /* cut short */
        {V("\xE1\x80"), false},
        {V("\xF1\x80\x80"), false},
        {V("a\xC2"), false},
        {V("\xC2\x41"), false}, /* a continuation missing */
        {V("\xE1\x80\x41"), false},
        {V("\xF1\x80\x80\xC0"), false},
        {V("\xE1\xC0\x80"), false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (est_utf8_valid(cases[i].v) != cases[i].valid)
            fail_msg("row %zu", i);
    assert_true(est_utf8_valid(EST_VIEW_NONE));
}

static size_t encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x1FFFFF; c++) {
        char text[4];
        size_t n = encode(c, text);
        bool want = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        if (est_utf8_valid(est_view(text, n)) != want)
            fail_msg("U+%04X", c);
        for (size_t cut = 1; cut < n; cut++)
            if (est_utf8_valid(est_view(text, cut)))
                fail_msg("U+%04X cut at %zu", c, cut);
    }
}

static void u64(void **state)
{
    static const struct {
        struct est_view v;
        unsigned long long max;
        bool ok;
        unsigned long long want;
    } cases[] = {
        {V("0"), 0, true, 0},
        {V("1"), 0, false, 0},
        {V("007"), 9, true, 7},
        {V("10"), 9, false, 0},
        {V("9"), 9, true, 9},
        {V("3"), 2, false, 0},
        {V("65535"), 65535, true, 65535},
        {V("65536"), 65535, false, 0},
        {V("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {V("18446744073709551616"), UINT64_MAX, false, 0},
        {V("18446744073709551614"), UINT64_MAX - 1, true, UINT64_MAX - 1},
        {V("18446744073709551615"), UINT64_MAX - 1, false, 0},
        {V("99999999999999999999"), UINT64_MAX, false, 0},
        {V(""), 9, false, 0},
        {V("+1"), 9, false, 0},
        {V("-1"), 9, false, 0},
        {V(" 1"), 9, false, 0},
        {V("1 "), 9, false, 0},
        {V("1\0"), 99, false, 0},
        {V("0x1"), 99, false, 0},
        {V("1e1"), 99, false, 0},
        {V("\xB2"), 99, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned long long got = 4711;
        if (est_view_u64(cases[i].v, cases[i].max, &got) != cases[i].ok ||
            got != (cases[i].ok ? cases[i].want : 4711))
            fail_msg("row %zu: %llu", i, got);
    }
    assert_false(est_view_u64(EST_VIEW_NONE, 9, &(unsigned long long){0}));
}

static void trim(void **state)
{
    static const struct {
        struct est_view v;
        const char *want;
    } cases[] = {{V(""), ""},           {V(" \t "), ""},       {V("a"), "a"},
                 {V("  a b\t"), "a b"}, {V("\na\r"), "\na\r"}, {V("a "), "a"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(est_view_is(est_view_trim(cases[i].v), cases[i].want));
    assert_null(est_view_trim(EST_VIEW_NONE).data);
}

static void compare(void **state)
{
    (void)state;
    assert_true(est_view_eq(V("a\0b"), V("a\0b")));
    assert_false(est_view_eq(V("a\0b"), V("a\0c")));
    assert_false(est_view_eq(V("a"), V("ab")));
    assert_true(est_view_is(V(""), ""));
    assert_true(est_view_ieq(V("Content-TYPE"), V("content-type")));
    assert_false(est_view_ieq(V("a["), V("a{")));
    assert_false(est_view_ieq(V("\xC3\x89"), V("\xC3\xA9"))); /* ASCII alone is folded */
    assert_true(est_view_starts(V("Bearer x"), V("Bearer ")));
    assert_false(est_view_starts(V("Bear"), V("Bearer ")));
    assert_true(est_view_istarts(V("bEARER x"), V("Bearer ")));
    assert_true(est_view_starts(EST_VIEW_NONE, V("")));
    assert_null(est_view_str(NULL).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8), cmocka_unit_test(every_code_point), cmocka_unit_test(u64),
        cmocka_unit_test(trim), cmocka_unit_test(compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
