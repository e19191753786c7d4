#include "mask.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *json, const char *wanted)
{
    const struct est_value *v;
    struct est_json *js;
    struct est_buf out;

    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    assert_int_equal(est_json_parse(js, est_view_str(json), &v, NULL), EST_OK);
    est_buf_init(&out, 65536);
    mask_put(&out, v);
    est_buf_putc(&out, '\0');
    assert_string_equal(out.data, wanted);
    est_buf_fini(&out);
    est_json_free(js);
}

static void names_and_kinds_stay(void **state)
{
    (void)state;
    check("{\"id\":\"019ab\",\"payload\":{\"total\":12.50,\"paid\":true,\"note\":null,"
          "\"items\":[{\"sku\":\"ab\"},{}],\"tags\":[]}}",
          "  /id  a string, 5\n"
          "  /payload/total  a number\n"
          "  /payload/paid  true\n"
          "  /payload/note  null\n"
          "  /payload/items/0/sku  a string, 2\n"
          "  /payload/items/1  an object, 0\n"
          "  /payload/tags  an array, 0\n");
}

/* The keys of a map may be people. */
static void what_is_no_name_is_masked(void **state)
{
    (void)state;
    check("{\"5511999990000\":1,\"ana@example.org\":2,\"Ana Maria\":3,\"\":4,\"a_b-c.d9\":5,"
          "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":6}",
          "  /*  a number\n  /*  a number\n  /*  a number\n  /*  a number\n"
          "  /a_b-c.d9  a number\n  /*  a number\n");
}

static void a_bare_value(void **state)
{
    (void)state;
    check("\"x\"", "  /  a string, 1\n");
    check("[1,\"y\"]", "  /0  a number\n  /1  a string, 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_kinds_stay),
        cmocka_unit_test(what_is_no_name_is_masked),
        cmocka_unit_test(a_bare_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
