#include "core/ahead.h"

#include "base/mem.h"
#include "core/chain.h"
#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static struct est_ledger_key key_of(unsigned boot)
{
    struct est_ledger_key key = {.epoch = boot % 3};

    memcpy(key.boot, &boot, sizeof(boot));
    return key;
}

static bool add(struct est_ahead *ahead, unsigned boot, uint64_t n, uint64_t count, bool dead)
{
    struct est_ledger_key key = key_of(boot);

    return est_ahead_add(ahead, &key, n, count, dead ? EST_END_DEAD : EST_END_DELIVERED);
}

static enum est_end find(const struct est_ahead *ahead, unsigned boot, uint64_t n)
{
    struct est_ledger_key key = key_of(boot);

    return est_ahead_find(ahead, &key, n);
}

/* As the next owner gets it: the ledger knows boot 1 only. */
static void hand_over(const struct est_ahead *from, struct est_ahead *to, size_t max)
{
    struct est_ledger led;
    struct est_ledger_key key = key_of(1);
    struct est_buf out;

    est_ledger_init(&led, false);
    est_ledger_add(&led, &key, 0);
    est_buf_init(&out, 65536);
    est_ahead_save(from, &led, 1000, max, &out);
    assert_in_range(out.len, 0, max);
    assert_int_equal(est_ahead_load(to, &led, 1000, est_buf_view(&out)), EST_OK);
    est_buf_fini(&out);
    est_ledger_clear(&led);
}

static void only_what_was_added_is_found(void **state)
{
    static const struct {
        unsigned boot;
        uint64_t n;
        enum est_end want;
    } cases[] = {
        {1, 9, EST_END_OPEN},      {1, 10, EST_END_DELIVERED}, {1, 19, EST_END_DELIVERED},
        {1, 20, EST_END_DEAD},     {1, 21, EST_END_DELIVERED}, {1, 22, EST_END_OPEN},
        {1, 39, EST_END_OPEN},     {1, 40, EST_END_DELIVERED}, {1, 41, EST_END_OPEN},
        {2, 5, EST_END_DELIVERED}, {2, 4, EST_END_OPEN},       {2, 10, EST_END_OPEN},
        {3, 10, EST_END_OPEN},     {1, 5, EST_END_DELIVERED},  {1, EST_CHAIN_N_MAX, EST_END_OPEN},
    };
    struct est_ahead ahead, loaded;

    (void)state;
    est_ahead_init(&ahead);
    est_ahead_init(&loaded);
    ahead.until = 1100;
    assert_true(add(&ahead, 1, 10, 10, false));
    assert_true(add(&ahead, 2, 5, 1, false));
    assert_true(add(&ahead, 1, 20, 1, true));
    assert_true(add(&ahead, 1, 21, 1, false));
    assert_true(add(&ahead, 1, 40, 1, false));
    assert_true(add(&ahead, 1, 5, 1, false)); /* came late */
    assert_int_equal(est_ahead_count(&ahead), 15);
    hand_over(&ahead, &loaded, 3000);
    assert_int_equal(loaded.until, 1100);
    assert_int_equal(est_ahead_count(&loaded), 15);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(find(&loaded, cases[i].boot, cases[i].n), cases[i].want);
    est_ahead_fini(&ahead);
    est_ahead_fini(&loaded);
}

/* Two chains by turns, each settled in stretches: a range each, not one a record. */
static void chains_by_turns_make_few_ranges(void **state)
{
    struct est_ahead ahead;

    (void)state;
    est_ahead_init(&ahead);
    for (uint64_t n = 0; n < 10000; n++) {
        assert_true(add(&ahead, 1, n, 1, false));
        assert_true(add(&ahead, 2, n, 1, false));
    }
    assert_int_equal(ahead.n, 2);
    assert_int_equal(est_ahead_count(&ahead), 20000);
    est_ahead_fini(&ahead);
}

static void what_finds_no_room_is_left_out(void **state)
{
    struct est_ahead ahead, loaded;
    uint64_t kept = 0;

    (void)state;
    est_ahead_init(&ahead);
    est_ahead_init(&loaded);
    ahead.until = 5000;
    for (uint64_t n = 0; n < EST_AHEAD_RANGES; n++)
        assert_true(add(&ahead, 7, n * 2, 1, n % 5 == 0));
    assert_false(add(&ahead, 7, 1u << 20, 1, false));
    assert_false(add(&ahead, 8, 0, 1, false));
    assert_false(add(&ahead, 9, 0, 1, false));
    for (size_t max = 2000; max > 0; max -= 100) {
        hand_over(&ahead, &loaded, max);
        for (kept = 0; kept < EST_AHEAD_RANGES && find(&loaded, 7, kept * 2) != EST_END_OPEN;)
            kept++;
        assert_int_equal(kept, est_ahead_count(&loaded));
        assert_true(kept >= (max - 30) / 4);
    }
    est_ahead_clear(&ahead);
    for (unsigned boot = 0; boot < EST_AHEAD_CHAINS; boot++)
        assert_true(add(&ahead, boot, 5, 1, false));
    assert_false(add(&ahead, EST_AHEAD_CHAINS, 5, 1, false));
    assert_true(add(&ahead, 0, 6, 1, false));
    est_ahead_fini(&ahead);
    est_ahead_fini(&loaded);
}

/* A model of what was added, at random; a number may be missed, but never be made up. */
static void against_a_model(void **state)
{
    enum { CHAINS = 4, NUMBERS = 3000 };
    static unsigned char model[CHAINS][NUMBERS];
    struct est_ahead ahead, loaded;
    struct est_rng rng;
    unsigned found = 0, added = 0;

    (void)state;
    est_rng_seed(&rng, 5);
    est_ahead_init(&ahead);
    est_ahead_init(&loaded);
    ahead.until = 3000;
    for (int i = 0; i < 300; i++) {
        unsigned boot = (unsigned)est_rng_below(&rng, CHAINS);
        uint64_t n = est_rng_below(&rng, NUMBERS - 10), count = 1 + est_rng_below(&rng, 9);
        bool dead = est_rng_chance(&rng, 20), is_new = true;
        for (uint64_t k = n; k < n + count; k++)
            is_new = is_new && model[boot][k] == 0;
        if (!is_new || !add(&ahead, boot, n, count, dead))
            continue;
        memset(&model[boot][n], dead ? EST_END_DEAD : EST_END_DELIVERED, count);
        added += (unsigned)count;
    }
    hand_over(&ahead, &loaded, 3000);
    for (unsigned boot = 0; boot < CHAINS; boot++)
        for (uint64_t n = 0; n < NUMBERS; n++) {
            enum est_end end = find(&loaded, boot, n);
            found += end != EST_END_OPEN;
            assert_true(end == EST_END_OPEN || end == model[boot][n]);
        }
    assert_int_equal(found, added);
    est_ahead_fini(&ahead);
    est_ahead_fini(&loaded);
}

static void damaged_texts(void **state)
{
    static const struct {
        size_t len;
        unsigned char text[8];
        est_err want;
    } cases[] = {
        {1, {5}, EST_OK},
        {5, {5, 0, 1, 2, 3}, EST_OK},          /* chain 0, the ledger's first, 1 … 4 */
        {5, {5, 0, 2, 2, 3}, EST_ERR_INVALID}, /* the ledger has no second chain */
        {5, {5, 2, 1, 2, 3}, EST_ERR_INVALID}, /* chain 1 before chain 0 */
        {5, {5, 0, 1, 3, 3}, EST_ERR_INVALID}, /* below 0 */
        {4, {5, 0, 1, 2}, EST_ERR_INVALID},    /* cut */
        {3, {5, 0, 0}, EST_ERR_INVALID},       /* cut in the chain */
        {8, {5, 0, 1, 2, 3, 0, 5, 0}, EST_OK}, /* back by 3 */
        {8, {5, 0, 1, 2, 3, 0, 0x80, 0}, EST_ERR_INVALID},
    };
    struct est_ledger led;
    struct est_ledger_key key = key_of(1);
    struct est_ahead ahead;

    (void)state;
    est_ledger_init(&led, false);
    est_ledger_add(&led, &key, 0);
    est_ahead_init(&ahead);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_view in = est_view((const char *)cases[i].text, cases[i].len);
        assert_int_equal(est_ahead_load(&ahead, &led, 10, in), cases[i].want);
        if (cases[i].want != EST_OK)
            assert_int_equal(ahead.n, 0);
    }
    est_ahead_fini(&ahead);
    est_ledger_clear(&led);
}

static void memory_runs_out(void **state)
{
    struct est_ahead ahead;

    (void)state;
    est_ahead_init(&ahead);
    est_mem_fail_after(0);
    assert_false(add(&ahead, 1, 0, 1, false));
    est_mem_fail_after(-1);
    assert_int_equal(ahead.n_chains, 0);
    assert_true(add(&ahead, 2, 0, 1, false));
    est_ahead_fini(&ahead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_added_is_found),
        cmocka_unit_test(chains_by_turns_make_few_ranges),
        cmocka_unit_test(what_finds_no_room_is_left_out),
        cmocka_unit_test(against_a_model),
        cmocka_unit_test(damaged_texts),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
