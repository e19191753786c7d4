#include "core/health.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>

#include <cmocka.h>

static void ready_when_no_reason_is_left(void **state)
{
    struct est_health h;

    (void)state;
    est_health_init(&h);
    assert_true(est_health_is_ready(&h));
    assert_int_equal(est_health_add(&h, "kafka_down", "Kafka does not answer.", 5), EST_OK);
    assert_int_equal(est_health_add(&h, "starting", "Loading schemas.", 6), EST_OK);
    assert_int_equal(est_health_add(&h, "kafka_down", "No broker of 3 answers.", 7), EST_OK);
    assert_int_equal(h.n, 2);
    assert_string_equal(h.reasons[0].text, "No broker of 3 answers.");
    assert_int_equal(h.reasons[0].since, 5);
    assert_false(est_health_remove(&h, "kafka"));
    assert_true(est_health_remove(&h, "kafka_down"));
    assert_false(est_health_is_ready(&h));
    assert_string_equal(h.reasons[0].code, "starting");
    assert_true(est_health_remove(&h, "starting"));
    assert_true(est_health_is_ready(&h));
    assert_false(est_health_remove(&h, "starting"));
}

static void a_full_set_refuses_new_codes_only(void **state)
{
    struct est_health h;
    char code[16];

    (void)state;
    est_health_init(&h);
    for (int i = 0; i < EST_HEALTH_REASONS; i++) {
        snprintf(code, sizeof(code), "code_%d", i);
        assert_int_equal(est_health_add(&h, code, "", i), EST_OK);
    }
    assert_int_equal(est_health_add(&h, "one_more", "", 0), EST_ERR_FULL);
    assert_int_equal(est_health_add(&h, "code_3", "still", 0), EST_OK);
    assert_string_equal(h.reasons[3].text, "still");
}

static void long_texts_are_cut_between_characters(void **state)
{
    struct est_health h;
    char text[400] = "x", code[100];

    (void)state;
    est_health_init(&h);
    for (size_t i = 1; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "é", 2);
    memset(code, 'c', sizeof(code) - 1);
    code[sizeof(code) - 1] = '\0';
    assert_int_equal(est_health_add(&h, code, text, 0), EST_OK);
    assert_int_equal(strlen(h.reasons[0].code), EST_HEALTH_CODE - 1);
    assert_int_equal(strlen(h.reasons[0].text), EST_HEALTH_TEXT - 1);
    assert_int_equal(est_health_add(&h, code, text + 1, 0), EST_OK);
    assert_int_equal(strlen(h.reasons[0].text), EST_HEALTH_TEXT - 2);
    assert_int_equal(h.n, 1);
    assert_true(est_health_remove(&h, code));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_when_no_reason_is_left),
        cmocka_unit_test(a_full_set_refuses_new_codes_only),
        cmocka_unit_test(long_texts_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
