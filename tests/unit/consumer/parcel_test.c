/* What parcels count, and when their records get memory of their own. */
#include "consumer_fixture.h"

#include "base/mem.h"
#include "core/lanes.h"
#include "parcel.h"

static struct parcel *put(struct worker *w, int64_t offset)
{
    struct part *p = &w->parts.items[0];
    struct parcel *pc = parcel_new(&w->parcels, p, fixture_msg(offset, "k", "0123456789", 10));

    assert_non_null(pc);
    assert_int_equal(est_lanes_push(w->lanes, EST_VIEW_LIT("k"), &pc->item, pc->bytes, 0), EST_OK);
    loans_add(&w->loans, pc);
    return pc;
}

static void a_part_counts_its_parcels(void **state)
{
    struct worker *w = fixture_worker(1);
    struct part *p = &w->parts.items[0];
    struct parcel *a = put(w, 1), *b = put(w, 2);

    (void)state;
    assert_int_equal(p->waiting, 2);
    assert_int_equal(p->waiting_bytes, a->bytes + b->bytes);
    assert_int_equal(a->bytes, sizeof(*a) + 10 + BORROWED_SIZE);
    est_lanes_settle(w->lanes, &a->item);
    parcel_free(&w->parcels, a);
    assert_int_equal(p->waiting, 1);
    assert_int_equal(p->waiting_bytes, b->bytes);
    fixture_worker_free(w);
}

static void an_id_moves_with_its_record(void **state)
{
    struct worker *w = fixture_worker(1);
    struct parcel *pc = put(w, 1);
    struct est_view value = est_kafka_msg_value(pc->msg);

    (void)state;
    assert_int_equal(parcel_id(pc).len, 0);
    pc->framing = 2;
    parcel_set_id(pc, est_view(value.data + 3, 4));
    assert_int_equal(parcel_own(pc), EST_OK);
    assert_ptr_not_equal(est_kafka_msg_value(pc->msg).data, value.data);
    assert_true(est_view_is(parcel_id(pc), "3456"));
    assert_true(est_view_is(parcel_body(pc), "23456789"));
    fixture_worker_free(w);
}

/* A record is copied once more than `window` bytes were read behind it, counted anew in its part
 * and in the lanes, and only once. */
static void what_waits_for_long_is_copied(void **state)
{
    struct worker *w = fixture_worker(1);
    struct parcel *pc[4];
    size_t each;

    (void)state;
    pc[0] = put(w, 0);
    each = pc[0]->bytes;
    w->loans.window = 3 * each;
    for (int i = 1; i < 3; i++)
        pc[i] = put(w, i);
    assert_false(est_kafka_msg_is_own(pc[0]->msg));
    pc[3] = put(w, 3);
    assert_true(est_kafka_msg_is_own(pc[0]->msg));
    assert_false(est_kafka_msg_is_own(pc[1]->msg));
    assert_int_equal(pc[0]->bytes, each + OWNED_MORE);
    assert_int_equal(w->parts.items[0].waiting_bytes, 4 * each + OWNED_MORE);
    assert_int_equal(est_lanes_stats(w->lanes).bytes, 4 * each + OWNED_MORE);
    fixture_worker_free(w);
}

static void what_has_gone_is_not_looked_at(void **state)
{
    struct worker *w = fixture_worker(1);
    struct parcel *a = put(w, 0);

    (void)state;
    w->loans.window = 1;
    est_lanes_settle(w->lanes, &a->item);
    parcel_free(&w->parcels, a);
    (void)put(w, 1);
    assert_int_equal(w->parts.items[0].waiting, 1);
    fixture_worker_free(w);
}

static void without_memory_it_is_tried_again(void **state)
{
    struct worker *w = fixture_worker(1);
    struct parcel *a = put(w, 0), *b;

    (void)state;
    w->loans.window = a->bytes;
    b = parcel_new(&w->parcels, a->part, fixture_msg(1, "k", "0123456789", 10));
    est_mem_fail_after(0);
    loans_add(&w->loans, b);
    est_mem_fail_after(-1);
    assert_false(est_kafka_msg_is_own(a->msg));
    (void)put(w, 2);
    assert_true(est_kafka_msg_is_own(a->msg));
    fixture_worker_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_counts_its_parcels),
        cmocka_unit_test(an_id_moves_with_its_record),
        cmocka_unit_test(what_waits_for_long_is_copied),
        cmocka_unit_test(what_has_gone_is_not_looked_at),
        cmocka_unit_test(without_memory_it_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
