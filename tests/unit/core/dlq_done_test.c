#include "core/dlq_done.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static const char TOPIC[] = "dlq.dashboard.esteira.order";

static void add(struct est_dlq_done *d, int32_t partition, int64_t offset)
{
    assert_int_equal(est_dlq_done_add(d, partition, offset), EST_OK);
}

static struct est_dlq_done *make(void)
{
    struct est_dlq_done *d;

    assert_int_equal(est_dlq_done_new(&d), EST_OK);
    return d;
}

static void only_what_was_added_is_there(void **state)
{
    struct est_dlq_done *d = make();

    (void)state;
    for (int64_t i = 0; i < 20000; i += 3)
        add(d, (int32_t)(i % 5), i);
    for (int64_t i = 0; i < 20000; i++)
        for (int32_t p = 0; p < 5; p++)
            assert_int_equal(est_dlq_done_has(d, p, i), i % 3 == 0 && i % 5 == p);
    assert_false(est_dlq_done_has(d, 0, -1));
    assert_int_equal(est_dlq_done_add(d, -1, 0), EST_ERR_INVALID);
    assert_int_equal(est_dlq_done_add(d, 0, -1), EST_ERR_INVALID);
    est_dlq_done_free(d);
}

/* What a replay has written is what the next one knows. */
static void blocks_carry_it_over(void **state)
{
    struct est_dlq_done *d = make(), *next = make();
    const struct est_dlq_block *b;
    char key[EST_DLQ_KEY_MAX + 1];
    size_t blocks = 0;

    (void)state;
    add(d, 0, 7);
    add(d, 0, 4096);
    add(d, 3, 1000000007);
    while ((b = est_dlq_done_take(d)) != NULL) {
        size_t n = est_dlq_done_key(TOPIC, b, key);
        assert_int_equal(n, strlen(key));
        assert_int_equal(est_dlq_done_load(next, TOPIC, est_view(key, n),
                                           est_view((const char *)b->bits, sizeof(b->bits))),
                         EST_OK);
        blocks++;
    }
    assert_int_equal(blocks, 3);
    assert_true(est_dlq_done_has(next, 0, 7) && est_dlq_done_has(next, 0, 4096) &&
                est_dlq_done_has(next, 3, 1000000007));
    assert_false(est_dlq_done_has(next, 0, 8) || est_dlq_done_has(next, 1, 7));
    assert_null(est_dlq_done_take(next));
    add(d, 0, 9);
    assert_int_equal(est_dlq_done_take(d)->first, 0);
    assert_null(est_dlq_done_take(d));
    est_dlq_done_free(d);
    est_dlq_done_free(next);
}

static void a_foreign_record_changes_nothing(void **state)
{
    static const char *const keys[] = {
        "",
        "dlq.dashboard.esteira.order",
        "dlq.dashboard.esteira.order/",
        "dlq.dashboard.esteira.order/0",
        "dlq.dashboard.esteira.order/0/",
        "dlq.dashboard.esteira.order/0/1",
        "dlq.dashboard.esteira.order/0/4097",
        "dlq.dashboard.esteira.order/-1/0",
        "dlq.dashboard.esteira.order/0/0/0",
        "dlq.dashboard.esteira.order/99999999999/0",
        "dlq.dashboard.esteira.order/0/99999999999999999999",
        "dlq.dashboard.esteira.orders/0/0",
        "dlq.dashboard.esteira.orders0/0",
        "dlq.dashboard.esteira.orde/0/0",
    };
    char bits[EST_DLQ_BLOCK_BYTES];
    struct est_dlq_done *d = make();

    (void)state;
    memset(bits, 0xff, sizeof(bits));
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(
            est_dlq_done_load(d, TOPIC, est_view_str(keys[i]), est_view(bits, sizeof(bits))),
            EST_OK);
    assert_int_equal(est_dlq_done_load(d, TOPIC, EST_VIEW_LIT("dlq.dashboard.esteira.order/0/0"),
                                       est_view(bits, sizeof(bits) - 1)),
                     EST_OK);
    for (int64_t i = 0; i < 10000; i++)
        assert_false(est_dlq_done_has(d, 0, i));
    assert_int_equal(est_dlq_done_load(d, TOPIC, EST_VIEW_LIT("dlq.dashboard.esteira.order/0/0"),
                                       est_view(bits, sizeof(bits))),
                     EST_OK);
    assert_true(est_dlq_done_has(d, 0, 4095));
    assert_int_equal(
        est_dlq_done_load(d, TOPIC, EST_VIEW_LIT("dlq.dashboard.esteira.order/0/0"), EST_VIEW_NONE),
        EST_OK);
    assert_false(est_dlq_done_has(d, 0, 4095));
    est_dlq_done_free(d);
}

static void count(void *arg, const struct est_dlq_block *b)
{
    (void)b;
    ++*(size_t *)arg;
}

/* A block goes only with the last of its records. */
static void what_is_purged_is_forgotten(void **state)
{
    struct est_dlq_done *d = make();
    size_t gone = 0;

    (void)state;
    add(d, 0, 0);
    add(d, 0, 4096);
    add(d, 0, 8192);
    add(d, 1, 0);
    est_dlq_done_forget(d, 0, 4095, count, &gone);
    assert_int_equal(gone, 0);
    est_dlq_done_forget(d, 0, 8192, count, &gone);
    assert_int_equal(gone, 2);
    assert_false(est_dlq_done_has(d, 0, 0) || est_dlq_done_has(d, 0, 4096));
    assert_true(est_dlq_done_has(d, 0, 8192) && est_dlq_done_has(d, 1, 0));
    est_dlq_done_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_added_is_there),
        cmocka_unit_test(blocks_carry_it_over),
        cmocka_unit_test(a_foreign_record_changes_nothing),
        cmocka_unit_test(what_is_purged_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
