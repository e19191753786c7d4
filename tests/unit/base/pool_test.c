#include "base/pool.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

/* Built with AddressSanitizer a pool keeps nothing, so these see only that all goes well there. */
static void what_was_given_back_is_taken_again(void **state)
{
    struct est_pool p;
    void *a, *b;

    (void)state;
    est_pool_init(&p, 64, 1);
    a = est_pool_take(&p);
    b = est_pool_take(&p);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
    est_pool_give(&p, a);
    est_pool_give(&p, b); /* one is kept at most */
    assert_true(p.n <= 1);
    if (p.max > 0) {
        est_mem_fail_after(0); /* no memory is asked for */
        assert_ptr_equal(est_pool_take(&p), a);
        assert_null(est_pool_take(&p));
        est_mem_fail_after(-1);
        est_pool_give(&p, a);
    }
    est_pool_fini(&p);
}

static void a_block_outlives_its_pool(void **state)
{
    struct est_pool p;
    void *a;

    (void)state;
    est_pool_init(&p, 64, 10);
    a = est_pool_take(&p);
    est_pool_fini(&p);
    est_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_back_is_taken_again),
        cmocka_unit_test(a_block_outlives_its_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
