#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static void appends_and_shows(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 1000);
    assert_non_null(est_buf_view(&b).data);
    assert_int_equal(est_buf_view(&b).len, 0);
    est_buf_puts(&b, "a");
    est_buf_putc(&b, 'b');
    est_buf_put(&b, NULL, 0);
    est_buf_put_view(&b, EST_VIEW_NONE);
    est_buf_put_view(&b, EST_VIEW_LIT("c"));
    est_buf_printf(&b, "%s%d", "", 7);
    est_buf_printf(&b, "%s", "");
    assert_true(est_view_is(est_buf_view(&b), "abc7"));
    est_buf_consume(&b, 1);
    assert_true(est_view_is(est_buf_view(&b), "bc7"));
    est_buf_truncate(&b, 9);
    est_buf_truncate(&b, 2);
    assert_true(est_view_is(est_buf_view(&b), "bc"));
    est_buf_consume(&b, 99);
    assert_int_equal(b.len, 0);
    est_buf_fini(&b);
    assert_int_equal(b.max, 1000);
    est_buf_fini(&b);
}

static void numbers(void **state)
{
    static const struct {
        int64_t n;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {-1, "-1"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"},
                 {1000000, "1000000"}};
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        est_buf_clear(&b);
        est_buf_put_i64(&b, cases[i].n);
        assert_true(est_view_is(est_buf_view(&b), cases[i].text));
    }
    est_buf_clear(&b);
    est_buf_put_u64(&b, UINT64_MAX);
    assert_true(est_view_is(est_buf_view(&b), "18446744073709551615"));
    est_buf_fini(&b);
}

/* Each way of appending fills a buffer of exactly its size, and none goes a byte beyond. */
static void put_data(struct est_buf *b)
{
    est_buf_put(b, "12345", 5);
}

static void put_text(struct est_buf *b)
{
    est_buf_puts(b, "12345");
}

static void put_print(struct est_buf *b)
{
    est_buf_printf(b, "%d", 12345);
}

static void put_number(struct est_buf *b)
{
    est_buf_put_u64(b, 12345);
}

static void put_chars(struct est_buf *b)
{
    for (char c = '1'; c <= '5'; c++)
        est_buf_putc(b, c);
}

static void the_maximum_is_reached_and_not_passed(void **state)
{
    static void (*const puts[])(struct est_buf * b) = {put_data, put_text, put_print, put_number,
                                                       put_chars};
    static const size_t room[] = {0, 1, 250, 256, 257, 300, 512, 5000};

    (void)state;
    for (size_t r = 0; r < sizeof(room) / sizeof(room[0]); r++)
        for (size_t i = 0; i < sizeof(puts) / sizeof(puts[0]); i++) {
            struct est_buf b;
            est_buf_init(&b, room[r] + 5);
            for (size_t n = 0; n < room[r]; n++)
                est_buf_putc(&b, '.');
            puts[i](&b);
            assert_int_equal(est_buf_err(&b), EST_OK);
            assert_int_equal(b.len, room[r] + 5);
            assert_memory_equal(b.data + room[r], "12345", 5);
            est_buf_putc(&b, 'x');
            assert_int_equal(est_buf_err(&b), EST_ERR_FULL);
            assert_int_equal(b.len, room[r] + 5);
            est_buf_fini(&b);
        }
}

static void failure_sticks_until_clear(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 4);
    est_buf_puts(&b, "abc");
    est_buf_puts(&b, "de");
    assert_int_equal(est_buf_err(&b), EST_ERR_FULL);
    assert_true(est_view_is(est_buf_view(&b), "abc"));
    est_buf_puts(&b, "f");
    est_buf_printf(&b, "f");
    assert_false(est_buf_reserve(&b, 1));
    assert_true(est_view_is(est_buf_view(&b), "abc"));
    est_buf_clear(&b);
    assert_int_equal(est_buf_err(&b), EST_OK);
    est_buf_puts(&b, "wxyz");
    assert_true(est_view_is(est_buf_view(&b), "wxyz"));
    assert_false(est_buf_reserve(&b, SIZE_MAX));
    est_buf_fini(&b);
}

/* Whichever allocation fails: what is in the buffer is what was appended before it. */
static void without_memory(void **state)
{
    (void)state;
    for (long after = 0;; after++) {
        struct est_buf b;
        size_t good = 0;
        est_buf_init(&b, 1 << 20);
        est_mem_fail_after(after);
        for (size_t i = 0; i < 10000; i++) {
            est_buf_printf(&b, "%05zu", i);
            good += est_buf_err(&b) == EST_OK;
        }
        est_mem_fail_after(-1);
        assert_int_equal(b.len, good * 5);
        assert_int_equal(est_buf_err(&b), b.failed ? EST_ERR_NOMEM : EST_OK);
        for (size_t i = 0; i < good; i++) {
            char want[24];
            (void)snprintf(want, sizeof(want), "%05zu", i);
            assert_memory_equal(b.data + i * 5, want, 5);
        }
        est_buf_fini(&b);
        if (good == 10000)
            break;
        assert_true(after < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_shows),
        cmocka_unit_test(numbers),
        cmocka_unit_test(the_maximum_is_reached_and_not_passed),
        cmocka_unit_test(failure_sticks_until_clear),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
