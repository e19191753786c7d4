#include "base/log.h"
#include "base/clock.h"
#include "base/mem.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static char text[64 * 1024];
static int saved, pipe_fd[2];

/* Standard error goes into a pipe while a test logs. */
static int catch_stderr(void **state)
{
    (void)state;
    assert_int_equal(pipe(pipe_fd), 0);
    assert_int_equal(fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK), 0);
    saved = dup(STDERR_FILENO);
    assert_true(dup2(pipe_fd[1], STDERR_FILENO) >= 0);
    return 0;
}

static int let_go(void **state)
{
    (void)state;
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    (void)close(pipe_fd[0]);
    (void)close(pipe_fd[1]);
    est_log_init("esteira", EST_INFO);
    return 0;
}

static size_t written(void)
{
    ssize_t n = read(pipe_fd[0], text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* The one line that was written, as JSON. */
static yyjson_doc *line(void)
{
    size_t n = written();
    yyjson_doc *doc;

    assert_true(n > 1 && text[n - 1] == '\n');
    assert_null(memchr(text, '\n', n - 1));
    doc = yyjson_read(text, n - 1, 0);
    assert_non_null(doc);
    return doc;
}

static const char *str(yyjson_doc *doc, const char *key)
{
    return yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), key));
}

static void one_object_a_line(void **state)
{
    yyjson_doc *doc;
    est_us at;

    (void)state;
    est_log_init("prog", EST_INFO);
    EST_LOG(EST_WARN, "happened", EST_S("text", "a \"b\"\n\xFF"), EST_I("number", -7),
            EST_V("view", est_view("xyz", 2)), EST_S("none", NULL));
    doc = line();
    assert_true(est_rfc3339_parse(est_view_str(str(doc, "at")), &at));
    assert_true(est_clock_wall() - at < 60 * EST_SECOND);
    assert_string_equal(str(doc, "level"), "warn");
    assert_string_equal(str(doc, "program"), "prog");
    assert_string_equal(str(doc, "event"), "happened");
    assert_string_equal(str(doc, "text"), "a \"b\"\n\xEF\xBF\xBD");
    assert_string_equal(str(doc, "view"), "xy");
    assert_int_equal(yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), "number")), -7);
    assert_true(yyjson_is_null(yyjson_obj_get(yyjson_doc_get_root(doc), "none")));
    yyjson_doc_free(doc);
    EST_LOG(EST_ERROR, "alone");
    doc = line();
    assert_string_equal(str(doc, "level"), "error");
    yyjson_doc_free(doc);
}

static void a_line_too_long_is_cut_and_still_json(void **state)
{
    static char big[20000];

    (void)state;
    for (size_t n = 8000; n < 8400; n++) {
        yyjson_doc *doc;
        memset(big, n % 2 ? 'x' : '"', sizeof(big));
        big[n] = '\0';
        EST_LOG(EST_INFO, "long", EST_I("before", 1), EST_S("big", big), EST_I("behind", 2));
        doc = line();
        assert_true(strlen(text) <= 8192);
        assert_string_equal(str(doc, "event"), "long");
        assert_non_null(yyjson_obj_get(yyjson_doc_get_root(doc), "before"));
        yyjson_doc_free(doc);
    }
    memset(big, 'e', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    est_log(EST_INFO, big, &(struct est_kv){0});
    yyjson_doc_free(line());
}

static void levels(void **state)
{
    enum est_level level = EST_DEBUG;
    uint64_t debug = est_log_count(EST_DEBUG), warn = est_log_count(EST_WARN);

    (void)state;
    est_log_init("prog", EST_WARN);
    EST_LOG(EST_DEBUG, "quiet");
    EST_LOG(EST_INFO, "quiet");
    assert_int_equal(written(), 0);
    EST_LOG(EST_WARN, "loud");
    assert_true(written() > 0);
    assert_int_equal(est_log_count(EST_DEBUG), debug);
    assert_int_equal(est_log_count(EST_WARN), warn + 1);
    assert_true(est_log_level_parse("error", &level));
    assert_int_equal(level, EST_ERROR);
    assert_false(est_log_level_parse("loud", &level));
    assert_false(est_log_level_parse("", &level));
    assert_int_equal(level, EST_ERROR);
}

static void without_memory(void **state)
{
    (void)state;
    est_mem_fail_after(0);
    EST_LOG(EST_INFO, "thin", EST_I("n", 1));
    est_mem_fail_after(-1);
    yyjson_doc_free(line());
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, catch_stderr, let_go)
    const struct CMUnitTest tests[] = {
        T(one_object_a_line),
        T(a_line_too_long_is_cut_and_still_json),
        T(levels),
        T(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
