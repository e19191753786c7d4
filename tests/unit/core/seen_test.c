#include "core/seen.h"

#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void numbers_make_holes_and_fill_them(void **state)
{
    static const struct {
        uint64_t add;
        uint32_t want_holes;
        uint64_t want_missing, want_end;
    } steps[] = {
        {0, 0, 0, 1},  {1, 0, 0, 2},  {5, 1, 3, 6},  {5, 1, 3, 6},  {3, 2, 2, 6},  {9, 3, 5, 10},
        {2, 2, 4, 10}, {7, 3, 3, 10}, {6, 2, 2, 10}, {8, 1, 1, 10}, {4, 0, 0, 10}, {4, 0, 0, 10},
    };
    struct est_seen seen;

    (void)state;
    est_seen_init(&seen, 0);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(est_seen_add(&seen, steps[i].add), 0);
        assert_true(est_seen_has(&seen, steps[i].add));
        assert_int_equal(seen.holes, steps[i].want_holes);
        assert_int_equal(est_seen_missing(&seen), steps[i].want_missing);
        assert_int_equal(seen.end, steps[i].want_end);
    }
}

static void below_the_base_is_never_seen(void **state)
{
    struct est_seen seen;

    (void)state;
    est_seen_init(&seen, 10);
    assert_false(est_seen_has(&seen, 10));
    assert_int_equal(est_seen_add(&seen, 3), 0);
    assert_false(est_seen_has(&seen, 3));
    assert_int_equal(est_seen_add(&seen, 10), 0);
    assert_true(est_seen_has(&seen, 10));
    assert_int_equal(est_seen_missing(&seen), 0);
}

/* Every second number: one hole each. The holes beyond the bound are given up from below. */
static void one_hole_too_many_raises_the_base(void **state)
{
    struct est_seen seen;
    uint64_t gone = 0;

    (void)state;
    est_seen_init(&seen, 0);
    for (uint64_t n = 1; n < 2 * (EST_SEEN_HOLES + 10); n += 2)
        gone += est_seen_add(&seen, n);
    assert_int_equal(seen.holes, EST_SEEN_HOLES);
    assert_int_equal(gone, 10);
    assert_int_equal(seen.base, 19);
    assert_false(est_seen_has(&seen, 17));
    assert_true(est_seen_has(&seen, 19));
    assert_false(est_seen_has(&seen, 20));
}

/* The number that splits the lowest hole stays seen although the part below it is given up. */
static void splitting_the_lowest_hole_at_the_bound(void **state)
{
    struct est_seen seen;

    (void)state;
    est_seen_init(&seen, 0);
    for (uint64_t i = 1; i <= EST_SEEN_HOLES; i++)
        assert_int_equal(est_seen_add(&seen, i * 10), 0);
    assert_int_equal(est_seen_add(&seen, 4), 4);
    assert_int_equal(seen.holes, EST_SEEN_HOLES);
    assert_true(est_seen_has(&seen, 4));
    assert_false(est_seen_has(&seen, 5));
}

static void giving_up_ends_with_the_last_hole(void **state)
{
    struct est_seen seen;

    (void)state;
    est_seen_init(&seen, 0);
    est_seen_add(&seen, 4);
    est_seen_add(&seen, 6);
    assert_int_equal(est_seen_give_up(&seen), 4);
    assert_int_equal(est_seen_give_up(&seen), 1);
    assert_int_equal(est_seen_give_up(&seen), 0);
    assert_true(est_seen_has(&seen, 6));
    assert_false(est_seen_has(&seen, 4));
}

/* Against a bitmap: what is said to be seen was added, whatever was given up; and without holes
 * given up, what was added is seen. */
static void never_claims_what_was_not_added(void **state)
{
    enum { TOP = 400 };
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 5);
    for (int round = 0; round < 300; round++) {
        bool added[TOP] = {false};
        struct est_seen seen;
        uint64_t base = est_rng_below(&rng, 20), gone = 0;
        unsigned width = (unsigned)est_rng_below(&rng, TOP - 20) + 20;
        est_seen_init(&seen, base);
        for (int i = 0; i < 400; i++) {
            uint64_t n = est_rng_below(&rng, width);
            gone += est_seen_add(&seen, n);
            added[n] = true;
            assert_true(seen.holes <= EST_SEEN_HOLES);
            for (uint64_t k = 0; k < TOP; k++) {
                if (est_seen_has(&seen, k))
                    assert_true(added[k]);
                else if (gone == 0 && k >= base)
                    assert_false(added[k]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_make_holes_and_fill_them),
        cmocka_unit_test(below_the_base_is_never_seen),
        cmocka_unit_test(one_hole_too_many_raises_the_base),
        cmocka_unit_test(splitting_the_lowest_hole_at_the_bound),
        cmocka_unit_test(giving_up_ends_with_the_last_hole),
        cmocka_unit_test(never_claims_what_was_not_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
