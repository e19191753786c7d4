#include "codec_fixture.h"

#include "base/mem.h"
#include "codec/results.h"

#include <stdlib.h>

static void test_good(void **state)
{
    static const struct {
        const char *body;
        int status;
        bool duplicate;
        const char *error;
    } cases[] = {
        {"{\"results\":[{\"id\":\"a\",\"status\":201,\"duplicate\":false}]}", 201, false, ""},
        {"{\"results\":[{\"status\":200,\"duplicate\":true,\"x\":{}}],\"took\":3}", 200, true, ""},
        {"{\"results\":[{\"status\":422,\"error\":{\"code\":\"bad\",\"detail\":\"no "
         "total\",\"pointer\":\"/payload/total\"}}]}",
         422, false, "bad: no total (/payload/total)"},
        {"{\"results\":[{\"status\":424,\"error\":{\"detail\":\"after a failed one\"}}]}", 424,
         false, "after a failed one"},
        {"{\"results\":[{\"status\":400,\"error\":\"just text\"}]}", 400, false, "just text"},
        {"{\"results\":[{\"status\":400,\"error\":null,\"duplicate\":null}]}", 400, false, ""},
        {"{\"results\":[{\"status\":400,\"error\":[1]}]}", 400, false, ""},
    };
    const struct est_view ids[] = {EST_VIEW_LIT("a")};
    struct est_results *rs;
    struct est_why why;

    (void)state;
    assert_int_equal(est_results_new(1, &rs), EST_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct est_result *r;
        if (est_results_parse(rs, est_view_str(cases[i].body), 1, ids, &why) != EST_OK)
            fail_msg("%s: %s", cases[i].body, why.text);
        r = est_results_at(rs, 0);
        assert_int_equal(r->status, cases[i].status);
        assert_true(r->duplicate == cases[i].duplicate);
        assert_string_equal(r->error, cases[i].error);
    }
    est_results_free(rs);
}

static void test_malformed(void **state)
{
    static const char *const bodies[] = {
        "",
        "OK",
        "[]",
        "{}",
        "{\"results\":{}}",
        "{\"results\":[]}",
        "{\"results\":[{\"status\":201}]}",
        "{\"results\":[{\"status\":201},{\"status\":201},{\"status\":201}]}",
        "{\"results\":[{\"status\":201},{}]}",
        "{\"results\":[{\"status\":201},null]}",
        "{\"results\":[{\"status\":201},{\"status\":\"201\"}]}",
        "{\"results\":[{\"status\":201},{\"status\":2.01e2}]}",
        "{\"results\":[{\"status\":201},{\"status\":99}]}",
        "{\"results\":[{\"status\":201},{\"status\":600}]}",
        "{\"results\":[{\"status\":201},{\"status\":201,\"duplicate\":\"no\"}]}",
        "{\"results\":[{\"status\":201,\"id\":\"b\"},{\"status\":201,\"id\":\"a\"}]}",
        "{\"results\":[{\"status\":201,\"id\":\"a\"},{\"status\":201,\"id\":\"a\"}]}",
        "{\"results\":[{\"status\":201,\"id\":true},{\"status\":201}]}",
        "{\"results\":[{\"status\":201},{\"status\":201}],\"results\":[]}",
    };
    const struct est_view ids[] = {EST_VIEW_LIT("a"), EST_VIEW_LIT("b")};
    struct est_results *rs;

    (void)state;
    assert_int_equal(est_results_new(2, &rs), EST_OK);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct est_why why = {EST_OK, ""};
        if (est_results_parse(rs, est_view_str(bodies[i]), 2, ids, &why) != EST_ERR_HTTP ||
            why.text[0] == '\0')
            fail_msg("%s was taken", bodies[i]);
    }
    est_results_free(rs);
}

static const char *any(const char *const *list, size_t n)
{
    return list[(size_t)rand() % n];
}
#define ANY(...) \
    any((const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void put_result(struct est_buf *b)
{
    if (rand() % 2) {
        est_buf_puts(b, ANY("{\"status\":201}", "{\"id\":\"a\",\"status\":200,\"duplicate\":true}",
                            "{ \"status\" : 422 }", "{\"status\":201,\"id\":\"b\"}"));
        return;
    }
    est_buf_puts(b, "{");
    for (int n = rand() % 4; n >= 0; n--) {
        est_buf_puts(b,
                     ANY("\"status\":201", "\"status\": 422", "\"status\":\"201\"", "\"status\":20",
                         "\"status\":2010", "\"status\":099", "\"status\":201.0", "\"id\":\"a\"",
                         "\"id\":\"b\"", "\"id\":1", "\"duplicate\":true", "\"duplicate\" : false",
                         "\"duplicate\":null", "\"error\":\"e\"", "\"st\\u0061tus\":201",
                         "\"\xC3\":1", "\"status\":201"));
        est_buf_puts(b, n > 0 ? ANY(",", ", ", ",\n  ", ",") : "");
    }
    est_buf_puts(b, ANY("}", "}", "}", "}", " }", "", "}}"));
}

/* What is read without the parser is read as the parser reads it: a member in front that nobody
 * knows makes any answer one for the parser. */
static void test_plain_and_parsed_agree(void **state)
{
    const struct est_view ids[] = {EST_VIEW_LIT("a"), EST_VIEW_LIT("b"), EST_VIEW_LIT("a")};
    struct est_results *one, *other;
    struct est_buf body, parsed;
    int good = 0;

    (void)state;
    srand(7);
    est_buf_init(&body, 8192);
    est_buf_init(&parsed, 8192);
    assert_int_equal(est_results_new(3, &one), EST_OK);
    assert_int_equal(est_results_new(3, &other), EST_OK);
    for (int i = 0; i < 60000; i++) {
        size_t n = (size_t)rand() % 4;
        est_err err;
        est_buf_clear(&body);
        est_buf_puts(&body, ANY("{\"results\":[", "{\"results\": [", "{\"result\":["));
        for (size_t k = n; k > 0; k--) {
            put_result(&body);
            est_buf_puts(&body, k > 1 ? ANY(",", ", ", ",", "") : "");
        }
        est_buf_puts(&body, ANY("]}", "]}", " ]}\n", "]", "]}x", "],\"results\":[]}"));
        est_buf_clear(&parsed);
        est_buf_puts(&parsed, "{\"zz\":[],");
        est_buf_put(&parsed, body.data + 1, body.len - 1);
        err = est_results_parse(one, est_buf_view(&body), n, i % 2 ? ids : NULL, NULL);
        if (err != est_results_parse(other, est_buf_view(&parsed), n, i % 2 ? ids : NULL, NULL))
            fail_msg("%.*s", (int)body.len, body.data);
        for (size_t k = 0; err == EST_OK && k < n; k++) {
            const struct est_result *a = est_results_at(one, k), *b = est_results_at(other, k);
            assert_int_equal(a->status, b->status);
            assert_int_equal(a->duplicate, b->duplicate);
            assert_string_equal(a->error, b->error);
        }
        good += err == EST_OK && n > 0;
    }
    assert_true(good > 1000);
    est_results_free(one);
    est_results_free(other);
    est_buf_fini(&body);
    est_buf_fini(&parsed);
}

/* A long error text is cut between characters. */
static void test_long_error(void **state)
{
    struct est_results *rs;
    struct est_buf b;
    size_t len;

    (void)state;
    est_buf_init(&b, 8192);
    est_buf_puts(&b, "{\"results\":[{\"status\":422,\"error\":{\"code\":\"c\",\"detail\":\"");
    for (int i = 0; i < 500; i++)
        est_buf_puts(&b, "ç");
    est_buf_puts(&b, "\"}}]}");
    assert_int_equal(est_results_new(1, &rs), EST_OK);
    assert_int_equal(est_results_parse(rs, est_buf_view(&b), 1, NULL, NULL), EST_OK);
    len = strlen(est_results_at(rs, 0)->error);
    assert_true(len < EST_RESULTS_TEXT && len > EST_RESULTS_TEXT - 5);
    assert_true(est_utf8_valid(est_view(est_results_at(rs, 0)->error, len)));
    est_results_free(rs);
    est_buf_fini(&b);
}

static void test_no_memory(void **state)
{
    struct est_results *rs;

    (void)state;
    est_mem_fail_after(0);
    assert_int_equal(est_results_new(1, &rs), EST_ERR_NOMEM);
    est_mem_fail_after(-1);
    assert_int_equal(est_results_new(1, &rs), EST_OK);
    est_mem_fail_after(0);
    assert_int_equal(est_results_parse(rs, EST_VIEW_LIT("{\"x\":1,\"results\":[{\"status\":201}]}"),
                                       1, NULL, NULL),
                     EST_ERR_NOMEM);
    est_mem_fail_after(-1);
    est_results_free(rs);
    assert_int_equal(est_results_new(SIZE_MAX / 8, &rs), EST_ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_plain_and_parsed_agree),
        cmocka_unit_test(test_long_error),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
