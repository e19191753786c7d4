#include "config/advice.h"
#include "config/message.h"
#include "config/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_order_of_places(void **state)
{
    struct est_fault f = est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
    static const struct {
        unsigned line, column;
        const char *key;
    } given[] = {{0, 0, "env"}, {9, 1, "c"}, {2, 7, "b"}, {2, 3, "a"}, {9, 1, "d"}};
    struct est_config_report rp;
    struct est_buf keys;

    (void)state;
    est_report_init(&rp);
    est_buf_init(&keys, 64);
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        est_report_add(&rp, "f", given[i].line, given[i].column, given[i].key, &f);
    est_report_sort(&rp);
    for (size_t i = 0; i < rp.n; i++)
        est_buf_puts(&keys, rp.items[i].key);
    assert_true(est_view_is(est_buf_view(&keys), "abcdenv"));
    est_buf_fini(&keys);
    assert_true(est_report_has(&rp, "c"));
    assert_false(est_report_has(&rp, "x"));
    est_report_fini(&rp);
}

static void test_bounded(void **state)
{
    struct est_fault f = est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
    struct est_config_report rp;
    struct est_buf out;

    (void)state;
    est_report_init(&rp);
    for (unsigned i = 0; i < EST_REPORT_MAX + 7; i++)
        est_report_add(&rp, "f", i + 1, 1, "", &f);
    assert_int_equal(rp.n, EST_REPORT_MAX);
    assert_int_equal(rp.dropped, 7);
    est_buf_init(&out, 1 << 20);
    est_report_write(&rp, EST_LANG_EN, &out);
    est_buf_putc(&out, '\0');
    assert_non_null(strstr(out.data, "… and 7 more\n"));
    est_buf_fini(&out);
    est_report_fini(&rp);
}

static void test_no_fault_is_no_problem(void **state)
{
    struct est_fault f = EST_NO_FAULT;
    struct est_config_report rp;

    (void)state;
    est_report_init(&rp);
    est_report_add(&rp, "f", 1, 1, "k", &f);
    assert_int_equal(est_report_err(&rp), EST_OK);
    est_report_fini(&rp);
}

static void test_quote(void **state)
{
    static const struct {
        const char *found, *want;
    } cases[] = {
        {"abc", "\"abc\""},
        {"", "\"\""},
        {"a\nb", "\"a?b\""},
        {"0123456789012345678901234567890123456789x",
         "\"0123456789012345678901234567890123456789…\""},
        {"012345678901234567890123456789012345678éx",
         "\"012345678901234567890123456789012345678…\""},
    };
    char got[EST_MESSAGE_ARG_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_message_quote(est_view_str(cases[i].found), got);
        assert_string_equal(got, cases[i].want);
    }
}

/* Whoever adds an error code says in advice.def what a person does about it. */
static void test_every_code_has_advice(void **state)
{
    (void)state;
    for (int err = EST_OK + 1; err < EST_ERR__COUNT; err++) {
        if (est_advice_text((est_err)err, EST_LANG_EN)[0] == '\0' ||
            est_advice_text((est_err)err, EST_LANG_PT)[0] == '\0')
            fail_msg("%s has no advice in lib/config/advice.def", est_err_code((est_err)err));
        assert_int_equal(est_advice_find(est_err_code((est_err)err)), err);
    }
    assert_int_equal(est_advice_find("e-kafka-down"), EST_ERR_KAFKA_DOWN);
    assert_int_equal(est_advice_find("OK"), EST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_places),        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_no_fault_is_no_problem), cmocka_unit_test(test_quote),
        cmocka_unit_test(test_every_code_has_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
