#include "core/commit_pace.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static const est_us INTERVAL = 100 * EST_MS;

static void settle(struct est_commit_pace *p, unsigned n)
{
    while (n-- > 0)
        est_commit_pace_settled(p);
}

static void nothing_settled_nothing_due(void **state)
{
    struct est_commit_pace p;

    (void)state;
    est_commit_pace_init(&p, INTERVAL, 0);
    assert_int_equal(est_commit_pace_due(&p, 0), EST_NEVER);
    settle(&p, 1);
    est_commit_pace_made(&p, 10);
    assert_int_equal(est_commit_pace_due(&p, 10 * EST_SECOND), EST_NEVER);
}

static void when_it_is_due(void **state)
{
    /* After a commit at 0, with so many settled, asked at `now`. */
    static const struct {
        unsigned settled;
        est_us now, due;
    } rows[] = {
        {1, 0, 100 * EST_MS},
        {1, 30 * EST_MS, 100 * EST_MS},
        {1, 100 * EST_MS, 100 * EST_MS},
        {1, 5 * EST_SECOND, 5 * EST_SECOND},
        {EST_COMMIT_MANY - 1, 1, 100 * EST_MS},
        {EST_COMMIT_MANY, 1, 20 * EST_MS},
        {EST_COMMIT_MANY, 50 * EST_MS, 50 * EST_MS},
        {100 * EST_COMMIT_MANY, 1, 20 * EST_MS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct est_commit_pace p;
        est_commit_pace_init(&p, INTERVAL, 0);
        est_commit_pace_made(&p, 0);
        settle(&p, rows[i].settled);
        assert_int_equal(est_commit_pace_due(&p, rows[i].now), rows[i].due);
    }
}

/* 17,000 a second for a second, each commit made when it is due: never more than five an interval,
 * and never much that a successor would deliver again. */
static void little_is_uncommitted_at_a_high_rate(void **state)
{
    struct est_commit_pace p;
    uint64_t most = 0;
    unsigned commits = 0;

    (void)state;
    est_commit_pace_init(&p, INTERVAL, 0);
    for (est_us now = 0; now < EST_SECOND; now += EST_MS) {
        settle(&p, 17);
        most = p.settled > most ? p.settled : most;
        if (est_commit_pace_due(&p, now) <= now) {
            est_commit_pace_made(&p, now);
            commits++;
        }
    }
    assert_true(most < EST_COMMIT_MANY + 17);
    assert_in_range(commits, 30, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_settled_nothing_due),
        cmocka_unit_test(when_it_is_due),
        cmocka_unit_test(little_is_uncommitted_at_a_high_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
