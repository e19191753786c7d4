/* What the commits' notes amount to, and what is said of it first. */
#include "status.h"

#include "codec/json.h"
#include "core/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct est_type_config order = {.name = (char[]){"order"}};
static struct est_destination_config dest = {.name = (char[]){"dashboard"}};

/* The metadata of a commit of partition 3 at `offset`; `ahead`: so many settled beyond it. */
static struct est_view note_of(const struct est_tally *tally, int64_t offset, uint64_t ahead,
                               struct est_buf *out)
{
    const struct est_ledger_key key = {.boot = {1, 2, 3}, .epoch = 4};
    struct est_note note;

    est_note_init(&note);
    note.ledger.partial = false;
    note.tally = *tally;
    if (ahead > 0)
        assert_true(est_ahead_add(&note.ahead, &key, 100, ahead, EST_END_DELIVERED));
    note.ahead.until = offset + 1000;
    est_buf_init(out, EST_NOTE_MAX);
    assert_int_equal(est_note_write(&note,
                                    (struct est_note_place){EST_VIEW_LIT("order"), 3, offset},
                                    EST_NOTE_MAX, out),
                     EST_OK);
    est_note_fini(&note);
    return est_buf_view(out);
}

static struct status_row row_of(const struct est_kafka_look_part *part)
{
    struct status_row row = {.type = &order, .oldest_ms = -1};

    status_add_part(&row, part, 10000);
    return row;
}

static void test_parts(void **state)
{
    static const struct {
        const char *what;
        int64_t low, committed, high, since_ms;
        struct est_tally tally;
        uint64_t ahead;
        struct status_row want;
    } cases[] = {
        {"nothing yet", 0, -1, 0, -1, {0}, 0, {.oldest_ms = -1}},
        {"not begun", 0, -1, 7, 4000, {0}, 0, {.waiting = 7, .lag = 7, .oldest_ms = 6000}},
        {"at rest",
         0,
         10,
         10,
         -1,
         {.fresh = 10, .delivered = 9, .dead = 1},
         0,
         {.delivered = 9, .dead = 1, .oldest_ms = -1}},
        {"waiting",
         0,
         10,
         15,
         9999,
         {.fresh = 10, .delivered = 10},
         0,
         {.delivered = 10, .waiting = 5, .lag = 5, .oldest_ms = 1}},
        {"settled beyond the commit",
         0,
         10,
         15,
         -1,
         {.fresh = 10, .delivered = 10},
         2,
         {.delivered = 12, .waiting = 3, .lag = 5, .oldest_ms = -1}},
        {"put back",
         0,
         12,
         12,
         -1,
         {.fresh = 10, .replays = 2, .delivered = 10, .dead = 2},
         0,
         {.delivered = 10, .replayed = 2, .oldest_ms = -1}},
        {"repeats and marks",
         0,
         14,
         14,
         -1,
         {.fresh = 10, .repeats = 3, .marks = 1, .delivered = 10},
         0,
         {.delivered = 10, .repeated = 3, .oldest_ms = -1}},
        {"deleted by the retention before it was read",
         30,
         10,
         40,
         -1,
         {.fresh = 10, .delivered = 10},
         0,
         {.delivered = 10, .expired = 20, .waiting = 10, .lag = 10, .oldest_ms = -1}},
        {"it does not add up",
         0,
         10,
         10,
         -1,
         {.fresh = 10, .delivered = 8},
         0,
         {.delivered = 8, .broken = true, .oldest_ms = -1}},
        {"a clock ahead", 0, -1, 1, 99999, {0}, 0, {.waiting = 1, .lag = 1, .oldest_ms = 0}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_kafka_look_part part = {.partition = 3,
                                           .low = cases[i].low,
                                           .high = cases[i].high,
                                           .committed = cases[i].committed,
                                           .waits_since_ms = cases[i].since_ms};
        struct status_row got, want = cases[i].want;
        struct est_buf b;
        est_buf_init(&b, 1);
        if (part.committed >= 0)
            part.metadata = note_of(&cases[i].tally, part.committed, cases[i].ahead, &b);
        got = row_of(&part);
        want.type = &order;
        if (got.delivered != want.delivered || got.dead != want.dead ||
            got.waiting != want.waiting || got.lag != want.lag || got.expired != want.expired ||
            got.repeated != want.repeated || got.replayed != want.replayed ||
            got.oldest_ms != want.oldest_ms || got.broken != want.broken || got.unreadable > 0)
            fail_msg("%s", cases[i].what);
        est_buf_fini(&b);
    }
}

/* Metadata of others, none, or a note of another place: nothing is known of what lies before. */
static void test_unreadable(void **state)
{
    const struct est_tally tally = {.fresh = 10, .delivered = 10};
    struct est_kafka_look_part part = {
        .partition = 3, .committed = 10, .high = 12, .waits_since_ms = -1};
    struct est_buf b;

    (void)state;
    assert_int_equal(row_of(&part).unreadable, 1);
    part.metadata = EST_VIEW_LIT("somebody else's");
    assert_int_equal(row_of(&part).unreadable, 1);
    part.metadata = note_of(&tally, 9, 0, &b);
    assert_int_equal(row_of(&part).unreadable, 1);
    assert_int_equal(row_of(&part).waiting, 2);
    assert_int_equal(row_of(&part).delivered, 0);
    est_buf_fini(&b);
    part.committed = 0; /* nothing lies before it */
    part.metadata = EST_VIEW_NONE;
    assert_int_equal(row_of(&part).unreadable, 0);
}

static void test_verdicts(void **state)
{
    static const struct {
        const char *what, *told;
        struct status_row sum;
        bool has_members;
        size_t members;
        enum status_verdict want;
    } cases[] = {
        {"nothing", "", {.oldest_ms = -1}, true, 1, STATUS_EMPTY},
        {"nothing known", "", {.unreadable = 1, .oldest_ms = -1}, true, 1, STATUS_FINE},
        {"at rest", "delivering", {.delivered = 5, .oldest_ms = -1}, true, 1, STATUS_FINE},
        {"at rest, nobody there", "", {.delivered = 5, .oldest_ms = -1}, true, 0, STATUS_FINE},
        {"on its way", "delivering", {.waiting = 5, .oldest_ms = 900}, true, 1, STATUS_FINE},
        {"a minute", "delivering", {.waiting = 5, .oldest_ms = 60000}, true, 1, STATUS_BEHIND},
        {"limited", "limited", {.waiting = 5, .oldest_ms = 60000}, true, 1, STATUS_LIMITED},
        {"limited, but quick", "limited", {.waiting = 5, .oldest_ms = 600}, true, 1, STATUS_FINE},
        {"buffered", "delivering", {.buffered = 5, .oldest_ms = 600}, true, 1, STATUS_BUFFERED},
        {"down", "down", {.waiting = 5, .oldest_ms = 600}, true, 1, STATUS_DOWN},
        {"nobody", "", {.waiting = 5, .oldest_ms = 600}, true, 0, STATUS_NOBODY},
        {"perhaps nobody", "", {.waiting = 5, .oldest_ms = 600}, false, 0, STATUS_FINE},
        {"paused", "paused", {.delivered = 5, .oldest_ms = -1}, true, 1, STATUS_PAUSED},
        {"expired", "paused", {.expired = 1, .oldest_ms = -1}, true, 1, STATUS_EXPIRED},
        {"missing", "paused", {.missing = 1, .expired = 1}, true, 1, STATUS_MISSING},
        {"broken", "", {.missing = 1, .broken = true}, true, 1, STATUS_BROKEN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct status_destination d = {.dest = &dest,
                                       .sum = cases[i].sum,
                                       .has_members = cases[i].has_members,
                                       .members = cases[i].members};
        enum status_verdict v;
        (void)snprintf(d.state.state, sizeof(d.state.state), "%s", cases[i].told);
        v = status_judge(&d);
        if (v != cases[i].want)
            fail_msg("%s: %s", cases[i].what, status_verdict_name(v));
        assert_int_equal(status_is_kept(v), cases[i].want != STATUS_EXPIRED &&
                                                cases[i].want != STATUS_MISSING &&
                                                cases[i].want != STATUS_BROKEN);
    }
}

/* An unanswered question is not a good answer. */
static void test_well(void **state)
{
    const struct status_row rest = {.delivered = 5, .oldest_ms = -1};
    const struct status_row waits = {.waiting = 5, .oldest_ms = 600};
    const struct status_row late = {.waiting = 5, .oldest_ms = 60000};
    const struct status_row missing = {.missing = 1, .oldest_ms = -1};
    const struct {
        struct status_destination d;
        bool want;
    } cases[] = {
        {{.sum = rest, .has_members = true, .members = 1}, true},
        {{.sum = rest}, true}, /* nobody is needed */
        {{.sum = waits, .has_members = true, .members = 1}, true},
        {{.sum = waits, .has_members = true}, false},
        {{.sum = waits}, false},
        {{.sum = late, .has_members = true, .members = 1}, false},
        {{.sum = missing, .has_members = true, .members = 1}, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(status_is_well(&cases[i].d), cases[i].want);
}

static void add_line(struct status_state *st, const char *text)
{
    struct est_json *js = NULL;
    const struct est_value *line;

    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    assert_int_equal(est_json_parse(js, est_view_str(text), &line, NULL), EST_OK);
    status_add_line(st, line);
    est_json_free(js);
}

/* The worst of several consumers is told; lines of others, or of another version, are not. */
static void test_lines(void **state)
{
    struct status_state st = {.budget_left = -2};

    (void)state;
    add_line(&st, "{\"v\":2,\"state\":\"paused\"}");
    add_line(&st, "[1]");
    add_line(&st, "{\"v\":1,\"state\":\"dancing\"}");
    assert_int_equal(st.told, 0);
    assert_string_equal(st.state, "");
    assert_int_equal(st.budget_left, -2);
    add_line(&st,
             "{\"v\":1,\"state\":\"delivering\",\"reason\":\"\",\"code\":\"\",\"budget_left\":-1}");
    assert_string_equal(st.state, "delivering");
    assert_int_equal(st.budget_left, -1);
    add_line(&st, "{\"v\":1,\"state\":\"paused\",\"reason\":\"auth\",\"code\":\"E-DASH-AUTH\","
                  "\"next_ms\":1200,\"budget_left\":62}");
    add_line(&st, "{\"v\":1,\"state\":\"down\",\"next_ms\":9}");
    assert_int_equal(st.told, 3);
    assert_string_equal(st.state, "paused");
    assert_string_equal(st.reason, "auth");
    assert_string_equal(st.code, "E-DASH-AUTH");
    assert_int_equal(st.next_ms, 1200);
    assert_int_equal(st.budget_left, 62);
}

static void test_types(void **state)
{
    static const struct {
        const char *lines[3], *want;
    } cases[] = {
        {{"{\"v\":1}"}, ""},
        {{"{\"v\":1,\"types\":{\"user\":\"paused\"}}"}, ""},
        {{"{\"v\":1,\"types\":{\"order\":\"slow\"}}"}, "slow"},
        {{"{\"v\":1,\"types\":{\"order\":\"slow\"}}", "{\"v\":1,\"types\":{\"order\":\"paused\"}}",
          "{\"v\":1,\"types\":{\"order\":\"slow\"}}"},
         "paused"},
        {{"{\"v\":1,\"types\":{\"order\":\"\\u001b[2J\"}}"}, ""},
        {{"{\"v\":2,\"types\":{\"order\":\"paused\"}}", "{\"v\":1,\"types\":[1]}"}, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct status_row row = {.type = &order};
        for (size_t k = 0; k < 3 && cases[i].lines[k] != NULL; k++) {
            struct est_json *js = NULL;
            const struct est_value *line;
            assert_int_equal(est_json_new(NULL, &js), EST_OK);
            assert_int_equal(est_json_parse(js, est_view_str(cases[i].lines[k]), &line, NULL),
                             EST_OK);
            status_add_type(&row, line);
            est_json_free(js);
        }
        if (strcmp(row.state, cases[i].want) != 0)
            fail_msg("case %zu: %s", i, row.state);
    }
}

static void test_sums(void **state)
{
    struct status_row rows[] = {
        {.type = &order, .delivered = 3, .dead = 1, .waiting = 2, .oldest_ms = 5, .lag = 2},
        {.type = &order,
         .delivered = 4,
         .missing = 1,
         .expired = 2,
         .buffered = 6,
         .oldest_ms = -1}};
    struct status_destination d = {.dest = &dest, .rows = rows};

    (void)state;
    status_add_up(&d, 2);
    assert_int_equal(d.sum.delivered, 7);
    assert_int_equal(status_pending(&d.sum), 8);
    assert_int_equal(status_accepted(&d.sum), 7 + 1 + 1 + 2 + 8);
    assert_int_equal(d.sum.oldest_ms, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_well),
        cmocka_unit_test(test_lines),    cmocka_unit_test(test_sums),
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
