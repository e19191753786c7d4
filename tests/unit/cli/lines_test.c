#include "lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct refused {
    uint64_t numbers[16];
    size_t n;
};

static void on_refused(void *arg, uint64_t number, const char *why)
{
    struct refused *r = arg;

    assert_non_null(why);
    r->numbers[r->n++] = number;
}

enum { ROOM = 64 };

static size_t put(char *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static size_t put(char *at, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(at, ROOM, fmt, ap);
    va_end(ap);
    assert_in_range(n, 1, ROOM - 1);
    return (size_t)n;
}

static FILE *file_of(const char *text, size_t n)
{
    FILE *f = tmpfile();

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    rewind(f);
    return f;
}

static bool line_begins(const struct lines *ls, size_t i, const char *with)
{
    return est_view_starts(est_view(ls->body.data + ls->batch[i].offset, ls->batch[i].len),
                           est_view_str(with));
}

static void test_lines(void **state)
{
    static const char text[] = "{\"id\":\"a\",\"event\":\"x\",\"payload\":{}}\n"
                               "\n"
                               "  {\"event\":\"y\"}\r\n"
                               "not json\n"
                               "[1]\n"
                               "{}\n"
                               "{\"event\":\"z\",\"event\":\"twice\"}\n"
                               "{ \"event\":\"last, without a newline\"}";
    struct refused refused = {.n = 0};
    FILE *f = file_of(text, sizeof(text) - 1);
    static struct lines ls;

    (void)state;
    assert_int_equal(lines_init(&ls, f, on_refused, &refused), EST_OK);
    assert_int_equal(lines_next(&ls), EST_OK);
    assert_int_equal(ls.n, 4);
    assert_true(line_begins(&ls, 0, "{\"id\":\"a\",\"event\":\"x\""));
    assert_int_equal(ls.batch[1].number, 3);
    assert_true(line_begins(&ls, 1, "{\"id\":\"0"));
    assert_int_equal(ls.batch[2].number, 6);
    assert_int_equal(ls.body.data[ls.batch[2].offset + ls.batch[2].len - 2],
                     '"'); /* {"id":"…"}: no comma */
    assert_int_equal(ls.batch[3].number, 8);
    assert_int_equal(refused.n, 3);
    assert_int_equal(refused.numbers[0], 4);
    assert_int_equal(refused.numbers[1], 5);
    assert_int_equal(refused.numbers[2], 7);
    assert_int_equal(lines_next(&ls), EST_OK);
    assert_int_equal(ls.n, 0);
    lines_fini(&ls);
    (void)fclose(f);
}

/* Each line comes exactly once and in order, however the batches are cut. */
static void test_batches(void **state)
{
    enum { COUNT = 1203 };
    struct refused refused = {.n = 0};
    char *text = malloc(COUNT * 64);
    size_t n = 0, seen = 0, batches = 0;
    static struct lines ls;
    FILE *f;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        n += put(text + n, "{\"id\":\"%d\",\"event\":\"x\"}\n", i);
    f = file_of(text, n);
    assert_int_equal(lines_init(&ls, f, on_refused, &refused), EST_OK);
    while (lines_next(&ls) == EST_OK && ls.n > 0) {
        for (size_t i = 0; i < ls.n; i++) {
            char want[32];
            (void)snprintf(want, sizeof(want), "{\"id\":\"%zu\",", seen);
            assert_true(line_begins(&ls, i, want));
            assert_int_equal(ls.batch[i].number, seen + 1);
            seen++;
        }
        batches++;
    }
    assert_int_equal(seen, COUNT);
    assert_int_equal(batches, 3);
    assert_int_equal(ls.bytes, n);
    lines_fini(&ls);
    (void)fclose(f);
    free(text);
}

static void test_bytes_bound_a_batch(void **state)
{
    enum { SIZE = 300 * 1024 };
    struct refused refused = {.n = 0};
    char *text = malloc(5 * (SIZE + 64));
    size_t n = 0, seen = 0;
    static struct lines ls;
    FILE *f;

    (void)state;
    for (int i = 0; i < 5; i++) {
        n += put(text + n, "{\"id\":\"%d\",\"t\":\"", i);
        memset(text + n, 'x', SIZE);
        n += SIZE;
        n += put(text + n, "%s", "\"}\n");
    }
    f = file_of(text, n);
    assert_int_equal(lines_init(&ls, f, on_refused, &refused), EST_OK);
    while (lines_next(&ls) == EST_OK && ls.n > 0) {
        assert_true(ls.body.len <= LINES_BATCH_BYTES);
        seen += ls.n;
    }
    assert_int_equal(seen, 5);
    lines_fini(&ls);
    (void)fclose(f);
    free(text);
}

static bool is_odd(void *arg, struct est_view line)
{
    (void)arg;
    return line.data[7] == '1' || line.data[7] == '3';
}

static void test_retain(void **state)
{
    static const char text[] =
        "{\"id\":\"0\"}\n{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\",\"more\":1}\n";
    struct refused refused = {.n = 0};
    FILE *f = file_of(text, sizeof(text) - 1);
    static struct lines ls;

    (void)state;
    assert_int_equal(lines_init(&ls, f, on_refused, &refused), EST_OK);
    assert_int_equal(lines_next(&ls), EST_OK);
    lines_retain(&ls, is_odd, NULL);
    assert_int_equal(ls.n, 2);
    assert_true(est_view_is(est_buf_view(&ls.body), "{\"id\":\"1\"}\n{\"id\":\"3\",\"more\":1}\n"));
    assert_int_equal(ls.batch[1].number, 4);
    assert_true(line_begins(&ls, 1, "{\"id\":\"3\""));
    lines_fini(&ls);
    (void)fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_bytes_bound_a_batch),
        cmocka_unit_test(test_retain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
