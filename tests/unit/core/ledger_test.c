#include "core/ledger.h"

#include "base/mem.h"
#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static struct est_ledger_key key_of(unsigned boot, uint64_t epoch)
{
    struct est_ledger_key key = {.epoch = epoch};

    memcpy(key.boot, &boot, sizeof(boot));
    return key;
}

static bool add(struct est_ledger *led, unsigned boot, uint64_t epoch, uint64_t n)
{
    struct est_ledger_key key = key_of(boot, epoch);

    return est_ledger_add(led, &key, n);
}

static void a_number_repeats_only_in_its_own_chain(void **state)
{
    struct est_ledger led;

    (void)state;
    est_ledger_init(&led, false);
    assert_false(add(&led, 1, 0, 0));
    assert_true(add(&led, 1, 0, 0));
    assert_false(add(&led, 2, 0, 0));
    assert_false(add(&led, 1, 1, 0));
    assert_false(add(&led, 1, 0, 3));
    assert_int_equal(est_ledger_missing(&led), 2);
    assert_false(add(&led, 1, 0, 1));
    assert_true(add(&led, 1, 0, 1));
    assert_int_equal(est_ledger_missing(&led), 1);
    assert_int_equal(led.n, 3);
    est_ledger_clear(&led);
}

static void a_partial_ledger_begins_chains_where_it_meets_them(void **state)
{
    struct est_ledger led;

    (void)state;
    est_ledger_init(&led, true);
    assert_false(add(&led, 1, 0, 100));
    assert_int_equal(est_ledger_missing(&led), 0);
    assert_false(add(&led, 1, 0, 99));
    assert_false(add(&led, 1, 0, 99));
    assert_int_equal(led.below, 2);
    assert_true(add(&led, 1, 0, 100));
    est_ledger_clear(&led);
}

static void the_chain_unseen_longest_is_folded(void **state)
{
    struct est_ledger led;

    (void)state;
    est_ledger_init(&led, false);
    for (unsigned boot = 0; boot < EST_LEDGER_CHAINS; boot++)
        add(&led, boot, 0, 2);
    assert_true(add(&led, 0, 0, 2));
    assert_false(led.partial);
    assert_false(add(&led, 1000, 0, 2)); /* folds boot 1, whose 0 and 1 are missing for good */
    assert_int_equal(led.n, EST_LEDGER_CHAINS);
    assert_true(led.partial);
    assert_int_equal(led.gone, 2);
    assert_int_equal(est_ledger_missing(&led), 2 * (EST_LEDGER_CHAINS + 1));
    assert_true(add(&led, 0, 0, 2));
    assert_false(add(&led, 1, 0, 2));
    est_ledger_clear(&led);
}

/* All of it must be the ledger's. */
static est_err load(struct est_ledger *led, struct est_view saved)
{
    est_err err = est_ledger_load(led, &saved);

    if (err != EST_OK || saved.len == 0)
        return err;
    est_ledger_clear(led);
    return EST_ERR_INVALID;
}

static void assert_same(const struct est_ledger *a, const struct est_ledger *b);

static void a_run_is_what_its_numbers_are(void **state)
{
    static const struct {
        uint64_t n, count;
    } runs[] = {{0, 5}, {5, 100}, {110, 3}, {100, 20}, {103, 2}, {300, 1}, {299, 5}, {2, 400}};
    struct est_ledger one, all;
    struct est_ledger_key key = key_of(1, 0);

    (void)state;
    est_ledger_init(&one, false);
    est_ledger_init(&all, false);
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        for (uint64_t n = 0; n < runs[i].count; n++)
            est_ledger_add(&one, &key, runs[i].n + n);
        est_ledger_add_run(&all, &key, runs[i].n, runs[i].count);
        assert_same(&one, &all);
    }
    est_ledger_clear(&one);
    est_ledger_clear(&all);
}

/* Behind a jump each chain's next hole has expired, and only that one; a chain that is met first
 * behind it has lost its beginning. */
static void what_a_jump_has_passed_is_expired(void **state)
{
    struct est_ledger led, loaded;
    struct est_buf out;

    (void)state;
    est_ledger_init(&led, false);
    add(&led, 1, 0, 4); /* 0 to 3 are missing */
    add(&led, 2, 0, 0);
    est_ledger_jump(&led);
    assert_true(add(&led, 1, 0, 4));
    assert_false(add(&led, 1, 0, 10));
    assert_int_equal(led.expired, 5);
    assert_int_equal(est_ledger_missing(&led), 4);
    assert_false(add(&led, 1, 0, 4)); /* forgotten, hence in doubt */
    assert_true(add(&led, 1, 0, 10));
    assert_false(add(&led, 1, 0, 12));
    assert_int_equal(est_ledger_missing(&led), 5);
    assert_false(add(&led, 3, 0, 7));
    assert_int_equal(led.expired, 12);

    est_buf_init(&out, 4096);
    est_ledger_init(&loaded, false);
    assert_int_equal(est_ledger_save(&led, 4096, &out), EST_OK);
    assert_int_equal(load(&loaded, est_buf_view(&out)), EST_OK);
    assert_false(add(&loaded, 2, 0, 3)); /* its jump was saved with it */
    assert_int_equal(loaded.expired, 14);
    assert_false(add(&loaded, 4, 0, 2));
    assert_int_equal(est_ledger_missing(&loaded), 7);
    est_ledger_clear(&led);
    est_ledger_clear(&loaded);
    est_buf_fini(&out);
}

static void assert_same(const struct est_ledger *a, const struct est_ledger *b)
{
    char x[16384], y[16384];
    struct est_buf one, two;
    struct est_ledger left, right;

    est_ledger_init(&left, false);
    est_ledger_init(&right, false);
    assert_int_equal(est_ledger_copy(&left, a), EST_OK);
    assert_int_equal(est_ledger_copy(&right, b), EST_OK);
    est_buf_init(&one, sizeof(x));
    est_buf_init(&two, sizeof(y));
    assert_int_equal(est_ledger_save(&left, sizeof(x), &one), EST_OK);
    assert_int_equal(est_ledger_save(&right, sizeof(y), &two), EST_OK);
    assert_true(est_view_eq(est_buf_view(&one), est_buf_view(&two)));
    est_buf_fini(&one);
    est_buf_fini(&two);
    est_ledger_clear(&left);
    est_ledger_clear(&right);
}

static void fill_at_random(struct est_ledger *led, struct est_rng *rng, unsigned chains)
{
    est_ledger_init(led, false);
    for (int i = 0; i < 2000; i++)
        add(led, (unsigned)est_rng_below(rng, chains), est_rng_below(rng, 2),
            est_rng_below(rng, 500));
    led->expired = est_rng_below(rng, 1000);
}

static void what_was_saved_is_loaded(void **state)
{
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 1);
    for (unsigned chains = 1; chains <= 40; chains += 3) {
        struct est_ledger led, loaded;
        struct est_buf out;
        est_buf_init(&out, 65536);
        fill_at_random(&led, &rng, chains);
        est_ledger_init(&loaded, false);
        assert_int_equal(est_ledger_save(&led, 65536, &out), EST_OK);
        assert_int_equal(load(&loaded, est_buf_view(&out)), EST_OK);
        assert_same(&led, &loaded);
        assert_int_equal(led.expired, loaded.expired);
        assert_int_equal(est_ledger_missing(&led), est_ledger_missing(&loaded));
        est_ledger_clear(&led);
        est_ledger_clear(&loaded);
        est_buf_fini(&out);
    }
}

/* Whatever is given up to fit: counts stay, nothing new is claimed, and the newest chain survives.
 */
static void it_is_cut_to_fit(void **state)
{
    static const size_t limits[] = {3000, 1000, 400, EST_LEDGER_SAVE_MIN};
    struct est_rng rng;
    struct est_ledger led, loaded;
    struct est_buf out;

    (void)state;
    est_rng_seed(&rng, 2);
    fill_at_random(&led, &rng, 40);
    add(&led, 9999, 0, 0);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint64_t missing = est_ledger_missing(&led);
        est_buf_init(&out, 65536);
        est_buf_puts(&out, "before");
        est_ledger_init(&loaded, false);
        assert_int_equal(est_ledger_save(&led, limits[i], &out), EST_OK);
        assert_in_range(out.len - 6, limits[i] / 4, limits[i]);
        est_buf_consume(&out, 6);
        assert_int_equal(load(&loaded, est_buf_view(&out)), EST_OK);
        assert_true(loaded.partial);
        assert_int_equal(loaded.expired, led.expired);
        assert_int_equal(est_ledger_missing(&loaded), missing);
        assert_true(add(&loaded, 9999, 0, 0));
        est_ledger_clear(&loaded);
        est_buf_fini(&out);
    }
    est_ledger_clear(&led);
}

/* A cut or changed text is refused, or is a ledger that can be saved again; never a crash. */
static void damaged_texts(void **state)
{
    struct est_rng rng;
    struct est_ledger led, loaded;
    struct est_buf out;
    char copy[4096];

    (void)state;
    est_rng_seed(&rng, 3);
    fill_at_random(&led, &rng, 3);
    est_buf_init(&out, sizeof(copy));
    assert_int_equal(est_ledger_save(&led, sizeof(copy), &out), EST_OK);
    est_ledger_init(&loaded, false);
    for (size_t n = 0; n < out.len; n++)
        assert_int_equal(load(&loaded, est_view(out.data, n)), EST_ERR_INVALID);
    for (int i = 0; i < 20000; i++) {
        memcpy(copy, out.data, out.len);
        copy[est_rng_below(&rng, out.len)] = (char)est_rng_next(&rng);
        if (load(&loaded, est_view(copy, out.len)) == EST_OK)
            assert_same(&loaded, &loaded);
        else
            assert_true(loaded.partial && loaded.n == 0);
    }
    est_ledger_clear(&loaded);
    est_ledger_clear(&led);
    est_buf_fini(&out);
}

/* By hand: holes that would claim what was never seen, or reach past the end. */
static void impossible_holes_are_refused(void **state)
{
    static const struct {
        unsigned char base, length, holes, hole[4];
        est_err want;
    } cases[] = {
        {0, 10, 1, {2, 3}, EST_OK},
        {0, 10, 1, {0, 8}, EST_OK},
        {0, 10, 1, {0, 9}, EST_ERR_INVALID},  /* up to the end */
        {0, 10, 1, {10, 0}, EST_ERR_INVALID}, /* at the end */
        {0, 10, 2, {2, 1, 1, 0}, EST_OK},
        {0, 10, 2, {2, 1, 0, 0}, EST_ERR_INVALID}, /* touches the one before */
        {0, 10, 33, {1, 0}, EST_ERR_INVALID},
    };
    struct est_ledger led;

    (void)state;
    est_ledger_init(&led, false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64] = {0, 0, 0, 0, 1};
        size_t len = 5 + EST_LEDGER_BOOT + 1;
        text[len++] = (char)cases[i].base;
        text[len++] = (char)cases[i].length;
        text[len++] = (char)(cases[i].holes << 1);
        memcpy(text + len, cases[i].hole, 4);
        len += cases[i].holes < 3 ? cases[i].holes * 2U : 4;
        assert_int_equal(load(&led, est_view(text, len)), cases[i].want);
    }
    est_ledger_clear(&led);
}

static void memory_runs_out(void **state)
{
    struct est_ledger led, copy;
    struct est_buf out;

    (void)state;
    est_ledger_init(&led, false);
    est_ledger_init(&copy, false);
    add(&led, 1, 0, 0);
    est_mem_fail_after(0);
    assert_false(add(&led, 2, 0, 5));
    assert_true(led.partial);
    assert_false(add(&led, 2, 0, 5));
    assert_int_equal(est_ledger_missing(&led), 0);
    est_buf_init(&out, 4096);
    assert_int_equal(est_ledger_save(&led, 4096, &out), EST_OK);
    for (long n = 0; n < 2; n++) {
        est_mem_fail_after(n);
        assert_int_equal(load(&copy, est_buf_view(&out)), EST_ERR_NOMEM);
        assert_true(copy.partial && copy.n == 0);
        est_mem_fail_after(n);
        assert_int_equal(est_ledger_copy(&copy, &led), EST_ERR_NOMEM);
        assert_true(copy.partial && copy.n == 0);
    }
    est_ledger_clear(&led);
    est_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_repeats_only_in_its_own_chain),
        cmocka_unit_test(a_partial_ledger_begins_chains_where_it_meets_them),
        cmocka_unit_test(the_chain_unseen_longest_is_folded),
        cmocka_unit_test(a_run_is_what_its_numbers_are),
        cmocka_unit_test(what_a_jump_has_passed_is_expired),
        cmocka_unit_test(what_was_saved_is_loaded),
        cmocka_unit_test(it_is_cut_to_fit),
        cmocka_unit_test(damaged_texts),
        cmocka_unit_test(impossible_holes_are_refused),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
