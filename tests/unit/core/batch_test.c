#include "core/batch.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Items of one test: the letter is the key, the number behind it the bytes. */
enum { MOST = 16 };
struct given {
    struct est_lanes *lanes;
    struct est_lane_item item[MOST];
    size_t n;
};

static void put(struct given *g, char key, size_t bytes, est_us now)
{
    assert_true(g->n < MOST);
    assert_int_equal(est_lanes_push(g->lanes, est_view(&key, 1), &g->item[g->n++], bytes, now),
                     EST_OK);
}

static void open_given(struct given *g, const char *keys, size_t bytes)
{
    *g = (struct given){0};
    assert_int_equal(est_lanes_new((struct est_lanes_limits){MOST, 10000, 1}, 1, 2, &g->lanes),
                     EST_OK);
    for (size_t i = 0; keys[i] != '\0'; i++)
        put(g, keys[i], bytes, (est_us)i);
}

/* Which items the batch holds, as letters from 'a' in order of arrival. */
static const char *letters(const struct est_batch *b, const struct given *g)
{
    static char out[MOST + 1];

    for (size_t i = 0; i < b->n; i++)
        out[i] = (char)(b->items[i] ? 'a' + (b->items[i] - g->item) : '-');
    out[b->n] = '\0';
    return out;
}

static void filled_by_count_bytes_and_key(void **state)
{
    static const struct {
        const char *keys;
        size_t count, bytes, per_key;
        const char *want;
    } cases[] = {
        {"1213", 10, 1000, 0, "acbd"}, /* a lane at a time, the oldest front first */
        {"1213", 3, 1000, 0, "acb"},   {"1213", 1, 1000, 0, "a"}, {"1213", 10, 1000, 1, "abd"},
        {"1111", 10, 1000, 3, "abc"},  {"1213", 10, 20, 0, "ac"}, {"1213", 10, 19, 0, "a"},
        {"1213", 10, 1, 0, "a"}, /* one always fits */
        {"", 10, 1000, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_batch_limits limits = {cases[i].count, cases[i].bytes, cases[i].per_key, 5, 0};
        struct given g;
        struct est_batch b;
        open_given(&g, cases[i].keys, 10);
        assert_int_equal(est_batch_init(&b, 10), EST_OK);
        assert_int_equal(est_batch_fill(&b, &limits, g.lanes, 100), strlen(cases[i].want));
        assert_string_equal(letters(&b, &g), cases[i].want);
        assert_int_equal(b.bytes, b.n * 10);
        assert_int_equal(est_lanes_stats(g.lanes).out, b.n);
        est_batch_fini(&b);
        est_lanes_free(g.lanes);
    }
}

/* What is cut off is the next to be handed out, once its lane has nothing out any more. */
static void cut_as_if_never_taken(void **state)
{
    struct est_batch_limits limits = {10, 1000, 0, 5, 0};
    struct given g;
    struct est_batch b;

    (void)state;
    open_given(&g, "1213", 10);
    assert_int_equal(est_batch_init(&b, 10), EST_OK);
    assert_int_equal(est_batch_fill(&b, &limits, g.lanes, 100), 4);
    est_batch_cut(&b, g.lanes, 1); /* of "acbd" */
    assert_string_equal(letters(&b, &g), "a");
    assert_int_equal(b.left, 1);
    assert_int_equal(b.bytes, 10);
    assert_int_equal(est_lanes_stats(g.lanes).out, 1);
    assert_int_equal(est_lanes_stats(g.lanes).ready_records, 2);
    (void)est_batch_settle(&b, g.lanes, 0);
    assert_int_equal(est_batch_fill(&b, &limits, g.lanes, 100), 3);
    assert_string_equal(letters(&b, &g), "bcd");
    est_batch_give_back_all(&b, g.lanes, 0, b.n, 0);
    est_batch_fini(&b);
    est_lanes_free(g.lanes);
}

static void due_when_full_or_old(void **state)
{
    static const struct {
        const char *keys;
        size_t count, bytes, per_key;
        est_us want; /* items arrived at 0, 1, 2 …; the age is 50, now is 10 */
    } cases[] = {
        {"", 3, 1000, 0, EST_NEVER}, {"12", 3, 1000, 0, 50},  {"123", 3, 1000, 0, 10},
        {"111", 3, 1000, 0, 10},     {"111", 3, 1000, 1, 50}, {"1112", 2, 1000, 1, 10},
        {"12", 3, 20, 0, 10},        {"12", 3, 21, 0, 50},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_batch_limits limits = {cases[i].count, cases[i].bytes, cases[i].per_key, 50, 0};
        struct given g;
        open_given(&g, cases[i].keys, 10);
        assert_int_equal(est_batch_due(&limits, g.lanes, 10), cases[i].want);
        est_lanes_free(g.lanes);
    }
}

static void due_again_when_a_parked_lane_wakes(void **state)
{
    const struct est_batch_limits limits = {10, 1000, 0, 50, 0};
    struct given g;
    struct est_batch b;

    (void)state;
    open_given(&g, "1", 10);
    assert_int_equal(est_batch_init(&b, 10), EST_OK);
    assert_int_equal(est_batch_fill(&b, &limits, g.lanes, 5), 1);
    est_batch_give_back(&b, g.lanes, 0, 200);
    assert_int_equal(est_batch_due(&limits, g.lanes, 100), 200);
    put(&g, '2', 10, 100);
    assert_int_equal(est_batch_due(&limits, g.lanes, 100), 150);
    put(&g, '3', 10, 190);
    assert_int_equal(est_batch_due(&limits, g.lanes, 200),
                     50); /* its age counts from its arrival */
    est_batch_fini(&b);
    est_lanes_free(g.lanes);
}

static void settled_and_given_back_one_by_one(void **state)
{
    const struct est_batch_limits limits = {10, 1000, 0, 50, 0};
    struct given g;
    struct est_batch b;

    (void)state;
    open_given(&g, "1123", 10);
    assert_int_equal(est_batch_init(&b, 10), EST_OK);
    est_batch_fill(&b, &limits, g.lanes, 9);
    assert_string_equal(letters(&b, &g), "abcd");
    assert_ptr_equal(est_batch_settle(&b, g.lanes, 2), &g.item[2]);
    assert_null(g.item[2].lane);
    est_batch_give_back(&b, g.lanes, 1, 0);
    assert_string_equal(letters(&b, &g), "a--d");
    assert_int_equal(b.left, 2);
    est_batch_give_back_all(&b, g.lanes, 0, 3, 0);
    assert_string_equal(letters(&b, &g), "---d");
    est_batch_settle(&b, g.lanes, 3);
    assert_int_equal(b.left, 0);
    est_batch_fill(&b, &limits, g.lanes, 9);
    assert_string_equal(letters(&b, &g), "ab");
    est_batch_fini(&b);
    est_lanes_free(g.lanes);
}

static void digest(const char *const *ids, size_t n, char out[EST_BATCH_KEY_LEN + 1])
{
    struct est_batch_key key;

    est_batch_key_init(&key);
    for (size_t i = 0; i < n; i++)
        est_batch_key_add(&key, est_view_str(ids[i]));
    est_batch_key_text(&key, out);
}

static void the_key_is_of_the_ids_in_order(void **state)
{
    static const char *const lists[][3] = {
        {"a", "b", "c"}, {"a", "c", "b"}, {"ab", "c", ""}, {"", "ab", "c"},
        {"a", "bc", ""}, {"a", "b", "d"}, {"", "", ""},
    };
    enum { LISTS = 7 };
    char text[LISTS + 2][EST_BATCH_KEY_LEN + 1];

    (void)state;
    for (size_t i = 0; i < LISTS; i++)
        digest(lists[i], 3, text[i]);
    digest(lists[0], 2, text[LISTS]);
    digest(lists[0], 0, text[LISTS + 1]);
    for (size_t i = 0; i < LISTS + 2; i++) {
        assert_int_equal(strspn(text[i], "0123456789abcdef"), EST_BATCH_KEY_LEN);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(text[i], text[j]);
    }
    digest(lists[0], 3, text[1]);
    assert_string_equal(text[0], text[1]);
}

static void memory_runs_out(void **state)
{
    struct est_batch b;

    (void)state;
    est_mem_fail_after(0);
    assert_int_equal(est_batch_init(&b, 10), EST_ERR_NOMEM);
}

/* What has failed goes in small company, and takes no others down with it. */
static void a_batch_is_of_one_level_and_the_smaller_the_higher(void **state)
{
    /* the keys, the level of each item, what the batches are one after the other, count 20 */
    static const struct {
        const char *keys, *levels, *want;
    } cases[] = {
        {"12345", "00000", "abcde"},     {"12345", "11111", "ab cd e"},
        {"12345", "22222", "a b c d e"}, {"123456", "110000", "ab cdef"},
        {"1112", "1011", "ad b c"}, /* what is behind in the lane waits, others go on */
        {"11122", "00011", "abc de"},
    };

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        const struct est_batch_limits limits = {.count = 20, .bytes = 1000};
        char got[64] = "";
        size_t len = 0;
        struct est_batch b;
        struct given g;
        open_given(&g, cases[c].keys, 10);
        assert_int_equal(est_batch_init(&b, 20), EST_OK);
        for (size_t i = 0; i < g.n; i++)
            g.item[i].level = (uint8_t)(cases[c].levels[i] - '0');
        while (est_batch_fill(&b, &limits, g.lanes, 99) > 0) {
            len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s", len > 0 ? " " : "",
                                    letters(&b, &g));
            for (size_t i = 0; i < b.n; i++)
                (void)est_batch_settle(&b, g.lanes, i);
        }
        assert_string_equal(got, cases[c].want);
        est_batch_fini(&b);
        est_lanes_free(g.lanes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_of_one_level_and_the_smaller_the_higher),
        cmocka_unit_test(filled_by_count_bytes_and_key),
        cmocka_unit_test(cut_as_if_never_taken),
        cmocka_unit_test(due_when_full_or_old),
        cmocka_unit_test(due_again_when_a_parked_lane_wakes),
        cmocka_unit_test(settled_and_given_back_one_by_one),
        cmocka_unit_test(the_key_is_of_the_ids_in_order),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
