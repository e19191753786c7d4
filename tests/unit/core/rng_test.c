#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

/* The first outputs that the published algorithms give for the seed 0: splitmix64's first number is
 * 0xe220a8397b1dcdaf, and xoshiro256** is computed from its first four by hand. */
static void same_seed_same_sequence(void **state)
{
    struct est_rng a, b;

    (void)state;
    est_rng_seed(&a, 0);
    assert_true(a.s[0] == 0xe220a8397b1dcdafU);
    assert_true(est_rng_next(&a) == 0x99ec5f36cb75f2b4U);
    assert_true(est_rng_next(&a) == 0xbf6e1f784956452aU);
    est_rng_seed(&a, 7);
    est_rng_seed(&b, 7);
    for (int i = 0; i < 1000; i++)
        assert_true(est_rng_next(&a) == est_rng_next(&b));
    est_rng_seed(&b, 8);
    assert_true(est_rng_next(&a) != est_rng_next(&b));
}

static void below_stays_below_and_is_even(void **state)
{
    unsigned count[10] = {0};
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    for (int i = 0; i < 100000; i++)
        count[est_rng_below(&rng, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], 9500, 10500);
    assert_true(est_rng_below(&rng, 1) == 0);
}

/* For this bound a plain remainder would give the lowest third as often as the other two together.
 */
static void a_bound_that_does_not_divide_is_even_too(void **state)
{
    unsigned lowest = 0;
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 3);
    for (int i = 0; i < 30000; i++)
        lowest += est_rng_below(&rng, UINT64_C(3) << 62) < UINT64_C(1) << 62;
    assert_in_range(lowest, 9500, 10500);
}

static void chance_keeps_its_percentage(void **state)
{
    static const unsigned percents[] = {0, 1, 30, 99, 100};
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 2);
    for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
        unsigned hits = 0;
        for (int j = 0; j < 10000; j++)
            hits += est_rng_chance(&rng, percents[i]);
        assert_true(hits + 200 > percents[i] * 100 && hits < percents[i] * 100 + 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_sequence),
        cmocka_unit_test(below_stays_below_and_is_even),
        cmocka_unit_test(a_bound_that_does_not_divide_is_even_too),
        cmocka_unit_test(chance_keeps_its_percentage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
