#include "codec_fixture.h"

#include "base/mem.h"

#include <stdio.h>

struct fixture {
    struct est_json *js;
};

static int setup(void **state)
{
    static struct fixture f;

    assert_int_equal(est_json_new(NULL, &f.js), EST_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    est_json_free(((struct fixture *)*state)->js);
    return 0;
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        est_err err;
        const char *pointer;
    } cases[] = {
        {"", EST_ERR_JSON, ""},
        {" ", EST_ERR_JSON, ""},
        {"{", EST_ERR_JSON, ""},
        {"{\"a\":1,}", EST_ERR_JSON, ""},
        {"[1,2", EST_ERR_JSON, ""},
        {"{\"a\":1} x", EST_ERR_JSON, ""},
        {"{'a':1}", EST_ERR_JSON, ""},
        {"{\"a\":01}", EST_ERR_JSON, ""},
        {"{\"a\":+1}", EST_ERR_JSON, ""},
        {"{\"a\":1.}", EST_ERR_JSON, ""},
        {"{\"a\":NaN}", EST_ERR_JSON, ""},
        {"{\"a\":Infinity}", EST_ERR_JSON, ""},
        {"{\"a\":truu}", EST_ERR_JSON, ""},
        {"// c\n1", EST_ERR_JSON, ""},
        {"\"\x01\"", EST_ERR_JSON, ""},
        {"\"\xC3\"", EST_ERR_JSON, ""},
        {"\"\xED\xA0\x80\"", EST_ERR_JSON, ""},
        {"\"\\ud800\"", EST_ERR_JSON, ""},
        {"\"\\x\"", EST_ERR_JSON, ""},
        {"\xEF\xBB\xBF{}", EST_ERR_JSON, ""},
        {"{\"a\":1,\"a\":1}", EST_ERR_JSON_DUPLICATE, "/a"},
        {"{\"a\":1,\"\\u0061\":1}", EST_ERR_JSON_DUPLICATE, "/a"},
        {"{\"p\":[0,{\"x\":1,\"y\":2,\"x\":3}]}", EST_ERR_JSON_DUPLICATE, "/p/1/x"},
        {"{\"a/b\":{\"~\":1,\"~\":2}}", EST_ERR_JSON_DUPLICATE, "/a~1b/~0"},
        {"{\"\":1,\"\":2}", EST_ERR_JSON_DUPLICATE, "/"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct est_value *v = NULL;
        struct est_reject rj = {0};
        est_err err = est_json_parse(f->js, est_view_str(cases[i].text), &v, &rj);
        if (err != cases[i].err || rj.code != err || strcmp(rj.pointer, cases[i].pointer) != 0)
            fail_msg("%s gave %s at %s: %s", cases[i].text, est_err_code(err), rj.pointer,
                     rj.detail);
        assert_null(v);
        assert_true(rj.detail[0] != '\0');
    }
}

/* Objects too large to compare each name with each are checked by another way. */
static void test_duplicate_in_large_object(void **state)
{
    struct fixture *f = *state;
    const struct est_value *v;
    struct est_reject rj;
    struct est_buf b;

    est_buf_init(&b, 1 << 20);
    est_buf_putc(&b, '{');
    for (int i = 0; i < 3000; i++)
        est_buf_printf(&b, "\"m%d\":%d,", i, i);
    est_buf_puts(&b, "\"m1234567\":0}");
    assert_int_equal(est_json_parse(f->js, est_buf_view(&b), &v, NULL), EST_OK);
    assert_int_equal(est_json_size(v), 3001);
    est_buf_truncate(&b, b.len - 1);
    est_buf_puts(&b, ",\"m77\":1}");
    assert_int_equal(est_json_parse(f->js, est_buf_view(&b), &v, &rj), EST_ERR_JSON_DUPLICATE);
    assert_string_equal(rj.pointer, "/m77");
    est_buf_fini(&b);
}

static void nest(struct est_buf *b, int depth)
{
    est_buf_clear(b);
    for (int i = 0; i < depth; i++)
        est_buf_puts(b, i % 2 ? "{\"a\":" : "[");
    est_buf_putc(b, '0');
    for (int i = depth - 1; i >= 0; i--)
        est_buf_putc(b, i % 2 ? '}' : ']');
}

static void test_depth(void **state)
{
    struct fixture *f = *state;
    const struct est_value *v;
    struct est_reject rj;
    struct est_buf b;

    est_buf_init(&b, 1 << 20);
    nest(&b, 64);
    assert_int_equal(est_json_parse(f->js, est_buf_view(&b), &v, NULL), EST_OK);
    nest(&b, 65);
    assert_int_equal(est_json_parse(f->js, est_buf_view(&b), &v, &rj), EST_ERR_JSON_DEPTH);
    nest(&b, 50000);
    assert_int_equal(est_json_parse(f->js, est_buf_view(&b), &v, &rj), EST_ERR_JSON_DEPTH);
    assert_true(strlen(rj.pointer) < sizeof(rj.pointer));
    est_buf_fini(&b);
}

static void test_memory_is_bounded(void **state)
{
    const struct est_json_limits limits = {.depth_max = 64, .memory_max = 100000};
    const struct est_value *v;
    struct est_reject rj;
    struct est_json *js;
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 1 << 20);
    assert_int_equal(est_json_new(&limits, &js), EST_OK);
    est_buf_puts(&b, "[0");
    for (int i = 0; i < 20000; i++)
        est_buf_puts(&b, ",1");
    est_buf_putc(&b, ']');
    assert_int_equal(est_json_parse(js, est_buf_view(&b), &v, &rj), EST_ERR_TOO_LARGE);
    est_json_clear(js);
    assert_int_equal(est_json_parse(js, EST_VIEW_LIT("[1,2]"), &v, &rj), EST_OK);
    est_json_free(js);
    est_buf_fini(&b);
}

static void test_access(void **state)
{
    struct fixture *f = *state;
    const struct est_value *v, *item;
    struct est_json_iter it = {0};
    struct est_view name;
    int64_t n = 0;
    bool b = false;

    assert_int_equal(
        est_json_parse(
            f->js,
            EST_VIEW_LIT("{\"s\":\"Ol\\u00e1 \\ud83d\\udc4b\",\"n\":9007199254740993,"
                         "\"d\":599.90,\"t\":true,\"z\":null,\"a\":[1,\"x\"],\"e\":\"\"}"),
            &v, NULL),
        EST_OK);
    assert_true(est_view_is(est_json_string(est_json_get(v, "s")), "Olá 👋"));
    assert_true(est_json_i64(est_json_get(v, "n"), &n));
    assert_int_equal(n, 9007199254740993);
    assert_true(est_view_is(est_json_number(est_json_get(v, "d")), "599.90"));
    assert_false(est_json_i64(est_json_get(v, "d"), &n));
    assert_true(est_json_bool(est_json_get(v, "t"), &b) && b);
    assert_int_equal(est_json_type(est_json_get(v, "z")), EST_JSON_NULL);
    assert_string_equal(est_json_type_name(est_json_get(v, "a")), "an array");
    assert_string_equal(est_json_type_name(est_json_get(v, "none")), "nothing");
    assert_true(est_view_is(est_json_id(est_json_get(v, "n")), "9007199254740993"));
    assert_null(est_json_id(est_json_get(v, "d")).data);
    assert_null(est_json_id(est_json_get(v, "e")).data);
    assert_null(est_json_string(est_json_get(est_json_get(v, "no"), "way")).data);
    assert_int_equal(est_json_size(est_json_get(v, "s")), 0);
    assert_true(est_json_each(v, &it, &name, &item));
    assert_true(est_view_is(name, "s"));
    it = (struct est_json_iter){0};
    assert_true(est_json_each(est_json_get(v, "a"), &it, &name, &item));
    assert_true(est_json_each(est_json_get(v, "a"), &it, NULL, &item));
    assert_true(est_view_is(est_json_string(item), "x"));
    assert_false(est_json_each(est_json_get(v, "a"), &it, NULL, &item));
}

static void test_put_value(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "-0",
        "1.50",
        "1e400",
        "123456789012345678901234567890",
        "\"\\\"\\\\\\n\\u0001\\u001f/\"",
        "\"João 👋\"",
        "[]",
        "{}",
        "[1,[2,{\"a\":null}],\"x\"]",
        "{\"a\":{\"b\":[true,false]},\"é\":\"ç\"}",
        "\"0123456789abcdef\\t0123456789\"",
    };
    struct fixture *f = *state;
    struct est_buf b;

    est_buf_init(&b, 4096);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct est_value *v = NULL;
        est_buf_clear(&b);
        assert_int_equal(est_json_parse(f->js, est_view_str(texts[i]), &v, NULL), EST_OK);
        est_json_put_value(&b, v);
        est_buf_putc(&b, '\0');
        assert_string_equal(b.data, texts[i]);
    }
    est_buf_fini(&b);
}

/* Documents parsed one after the other all stay, through the growth of the memory behind them. */
static void test_many_documents(void **state)
{
    struct fixture *f = *state;
    const struct est_value *docs[2000];
    char text[128];

    for (int i = 0; i < 2000; i++) {
        int n = snprintf(text, sizeof(text), "{\"n\":%d,\"s\":\"%0*d\"}", i, i % 60 + 1, i);
        assert_int_equal(est_json_parse(f->js, est_view(text, (size_t)n), &docs[i], NULL), EST_OK);
    }
    for (int i = 0; i < 2000; i++) {
        int64_t n = -1;
        assert_true(est_json_i64(est_json_get(docs[i], "n"), &n) && n == i);
    }
}

static void test_no_memory(void **state)
{
    const char *text = "{\"a\":[1,2,3],\"b\":{\"c\":\"d\"}}";
    est_err err = EST_ERR_NOMEM;

    (void)state;
    for (long n = 0; err != EST_OK; n++) {
        const struct est_value *v = NULL;
        struct est_json *js = NULL;
        assert_true(n < 50);
        est_mem_fail_after(n);
        err = est_json_new(NULL, &js);
        if (err == EST_OK)
            err = est_json_parse(js, est_view_str(text), &v, NULL);
        est_mem_fail_after(-1);
        assert_true(err == EST_OK || err == EST_ERR_NOMEM);
        est_json_free(js);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_duplicate_in_large_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_access, setup, teardown),
        cmocka_unit_test_setup_teardown(test_put_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_documents, setup, teardown),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
