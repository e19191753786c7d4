#include "io/http_prefer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
    const char *list;
    const char *value; /* of "return"; NULL = it does not stand there */
} cases[] = {
    {"return=minimal", "minimal"},
    {"RETURN=minimal", "minimal"},
    {"return = minimal", "minimal"},
    {"  return=minimal  ", "minimal"},
    {"return=\"minimal\"", "minimal"},
    {"respond-async, return=minimal", "minimal"},
    {"respond-async,return=minimal,wait=10", "minimal"},
    {"return=minimal; foo=\"some parameter\"", "minimal"},
    {"handling=lenient; return=full, return=minimal", "minimal"},
    {"return=representation, return=minimal", "representation"},
    {"a=\"x, return=full\", return=minimal", "minimal"},
    {"a=\"\\\", return=full\", return=minimal", "minimal"},
    {", ,return=minimal", "minimal"},
    {"return", ""},
    {"return=", ""},
    {"return=\"\"", ""},
    {"", NULL},
    {",", NULL},
    {"returns=minimal", NULL},
    {"x-return=minimal", NULL},
    {"minimal", NULL},
    {"a=\"return=minimal", NULL},
    {"a=\\", NULL},
};

static void the_first_instance_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_view value = est_prefer_get(est_view_str(cases[i].list), "return");
        bool good = cases[i].value ? value.data != NULL && est_view_is(value, cases[i].value)
                                   : value.data == NULL;
        if (!good)
            fail_msg("%s: %.*s", cases[i].list, (int)value.len, value.data ? value.data : "");
    }
    assert_null(est_prefer_get(EST_VIEW_NONE, "return").data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_instance_counts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
