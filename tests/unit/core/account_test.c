#include "core/account.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

enum { MAX = 1000 };

static struct est_account *begin(int64_t offset, struct est_view saved)
{
    struct est_account *acc;

    assert_int_equal(est_account_new(EST_VIEW_LIT("order"), 3, MAX, &acc), EST_OK);
    assert_int_equal(est_account_start(acc, offset, saved), EST_OK);
    return acc;
}

static enum est_account_class read_one(struct est_account *acc, int64_t offset, const char *header)
{
    enum est_account_class class;

    assert_int_equal(est_account_read(acc, offset, est_view_str(header), &class), EST_OK);
    return class;
}

static void only_what_was_seen_here_is_a_repeat(void **state)
{
    static const struct {
        const char *header;
        enum est_account_class want;
    } cases[] = {
        {A "/0/order/3/0", EST_ACCOUNT_NEW},
        {A "/0/order/3/0", EST_ACCOUNT_REPEAT},
        {A "/0/order/3/4", EST_ACCOUNT_NEW},
        {A "/0/order/3/2", EST_ACCOUNT_NEW}, /* fills a hole */
        {A "/0/order/3/2", EST_ACCOUNT_REPEAT},
        {A "/0/order/3/3", EST_ACCOUNT_NEW},
        {A "/1/order/3/0", EST_ACCOUNT_NEW},       /* another epoch */
        {B "/0/order/3/0", EST_ACCOUNT_NEW},       /* another boot */
        {A "/0/order/2/0", EST_ACCOUNT_UNCHAINED}, /* another partition's */
        {A "/0/user/3/0", EST_ACCOUNT_UNCHAINED},  /* another type's */
        {A "/0/order/3/0x", EST_ACCOUNT_UNCHAINED},
        {"", EST_ACCOUNT_UNCHAINED},
        {NULL, EST_ACCOUNT_UNCHAINED},
    };
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    struct est_account_totals t;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(read_one(acc, (int64_t)i, cases[i].header), cases[i].want);
    assert_int_equal(est_account_totals(acc).fresh, 0);
    est_account_commit(acc, 13);
    t = est_account_totals(acc);
    assert_int_equal(t.fresh, 6);
    assert_int_equal(t.repeats, 2);
    assert_int_equal(t.unchained, 5);
    assert_int_equal(t.missing, 1);
    assert_int_equal(t.chains, 3);
    est_account_free(acc);
}

/* The committed state follows the commit point exactly, also into the middle of a run. */
static void only_the_committed_survives(void **state)
{
    struct est_buf saved;
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    char header[64];

    (void)state;
    est_buf_init(&saved, 4096);
    for (int i = 0; i < 10; i++) {
        snprintf(header, sizeof(header), A "/0/order/3/%d", i);
        assert_int_equal(read_one(acc, 100 + i, header), EST_ACCOUNT_NEW);
    }
    est_account_commit(acc, 104);
    assert_int_equal(est_account_totals(acc).fresh, 4);
    est_account_commit(acc, 102); /* never backwards */
    assert_int_equal(est_account_totals(acc).fresh, 4);
    assert_int_equal(est_account_save(acc, 4096, &saved), EST_OK);
    est_account_free(acc);

    acc = begin(104, est_buf_view(&saved));
    assert_int_equal(read_one(acc, 104, A "/0/order/3/3"), EST_ACCOUNT_REPEAT);
    assert_int_equal(read_one(acc, 105, A "/0/order/3/4"), EST_ACCOUNT_NEW);
    assert_int_equal(est_account_start(acc, 104, est_buf_view(&saved)), EST_OK);
    assert_int_equal(read_one(acc, 104, A "/0/order/3/4"), EST_ACCOUNT_NEW);
    est_account_free(acc);
    est_buf_fini(&saved);
}

static void a_start_in_the_middle_believes_the_first_number(void **state)
{
    struct est_account *acc = begin(5, EST_VIEW_NONE);

    (void)state;
    assert_int_equal(read_one(acc, 5, A "/0/order/3/7"), EST_ACCOUNT_NEW);
    est_account_commit(acc, 6);
    assert_int_equal(est_account_totals(acc).missing, 0);
    assert_int_equal(read_one(acc, 6, A "/0/order/3/6"), EST_ACCOUNT_NEW);
    assert_int_equal(read_one(acc, 7, A "/0/order/3/6"), EST_ACCOUNT_NEW);
    est_account_commit(acc, 8);
    assert_int_equal(est_account_totals(acc).below, 2);
    assert_int_equal(est_account_start(acc, 0, EST_VIEW_NONE), EST_OK);
    assert_int_equal(read_one(acc, 0, A "/0/order/3/7"), EST_ACCOUNT_NEW);
    est_account_commit(acc, 1);
    assert_int_equal(est_account_totals(acc).missing, 7);
    est_account_free(acc);
}

static void foreign_metadata_is_taken_as_nothing(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);

    (void)state;
    assert_int_equal(est_account_start(acc, 9, EST_VIEW_LIT("somebody else's")), EST_ERR_INVALID);
    assert_int_equal(read_one(acc, 9, A "/0/order/3/7"), EST_ACCOUNT_NEW);
    est_account_commit(acc, 10);
    assert_int_equal(est_account_totals(acc).missing, 0);
    est_account_free(acc);
}

static void it_is_bounded(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    enum est_account_class class;
    char header[64];

    (void)state;
    for (int i = 0; i < MAX; i++) {
        snprintf(header, sizeof(header), A "/0/order/3/%d", i / 2);
        read_one(acc, i, header);
    }
    assert_int_equal(est_account_read(acc, MAX, EST_VIEW_LIT(A "/0/order/3/9999"), &class),
                     EST_ERR_FULL);
    est_account_commit(acc, 1);
    assert_int_equal(read_one(acc, MAX, A "/0/order/3/9999"), EST_ACCOUNT_NEW);
    est_account_commit(acc, MAX + 1);
    assert_int_equal(est_account_totals(acc).repeats, MAX / 2);
    est_account_free(acc);
    assert_int_equal(est_account_new(EST_VIEW_LIT("a/b"), 0, MAX, &acc), EST_ERR_INVALID);
}

/* Every allocation of a read fails in turn: the read either says so, and succeeds when repeated, or
 * has classified without a false repeat. */
static void memory_runs_out(void **state)
{
    struct est_account *acc = NULL;
    enum est_account_class class;
    char header[64];

    (void)state;
    est_mem_fail_after(0);
    assert_int_equal(est_account_new(EST_VIEW_LIT("order"), 3, MAX, &acc), EST_ERR_NOMEM);
    acc = begin(0, EST_VIEW_NONE);
    for (int i = 0; i < 100; i++) {
        snprintf(header, sizeof(header), "%032d/0/order/3/%d", i % 70, i);
        est_mem_fail_after(i % 2);
        while (est_account_read(acc, i, est_view_str(header), &class) != EST_OK)
            continue;
        est_mem_fail_after(-1);
        assert_int_equal(class, EST_ACCOUNT_NEW);
    }
    est_mem_fail_after(0);
    est_account_commit(acc, 100);
    est_mem_fail_after(0);
    assert_int_equal(est_account_totals(acc).fresh, 100);
    est_mem_fail_after(-1);
    est_account_free(acc);
    est_account_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_seen_here_is_a_repeat),
        cmocka_unit_test(only_the_committed_survives),
        cmocka_unit_test(a_start_in_the_middle_believes_the_first_number),
        cmocka_unit_test(foreign_metadata_is_taken_as_nothing),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
