#include "core/switch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Each case is a story in a small language, one word a step:
 *   e+        evidence             s+ s-      the store is up, away
 *   oN        N older streams      od         the present older one is done
 *   evN       N new events go where the route says
 *   aN        N direct ones are acknowledged
 *   lN        lost, N direct ones come back
 *   fN        N flying ones are acknowledged and wait for deletion; fx: one that does not
 *   wN        N units of time go by
 *   A+ A-N    the append went well; failed, N refused
 *   rN rN.    N own entries were read; and that was the end     (RN RN. of an older stream)
 *   rx        the read is void     D+         the delete went well
 *   dN        N of the queue are dropped
 *   =AN =RN =HN =DN =LN =-   what is to be done now: append, read, read from the head, delete,
 *                            release, nothing
 *   !d !b !n  the state is direct, buffering, draining       :d :b :n  it is shown as that
 *   ?k ?b ?0  a new event would go to Kafka, into the buffer, nowhere
 *   tN        est_switch_due */
struct story {
    const char *name, *text;
};

static const struct est_switch_options options = {
    .window_max = 8, .probe_first = 10, .probe_max = 40};

struct teller {
    struct est_switch sw;
    est_us now;
};

static void new_events(struct est_switch *sw, size_t n)
{
    for (size_t i = 0; i < n; i++)
        est_switch_sent(sw, est_switch_route(sw));
}

static void acked_direct(struct est_switch *sw, size_t n)
{
    for (size_t i = 0; i < n; i++)
        est_switch_acked_direct(sw);
}

static void acked(struct est_switch *sw, size_t n, bool want)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(est_switch_acked(sw), want);
}

static void came(struct est_switch *sw, const char *word, size_t n)
{
    if (word[1] == 'x') {
        assert_false(est_switch_takes_read(sw));
        est_switch_read(sw, 0, false, true);
        return;
    }
    assert_true(est_switch_takes_read(sw));
    est_switch_read(sw, n, word[strlen(word) - 1] == '.', word[0] == 'r');
}

static void next_is(struct teller *t, char act, size_t n)
{
    static const char letters[] = {'-', 'A', 'R', 'D', 'L'};
    struct est_switch_step step = est_switch_next(&t->sw, t->now);
    char got = step.from_head ? 'H' : letters[step.act];

    if (got != act || step.n != n)
        fail_msg("wanted %c%zu, got %c%zu", act, n, got, step.n);
}

static void expect(struct teller *t, const char *word, size_t n)
{
    static const char *const states = "dbn", *const routes = "kb0";

    if (word[0] == '=')
        next_is(t, word[1], n);
    else if (word[0] == '!')
        assert_int_equal(states[t->sw.state], word[1]);
    else if (word[0] == ':')
        assert_int_equal(states[est_switch_shown(&t->sw)], word[1]);
    else if (word[0] == '?')
        assert_int_equal(routes[est_switch_route(&t->sw)], word[1]);
    else
        assert_int_equal(est_switch_due(&t->sw), n);
}

static size_t number(const char *word)
{
    size_t n = 0, at = strcspn(word, "0123456789");

    sscanf(word + at, "%zu", &n);
    return n;
}

static void tell(struct teller *t, const char *word)
{
    size_t n = number(word);

    if (strchr("=!:?t", word[0]) != NULL)
        expect(t, word, n);
    else if (strncmp(word, "ev", 2) == 0)
        new_events(&t->sw, n);
    else if (word[0] == 'e')
        est_switch_evidence(&t->sw);
    else if (word[0] == 's')
        est_switch_store(&t->sw, word[1] == '+');
    else if (strcmp(word, "od") == 0)
        est_switch_older_done(&t->sw);
    else if (word[0] == 'o')
        est_switch_older(&t->sw, n, t->now);
    else if (word[0] == 'a')
        acked_direct(&t->sw, n);
    else if (word[0] == 'l')
        est_switch_lost(&t->sw, n, t->now);
    else if (word[0] == 'f')
        acked(&t->sw, word[1] == 'x' ? 1 : n, word[1] != 'x');
    else if (word[0] == 'w')
        t->now += (est_us)n;
    else if (word[0] == 'A')
        est_switch_appended(&t->sw, word[1] == '+', n);
    else if (word[0] == 'r' || word[0] == 'R')
        came(&t->sw, word, n);
    else if (word[0] == 'D')
        est_switch_deleted(&t->sw);
    else if (word[0] == 'd')
        est_switch_dropped(&t->sw, n);
    else
        fail_msg("what is %s?", word);
}

static void run(const struct story *story)
{
    struct teller t = {.now = 100};
    char text[256], *rest = text;

    print_message("%s\n", story->name);
    assert_in_range(snprintf(text, sizeof(text), "%s", story->text), 0, sizeof(text) - 1);
    est_switch_init(&t.sw, &options);
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        tell(&t, word);
}

/* Direct, with Redis there. */
#define DIRECT "s+ e+ =L0 =- !d "
/* Lost out of direct, the store holds two entries, and the pause is over. */
#define TWO_IN_STORE DIRECT "l0 ev2 =A2 A+ =- w10 "

static const struct story stories[] = {
    {"it begins in buffering and waits for evidence (9, 10)",
     "!b ?0 =- s+ ?b =- ev2 =A2 A+ =H1 r1 =- f1 =D1 =R2 D+ r1. =L0 !d f1 =D1 D+ =-"},
    {"with evidence and nothing buffered it is direct, also without a store (10)",
     "ev0 =- e+ =L0 !d ?k ev2 a2 =-"},
    {"what waits behind nothing goes to Kafka with the cut-over (10)", "s+ ev3 s- e+ =L3 !d a3 =-"},
    {"a queue whose append began may be in the stream (10)",
     "s+ ev3 =A3 s- e+ =- s+ =A3 =H1 A+ r1 f1 =D1 D+ =R2 r2 f2 =D2 D+ =R8 r0. =L0 !d"},
    {"foreign evidence does not shorten the pause (10)",
     DIRECT "ev1 l1 s- e+ =- t110 w9 =- w1 =L1 l1 e+ t130 w19 =- w1 =L1 l1 e+ t170 =-"},
    {"an own acknowledgement makes the pause short again",
     DIRECT "ev1 l1 s- e+ w10 =L1 l1 e+ w20 =L1 a1 ev1 l1 e+ t140 w10 =L1"},
    {"a loss that says nothing new postpones nothing", DIRECT "l0 t0 e+ t110 w5 l0 e+ t110"},
    {"not direct: a new event goes behind the queue (1)", DIRECT "ev1 l1 ?b ev1 =A2 A+ =-"},
    {"the route of each state, with and without the store",
     DIRECT "?k s- ?k s+ l0 ?b s- ?0 s+ ev1 =A1 A+ w10 =H1 !n ?b s- ?0"},
    {"nothing is appended while a direct record is un-acknowledged (2)",
     DIRECT "ev2 o1 !b ?b ev3 =H1 R0. =- a1 =- a1 =A3 A+ od =H1"},
    {"direct records that come back stand in front (2)", DIRECT "ev2 o1 ev1 =H1 l2 rx =A3 A+"},
    {"one append, one read, one delete (3)",
     TWO_IN_STORE "ev1 =A1 =H1 ev1 =- A+ =A1 A+ r1 =- f1 =D1 =R2 =- r1 f1 =R4 =- D+ =D1 =-"},
    {"an append takes 512 at most, and so do read and delete (3)", DIRECT "l0 ev600 =A512 A+ =A88"},
    {"a read from the head waits for flying, undeleted and deletes (5)",
     TWO_IN_STORE "=H1 r1 f1 =D1 =R2 r1. =L0 !d =- o1 =- f1 =- D+ =D1 =- D+ =H4"},
    {"a loss sets the cursor to the head, and a read under way is void (5)",
     TWO_IN_STORE "=H1 l0 !b w20 =- rx =H1 !n r1 f1"},
    {"a new connection sets the cursor to the head and makes ids worthless (5)",
     TWO_IN_STORE "=H1 r1 f1 =D1 =R2 r1 s- s+ =- fx =H4 r2. f2 =L0"},
    {"a shorter read in direct leaves nothing in the stream (5)", TWO_IN_STORE
     "=H1 r1 f1 =D1 =R2 D+ r1. =L0 s- s+ =- fx =H4 r1. =- f1 =D1 D+ =- s- s+ =H8 r0. =-"},
    {"streams of older boots come first, each from its head (6)",
     "s+ o2 ev1 =A1 =H1 A+ R1 f1 =D1 =R2 R0. =- D+ od =H2 R0. od =H2 r1. =L0"},
    {"an older stream that was taken away (6)", "s+ o1 =H1 R1 f1 =D1 o0 =L0 =-"},
    {"an older stream that was taken away while its first entry flew (6)",
     "s+ o1 =H1 R1 o0 !b =- fx =L0 =-"},
    {"an older stream without evidence behind it (6, 9)", "s+ o1 =H1 !n R0. od !b =- e+ =L0"},
    {"the cut-over takes the queue along (7)",
     TWO_IN_STORE "=H1 r1 f1 =D1 D+ =R2 ev3 =A3 A- r1. =L3 !d f1 =D1 a3 =-"},
    {"a short read while an append is under way closes (7)",
     TWO_IN_STORE "=H1 r1 f1 =D1 D+ =R2 ev1 =A1 r1. ev1 =- f1 =D1 =- A+ =R4 r1. =L1 !d"},
    {"without evidence nothing closes (7, 9)", DIRECT "l0 ev1 =A1 w10 =H1 r0. =- A+ ev1 =A1 =R1"},
    {"a loss while closing goes on buffering (7)",
     TWO_IN_STORE "=H1 r1 f1 =D1 D+ =R2 ev1 =A1 r1. ev1 =- l0 =- A+ =A1"},
    {"an append of unknown outcome is sent again first (8)",
     DIRECT "l0 ev2 =A2 ev1 s- =- s+ =A3 A+ =-"},
    {"no cut-over before it was sent again (8)",
     TWO_IN_STORE "=H1 r1 f1 =D1 D+ =R2 ev1 =A1 s- s+ =A1 =H2 r1. =- A+ =R1 r1 f2 =D2 =R8 r0. =L0"},
    {"dropped while the store is away",
     DIRECT "l0 ev4 =A4 s- d1 =- d2 s+ =A1 A+ ev2 =A2 s- d2 s+ =- w10 =H1"},
    {"nothing buffered and no evidence: back to buffering (9)",
     TWO_IN_STORE "=H1 r0. !b =- t0 e+ t110 =L0 !d"},
    {"what nobody has taken yet is shown as no drain",
     TWO_IN_STORE ":b =H1 !n :b r1 l0 !b w20 =H1 r1 :b f1 :n =D1 =R2"},
    {"a refused front ends, the others are tried again", DIRECT "l0 ev4 =A4 A-3 =A1 A+ w10 =H1"},
    {"the window doubles and falls back", DIRECT
     "l0 ev30 =A30 A+ w10 =H1 r1 f1 =D1 =R2 r2 f2 D+ =D2 =R8 r8 =- f1 =R1 f2 r1 =R2 l0 =- D+ =D3"},
};

static void stories_come_true(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
        run(&stories[i]);
}

static void transitions_are_counted(void **state)
{
    struct est_switch sw;

    (void)state;
    est_switch_init(&sw, &options);
    est_switch_evidence(&sw);
    for (est_us now = 0; now < 300; now += 100) {
        assert_int_equal(est_switch_next(&sw, now).act, EST_ACT_RELEASE);
        est_switch_lost(&sw, 0, now);
        est_switch_evidence(&sw);
    }
    assert_int_equal(sw.transitions[EST_BUFFERING][EST_DIRECT], 3);
    assert_int_equal(sw.transitions[EST_DIRECT][EST_BUFFERING], 3);
    assert_int_equal(sw.transitions[EST_BUFFERING][EST_DRAINING], 0);
    assert_string_equal(est_switch_state_name(EST_DRAINING), "draining");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_come_true),
        cmocka_unit_test(transitions_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
