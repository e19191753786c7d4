/* A budget alone and shared: how much it lets through in any window, and how fast it is closed. */
#include "core/budget.h"
#include "core/ratelimit.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#define SEC EST_SECOND
enum { MOST = 200000 };
static est_us sent[MOST];
static size_t n_sent;

/* Requests in the fullest window of this length. */
static size_t fullest(est_us window)
{
    size_t most = 0, from = 0;

    for (size_t i = 0; i < n_sent; i++) {
        while (sent[i] - sent[from] >= window)
            from++;
        if (i - from + 1 > most)
            most = i - from + 1;
    }
    return most;
}

/* All that one budget lets through when as much as possible is wanted, from `begin` on. */
static void saturate(struct est_budget *b, est_us begin, est_us end)
{
    for (est_us now = begin; now < end && n_sent < MOST;) {
        est_us at;
        if (est_budget_allow(b, now)) {
            sent[n_sent++] = now;
            continue;
        }
        at = est_budget_ready_at(b, now);
        assert_true(at > now);
        now = at;
    }
}

static void alone_it_keeps_its_limit_in_any_window(void **state)
{
    static const struct {
        uint32_t requests;
        est_us window;
    } cases[] = {{100, 60 * SEC}, {1, SEC},       {1, 60 * SEC},     {2, SEC},
                 {10, SEC},       {19, 60 * SEC}, {20, 60 * SEC},    {21, 7 * SEC},
                 {600, 60 * SEC}, {1000, SEC},    {3600, 3600 * SEC}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_budget b;
        size_t most, least = cases[i].requests * 9 - 1;
        est_us end = 10 * cases[i].window;
        est_budget_init(&b, cases[i].requests, cases[i].window);
        n_sent = 0;
        saturate(&b, 0, end / 2);
        saturate(&b, end / 2 + 3 * cases[i].window, end + 3 * cases[i].window);
        most = fullest(cases[i].window);
        if (most > cases[i].requests || n_sent < least)
            fail_msg("case %zu: %zu in a window, %zu in ten", i, most, n_sent);
    }
}

static void without_a_limit_nothing_is_held_up(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 0, 0);
    for (int i = 0; i < 1000; i++)
        assert_true(est_budget_allow(&b, 5));
    assert_int_equal(est_budget_left(&b, 5), UINT32_MAX);
    assert_true(est_budget_ready_at(&b, 5) <= 5);
}

static void alone_it_spends_its_part(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 100, 60 * SEC);
    est_budget_set_share(&b, 3, 8);
    n_sent = 0;
    saturate(&b, 0, 600 * SEC);
    assert_in_range(n_sent, 1000 * 3 / 8 * 9 / 10, 1000 * 3 / 8);
    est_budget_set_share(&b, 0, 0); /* nothing is held yet: as if alone in the world */
    assert_int_equal(b.owned, 1);
    est_budget_set_share(&b, 9, 8);
    assert_int_equal(b.owned, 8);
}

static void it_is_short_while_requests_wait_for_it(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 100, 60 * SEC);
    for (int i = 0; i < 5; i++)
        assert_true(est_budget_allow(&b, 0));
    assert_false(est_budget_is_short(&b));
    assert_false(est_budget_allow(&b, 0));
    assert_int_equal(est_budget_left(&b, 0), 0);
    assert_true(est_budget_allow(&b, SEC));
    assert_true(est_budget_is_short(&b));
    assert_true(est_budget_allow(&b, 60 * SEC));
    assert_false(est_budget_is_short(&b));
    assert_int_equal(est_budget_left(&b, 120 * SEC), 5);
}

static void a_request_that_did_not_start_costs_nothing(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 10, SEC);
    assert_true(est_budget_allow(&b, 0));
    assert_false(est_budget_allow(&b, 0));
    est_budget_return(&b, 0);
    assert_true(est_budget_allow(&b, 0));
}

/* --- what the receiver says --- */

static void a_retry_after_closes_it_and_is_never_shortened(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 0, 0);
    est_budget_close(&b, 30 * SEC, SEC);
    est_budget_close(&b, 2 * SEC, SEC);
    assert_false(est_budget_allow(&b, 31 * SEC - 1));
    assert_int_equal(est_budget_ready_at(&b, SEC), 31 * SEC);
    assert_int_equal(est_budget_left(&b, SEC), 0);
    assert_true(est_budget_allow(&b, 31 * SEC));
}

static void what_is_left_is_spread_until_the_reset(void **state)
{
    const struct est_ratelimit few = {.has_left = true, .left = 10, .reset = 20 * SEC};
    const struct est_ratelimit none = {.has_left = true, .left = 0, .reset = 7 * SEC};
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 0, 0);
    assert_int_equal(est_budget_observe(&b, &few, 0), 0);
    n_sent = 0;
    saturate(&b, 0, 20 * SEC);
    assert_int_equal(n_sent, 10);
    assert_true(est_budget_allow(&b, 20 * SEC));
    assert_true(est_budget_allow(&b, 20 * SEC));
    assert_int_equal(est_budget_observe(&b, &none, 0), 7 * SEC);
}

static void a_policy_is_kept_like_a_limit_of_our_own(void **state)
{
    const struct est_ratelimit policy = {.quota = 100, .window = 60 * SEC};
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 1000, 60 * SEC);
    (void)est_budget_observe(&b, &policy, 0);
    n_sent = 0;
    saturate(&b, 0, 600 * SEC);
    assert_true(fullest(60 * SEC) <= 100);
    assert_true(n_sent >= 900);
}

/* --- shared --- */

static struct est_budget_question asked;

static void a_slot_is_asked_for_and_used_in_its_time(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 100, 60 * SEC);
    est_budget_set_shared(&b, true);
    assert_false(est_budget_allow(&b, 1000));
    assert_true(est_budget_ask(&b, 1000, false, &asked));
    assert_true(asked.wants_slot);
    assert_int_equal(asked.pace.every, 648 * EST_MS);
    assert_int_equal(asked.pace.slack, 4 * 648 * EST_MS);
    assert_false(est_budget_ask(&b, 1000, false, &asked));
    est_budget_hear(&b, &(struct est_budget_answer){.slot = 2 * SEC}, 2000);
    assert_false(est_budget_allow(&b, 3000));
    assert_int_equal(est_budget_ready_at(&b, 3000), 2 * SEC + 2000);
    assert_false(est_budget_ask(&b, 3000, false, &asked));
    /* what was heard then is too old now: it asks whether the slot still stands */
    assert_false(est_budget_allow(&b, 2 * SEC + 2000));
    assert_true(est_budget_ask(&b, 2 * SEC + 2000, false, &asked));
    assert_false(asked.wants_slot);
    est_budget_hear(&b, &(struct est_budget_answer){.slot = -1}, 2 * SEC + 3000);
    assert_true(est_budget_allow(&b, 2 * SEC + 3000));
    assert_true(est_budget_is_short(&b));
    assert_false(est_budget_allow(&b, 2 * SEC + 3000));
}

static void a_slot_is_void_once_the_budget_was_closed(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 100, 60 * SEC);
    est_budget_set_shared(&b, true);
    assert_true(est_budget_ask(&b, 0, false, &asked));
    est_budget_hear(&b, &(struct est_budget_answer){.slot = SEC, .epoch = 1}, 0);
    assert_true(est_budget_ask(&b, SEC, false, &asked));
    est_budget_hear(&b, &(struct est_budget_answer){.slot = -1, .epoch = 2}, SEC);
    assert_false(est_budget_allow(&b, SEC));
    assert_true(est_budget_ask(&b, SEC, false, &asked));
    assert_true(asked.wants_slot);
    est_budget_hear(&b, &(struct est_budget_answer){.slot = -1, .gate = 30 * SEC, .epoch = 2}, SEC);
    assert_int_equal(est_budget_ready_at(&b, SEC), 31 * SEC);
    assert_false(est_budget_ask(&b, 30 * SEC, false, &asked));
}

static void an_answer_holds_for_a_moment_only(void **state)
{
    static const struct est_budget_answer open = {.slot = -1};
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 0, 0);
    est_budget_set_shared(&b, true);
    assert_false(est_budget_allow(&b, 0));
    assert_true(est_budget_ask(&b, 0, false, &asked));
    assert_false(asked.wants_slot);
    est_budget_hear(&b, &open, 20 * EST_MS); /* counted from the question */
    for (est_us at = 20 * EST_MS; at <= EST_BUDGET_FRESH; at += 10 * EST_MS)
        assert_true(est_budget_allow(&b, at));
    assert_false(est_budget_allow(&b, EST_BUDGET_FRESH + 1));
    assert_false(est_budget_ask(&b, EST_BUDGET_FRESH / 2, false, &asked));
    assert_true(est_budget_ask(&b, EST_BUDGET_FRESH / 2, true, &asked));
    est_budget_hear(&b, &open, EST_BUDGET_FRESH / 2);
    b.heard_at = 0;
    assert_true(
        est_budget_ask(&b, EST_BUDGET_FRESH / 2 + 1, false, &asked)); /* before it is too old */
}

static void who_is_not_answered_goes_on_alone(void **state)
{
    struct est_budget b;
    est_us late = EST_BUDGET_PATIENCE;

    (void)state;
    est_budget_init(&b, 100, 60 * SEC);
    est_budget_set_share(&b, 1, 2);
    est_budget_set_shared(&b, true);
    assert_true(est_budget_ask(&b, 0, false, &asked));
    assert_false(est_budget_allow(&b, late - 1));
    assert_int_equal(est_budget_ready_at(&b, 0), late);
    assert_true(est_budget_allow(&b, late));
    est_budget_hear(&b, &(struct est_budget_answer){.slot = 0}, late);
    assert_false(est_budget_allow(&b, late)); /* heard again, but that is old by now */
    assert_true(est_budget_ask(&b, late, false, &asked));
    est_budget_unheard(&b, late); /* an error */
    assert_true(est_budget_allow(&b, late));
    assert_false(est_budget_ask(&b, late, false, &asked));
    assert_true(est_budget_ask(&b, late + SEC, false, &asked));
    est_budget_set_shared(&b, false);
    est_budget_hear(&b, &(struct est_budget_answer){.gate = SEC}, late);
    assert_true(est_budget_ready_at(&b, 60 * SEC) <= 60 * SEC);
}

static void a_slot_that_nobody_used_is_gone(void **state)
{
    struct est_budget b;

    (void)state;
    est_budget_init(&b, 100, 60 * SEC);
    est_budget_set_shared(&b, true);
    assert_true(est_budget_ask(&b, 0, false, &asked));
    est_budget_hear(&b, &(struct est_budget_answer){.slot = 0}, 0);
    assert_true(est_budget_ask(&b, SEC, false, &asked));
    assert_true(asked.wants_slot);
    est_budget_hear(&b, &(struct est_budget_answer){.slot = -1, .again = 3 * SEC}, SEC);
    assert_false(est_budget_ask(&b, SEC, false, &asked));
    assert_int_equal(est_budget_ready_at(&b, SEC), 4 * SEC);
    assert_true(est_budget_ask(&b, 4 * SEC, false, &asked));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_it_keeps_its_limit_in_any_window),
        cmocka_unit_test(without_a_limit_nothing_is_held_up),
        cmocka_unit_test(alone_it_spends_its_part),
        cmocka_unit_test(it_is_short_while_requests_wait_for_it),
        cmocka_unit_test(a_request_that_did_not_start_costs_nothing),
        cmocka_unit_test(a_retry_after_closes_it_and_is_never_shortened),
        cmocka_unit_test(what_is_left_is_spread_until_the_reset),
        cmocka_unit_test(a_policy_is_kept_like_a_limit_of_our_own),
        cmocka_unit_test(a_slot_is_asked_for_and_used_in_its_time),
        cmocka_unit_test(a_slot_is_void_once_the_budget_was_closed),
        cmocka_unit_test(an_answer_holds_for_a_moment_only),
        cmocka_unit_test(who_is_not_answered_goes_on_alone),
        cmocka_unit_test(a_slot_that_nobody_used_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
