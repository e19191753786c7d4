#include "core/lanes.h"

#include "base/mem.h"
#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static struct est_lanes *make(size_t records, size_t bytes)
{
    struct est_lanes *lanes;

    assert_int_equal(est_lanes_new((struct est_lanes_limits){records, bytes, 2}, 1, 2, &lanes),
                     EST_OK);
    return lanes;
}

static void push(struct est_lanes *lanes, const char *name, struct est_lane_item *item, est_us now)
{
    *item = (struct est_lane_item){0};
    assert_int_equal(est_lanes_push(lanes, est_view_str(name), item, 10, now), EST_OK);
}

static struct est_lane_item *take(struct est_lanes *lanes, est_us now)
{
    struct est_lane *lane = est_lanes_ready(lanes, 0, now);

    return lane ? est_lanes_take(lanes, lane) : NULL;
}

static void the_lane_whose_front_waited_longest_comes_first(void **state)
{
    struct est_lanes *lanes = make(100, 1000);
    struct est_lane_item a1, a2, b1, c1;

    (void)state;
    push(lanes, "a", &a1, 1);
    push(lanes, "b", &b1, 2);
    push(lanes, "a", &a2, 3);
    push(lanes, "c", &c1, 4);
    assert_int_equal(est_lanes_oldest(lanes, 0), 1);
    assert_ptr_equal(take(lanes, 5), &a1);
    assert_ptr_equal(take(lanes, 5), &b1);
    est_lanes_settle(lanes, &a1);
    assert_int_equal(est_lanes_oldest(lanes, 0), 3);
    assert_ptr_equal(take(lanes, 5), &a2);
    assert_ptr_equal(take(lanes, 5), &c1);
    assert_null(take(lanes, 5));
    assert_int_equal(est_lanes_oldest(lanes, 0), EST_NEVER);
    est_lanes_free(lanes);
}

static void a_busy_lane_hands_nothing_out(void **state)
{
    struct est_lanes *lanes = make(100, 1000);
    struct est_lane_item item[4];
    struct est_lane *lane;

    (void)state;
    for (int i = 0; i < 3; i++)
        push(lanes, "a", &item[i], i);
    lane = est_lanes_ready(lanes, 0, 9);
    assert_ptr_equal(est_lanes_take(lanes, lane), &item[0]);
    assert_ptr_equal(est_lanes_front(lane), &item[1]);
    assert_ptr_equal(est_lanes_take(lanes, lane), &item[1]);
    assert_null(est_lanes_ready(lanes, 0, 9));
    est_lanes_settle(lanes, &item[0]);
    assert_null(est_lanes_ready(lanes, 0, 9));
    push(lanes, "a", &item[3], 9);
    assert_null(est_lanes_ready(lanes, 0, 9));
    est_lanes_settle(lanes, &item[1]);
    assert_ptr_equal(take(lanes, 9), &item[2]);
    est_lanes_free(lanes);
}

/* Whatever is settled and in whatever order the rest is given back, the lane goes on in its order.
 */
static void given_back_keeps_its_place(void **state)
{
    static const struct {
        const char *acts; /* for items 0 1 2, in order of `order`: s settle, b give back */
        unsigned char order[3];
        const char *want; /* what is handed out then */
    } cases[] = {
        {"bbb", {0, 1, 2}, "01234"}, {"bbb", {2, 1, 0}, "01234"}, {"bbb", {1, 2, 0}, "01234"},
        {"sbb", {0, 2, 1}, "1234"},  {"bsb", {2, 1, 0}, "0234"},  {"bbs", {0, 1, 2}, "0134"},
        {"sss", {2, 0, 1}, "34"},    {"bss", {1, 0, 2}, "134"},
    };

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct est_lanes *lanes = make(100, 1000);
        struct est_lane_item item[5];
        char got[6] = "";
        for (int i = 0; i < 5; i++)
            push(lanes, "a", &item[i], i);
        struct est_lane *lane = est_lanes_ready(lanes, 0, 9);
        for (int i = 0; i < 3; i++)
            est_lanes_take(lanes, lane);
        for (int i = 0; i < 3; i++) {
            if (cases[c].acts[i] == 's')
                est_lanes_settle(lanes, &item[cases[c].order[i]]);
            else
                est_lanes_give_back(lanes, &item[cases[c].order[i]], 0);
        }
        for (struct est_lane_item *it; (it = take(lanes, 9)) != NULL;) {
            got[strlen(got)] = (char)('0' + (it - item));
            est_lanes_settle(lanes, it);
        }
        assert_string_equal(got, cases[c].want);
        assert_int_equal(est_lanes_stats(lanes).lanes, 0);
        est_lanes_free(lanes);
    }
}

/* Of three that were handed out together the middle one comes back: the one behind it may not go
 * out before it, and may once it is settled. */
static void what_is_behind_a_waiting_one_is_known(void **state)
{
    struct est_lanes *lanes = make(10, 100);
    struct est_lane_item a = {0}, b = {0}, c = {0}, other = {0};

    (void)state;
    push(lanes, "k", &a, 0);
    push(lanes, "k", &b, 1);
    push(lanes, "k", &c, 2);
    push(lanes, "l", &other, 3);
    for (int i = 0; i < 3; i++)
        assert_non_null(est_lanes_take(lanes, a.lane));
    assert_false(est_lanes_is_behind_waiting(&a));
    assert_false(est_lanes_is_behind_waiting(&b));
    est_lanes_give_back(lanes, &b, 0);
    assert_false(est_lanes_is_behind_waiting(&a));
    assert_true(est_lanes_is_behind_waiting(&c));
    assert_false(est_lanes_is_behind_waiting(&other));
    est_lanes_settle(lanes, &a);
    assert_false(est_lanes_is_behind_waiting(&b));
    est_lanes_settle(lanes, &b);
    assert_false(est_lanes_is_behind_waiting(&c));
    est_lanes_free(lanes);
}

static void a_parked_lane_delays_no_other(void **state)
{
    struct est_lanes *lanes = make(100, 1000);
    struct est_lane_item a1, a2, a3, b1;

    (void)state;
    push(lanes, "a", &a1, 1);
    push(lanes, "a", &a2, 2);
    push(lanes, "b", &b1, 3);
    struct est_lane *lane = est_lanes_ready(lanes, 0, 5);
    est_lanes_take(lanes, lane);
    est_lanes_take(lanes, lane);
    est_lanes_give_back(lanes, &a1, 100);
    est_lanes_give_back(lanes, &a2, 50);
    assert_int_equal(est_lanes_wake_at(lanes), 100);
    assert_int_equal(est_lanes_stats(lanes).parked, 1);
    push(lanes, "a", &a3, 6);
    assert_ptr_equal(take(lanes, 99), &b1);
    assert_null(take(lanes, 99));
    assert_ptr_equal(take(lanes, 100), &a1);
    assert_int_equal(est_lanes_wake_at(lanes), EST_NEVER);
    est_lanes_give_back(lanes, &a1, 0); /* the old time is over */
    assert_ptr_equal(take(lanes, 100), &a1);
    est_lanes_free(lanes);
}

static void waiting_items_can_be_removed(void **state)
{
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}};
    enum { READY, PARKED, BUSY } how;

    (void)state;
    for (how = READY; how <= BUSY; how++) {
        for (size_t o = 0; o < 3; o++) {
            struct est_lanes *lanes = make(100, 1000);
            struct est_lane_item item[4], out;
            push(lanes, "a", &out, 0);
            for (int i = 0; i < 4; i++)
                push(lanes, "a", &item[i], i + 1);
            take(lanes, 9);
            if (how == PARKED)
                est_lanes_give_back(lanes, &out, 1000);
            if (how != BUSY)
                est_lanes_settle(lanes, &out);
            for (int i = 0; i < 4; i++) {
                est_lanes_settle(lanes, &item[orders[o][i]]);
                assert_null(item[orders[o][i]].lane);
            }
            if (how == BUSY)
                est_lanes_settle(lanes, &out);
            struct est_lanes_stats st = est_lanes_stats(lanes), zero = {0};
            assert_memory_equal(&st, &zero, sizeof(st));
            assert_int_equal(est_lanes_wake_at(lanes), EST_NEVER);
            est_lanes_free(lanes);
        }
    }
}

static void limits_count_what_is_handed_out_too(void **state)
{
    struct est_lanes *lanes = make(3, 100);
    struct est_lane_item item[5] = {0};

    (void)state;
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("a"), &item[0], 500, 0), EST_OK);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("b"), &item[1], 0, 0), EST_ERR_FULL);
    take(lanes, 0);
    assert_false(est_lanes_has_room(lanes, 0));
    est_lanes_settle(lanes, &item[0]);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("a"), &item[0], 60, 0), EST_OK);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("b"), &item[1], 41, 0), EST_ERR_FULL);
    assert_null(item[1].lane);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("b"), &item[1], 40, 0), EST_OK);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("c"), &item[2], 0, 0), EST_OK);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("d"), &item[3], 0, 0), EST_ERR_FULL);
    est_lanes_free(lanes);
}

static void an_item_may_grow(void **state)
{
    struct est_lanes *lanes = make(100, 100);
    struct est_lane_item a, b;

    (void)state;
    push(lanes, "a", &a, 1);
    push(lanes, "b", &b, 2);
    est_lanes_resize(lanes, &a, 50);
    assert_int_equal(est_lanes_stats(lanes).bytes, 60);
    assert_int_equal(est_lanes_stats(lanes).ready_bytes, 60);
    assert_ptr_equal(take(lanes, 3), &a);
    est_lanes_resize(lanes, &a, 95); /* handed out, and beyond the limit */
    assert_int_equal(est_lanes_stats(lanes).bytes, 105);
    assert_int_equal(est_lanes_stats(lanes).ready_bytes, 10);
    assert_false(est_lanes_has_room(lanes, 0));
    est_lanes_give_back(lanes, &a, 0);
    assert_int_equal(est_lanes_stats(lanes).ready_bytes, 105);
    est_lanes_settle(lanes, &a);
    assert_int_equal(est_lanes_stats(lanes).bytes, 10);
    est_lanes_free(lanes);
}

/* Lanes come and go in any order, so that runs of the table are opened and closed everywhere: each
 * that is there is found, by names short and long. */
static void lanes_that_come_and_go(void **state)
{
    enum { NAMES = 300 };
    struct est_lanes *lanes = make(1000, 100000);
    struct est_lane_item items[NAMES] = {0}, again;
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 7);
    for (int step = 0; step < 20000; step++) {
        size_t i = (size_t)(est_rng_next(&rng) % NAMES), there = est_lanes_stats(lanes).lanes;
        char name[80];
        (void)snprintf(name, sizeof(name), i % 3 ? "%zu" : "%070zu", i);
        if (items[i].lane == NULL) {
            push(lanes, name, &items[i], 1);
            assert_int_equal(est_lanes_stats(lanes).lanes, there + 1);
            continue;
        }
        push(lanes, name, &again, 1);
        assert_ptr_equal(again.lane, items[i].lane);
        est_lanes_settle(lanes, &again);
        est_lanes_settle(lanes, &items[i]);
        assert_int_equal(est_lanes_stats(lanes).lanes, there - 1);
    }
    est_lanes_free(lanes);
}

static void names_are_bytes(void **state)
{
    struct est_lanes *lanes = make(10, 100);
    struct est_lane_item item[4] = {0};

    (void)state;
    assert_int_equal(est_lanes_push(lanes, est_view("a\0b", 3), &item[0], 1, 0), EST_OK);
    assert_int_equal(est_lanes_push(lanes, est_view("a\0c", 3), &item[1], 1, 0), EST_OK);
    assert_int_equal(est_lanes_push(lanes, est_view("", 0), &item[2], 1, 0), EST_OK);
    assert_int_equal(est_lanes_push(lanes, est_view("", 0), &item[3], 1, 0), EST_OK);
    assert_int_equal(est_lanes_stats(lanes).lanes, 3);
    est_lanes_free(lanes);
}

/* What the lanes must look like, kept in the plainest way. */
enum { KEYS = 12, ITEMS = 120 };
struct model {
    struct est_lane_item item;
    int key;
    bool in, out;
};

static void check_stats(struct est_lanes *lanes, const struct model *m, const est_us *not_before,
                        est_us now)
{
    struct est_lanes_stats want = {0}, got;
    size_t waiting[KEYS] = {0}, out[KEYS] = {0};

    est_lanes_ready(lanes, 0, now);
    for (int i = 0; i < ITEMS; i++) {
        waiting[m[i].key] += m[i].in && !m[i].out;
        out[m[i].key] += m[i].in && m[i].out;
    }
    for (int k = 0; k < KEYS; k++) {
        bool parked = waiting[k] > 0 && out[k] == 0 && not_before[k] > now;
        bool ready = waiting[k] > 0 && out[k] == 0 && !parked;
        want.records += waiting[k] + out[k];
        want.out += out[k];
        want.lanes += waiting[k] + out[k] > 0;
        want.ready += ready;
        want.parked += parked;
        want.ready_records += ready ? waiting[k] : 0;
    }
    want.bytes = want.records * 10;
    want.ready_bytes = want.ready_records * 10;
    got = est_lanes_stats(lanes);
    assert_memory_equal(&want, &got, sizeof(want));
}

static void take_some(struct est_lanes *lanes, struct model *m, est_us *not_before,
                      struct est_rng *rng, est_us now)
{
    struct est_lane *lane = est_lanes_ready(lanes, 0, now);
    uint64_t n = est_rng_below(rng, 4) + 1;

    for (; lane != NULL && n > 0 && est_lanes_front(lane) != NULL; n--) {
        struct model *took = (struct model *)(void *)est_lanes_take(lanes, lane);
        assert_true(took->in && !took->out);
        for (int i = 0; i < ITEMS; i++) /* nothing older of its key waits */
            if (m[i].key == took->key && m[i].in && !m[i].out && &m[i] != took)
                assert_true(m[i].item.serial > took->item.serial);
        took->out = true;
        not_before[took->key] = 0;
    }
}

static void any_sequence_of_calls(void **state)
{
    static struct model m[ITEMS];
    struct est_lanes *lanes = make(ITEMS, ITEMS * 10);
    est_us not_before[KEYS] = {0};
    struct est_rng rng;

    (void)state;
    est_rng_seed(&rng, 11);
    for (est_us now = 1; now < 30000; now++) {
        struct model *it = &m[est_rng_below(&rng, ITEMS)];
        char name[2] = "A";
        if (!it->in) {
            it->key = (int)est_rng_below(&rng, KEYS);
            name[0] = (char)('A' + it->key);
            push(lanes, name, &it->item, now);
            bool alone = true;
            for (int i = 0; i < ITEMS; i++)
                alone = alone && (!m[i].in || m[i].key != it->key);
            if (alone)
                not_before[it->key] = 0;
            it->in = true;
            it->out = false;
        } else if (it->out && est_rng_chance(&rng, 50)) {
            est_us until = est_rng_chance(&rng, 50) ? now + (est_us)est_rng_below(&rng, 50) : 0;
            est_lanes_give_back(lanes, &it->item, until);
            it->out = false;
            if (until > not_before[it->key])
                not_before[it->key] = until;
        } else if (it->out || est_rng_chance(&rng, 10)) {
            est_lanes_settle(lanes, &it->item);
            it->in = false;
        }
        if (est_rng_chance(&rng, 30))
            take_some(lanes, m, not_before, &rng, now);
        check_stats(lanes, m, not_before, now);
    }
    est_lanes_free(lanes);
}

static void a_hundred_thousand_lanes(void **state)
{
    enum { N = 100000 };
    struct est_lanes *lanes = make(N, N);
    struct est_lane_item *items = est_calloc(N, sizeof(*items));
    char name[16];

    (void)state;
    for (int i = 0; i < N; i++) {
        int len = snprintf(name, sizeof(name), "key-%d", i);
        assert_int_equal(est_lanes_push(lanes, est_view(name, (size_t)len), &items[i], 1, i),
                         EST_OK);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++)
            assert_ptr_equal(take(lanes, N * (round + 1)), &items[i]);
        for (int i = 0; i < N; i++) {
            if (round == 0)
                est_lanes_give_back(lanes, &items[i], N + 1 + i % 10);
            else
                est_lanes_settle(lanes, &items[i]);
        }
    }
    assert_int_equal(est_lanes_stats(lanes).lanes, 0);
    est_lanes_free(lanes);
    est_free(items);
}

static void memory_runs_out(void **state)
{
    struct est_lanes *lanes = NULL;
    struct est_lane_item item[300] = {0};
    char name[16];

    (void)state;
    est_mem_fail_after(0);
    assert_int_equal(est_lanes_new((struct est_lanes_limits){9, 9, 1}, 1, 2, &lanes),
                     EST_ERR_NOMEM);
    lanes = make(300, 3000);
    for (int i = 0; i < 300; i++) {
        int len = snprintf(name, sizeof(name), "%d", i);
        for (long n = 0;; n++) {
            est_mem_fail_after(n);
            if (est_lanes_push(lanes, est_view(name, (size_t)len), &item[i], 10, i) == EST_OK)
                break;
            assert_null(item[i].lane);
            assert_int_equal(est_lanes_stats(lanes).lanes, (size_t)i);
        }
    }
    est_mem_fail_after(0); /* no other call needs memory */
    for (int i = 0; i < 300; i++)
        assert_ptr_equal(take(lanes, 999), &item[i]);
    for (int i = 0; i < 300; i++)
        est_lanes_give_back(lanes, &item[i], i % 2 ? 1000 : 0);
    for (int i = 0; i < 300; i++)
        est_lanes_settle(lanes, &item[i]);
    est_mem_fail_after(-1);
    est_lanes_free(lanes);
    est_lanes_free(NULL);
}

static void lanes_are_asked_for_by_group(void **state)
{
    struct est_lanes *lanes = make(100, 1000);
    struct est_lane_item a, b = {.group = 1}, c = {.group = 1};
    struct est_lane *lane;

    (void)state;
    push(lanes, "a", &a, 1);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("b"), &b, 20, 2), EST_OK);
    assert_int_equal(est_lanes_push(lanes, EST_VIEW_LIT("c"), &c, 30, 3), EST_OK);
    assert_int_equal(est_lanes_group(lanes, 0).ready_records, 1);
    assert_int_equal(est_lanes_group(lanes, 1).ready_bytes, 50);
    assert_int_equal(est_lanes_stats(lanes).ready_records, 3);
    assert_int_equal(est_lanes_oldest(lanes, 1), 2);
    lane = est_lanes_ready(lanes, 1, 5);
    assert_ptr_equal(est_lanes_take(lanes, lane), &b);
    est_lanes_give_back(lanes, &b, 10);
    assert_ptr_equal(est_lanes_front(est_lanes_ready(lanes, 1, 5)), &c);
    assert_ptr_equal(est_lanes_front(est_lanes_ready(lanes, 0, 10)), &a); /* wakes b, too */
    assert_int_equal(est_lanes_group(lanes, 1).ready, 2);
    est_lanes_settle(lanes, &b);
    est_lanes_settle(lanes, &c);
    assert_int_equal(est_lanes_group(lanes, 1).records, 0);
    assert_null(est_lanes_ready(lanes, 1, 10));
    assert_int_equal(est_lanes_group(lanes, 0).records, 1);
    est_lanes_free(lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_are_asked_for_by_group),
        cmocka_unit_test(the_lane_whose_front_waited_longest_comes_first),
        cmocka_unit_test(a_busy_lane_hands_nothing_out),
        cmocka_unit_test(given_back_keeps_its_place),
        cmocka_unit_test(what_is_behind_a_waiting_one_is_known),
        cmocka_unit_test(a_parked_lane_delays_no_other),
        cmocka_unit_test(waiting_items_can_be_removed),
        cmocka_unit_test(limits_count_what_is_handed_out_too),
        cmocka_unit_test(an_item_may_grow),
        cmocka_unit_test(lanes_that_come_and_go),
        cmocka_unit_test(names_are_bytes),
        cmocka_unit_test(any_sequence_of_calls),
        cmocka_unit_test(a_hundred_thousand_lanes),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
