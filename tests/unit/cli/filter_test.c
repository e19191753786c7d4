#include "filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_fits(void **state)
{
    static const char event[] =
        "{\"event\":\"order_paid\",\"a.b\":\"dotted\",\"payload\":{\"total\":599.90,\"paid\":true,"
        "\"note\":null,\"contact\":{\"name\":\"Zé\"},\"items\":[1]}}";
    static const struct {
        const char *filter;
        bool want;
    } cases[] = {
        {"event=order_paid", true},
        {"event=order", false},
        {"payload.total=599.90", true},
        {"payload.total=599.9", false},
        {"payload.paid=true", true},
        {"payload.note=null", true},
        {"payload.contact.name=Zé", true},
        {"payload.contact.nome=Zé", false},
        {"payload.items=1", false},
        {"a.b=dotted", true},
        {"payload=x", false},
        {"missing=", false},
        {"payload.contact.name.x=1", false},
    };
    const struct est_value *v;
    struct est_json *js;

    (void)state;
    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    assert_int_equal(est_json_parse(js, est_view_str(event), &v, NULL), EST_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct args_many one = {.items = {cases[i].filter}, .n = 1};
        assert_int_equal(filter_fits(&one, v), cases[i].want);
    }
    struct args_many both = {.items = {"event=order_paid", "payload.paid=false"}, .n = 2};
    assert_false(filter_fits(&both, v));
    est_json_free(js);
}

static void test_wrong(void **state)
{
    struct args_many good = {.items = {"a=b", "c="}, .n = 2}, bad = {.items = {"a=b", "c"}, .n = 2};
    struct args_many nameless = {.items = {"=b"}, .n = 1};

    (void)state;
    assert_null(filter_wrong(&good));
    assert_string_equal(filter_wrong(&bad), "c");
    assert_string_equal(filter_wrong(&nameless), "=b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fits), cmocka_unit_test(test_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
