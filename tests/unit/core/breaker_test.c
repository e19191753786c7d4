#include "core/breaker.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#define S EST_SECOND

static const struct est_breaker_policy policy = {
    .failures = 3, .open_first = 1 * S, .open_max = 5 * S};

static void request(struct est_breaker *br, enum est_breaker_outcome outcome, est_us now)
{
    uint32_t ticket;

    assert_true(est_breaker_allow(br, now, &ticket));
    est_breaker_observe(br, ticket, outcome, now);
}

static void open_it(struct est_breaker *br, est_us now)
{
    est_breaker_init(br, policy);
    for (unsigned i = 0; i < policy.failures; i++)
        request(br, EST_BREAKER_FAILED, now);
    assert_int_equal(br->state, EST_BREAKER_OPEN);
}

static void only_failures_in_a_row_open_it(void **state)
{
    /* F failed, A answered, U unknown, T tripped */
    static const struct {
        const char *outcomes;
        enum est_breaker_state want;
    } cases[] = {
        {"FF", EST_BREAKER_CLOSED},     {"FFF", EST_BREAKER_OPEN},  {"FFAFF", EST_BREAKER_CLOSED},
        {"FFAFFF", EST_BREAKER_OPEN},   {"FFUF", EST_BREAKER_OPEN}, {"AAAAAA", EST_BREAKER_CLOSED},
        {"UUUUUU", EST_BREAKER_CLOSED}, {"T", EST_BREAKER_OPEN},    {"AT", EST_BREAKER_OPEN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_breaker br;
        est_breaker_init(&br, policy);
        for (const char *o = cases[i].outcomes; *o != '\0'; o++)
            request(&br,
                    *o == 'F'   ? EST_BREAKER_FAILED
                    : *o == 'A' ? EST_BREAKER_ANSWERED
                    : *o == 'T' ? EST_BREAKER_TRIPPED
                                : EST_BREAKER_UNKNOWN,
                    0);
        assert_int_equal(br.state, cases[i].want);
    }
}

static void one_probe_when_the_time_is_over(void **state)
{
    struct est_breaker br;
    uint32_t ticket, other;

    (void)state;
    open_it(&br, 100 * S);
    assert_int_equal(est_breaker_retry_at(&br, 0), 101 * S);
    assert_false(est_breaker_allow(&br, 101 * S - 1, &ticket));
    assert_true(est_breaker_allow(&br, 101 * S, &ticket));
    assert_int_equal(br.state, EST_BREAKER_HALF_OPEN);
    assert_false(est_breaker_allow(&br, 101 * S, &other));
    assert_int_equal(est_breaker_retry_at(&br, 0), 103 * S);
    est_breaker_observe(&br, ticket, EST_BREAKER_ANSWERED, 102 * S);
    assert_int_equal(br.state, EST_BREAKER_CLOSED);
    assert_int_equal(est_breaker_retry_at(&br, 0), 0);
}

static void a_failed_probe_opens_it_for_twice_as_long(void **state)
{
    static const est_us open_for[] = {1 * S, 2 * S, 4 * S, 5 * S, 5 * S};
    struct est_breaker br;
    est_us now = 0;

    (void)state;
    open_it(&br, now);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(br.open_until - now, open_for[i]);
        now = br.open_until;
        request(&br, EST_BREAKER_FAILED, now);
        assert_int_equal(br.state, EST_BREAKER_OPEN);
    }
    now = br.open_until;
    request(&br, EST_BREAKER_ANSWERED, now);
    for (unsigned i = 0; i < policy.failures; i++)
        request(&br, EST_BREAKER_FAILED, now);
    assert_int_equal(br.open_until - now, 1 * S);
}

static void a_lost_probe_lets_another_one_out(void **state)
{
    struct est_breaker br;

    (void)state;
    open_it(&br, 0);
    request(&br, EST_BREAKER_UNKNOWN, 1 * S);
    assert_int_equal(br.state, EST_BREAKER_HALF_OPEN);
    request(&br, EST_BREAKER_ANSWERED, 1 * S);
    assert_int_equal(br.state, EST_BREAKER_CLOSED);
}

static void outcomes_of_an_earlier_turn_say_nothing(void **state)
{
    struct est_breaker br;
    uint32_t old, probe;

    (void)state;
    est_breaker_init(&br, policy);
    assert_true(est_breaker_allow(&br, 0, &old));
    for (unsigned i = 0; i < policy.failures; i++)
        request(&br, EST_BREAKER_FAILED, 0);
    est_breaker_observe(&br, old, EST_BREAKER_ANSWERED, 0);
    assert_int_equal(br.state, EST_BREAKER_OPEN);
    assert_true(est_breaker_allow(&br, 1 * S, &probe));
    est_breaker_observe(&br, old, EST_BREAKER_FAILED, 1 * S);
    assert_int_equal(br.state, EST_BREAKER_HALF_OPEN);
    est_breaker_observe(&br, probe, EST_BREAKER_ANSWERED, 1 * S);
    assert_int_equal(br.state, EST_BREAKER_CLOSED);
    assert_string_equal(est_breaker_state_name(br.state), "closed");
}

static void a_tripped_probe_opens_it_for_longer(void **state)
{
    struct est_breaker br;

    (void)state;
    open_it(&br, 0);
    assert_int_equal(est_breaker_next_open(&br), 2 * S);
    request(&br, EST_BREAKER_TRIPPED, S);
    assert_int_equal(est_breaker_retry_at(&br, 0), 3 * S);
}

static void others_tell_it_down_and_up(void **state)
{
    struct est_breaker br;
    uint32_t ticket, before;

    (void)state;
    est_breaker_init(&br, policy);
    assert_true(est_breaker_allow(&br, 0, &before));
    est_breaker_told_up(&br); /* no news */
    est_breaker_told_down(&br, 4 * S, 0);
    assert_int_equal(br.state, EST_BREAKER_OPEN);
    est_breaker_observe(&br, before, EST_BREAKER_ANSWERED, 0); /* from before the news */
    assert_int_equal(est_breaker_retry_at(&br, 0), 4 * S);
    est_breaker_told_down(&br, 2 * S, 0);
    assert_int_equal(est_breaker_retry_at(&br, 0), 2 * S);
    assert_false(est_breaker_is_due(&br, 2 * S - 1));
    assert_true(est_breaker_is_due(&br, 2 * S));
    assert_true(est_breaker_allow(&br, 2 * S, &ticket));
    assert_false(est_breaker_is_due(&br, 2 * S));
    est_breaker_told_up(&br); /* our own probe will tell */
    est_breaker_told_down(&br, 9 * S, 2 * S);
    assert_int_equal(br.state, EST_BREAKER_HALF_OPEN);
    est_breaker_observe(&br, ticket, EST_BREAKER_UNKNOWN, 2 * S);
    assert_true(est_breaker_is_due(&br, 2 * S));
    est_breaker_told_down(&br, 3 * S, 2 * S); /* another one probes */
    assert_int_equal(est_breaker_retry_at(&br, 0), 3 * S);
    assert_int_equal(est_breaker_next_open(&br), 5 * S); /* as long as the others waited */
    est_breaker_told_up(&br);
    assert_int_equal(br.state, EST_BREAKER_CLOSED);
    assert_int_equal(est_breaker_next_open(&br), S);
}

/* As when it hangs: its outcome, when it comes, counts as well as that of the one behind it. */
static void another_probe_follows_one_that_is_not_answered(void **state)
{
    struct est_breaker br;
    uint32_t first, second;

    (void)state;
    open_it(&br, 0);
    assert_true(est_breaker_allow(&br, S, &first));
    assert_false(est_breaker_allow(&br, 3 * S - 1, &second));
    assert_false(est_breaker_is_due(&br, 3 * S - 1));
    assert_true(est_breaker_is_due(&br, 3 * S));
    assert_true(est_breaker_allow(&br, 3 * S, &second));
    est_breaker_observe(&br, second, EST_BREAKER_ANSWERED, 3 * S);
    assert_int_equal(br.state, EST_BREAKER_CLOSED);
    est_breaker_observe(&br, first, EST_BREAKER_FAILED, 4 * S);
    assert_int_equal(br.failed, 0);
}

static void a_hurried_one_probes_at_once(void **state)
{
    struct est_breaker br;

    (void)state;
    open_it(&br, 0);
    est_breaker_hurry(&br, S / 2);
    assert_true(est_breaker_is_due(&br, S / 2));
    request(&br, EST_BREAKER_ANSWERED, S / 2);
    est_breaker_hurry(&br, S / 2);
    assert_int_equal(br.state, EST_BREAKER_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tripped_probe_opens_it_for_longer),
        cmocka_unit_test(others_tell_it_down_and_up),
        cmocka_unit_test(another_probe_follows_one_that_is_not_answered),
        cmocka_unit_test(a_hurried_one_probes_at_once),
        cmocka_unit_test(only_failures_in_a_row_open_it),
        cmocka_unit_test(one_probe_when_the_time_is_over),
        cmocka_unit_test(a_failed_probe_opens_it_for_twice_as_long),
        cmocka_unit_test(a_lost_probe_lets_another_one_out),
        cmocka_unit_test(outcomes_of_an_earlier_turn_say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
