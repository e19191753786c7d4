#include "core/window.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static void fill(struct est_window *w)
{
    while (est_window_allow(w))
        continue;
}

static void end(struct est_window *w, unsigned n, enum est_window_outcome outcome)
{
    while (n-- > 0)
        est_window_observe(w, outcome);
}

static void no_more_in_flight_than_the_window(void **state)
{
    struct est_window w;

    (void)state;
    est_window_init(&w, 3, 8);
    fill(&w);
    assert_int_equal(w.in_flight, 3);
    est_window_observe(&w, EST_WINDOW_NEUTRAL);
    assert_true(est_window_allow(&w));
    assert_false(est_window_allow(&w));
    est_window_init(&w, 30, 8);
    assert_int_equal(w.size, 8);
}

static void a_window_of_good_answers_widens_it_by_one(void **state)
{
    struct est_window w;

    (void)state;
    est_window_init(&w, 1, 4);
    for (unsigned size = 1; size <= 4; size++) {
        assert_int_equal(w.size, size);
        for (unsigned i = 0; i < size; i++) {
            assert_int_equal(w.size, size);
            assert_true(est_window_allow(&w));
            end(&w, 1, EST_WINDOW_GOOD);
        }
    }
    assert_int_equal(w.size, 4);
}

static void neutral_answers_change_nothing(void **state)
{
    struct est_window w;

    (void)state;
    est_window_init(&w, 2, 4);
    for (int i = 0; i < 100; i++) {
        assert_true(est_window_allow(&w));
        end(&w, 1, EST_WINDOW_NEUTRAL);
    }
    assert_int_equal(w.size, 2);
}

static void one_overload_halves_it_once(void **state)
{
    struct est_window w;

    (void)state;
    est_window_init(&w, 8, 8);
    fill(&w);
    end(&w, 1, EST_WINDOW_OVERLOAD);
    assert_int_equal(w.size, 4);
    assert_false(est_window_allow(&w));
    end(&w, 7, EST_WINDOW_OVERLOAD);
    assert_int_equal(w.size, 4);
    fill(&w);
    end(&w, 1, EST_WINDOW_OVERLOAD);
    assert_int_equal(w.size, 2);
}

static void good_answers_from_before_do_not_widen_it(void **state)
{
    struct est_window w;

    (void)state;
    est_window_init(&w, 8, 8);
    fill(&w);
    end(&w, 1, EST_WINDOW_OVERLOAD);
    end(&w, 7, EST_WINDOW_GOOD);
    assert_int_equal(w.size, 4);
    assert_int_equal(w.good, 0);
}

static void it_never_closes(void **state)
{
    struct est_window w;

    (void)state;
    est_window_init(&w, 1, 8);
    for (int i = 0; i < 10; i++) {
        assert_true(est_window_allow(&w));
        end(&w, 1, EST_WINDOW_OVERLOAD);
    }
    assert_int_equal(w.size, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_in_flight_than_the_window),
        cmocka_unit_test(a_window_of_good_answers_widens_it_by_one),
        cmocka_unit_test(neutral_answers_change_nothing),
        cmocka_unit_test(one_overload_halves_it_once),
        cmocka_unit_test(good_answers_from_before_do_not_widen_it),
        cmocka_unit_test(it_never_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
