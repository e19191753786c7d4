#include "base/map.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

enum { KEYS = 500 };

/* Values of SipHash-1-3 with key 00 01 … 0f over 00 01 …, computed apart from this code. */
static void hash_is_siphash(void **state)
{
    static const struct {
        size_t len;
        uint64_t want;
    } cases[] = {{0, 0xabac0158050fc4dc}, {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
                 {8, 0x369095118d299a8e}, {15, 0xd320d86d2a519956}, {63, 0x9d199062b7bbb3a8}};
    char data[64];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)i;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
            est_hash(est_view(data, cases[i].len), 0x0706050403020100, 0x0f0e0d0c0b0a0908),
            cases[i].want);
}

struct model {
    struct est_map map;
    void *want[KEYS]; /* NULL = absent */
    size_t n;
};

static char values[1000];

static struct est_view key_of(size_t k, char text[16])
{
    return est_view(text, (size_t)snprintf(text, 16, "%zu", k * k));
}

static void check(const struct model *m)
{
    size_t it = 0, n = 0;
    struct est_view key;
    void *value;

    assert_int_equal(m->map.n, m->n);
    for (size_t k = 0; k < KEYS; k++) {
        char text[16];
        assert_ptr_equal(est_map_get(&m->map, key_of(k, text)), m->want[k]);
    }
    while ((value = est_map_next(&m->map, &it, &key)) != NULL) {
        n++;
        assert_ptr_equal(est_map_get(&m->map, key), value);
    }
    assert_int_equal(n, m->n);
}

static void put(struct model *m, size_t k, size_t max)
{
    char text[16];
    void *value = &values[rand() % 1000];
    est_err err = est_map_put(&m->map, key_of(k, text), value);

    if (m->want[k] == NULL && max != 0 && m->n == max) {
        assert_int_equal(err, EST_ERR_FULL);
        return;
    }
    assert_int_equal(err, EST_OK);
    m->n += m->want[k] == NULL;
    m->want[k] = value;
}

static void take(struct model *m, size_t k)
{
    char text[16];

    assert_ptr_equal(est_map_remove(&m->map, key_of(k, text)), m->want[k]);
    m->n -= m->want[k] != NULL;
    m->want[k] = NULL;
}

/* Random puts and removes beside a plain table; so many of 100 operations put. */
static void agrees_with_a_table(void **state)
{
    static const struct {
        int puts;
        size_t max;
    } cases[] = {{50, 0}, {80, 0}, {20, 0}, {50, 10}, {90, 100}, {5, 0}};

    (void)state;
    srand(7);
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct model m = {0};
        est_map_init(&m.map, cases[c].max, 1, 2);
        for (int op = 0; op < 40000; op++) {
            size_t k = (size_t)rand() % KEYS;
            if (rand() % 100 < cases[c].puts)
                put(&m, k, cases[c].max);
            else
                take(&m, k);
            if (op % 1000 == 0)
                check(&m);
        }
        check(&m);
        est_map_fini(&m.map);
        assert_int_equal(m.map.n, 0);
    }
}

/* One key at a time, for ever: deleted slots must not make it grow, nor searches endless. */
static void a_queue_of_keys_does_not_grow(void **state)
{
    struct est_map m;

    (void)state;
    est_map_init(&m, 0, 3, 4);
    for (size_t k = 0; k < 300000; k++) {
        char text[16];
        assert_int_equal(est_map_put(&m, key_of(k, text), &values[0]), EST_OK);
        if (k >= 8)
            assert_non_null(est_map_remove(&m, key_of(k - 8, text)));
        assert_null(est_map_get(&m, EST_VIEW_LIT("absent")));
    }
    assert_true(m.cap <= 64);
    est_map_fini(&m);
}

static void removing_while_walking(void **state)
{
    struct est_map m;
    struct est_view key;
    size_t it = 0, n = 0;
    char text[16];

    (void)state;
    est_map_init(&m, 0, 5, 6);
    for (size_t k = 0; k < 100; k++)
        assert_int_equal(est_map_put(&m, key_of(k, text), &values[k]), EST_OK);
    while (est_map_next(&m, &it, &key) != NULL) {
        char copy[16];
        memcpy(copy, key.data, key.len);
        assert_non_null(est_map_remove(&m, est_view(copy, key.len)));
        n++;
    }
    assert_int_equal(n, 100);
    assert_int_equal(m.n, 0);
    est_map_fini(&m);
}

static void keys_are_bytes(void **state)
{
    struct est_map m;

    (void)state;
    est_map_init(&m, 0, 0, 0);
    assert_int_equal(est_map_put(&m, EST_VIEW_LIT("a\0b"), &values[1]), EST_OK);
    assert_int_equal(est_map_put(&m, EST_VIEW_LIT("a"), &values[2]), EST_OK);
    assert_int_equal(est_map_put(&m, EST_VIEW_LIT(""), &values[3]), EST_OK);
    assert_ptr_equal(est_map_get(&m, EST_VIEW_LIT("a\0b")), &values[1]);
    assert_ptr_equal(est_map_get(&m, EST_VIEW_LIT("a")), &values[2]);
    assert_ptr_equal(est_map_get(&m, EST_VIEW_NONE), &values[3]);
    assert_null(est_map_get(&m, EST_VIEW_LIT("a\0c")));
    est_map_fini(&m);
}

/* Whichever allocation fails: the map is as it was before that put. */
static void without_memory(void **state)
{
    (void)state;
    for (long after = 0;; after++) {
        struct model m = {0};
        size_t failed = 0;
        est_map_init(&m.map, 0, 1, 2);
        est_mem_fail_after(after);
        for (size_t k = 0; k < 100; k++) {
            char text[16];
            if (est_map_put(&m.map, key_of(k, text), &values[k]) == EST_OK) {
                m.want[k] = &values[k];
                m.n++;
            } else {
                failed++;
            }
        }
        est_mem_fail_after(-1);
        check(&m);
        est_map_fini(&m.map);
        if (failed == 0)
            break;
        assert_int_equal(failed, 1);
    }
}

static void digest(const char *const parts[3], uint64_t ret[2])
{
    struct est_hasher h;

    est_hasher_init(&h, 1, 2);
    for (size_t i = 0; i < 3; i++)
        est_hasher_add(&h, est_view_str(parts[i]));
    est_hasher_end(&h, ret);
}

/* Parts, their order and their borders all count, also where words end and where zeros stand. */
static void a_sequence_has_borders(void **state)
{
    static const char *const lists[][3] = {
        {"a", "b", ""},
        {"b", "a", ""},
        {"ab", "", ""},
        {"", "ab", ""},
        {"", "", "ab"},
        {"", "", ""},
        {"12345678", "x", ""},
        {"12345678x", "", ""},
        {"1234567", "8x", ""},
        {"12345678", "", "x"},
        {"1234567812345678", "x", ""},
    };
    enum { LISTS = sizeof(lists) / sizeof(lists[0]) };
    uint64_t seen[LISTS][2];

    (void)state;
    for (size_t i = 0; i < LISTS; i++) {
        digest(lists[i], seen[i]);
        assert_true(seen[i][0] != seen[i][1]);
        for (size_t j = 0; j < i; j++)
            if (seen[i][0] == seen[j][0] || seen[i][1] == seen[j][1])
                fail_msg("%zu and %zu", i, j);
    }
    digest(lists[0], seen[1]);
    assert_memory_equal(seen[0], seen[1], sizeof(seen[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_siphash),
        cmocka_unit_test(agrees_with_a_table),
        cmocka_unit_test(a_queue_of_keys_does_not_grow),
        cmocka_unit_test(removing_while_walking),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(a_sequence_has_borders),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
