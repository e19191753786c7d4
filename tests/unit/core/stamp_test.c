#include "core/stamp.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#define BOOT "0123456789abcdef0123456789abcdef"

static void expect(struct est_stamp *st, size_t type, uint32_t partition, const char *want)
{
    char out[EST_CHAIN_TEXT_MAX + 1];
    struct est_chain chain;

    assert_int_equal(est_stamp_next(st, type, partition, &chain), EST_OK);
    est_chain_format(&chain, out);
    assert_string_equal(out, want);
}

static void each_partition_counts_by_itself(void **state)
{
    struct est_stamp *st;
    size_t order, user;

    (void)state;
    assert_int_equal(est_stamp_new(BOOT, &st), EST_OK);
    assert_int_equal(est_stamp_add(st, "order", 2, &order), EST_OK);
    assert_int_equal(est_stamp_add(st, "user", 1, &user), EST_OK);
    expect(st, order, 0, BOOT "/0/order/0/0");
    expect(st, order, 0, BOOT "/0/order/0/1");
    expect(st, order, 1, BOOT "/0/order/1/0");
    expect(st, user, 0, BOOT "/0/user/0/0");
    expect(st, order, 0, BOOT "/0/order/0/2");
    est_stamp_free(st);
}

static void a_break_begins_the_next_epoch_at_zero(void **state)
{
    struct est_stamp *st;
    size_t order;

    (void)state;
    assert_int_equal(est_stamp_new(BOOT, &st), EST_OK);
    assert_int_equal(est_stamp_add(st, "order", 2, &order), EST_OK);
    est_stamp_break(st, order, 0); /* nothing stamped yet */
    expect(st, order, 0, BOOT "/0/order/0/0");
    expect(st, order, 1, BOOT "/0/order/1/0");
    est_stamp_break(st, order, 0);
    est_stamp_break(st, order, 0);
    est_stamp_break(st, order, 9);
    expect(st, order, 0, BOOT "/1/order/0/0");
    expect(st, order, 0, BOOT "/1/order/0/1");
    expect(st, order, 1, BOOT "/0/order/1/1");
    est_stamp_free(st);
}

static void a_topic_grows(void **state)
{
    struct est_stamp *st;
    struct est_chain chain;
    size_t order;

    (void)state;
    assert_int_equal(est_stamp_new(BOOT, &st), EST_OK);
    assert_int_equal(est_stamp_add(st, "order", 0, &order), EST_OK);
    assert_int_equal(est_stamp_next(st, order, 0, &chain), EST_ERR_RANGE);
    assert_int_equal(est_stamp_grow(st, order, 1), EST_OK);
    expect(st, order, 0, BOOT "/0/order/0/0");
    assert_int_equal(est_stamp_grow(st, order, 3), EST_OK);
    assert_int_equal(est_stamp_grow(st, order, 2), EST_OK);
    assert_int_equal(est_stamp_partitions(st, order), 3);
    expect(st, order, 0, BOOT "/0/order/0/1");
    expect(st, order, 2, BOOT "/0/order/2/0");
    assert_int_equal(est_stamp_next(st, order, 3, &chain), EST_ERR_RANGE);
    est_stamp_free(st);
}

static void a_type_that_no_chain_can_carry(void **state)
{
    static const char *const cases[] = {
        "", "a/b", "0123456789012345678901234567890123456789012345678901234567890123x"};
    struct est_stamp *st;
    size_t index = 5;

    (void)state;
    assert_int_equal(est_stamp_new(BOOT, &st), EST_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(est_stamp_add(st, cases[i], 1, &index), EST_ERR_INVALID);
    assert_int_equal(index, 5);
    est_stamp_free(st);
}

/* Every allocation fails in turn; each call then succeeds when repeated. */
static void memory_runs_out(void **state)
{
    struct est_stamp *st = NULL;
    size_t order = 9;

    (void)state;
    est_mem_fail_after(0);
    assert_int_equal(est_stamp_new(BOOT, &st), EST_ERR_NOMEM);
    assert_int_equal(est_stamp_new(BOOT, &st), EST_OK);
    for (long n = 0; n < 3; n++) {
        est_mem_fail_after(n);
        assert_int_equal(est_stamp_add(st, "order", 2, &order), EST_ERR_NOMEM);
        assert_int_equal(order, 9);
    }
    assert_int_equal(est_stamp_add(st, "order", 2, &order), EST_OK);
    assert_int_equal(order, 0);
    est_mem_fail_after(0);
    assert_int_equal(est_stamp_grow(st, order, 3), EST_ERR_NOMEM);
    expect(st, order, 1, BOOT "/0/order/1/0");
    est_stamp_free(st);
    est_stamp_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_partition_counts_by_itself),
        cmocka_unit_test(a_break_begins_the_next_epoch_at_zero),
        cmocka_unit_test(a_topic_grows),
        cmocka_unit_test(a_type_that_no_chain_can_carry),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
