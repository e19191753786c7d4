#include "core/bisect.h"

#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 5000 };

static unsigned log2_up(uint32_t n)
{
    unsigned k = 0;

    while ((UINT64_C(1) << k) < n)
        k++;
    return k;
}

static unsigned poisons_in(const bool *poison, struct est_range r)
{
    unsigned count = 0;

    for (uint32_t i = r.from; i < r.to; i++)
        count += poison[i];
    return count;
}

/* Plays a receiver that refuses each request with a poison in it. Every position must be covered
 * once, in order, and exactly the poisons found alone. Returns the refused requests. */
static unsigned play(uint32_t n, const bool *poison)
{
    struct est_bisect bs;
    struct est_range r;
    uint32_t covered = 0;

    est_bisect_init(&bs, n);
    while (est_bisect_next(&bs, &r)) {
        assert_int_equal(r.from, covered);
        assert_true(r.to > r.from && r.to <= n);
        if (poisons_in(poison, r) == 0) {
            est_bisect_pass(&bs);
            covered = r.to;
        } else if (!est_bisect_refuse(&bs)) {
            assert_int_equal(r.to - r.from, 1);
            assert_true(poison[r.from]);
            covered = r.to;
        }
    }
    assert_int_equal(covered, n);
    return bs.refused;
}

static void one_poison_anywhere_costs_at_most_its_bound(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 100, 127, 128, 129};
    bool poison[MOST] = {false};

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        assert_int_equal(play(sizes[s], poison), 0);
        for (uint32_t at = 0; at < sizes[s]; at++) {
            poison[at] = true;
            assert_in_range(play(sizes[s], poison), 1, 1 + log2_up(sizes[s]));
            poison[at] = false;
        }
    }
}

static void many_poisons_cost_at_most_their_bounds(void **state)
{
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    for (int round = 0; round < 500; round++) {
        uint32_t n = (uint32_t)est_rng_below(&rng, MOST) + 1;
        unsigned share = (unsigned)est_rng_below(&rng, 101), poisons;
        bool poison[MOST];
        for (uint32_t i = 0; i < n; i++)
            poison[i] = est_rng_chance(&rng, share);
        poisons = poisons_in(poison, (struct est_range){0, n});
        assert_true(play(n, poison) <= poisons * (1 + log2_up(n)));
    }
}

static void the_largest_batch_fits_the_stack(void **state)
{
    struct est_bisect bs;
    struct est_range r;

    (void)state;
    est_bisect_init(&bs, UINT32_MAX);
    while (est_bisect_next(&bs, &r) && est_bisect_refuse(&bs))
        continue;
    assert_int_equal(r.from, 0);
    assert_int_equal(bs.refused, 32);
    while (est_bisect_next(&bs, &r)) {
        est_bisect_pass(&bs);
        if (r.to == UINT32_MAX)
            break;
    }
    assert_false(est_bisect_next(&bs, &r));
}

static void the_whole_is_blamed_until_something_passes(void **state)
{
    struct est_bisect bs;
    struct est_range r;

    (void)state;
    est_bisect_init(&bs, 4);
    assert_true(est_bisect_refuse(&bs));
    assert_true(est_bisect_blames_all(&bs));
    assert_true(est_bisect_refuse(&bs));
    assert_true(est_bisect_blames_all(&bs));
    assert_true(est_bisect_next(&bs, &r) && r.from == 0 && r.to == 1);
    est_bisect_pass(&bs);
    assert_false(est_bisect_blames_all(&bs));
    assert_true(est_bisect_next(&bs, &r) && r.from == 1 && r.to == 2);
}

/* At a low rate most batches are of one event, and a receiver that refuses all refuses each. */
static void one_event_alone_is_not_blamed_before_the_endpoint(void **state)
{
    struct est_bisect bs;

    (void)state;
    est_bisect_init(&bs, 1);
    assert_true(est_bisect_blames_all(&bs));
    assert_false(est_bisect_refuse(&bs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_poison_anywhere_costs_at_most_its_bound),
        cmocka_unit_test(many_poisons_cost_at_most_their_bounds),
        cmocka_unit_test(the_largest_batch_fits_the_stack),
        cmocka_unit_test(the_whole_is_blamed_until_something_passes),
        cmocka_unit_test(one_event_alone_is_not_blamed_before_the_endpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
