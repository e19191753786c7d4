#include "codec_fixture.h"

#include "codec/registry_json.h"

static void test_put_schema(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 256);
    est_registry_json_put_schema(&b, EST_VIEW_LIT("{\"type\":\"int\"}"));
    assert_true(est_view_is(est_buf_view(&b), "{\"schema\":\"{\\\"type\\\":\\\"int\\\"}\"}"));
    est_buf_fini(&b);
}

static void test_id(void **state)
{
    static const struct {
        const char *body;
        est_err err;
    } cases[] = {
        {"{\"id\":12}", EST_OK},
        {"{\"id\":12,\"version\":1}", EST_OK},
        {"{\"id\":-1}", EST_ERR_REGISTRY},
        {"{\"id\":\"12\"}", EST_ERR_REGISTRY},
        {"{\"id\":2147483648}", EST_ERR_REGISTRY},
        {"{}", EST_ERR_REGISTRY},
        {"[12]", EST_ERR_REGISTRY},
        {"<html>", EST_ERR_REGISTRY},
        {"", EST_ERR_REGISTRY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t id = 99;
        assert_int_equal(est_registry_json_id(est_view_str(cases[i].body), &id), cases[i].err);
        assert_int_equal(id, cases[i].err ? 99 : 12);
    }
}

static void test_schema(void **state)
{
    static const struct {
        const char *body;
        est_err err;
    } cases[] = {
        {"{\"schema\":\"\\\"int\\\"\"}", EST_OK},
        {"{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"AVRO\",\"references\":[]}", EST_OK},
        {"{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"PROTOBUF\"}", EST_ERR_UNSUPPORTED},
        {"{\"schema\":\"\\\"int\\\"\",\"references\":[{\"name\":\"x\"}]}", EST_ERR_UNSUPPORTED},
        {"{\"schema\":{}}", EST_ERR_REGISTRY},
        {"{}", EST_ERR_REGISTRY},
        {"x", EST_ERR_REGISTRY},
    };
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 256);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        est_buf_clear(&b);
        est_buf_puts(&b, "old");
        assert_int_equal(est_registry_json_schema(est_view_str(cases[i].body), &b), cases[i].err);
        assert_true(est_view_is(est_buf_view(&b), cases[i].err ? "old" : "\"int\""));
    }
    est_buf_fini(&b);
}

static void test_compatible(void **state)
{
    struct est_why why = {EST_OK, ""};
    bool ok = false;

    (void)state;
    assert_int_equal(
        est_registry_json_compatible(EST_VIEW_LIT("{\"is_compatible\":true}"), &ok, &why), EST_OK);
    assert_true(ok && why.text[0] == '\0');
    assert_int_equal(
        est_registry_json_compatible(EST_VIEW_LIT("{\"is_compatible\":false}"), &ok, NULL), EST_OK);
    assert_false(ok);
    assert_int_equal(
        est_registry_json_compatible(
            EST_VIEW_LIT("{\"is_compatible\":false,\"messages\":[\"a\",7,\"b\"]}"), &ok, &why),
        EST_OK);
    assert_string_equal(why.text, "a; ; b");
    assert_int_equal(est_registry_json_compatible(EST_VIEW_LIT("{\"is_compatible\":1}"), &ok, &why),
                     EST_ERR_REGISTRY);
}

static void test_error(void **state)
{
    char text[EST_REGISTRY_JSON_TEXT] = "";
    int code = 0;

    (void)state;
    assert_true(est_registry_json_error(
        EST_VIEW_LIT("{\"error_code\":40401,\"message\":\"Subject not found\"}"), &code, text));
    assert_int_equal(code, 40401);
    assert_string_equal(text, "Subject not found");
    assert_true(est_registry_json_error(EST_VIEW_LIT("{\"error_code\":500}"), &code, text));
    assert_string_equal(text, "");
    assert_false(est_registry_json_error(EST_VIEW_LIT("{\"id\":1}"), &code, text));
    assert_false(est_registry_json_error(EST_VIEW_LIT("oops"), &code, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_schema), cmocka_unit_test(test_id),
        cmocka_unit_test(test_schema),     cmocka_unit_test(test_compatible),
        cmocka_unit_test(test_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
