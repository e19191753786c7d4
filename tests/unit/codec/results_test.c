#include "codec_fixture.h"

#include "base/mem.h"
#include "codec/results.h"

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
    assert_int_equal(
        est_results_parse(rs, EST_VIEW_LIT("{\"results\":[{\"status\":201}]}"), 1, NULL, NULL),
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
        cmocka_unit_test(test_long_error),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
