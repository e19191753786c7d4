#include "base/err.h"

#include <ctype.h>
#include <string.h>
#include <sysexits.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static void every_row_is_complete(void **state)
{
    (void)state;
    for (int i = EST_OK; i < EST_ERR__COUNT; i++) {
        const char *code = est_err_code((est_err)i), *text = est_err_text((est_err)i);
        assert_non_null(code);
        assert_non_null(text);
        assert_true(strlen(text) > 3);
        assert_false(text[strlen(text) - 1] == '.');
        assert_true((unsigned)est_err_disposition((est_err)i) <= EST_FATAL);
        if (i == EST_OK)
            continue;
        assert_memory_equal(code, "E-", 2);
        for (const char *c = code; *c != '\0'; c++)
            assert_true(isupper((unsigned char)*c) || *c == '-');
    }
}

static void codes_are_unique(void **state)
{
    (void)state;
    for (int i = 0; i < EST_ERR__COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(est_err_code((est_err)i), est_err_code((est_err)j));
}

static void a_wrong_number_has_a_row(void **state)
{
    (void)state;
    assert_string_equal(est_err_code(EST_OK), "OK");
    assert_string_equal(est_err_code(EST_ERR__COUNT), "E-UNKNOWN");
    assert_string_equal(est_err_code((est_err)-1), "E-UNKNOWN");
    assert_int_equal(est_err_disposition(EST_ERR__COUNT), EST_FATAL);
}

static void only_what_repeating_cannot_mend_is_the_configuration(void **state)
{
    (void)state;
    assert_int_equal(est_err_exit(EST_OK), 0);
    assert_int_equal(est_err_exit(EST_ERR_CONF_FILE), EX_CONFIG);
    assert_int_equal(est_err_exit(EST_ERR_INVALID), EX_CONFIG);
    assert_int_equal(est_err_exit(EST_ERR_SCHEMA), EX_CONFIG);
    assert_int_equal(est_err_exit(EST_ERR_IO), EX_UNAVAILABLE);
    assert_int_equal(est_err_exit(EST_ERR_NOMEM), EX_UNAVAILABLE);
    assert_int_equal(est_err_exit(EST_ERR_KAFKA_DOWN), EX_UNAVAILABLE);
}

static void why_is_filled_and_cut(void **state)
{
    struct est_why why = {0};
    char big[1000];

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(est_why_set(&why, EST_ERR_IO, "%s:%d", "file", 7), EST_ERR_IO);
    assert_int_equal(why.code, EST_ERR_IO);
    assert_string_equal(why.text, "file:7");
    assert_int_equal(est_why_set(&why, EST_ERR_FULL, "%s", big), EST_ERR_FULL);
    assert_int_equal(strlen(why.text), EST_WHY_TEXT - 1);
    assert_int_equal(est_why_set(NULL, EST_ERR_JSON, "%s", big), EST_ERR_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(codes_are_unique),
        cmocka_unit_test(a_wrong_number_has_a_row),
        cmocka_unit_test(only_what_repeating_cannot_mend_is_the_configuration),
        cmocka_unit_test(why_is_filled_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
