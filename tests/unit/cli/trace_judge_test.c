/* What is known about an event, and what it amounts to. */
#include "trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* One copy after the other, in short: its mark (? unknown, . open, s settled, d delivered ahead, x
 * dead ahead), then of its attempts D delivered, R refused, F failed, then of its dead letter
 * o open, p parked, r replayed. `>` before a copy: put back for "other". */
struct given {
    const char *what, *copies;
    size_t waiting;
    enum trace_state want;
};

static struct est_destination_config dest = {.name = (char[]){"dashboard"}};

static void add_attempt(struct trace_destination *d, size_t copy, char c)
{
    struct trace_attempt *a = &d->attempts[d->n_attempts++];

    *a = (struct trace_attempt){.copy = copy,
                                .at_ms = (int64_t)d->n_attempts,
                                .status = c == 'D'   ? 201
                                          : c == 'R' ? 422
                                                     : 503,
                                .is_own = c != 'F'};
    (void)snprintf(a->verdict, sizeof(a->verdict), "%s", c == 'F' ? "retry" : "results");
}

static void build(struct trace *t, const struct given *g)
{
    static struct trace_destination d;

    d = (struct trace_destination){.dest = &dest};
    *t = (struct trace){.dests = &d, .n_dests = 1, .n_waiting = g->waiting};
    for (const char *p = g->copies; *p != '\0'; p++) {
        size_t copy = t->n_copies - 1;
        if (strchr("?.sdx", *p) != NULL) {
            static const char marks[] = "?.sdx";
            bool foreign = p > g->copies && p[-1] == '>';
            (void)snprintf(t->copies[t->n_copies].put_back_for, TRACE_NAME, "%s",
                           foreign ? "other" : "");
            d.marks[t->n_copies++] = (enum trace_mark)(strchr(marks, *p) - marks);
        } else if (strchr("DRF", *p) != NULL) {
            add_attempt(&d, copy, *p);
        } else if (strchr("opr", *p) != NULL) {
            d.letters[d.n_letters++] = (struct trace_letter){.copy = copy,
                                                             .state = *p == 'o'   ? DLQ_OPEN
                                                                      : *p == 'p' ? DLQ_PARKED
                                                                                  : DLQ_REPLAYED};
        }
    }
}

static void test_states(void **state)
{
    static const struct given cases[] = {
        {"nothing is known", "", 0, TRACE_NOWHERE},
        {"in the buffer alone", "", 1, TRACE_BUFFERED},
        {"no commit yet", "?", 0, TRACE_UNKNOWN},
        {"no commit yet, but taken", "?D", 0, TRACE_DELIVERED},
        {"not reached", ".", 0, TRACE_QUEUED},
        {"not reached, and once more in the buffer", ".", 1, TRACE_QUEUED},
        {"failed so far", ".FF", 0, TRACE_RETRYING},
        {"taken, not committed yet", ".FD", 0, TRACE_DELIVERED},
        {"taken, its consumer killed, sent again", ".DF", 0, TRACE_DELIVERED},
        {"settled, no log", "s", 0, TRACE_DELIVERED},
        {"settled behind failures", "sFFD", 0, TRACE_DELIVERED},
        {"settled, the log lost its end", "sF", 0, TRACE_DELIVERED},
        {"dead", "sRo", 0, TRACE_DEAD},
        {"dead without a request", "so", 0, TRACE_DEAD},
        {"dead, its DLQ emptied", "sR", 0, TRACE_DEAD},
        {"dead beyond the commit", "x", 0, TRACE_DEAD},
        {"delivered beyond the commit", "d", 0, TRACE_DELIVERED},
        {"parked", "sRp", 0, TRACE_PARKED},
        {"put back, waiting", "sRr.", 0, TRACE_QUEUED},
        {"put back, failing", "sRr.F", 0, TRACE_RETRYING},
        {"put back, taken", "sRrsD", 0, TRACE_DELIVERED},
        {"put back, dead again", "sRrsRo", 0, TRACE_DEAD},
        {"put back too often", "sRrsRp", 0, TRACE_PARKED},
        {"put back for another", "sRo>.", 0, TRACE_DEAD},
        {"delivered; put back for another, who waits", "sD>.", 0, TRACE_DELIVERED},
        {"twice in the topic, the second a repeat", "sDs", 0, TRACE_DELIVERED},
        {"twice in the topic, the second not reached", "sD.", 0, TRACE_DELIVERED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct trace t;
        build(&t, &cases[i]);
        trace_judge(&t);
        if (t.dests[0].state != cases[i].want)
            fail_msg("%s: %s, not %s", cases[i].what, trace_state_name(t.dests[0].state),
                     trace_state_name(cases[i].want));
    }
}

/* The copy that a destination's line tells about. */
static void test_copy(void **state)
{
    static const struct {
        const char *copies;
        size_t want;
    } cases[] = {{"sDs", 0}, {"sRrsD", 1}, {"..", 1}, {"sRrsRo", 1}, {"s>.", 0}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct given g = {cases[i].copies, cases[i].copies, 0, TRACE_NOWHERE};
        struct trace t;
        build(&t, &g);
        trace_judge(&t);
        if (t.dests[0].copy != cases[i].want)
            fail_msg("%s: %zu", cases[i].copies, t.dests[0].copy);
    }
}

static void test_attempts(void **state)
{
    static const struct {
        struct trace_attempt a;
        bool delivered, refused;
    } cases[] = {
        {{.status = 201, .verdict = "delivered"}, true, false},
        {{.status = 200, .verdict = "results"}, false, false}, /* says nothing of this event */
        {{.status = 200, .verdict = "results", .is_own = true}, true, false},
        {{.status = 422, .verdict = "refused"}, false, true},
        {{.status = 422, .verdict = "split"}, false, false},
        {{.status = 422, .verdict = "results", .is_own = true}, false, true},
        {{.status = 424, .verdict = "results", .is_own = true}, false, false},
        {{.status = 429, .verdict = "results", .is_own = true}, false, false},
        {{.status = 500, .verdict = "results", .is_own = true}, false, false},
        {{.status = 401, .verdict = "pause"}, false, false},
        {{.status = 0, .verdict = "retry"}, false, false},
        {{.status = 0, .verdict = "unknown"}, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (trace_attempt_delivered(&cases[i].a) != cases[i].delivered ||
            trace_attempt_refused(&cases[i].a) != cases[i].refused)
            fail_msg("case %zu", i);
}

static void test_time_of_id(void **state)
{
    static const struct {
        const char *id;
        int64_t want;
    } cases[] = {
        {"017f22e2-79b0-7cc3-98c4-dc0c0c07398f", 0x017f22e279b0}, /* the example of RFC 9562 */
        {"017F22E2-79B0-7CC3-98C4-DC0C0C07398F", 0x017f22e279b0},
        {"c5484a7d-89b8-4093-ad6f-db26c4d2c27c", -1}, /* version 4 */
        {"017f22e2-79b0-7cc3-98c4-dc0c0c07398", -1},
        {"017f22e2-79b0-7cc3-98c4-dc0c0c07398fa", -1},
        {"017f22e2-79b0-7cc3-98c4-dc0c0c07398g", -1},
        {"017f22e2x79b0-7cc3-98c4-dc0c0c07398f", -1},
        {"pedido-8841", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (trace_time_of_id(cases[i].id) != cases[i].want)
            fail_msg("%s: %lld", cases[i].id, (long long)trace_time_of_id(cases[i].id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_time_of_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
