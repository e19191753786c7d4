#include "base/jsonw.h"
#include "base/id.h"

#include <string.h>

#include <yyjson.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#define V(s) EST_VIEW_LIT(s)
#define BAD "\xEF\xBF\xBD"

static void writes(void **state)
{
    static const struct {
        struct est_view in;
        const char *want;
    } cases[] = {
        {V(""), "\"\""},
        {EST_VIEW_NONE, "\"\""},
        {V("plain"), "\"plain\""},
        {V("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
        {V("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {V("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\""},
        {V("ol\xC3\xA1 \xF0\x9F\x98\x80"), "\"ol\xC3\xA1 \xF0\x9F\x98\x80\""},
        {V("\xFF"), "\"" BAD "\""},
        {V("a\xC3"), "\"a" BAD "\""},
        {V("\xE1\x80z"), "\"" BAD BAD "z\""},
        {V("\xED\xA0\x80"), "\"" BAD BAD BAD "\""},
        {V("\xC0\xAF\""), "\"" BAD BAD "\\\"\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_buf b;
        est_buf_init(&b, 1000);
        est_json_put_string(&b, cases[i].in);
        if (!est_view_is(est_buf_view(&b), cases[i].want))
            fail_msg("row %zu: %.*s", i, (int)b.len, b.data);
        est_buf_fini(&b);
    }
}

/* Random bytes: what comes out is JSON for a strict parser, and well-formed input comes back. */
static void any_bytes_become_json(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char in[40];
        size_t n = est_random_below(sizeof(in));
        struct est_buf b;
        yyjson_doc *doc;
        est_random(in, n);
        for (size_t k = 0; k < n && i % 2; k++)
            in[k] &= 0x7f;
        est_buf_init(&b, 1000);
        est_json_put_string(&b, est_view(in, n));
        doc = yyjson_read(b.data, b.len, 0);
        assert_non_null(doc);
        if (est_utf8_valid(est_view(in, n))) {
            assert_int_equal(yyjson_get_len(yyjson_doc_get_root(doc)), n);
            assert_memory_equal(yyjson_get_str(yyjson_doc_get_root(doc)), in, n);
        }
        yyjson_doc_free(doc);
        est_buf_fini(&b);
    }
}

static void a_long_wrong_text_takes_no_long_time(void **state)
{
    static char in[1 << 20];
    struct est_buf b;

    (void)state;
    memset(in, 0xFF, sizeof(in));
    est_buf_init(&b, 4 * sizeof(in));
    est_json_put_string(&b, est_view(in, sizeof(in)));
    assert_int_equal(b.len, 3 * sizeof(in) + 2);
    est_buf_fini(&b);
}

static void names_and_commas(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 100);
    est_buf_putc(&b, '{');
    est_json_put_name(&b, "a");
    est_buf_puts(&b, "[{");
    est_json_put_name(&b, "b\"");
    est_buf_puts(&b, "1}]");
    est_json_put_name(&b, "c");
    est_json_put_str(&b, NULL);
    est_buf_putc(&b, '}');
    assert_true(est_view_is(est_buf_view(&b), "{\"a\":[{\"b\\\"\":1}],\"c\":\"\"}"));
    est_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes),
        cmocka_unit_test(any_bytes_become_json),
        cmocka_unit_test(a_long_wrong_text_takes_no_long_time),
        cmocka_unit_test(names_and_commas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
