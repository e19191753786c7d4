#include "tally.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BOOT_A "00000000000000000000000000000001"
#define BOOT_B "00000000000000000000000000000002"

/* One lane of two keys: events 0, 2, 4 … are of the first, 1, 3, 5 … of the second. 8 were sent and
 * 6 accepted. */
struct record {
    const char *id, *boot; /* id "": a mark */
    unsigned n;            /* in the chain */
};
struct row {
    const char *name;
    struct record records[10];
    struct tally_sum want; /* sent and accepted are the same for all */
};

static const struct row rows[] = {
    {"all is there",
     {{"t-0-0", BOOT_A, 0},
      {"t-0-1", BOOT_A, 1},
      {"t-0-2", BOOT_A, 2},
      {"t-0-3", BOOT_A, 3},
      {"t-0-4", BOOT_A, 4},
      {"t-0-5", BOOT_A, 5}},
     {.records = 6, .delivered = 6, .boots = 1}},
    {"one is lost, and the chain shows it",
     {{"t-0-0", BOOT_A, 0},
      {"t-0-1", BOOT_A, 1},
      {"t-0-3", BOOT_A, 3},
      {"t-0-4", BOOT_A, 4},
      {"t-0-5", BOOT_A, 5}},
     {.records = 5, .delivered = 5, .lost = 1, .boots = 1, .holes = 1}},
    {"a mark shows that what is before it is lost, and is none itself",
     {{"", BOOT_A, 0},
      {"t-0-0", BOOT_A, 1},
      {"t-0-1", BOOT_A, 2},
      {"t-0-2", BOOT_A, 3},
      {"t-0-3", BOOT_A, 4},
      {"t-0-4", BOOT_A, 5},
      {"", BOOT_A, 7}},
     {.records = 5, .delivered = 5, .lost = 1, .boots = 1, .holes = 1}},
    {"marks of a chain that nothing was taken of",
     {{"", BOOT_B, 7},
      {"t-0-0", BOOT_A, 0},
      {"t-0-1", BOOT_A, 1},
      {"t-0-2", BOOT_A, 2},
      {"t-0-3", BOOT_A, 3},
      {"t-0-4", BOOT_A, 4},
      {"t-0-5", BOOT_A, 5}},
     {.records = 6, .delivered = 6, .boots = 1}},
    {"the last one is lost: no chain shows that",
     {{"t-0-0", BOOT_A, 0},
      {"t-0-1", BOOT_A, 1},
      {"t-0-2", BOOT_A, 2},
      {"t-0-3", BOOT_A, 3},
      {"t-0-4", BOOT_A, 4}},
     {.records = 5, .delivered = 5, .lost = 1, .boots = 1}},
    {"a repeat is a duplicate and no disorder",
     {{"t-0-0", BOOT_A, 0},
      {"t-0-2", BOOT_A, 1},
      {"t-0-0", BOOT_A, 0},
      {"t-0-4", BOOT_A, 2},
      {"t-0-1", BOOT_A, 3},
      {"t-0-3", BOOT_A, 4},
      {"t-0-5", BOOT_A, 5}},
     {.records = 7, .delivered = 6, .duplicates = 1, .boots = 1}},
    {"two of one key changed places",
     {{"t-0-2", BOOT_A, 0},
      {"t-0-0", BOOT_A, 1},
      {"t-0-4", BOOT_A, 2},
      {"t-0-1", BOOT_A, 3},
      {"t-0-3", BOOT_A, 4},
      {"t-0-5", BOOT_A, 5}},
     {.records = 6, .delivered = 6, .inversions = 1, .boot_inversions = 1, .boots = 1}},
    {"two boots overtook one another, each in order",
     {{"t-0-4", BOOT_B, 0},
      {"t-0-0", BOOT_A, 0},
      {"t-0-2", BOOT_A, 1},
      {"t-0-1", BOOT_A, 2},
      {"t-0-3", BOOT_A, 3},
      {"t-0-5", BOOT_A, 4}},
     {.records = 6, .delivered = 6, .inversions = 2, .boots = 2}},
    {"never promised, and nobody's",
     {{"t-0-0", BOOT_A, 0},
      {"t-0-1", BOOT_A, 1},
      {"t-0-2", BOOT_A, 2},
      {"t-0-3", BOOT_A, 3},
      {"t-0-4", BOOT_A, 4},
      {"t-0-5", BOOT_A, 5},
      {"t-0-6", BOOT_A, 6},
      {"t-0-9", NULL, 0},
      {"u-0-1", NULL, 0},
      {"t-0-", NULL, 0}},
     {.records = 10, .foreign = 3, .delivered = 6, .unpromised = 1, .boots = 1}},
};

static void assert_sum(const char *name, const struct tally_sum *got, const struct tally_sum *want)
{
    if (memcmp(got, want, sizeof(*got)) == 0)
        return;
    print_error("%s: delivered %lu lost %lu duplicates %lu inversions %lu/%lu holes %lu boots %lu "
                "foreign %lu unpromised %lu\n",
                name, got->delivered, got->lost, got->duplicates, got->inversions,
                got->boot_inversions, got->holes, got->boots, got->foreign, got->unpromised);
    fail();
}

static void take(struct tally *t, const struct record *r)
{
    char text[128] = "";
    struct est_view chain = EST_VIEW_NONE;
    est_err err;

    if (r->boot != NULL) {
        (void)snprintf(text, sizeof(text), "%s/0/order/3/%u", r->boot, r->n);
        chain = est_view_str(text);
    }
    err = r->id[0] == '\0' ? tally_mark(t, chain) : tally_take(t, est_view_str(r->id), chain);
    assert_int_equal(err, EST_OK);
}

static void run_row(const struct row *row)
{
    struct tally t;
    struct tally_sum want = row->want;

    tally_init(&t);
    assert_int_equal(tally_add(&t, "t", 1, 2), EST_OK);
    assert_int_equal(tally_lane(&t, 0, 6, 8), EST_OK);
    for (size_t i = 0; i < 10 && row->records[i].id != NULL; i++)
        take(&t, &row->records[i]);
    want.sent = 8;
    want.accepted = 6;
    assert_sum(row->name, tally_end(&t), &want);
    tally_fini(&t);
}

static void test_faults_are_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run_row(&rows[i]);
}

static void test_long_chains(void **state)
{
    struct tally t;
    char id[32], chain[128];

    (void)state;
    tally_init(&t);
    assert_int_equal(tally_add(&t, "long", 1, 1), EST_OK);
    assert_int_equal(tally_lane(&t, 0, 20000, 20000), EST_OK);
    for (unsigned i = 0; i < 20000; i++) {
        (void)snprintf(id, sizeof(id), "long-0-%u", i);
        (void)snprintf(chain, sizeof(chain), BOOT_A "/0/order/3/%u", i * 2);
        assert_int_equal(tally_take(&t, est_view_str(id), est_view_str(chain)), EST_OK);
    }
    assert_int_equal(tally_end(&t)->holes, 19999);
    assert_int_equal(tally_end(&t)->delivered, 20000);
    tally_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_are_seen),
        cmocka_unit_test(test_long_chains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
