#include "lang.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_pick(void **state)
{
    static const struct {
        const char *option, *esteira, *lc_all, *lang;
        enum est_lang want;
    } cases[] = {
        {NULL, NULL, NULL, NULL, EST_LANG_EN},
        {NULL, NULL, NULL, "pt_BR.UTF-8", EST_LANG_PT},
        {NULL, NULL, "C", "pt_BR.UTF-8", EST_LANG_EN},
        {NULL, "en", "pt_BR.UTF-8", NULL, EST_LANG_EN},
        {NULL, "pt", "C", NULL, EST_LANG_PT},
        {"en", "pt", NULL, NULL, EST_LANG_EN},
        {NULL, NULL, NULL, "de_DE.UTF-8", EST_LANG_EN},
        {NULL, "", NULL, "pt_PT", EST_LANG_PT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)clearenv();
        if (cases[i].esteira != NULL)
            (void)setenv("ESTEIRA_LANG", cases[i].esteira, 1);
        if (cases[i].lc_all != NULL)
            (void)setenv("LC_ALL", cases[i].lc_all, 1);
        if (cases[i].lang != NULL)
            (void)setenv("LANG", cases[i].lang, 1);
        assert_int_equal(lang_pick(cases[i].option), cases[i].want);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        uint64_t n;
        const char *en, *pt;
    } cases[] = {{0, "0", "0"},
                 {999, "999", "999"},
                 {1000, "1,000", "1.000"},
                 {14212, "14,212", "14.212"},
                 {UINT64_MAX, "18,446,744,073,709,551,615", "18.446.744.073.709.551.615"}};
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 128);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_buf_clear(&b);
        lang_put_number(&b, EST_LANG_EN, cases[i].n);
        assert_true(est_view_is(est_buf_view(&b), cases[i].en));
        est_buf_clear(&b);
        lang_put_number(&b, EST_LANG_PT, cases[i].n);
        assert_true(est_view_is(est_buf_view(&b), cases[i].pt));
    }
    est_buf_fini(&b);
}

/* The highest place a text fills in, so that both languages ask for the same. */
static unsigned places(const char *text)
{
    unsigned bits = 0;

    for (const char *brace = text; (brace = strchr(brace, '{')) != NULL; brace++) {
        assert_in_range(brace[1], '1', '4');
        assert_int_equal(brace[2], '}');
        bits |= 1U << (brace[1] - '1');
    }
    return bits;
}

static void test_both_languages(void **state)
{
    (void)state;
    for (int id = 0; id < TEXTS; id++) {
        const char *en = lang_text(EST_LANG_EN, (enum text)id),
                   *pt = lang_text(EST_LANG_PT, (enum text)id);
        assert_non_null(en);
        assert_non_null(pt);
        assert_int_equal(places(en), places(pt));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pick),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_both_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
