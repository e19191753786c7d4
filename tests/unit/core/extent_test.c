#include "core/extent.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

struct gone {
    struct est_extent all[8];
    size_t n;
};

static void note(void *arg, const struct est_extent *gone)
{
    struct gone *g = arg;

    assert_true(g->n < 8);
    g->all[g->n++] = *gone;
}

enum { ADD = 'a', REWIND = 'r', MET = 'm', END = 'e', DELETED = 'd' };

/* What happens, in partition 0: `to` is the last number of a run from `n` on. */
struct act {
    char what;
    uint64_t epoch, n, to;
};
struct row {
    const char *name;
    struct act acts[10];
    struct est_extent want[4];
};

static const struct row rows[] = {
    {"all is met",
     {{ADD, 0, 0, 9}, {REWIND, 0, 0, 0}, {MET, 0, 0, 9}, {END, 0, 0, 0}},
     {{0, 0, 0, 0}}},
    {"everything is gone", {{ADD, 0, 0, 9}, {REWIND, 0, 0, 0}, {END, 0, 0, 0}}, {{0, 0, 0, 10}}},
    {"a hole in the middle, told once",
     {{ADD, 0, 0, 9},
      {REWIND, 0, 0, 0},
      {MET, 0, 0, 2},
      {MET, 0, 6, 9},
      {END, 0, 0, 0},
      {REWIND, 0, 0, 0},
      {MET, 0, 0, 2},
      {MET, 0, 6, 9},
      {END, 0, 0, 0}},
     {{0, 0, 3, 3}}},
    {"the tail is gone", {{ADD, 0, 0, 9}, {MET, 0, 0, 6}, {END, 0, 0, 0}}, {{0, 0, 7, 3}}},
    {"the head was deleted by us",
     {{ADD, 0, 0, 9}, {MET, 0, 0, 4}, {DELETED, 0, 0, 4}, {REWIND, 0, 0, 0}, {MET, 0, 5, 9}},
     {{0, 0, 0, 0}}},
    {"the answer to a delete comes behind the rewind",
     {{ADD, 0, 0, 9}, {MET, 0, 0, 4}, {REWIND, 0, 0, 0}, {DELETED, 0, 0, 4}, {MET, 0, 5, 9}},
     {{0, 0, 0, 0}}},
    {"met, not deleted, and then gone with the rest",
     {{ADD, 0, 0, 9}, {MET, 0, 0, 4}, {REWIND, 0, 0, 0}, {END, 0, 0, 0}},
     {{0, 0, 0, 10}}},
    {"an earlier epoch's rest stood before a later one",
     {{ADD, 0, 0, 4}, {ADD, 1, 0, 4}, {MET, 0, 0, 1}, {MET, 1, 0, 4}, {END, 0, 0, 0}},
     {{0, 0, 2, 3}}},
    {"a repeat is no news",
     {{ADD, 0, 0, 4}, {MET, 0, 0, 2}, {MET, 0, 1, 1}, {MET, 0, 3, 4}, {END, 0, 0, 0}},
     {{0, 0, 0, 0}}},
    {"more is added while it is read",
     {{ADD, 0, 0, 2}, {MET, 0, 0, 1}, {ADD, 0, 3, 5}, {MET, 0, 2, 5}, {END, 0, 0, 0}},
     {{0, 0, 0, 0}}},
    {"a number that was never added is no hole",
     {{ADD, 0, 5, 6}, {MET, 0, 0, 9}, {MET, 3, 7, 7}, {END, 0, 0, 0}},
     {{0, 0, 0, 0}}},
    {"what went to Kafka directly between two outages, the first one's deletes still under way",
     {{ADD, 0, 0, 9},
      {MET, 0, 0, 9},
      {END, 0, 0, 0},
      {ADD, 0, 20, 29},
      {DELETED, 0, 0, 4},
      {REWIND, 0, 0, 0},
      {MET, 0, 5, 9},
      {MET, 0, 20, 29},
      {END, 0, 0, 0}},
     {{0, 0, 0, 0}}},
    {"the same, all deletes answered",
     {{ADD, 0, 0, 9},
      {MET, 0, 0, 9},
      {END, 0, 0, 0},
      {DELETED, 0, 0, 9},
      {ADD, 0, 20, 29},
      {REWIND, 0, 0, 0},
      {MET, 0, 20, 29},
      {END, 0, 0, 0}},
     {{0, 0, 0, 0}}},
    {"holes in both runs",
     {{ADD, 0, 0, 9},
      {ADD, 0, 20, 29},
      {REWIND, 0, 0, 0},
      {MET, 0, 0, 4},
      {MET, 0, 22, 29},
      {END, 0, 0, 0}},
     {{0, 0, 5, 5}, {0, 0, 20, 2}}},
};

static void apply(struct est_extents *x, const struct act *act, struct gone *gone)
{
    uint64_t n = act->n;

    if (act->what == REWIND)
        est_extents_rewind(x);
    else if (act->what == END)
        est_extents_end(x, note, gone);
    for (; strchr("amd", act->what) != NULL && n <= act->to; n++) {
        if (act->what == ADD)
            assert_int_equal(est_extents_add(x, 0, act->epoch, n), EST_OK);
        else if (act->what == MET)
            est_extents_met(x, 0, act->epoch, n, note, gone);
        else
            est_extents_settled(x, 0, act->epoch, n);
    }
}

static bool same(const struct est_extent *a, const struct est_extent *b)
{
    return a->partition == b->partition && a->epoch == b->epoch && a->first == b->first &&
           a->count == b->count;
}

static void what_is_not_met_is_named_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gone gone = {0};
        struct est_extents *x;
        size_t want = 0;
        assert_int_equal(est_extents_new(&x), EST_OK);
        for (const struct act *act = rows[i].acts; act->what != 0; act++)
            apply(x, act, &gone);
        for (; rows[i].want[want].count > 0; want++)
            if (want >= gone.n || !same(&gone.all[want], &rows[i].want[want]))
                fail_msg("%s: not told, or another", rows[i].name);
        if (gone.n != want)
            fail_msg("%s: %zu told, %zu wanted", rows[i].name, gone.n, want);
        est_extents_free(x);
    }
}

static void partitions_do_not_mix(void **state)
{
    struct gone gone = {0};
    struct est_extents *x;

    (void)state;
    assert_int_equal(est_extents_new(&x), EST_OK);
    for (uint32_t p = 0; p < 40; p++)
        assert_int_equal(est_extents_add(x, p, 0, 0), EST_OK);
    for (uint32_t p = 0; p < 40; p++)
        if (p != 17)
            est_extents_met(x, p, 0, 0, note, &gone);
    assert_int_equal(gone.n, 0);
    est_extents_end(x, note, &gone);
    assert_int_equal(gone.n, 1);
    assert_int_equal(gone.all[0].partition, 17);
    est_extents_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_met_is_named_once),
        cmocka_unit_test(partitions_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
