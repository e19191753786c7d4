#include "core/turns.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TURNS = 100000 };

static void run(struct est_turns *t, const bool *waits, unsigned *taken)
{
    memset(taken, 0, t->n * sizeof(*taken));
    for (int n = 0; n < TURNS; n++) {
        size_t i = est_turns_next(t, waits);
        assert_true(i < t->n && waits[i]);
        est_turns_take(t, i, waits);
        taken[i]++;
    }
}

/* priorities, 0 at the end; the share of each in percent at least. */
static void each_gets_its_weight_and_the_last_one_in_a_hundred(void **state)
{
    static const struct {
        unsigned priority[64];
        unsigned least[64];
    } cases[] = {
        {{1, 1}, {49, 49}},
        {{1, 2}, {65, 32}},
        {{1, 9}, {98, 1}},
        {{3, 5, 1, 1, 4, 2, 4, 2, 6}, {6, 1, 25, 25, 3, 12, 3, 12, 1}}, /* the built-in types */
        {{1, 9, 9, 9, 9, 9, 9, 9, 9}, {85, 1, 1, 1, 1, 1, 1, 1, 1}},
    };

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        bool waits[64];
        unsigned taken[64];
        struct est_turns t;
        size_t n = 0;
        while (n < 64 && cases[c].priority[n] != 0)
            n++;
        est_turns_init(&t, n);
        for (size_t i = 0; i < n; i++) {
            est_turns_set(&t, i, cases[c].priority[i]);
            waits[i] = true;
        }
        run(&t, waits, taken);
        for (size_t i = 0; i < n; i++)
            if (taken[i] * 100 < cases[c].least[i] * TURNS)
                fail_msg("case %zu: %zu has %u of %d", c, i, taken[i], TURNS);
    }
}

static void nobody_is_chosen_who_does_not_wait(void **state)
{
    const bool none[3] = {false}, one[3] = {false, true, false};
    struct est_turns t;
    unsigned taken[3];

    (void)state;
    est_turns_init(&t, 3);
    assert_int_equal(est_turns_next(&t, none), 3);
    run(&t, one, taken);
    assert_int_equal(taken[1], TURNS);
}

/* Who rested does not get everything that he missed, nor is he made to wait for what others had. */
static void a_rest_saves_nothing_up_and_costs_nothing(void **state)
{
    const bool low[2] = {false, true}, both[2] = {true, true};
    struct est_turns t;
    unsigned taken[2];
    size_t i;

    (void)state;
    est_turns_init(&t, 2);
    est_turns_set(&t, 0, 1);
    est_turns_set(&t, 1, 5);
    run(&t, low, taken);
    i = est_turns_next(&t, both);
    assert_int_equal(i, 0);
    run(&t, both, taken);
    assert_in_range(taken[1], TURNS / 20, TURNS / 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_weight_and_the_last_one_in_a_hundred),
        cmocka_unit_test(nobody_is_chosen_who_does_not_wait),
        cmocka_unit_test(a_rest_saves_nothing_up_and_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
