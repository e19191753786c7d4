#include "core/offsets.h"

#include "base/mem.h"
#include "core/rng.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

static void the_point_waits_for_the_lowest_unsettled(void **state)
{
    /* Offsets 10 11 15 16 20 were read from 8 on: gaps at both ends and between. */
    static const struct {
        int64_t settle, want_point;
        size_t want_pending, want_beyond;
    } steps[] = {
        {15, 8, 4, 1}, {10, 11, 3, 1}, {20, 11, 2, 2}, {11, 16, 1, 1}, {16, 21, 0, 0},
    };
    static const int64_t read[] = {10, 11, 15, 16, 20};
    struct est_offsets *off;

    (void)state;
    assert_int_equal(est_offsets_new(100, &off), EST_OK);
    est_offsets_start(off, 8);
    assert_int_equal(est_offsets_commit_point(off), 8);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(est_offsets_track(off, read[i]), EST_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(est_offsets_settle(off, steps[i].settle, EST_END_DELIVERED), EST_OK);
        assert_int_equal(est_offsets_commit_point(off), steps[i].want_point);
        assert_int_equal(est_offsets_pending(off), steps[i].want_pending);
        assert_int_equal(est_offsets_beyond(off), steps[i].want_beyond);
    }
    est_offsets_free(off);
}

static void what_is_not_tracked_is_refused(void **state)
{
    struct est_offsets *off;

    (void)state;
    assert_int_equal(est_offsets_new(3, &off), EST_OK);
    est_offsets_start(off, 5);
    assert_int_equal(est_offsets_track(off, 4), EST_ERR_RANGE);
    assert_int_equal(est_offsets_settle(off, 5, EST_END_DELIVERED), EST_ERR_NOTFOUND);
    assert_int_equal(est_offsets_track(off, 5), EST_OK);
    assert_int_equal(est_offsets_track(off, 5), EST_ERR_RANGE);
    assert_int_equal(est_offsets_track(off, 7), EST_OK);
    assert_int_equal(est_offsets_settle(off, 6, EST_END_DELIVERED), EST_ERR_NOTFOUND);
    assert_int_equal(est_offsets_settle(off, 7, EST_END_DELIVERED), EST_OK);
    assert_int_equal(est_offsets_settle(off, 7, EST_END_DELIVERED), EST_ERR_NOTFOUND);
    assert_int_equal(est_offsets_track(off, 8), EST_OK);
    assert_int_equal(est_offsets_track(off, 9), EST_ERR_FULL);
    assert_int_equal(est_offsets_settle(off, 5, EST_END_DELIVERED), EST_OK);
    assert_int_equal(est_offsets_track(off, 9), EST_OK);
    assert_int_equal(est_offsets_settle(off, 5, EST_END_DELIVERED), EST_ERR_NOTFOUND);
    est_offsets_free(off);
}

static void an_assignment_forgets_the_one_before(void **state)
{
    struct est_offsets *off;

    (void)state;
    assert_int_equal(est_offsets_new(10, &off), EST_OK);
    est_offsets_start(off, 50);
    assert_int_equal(est_offsets_track(off, 50), EST_OK);
    assert_int_equal(est_offsets_track(off, 51), EST_OK);
    assert_int_equal(est_offsets_settle(off, 51, EST_END_DELIVERED), EST_OK);
    est_offsets_start(off, 3);
    assert_int_equal(est_offsets_commit_point(off), 3);
    assert_int_equal(est_offsets_pending(off), 0);
    assert_int_equal(est_offsets_beyond(off), 0);
    assert_int_equal(est_offsets_settle(off, 50, EST_END_DELIVERED), EST_ERR_NOTFOUND);
    assert_int_equal(est_offsets_track(off, 3), EST_OK);
    est_offsets_free(off);
}

/* Against a plain model: random gaps, random order of settling, a window of at most 200. */
static void any_order_of_settling(void **state)
{
    enum { TOTAL = 20000, WINDOW = 200 };
    static int64_t offsets[TOTAL];
    static bool settled[TOTAL];
    struct est_offsets *off;
    struct est_rng rng;
    size_t read = 0, first = 0;
    int64_t next = 1000, before = 1000;

    (void)state;
    est_rng_seed(&rng, 3);
    assert_int_equal(est_offsets_new(WINDOW, &off), EST_OK);
    est_offsets_start(off, next);
    while (first < TOTAL) {
        if (read < TOTAL && est_rng_chance(&rng, 60)) {
            next += est_rng_chance(&rng, 10) ? (int64_t)est_rng_below(&rng, 50) : 0;
            est_err err = est_offsets_track(off, next);
            assert_int_equal(err, read - first == WINDOW ? EST_ERR_FULL : EST_OK);
            if (err == EST_OK)
                offsets[read++] = next++;
        } else if (read > first) {
            size_t i = first + est_rng_below(&rng, read - first);
            assert_int_equal(est_offsets_settle(off, offsets[i], EST_END_DELIVERED),
                             settled[i] ? EST_ERR_NOTFOUND : EST_OK);
            settled[i] = true;
        }
        while (first < read && settled[first])
            first++;
        assert_int_equal(est_offsets_commit_point(off),
                         first > 0 ? offsets[first - 1] + 1 : before);
    }
    assert_int_equal(est_offsets_pending(off), 0);
    est_offsets_free(off);
}

static void memory_runs_out(void **state)
{
    struct est_offsets *off = NULL;

    (void)state;
    est_mem_fail_after(0);
    assert_int_equal(est_offsets_new(1000, &off), EST_ERR_NOMEM);
    assert_null(off);
    assert_int_equal(est_offsets_new(1000, &off), EST_OK);
    est_offsets_start(off, 0);
    for (int64_t i = 0; i < 500; i++) {
        est_mem_fail_after(0);
        est_err err = est_offsets_track(off, i);
        est_mem_fail_after(-1);
        if (err != EST_OK)
            assert_int_equal(est_offsets_track(off, i), EST_OK);
    }
    for (int64_t i = 500; i-- > 0;)
        assert_int_equal(est_offsets_settle(off, i, EST_END_DELIVERED), EST_OK);
    assert_int_equal(est_offsets_commit_point(off), 500);
    est_offsets_free(off);
    est_offsets_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_point_waits_for_the_lowest_unsettled),
        cmocka_unit_test(what_is_not_tracked_is_refused),
        cmocka_unit_test(an_assignment_forgets_the_one_before),
        cmocka_unit_test(any_order_of_settling),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
