/* From a record to its lane, and when intake is held back, paused and resumed; the group member,
 * the DLQ and the registry are stood in for. */
#include "consumer_fixture.h"

#include "codec/schema.h"
#include "codec/wire.h"
#include "core/lanes.h"
#include "core/verdict.h"
#include "deadletter.h"
#include "deliver.h"
#include "inquiry.h"
#include "intake_state.h"
#include "io/kafka_sub.h"
#include "io/loop.h"
#include "parcel.h"

/* --- what stands in --- */

static struct {
    bool held, paused[8], all_paused, dlq_full, can_ask, gave_up, starts_over;
    size_t request, round; /* what one request takes, and all that may be in flight */
    const struct est_lanes *lanes;
    int condemned, asked, settled;
    enum est_verdict_class class;
    inquiry_done *learnt;
    void *learnt_arg;
} saw;

void est_kafka_sub_hold(struct est_kafka_sub *ks, bool held)
{
    (void)ks;
    saw.held = held;
}

est_err est_kafka_sub_pause(struct est_kafka_sub *ks, const char *topic, int32_t partition,
                            bool paused)
{
    (void)ks;
    (void)topic;
    saw.paused[partition] = paused;
    return EST_OK;
}

bool deliver_is_paused(const struct deliver *dv)
{
    (void)dv;
    return saw.all_paused;
}

size_t deliver_request(const struct deliver *dv)
{
    (void)dv;
    return saw.request;
}

size_t deliver_round(const struct deliver *dv)
{
    (void)dv;
    return saw.round;
}

size_t deliver_ready(const struct deliver *dv, size_t type)
{
    (void)dv;
    return est_lanes_group(saw.lanes, type).ready_records;
}

bool deadletter_is_full(const struct deadletter *dl)
{
    (void)dl;
    return saw.dlq_full;
}

void deadletter_put(struct deadletter *dl, struct parcel *pc, enum est_verdict_class class,
                    int status, const char *reason)
{
    (void)dl;
    (void)pc;
    assert_int_equal(status, 0);
    assert_true(strlen(reason) > 0);
    saw.condemned++;
    saw.class = class;
}

void worker_settled(struct worker *w)
{
    (void)w;
    saw.settled++;
}

void worker_give_up(struct worker *w, const char *why)
{
    (void)w;
    (void)why;
    saw.gave_up = true;
}

void worker_start_over(struct worker *w, const char *why)
{
    (void)w;
    (void)why;
    saw.starts_over = true;
}

est_err inquiry_new(struct worker *w, struct est_schemas *schemas, inquiry_done *done, void *arg,
                    struct inquiry **ret, struct est_why *reterr)
{
    (void)w;
    (void)schemas;
    (void)reterr;
    saw.learnt = done;
    saw.learnt_arg = arg;
    *ret = NULL;
    return EST_OK;
}

void inquiry_free(struct inquiry *iq)
{
    (void)iq;
}

bool inquiry_can_ask(const struct inquiry *iq, const struct est_wire *wire)
{
    (void)iq;
    return saw.can_ask && wire->kind == EST_WIRE_ID;
}

void inquiry_ask(struct inquiry *iq, const struct est_wire *wire)
{
    (void)iq;
    (void)wire;
    saw.asked++;
}

/* --- a worker with an intake --- */

static const unsigned char unknown_fingerprint[] = {0xC3, 1, 1, 2, 3, 4, 5, 6, 7, 8};
static const unsigned char registry_id[] = {0, 0, 0, 0, 9, 2};

static struct worker *open_intake(size_t parts)
{
    struct worker *w = fixture_worker(parts);
    struct est_why why = {0};

    memset(&saw, 0, sizeof(saw));
    saw.request = 100;
    saw.round = 8 * 100;
    saw.lanes = w->lanes;
    assert_int_equal(est_loop_new(&w->loop, NULL), EST_OK);
    if (intake_new(w, &w->intake, &why) != EST_OK)
        fail_msg("%s", why.text);
    return w;
}

static void close_intake(struct worker *w)
{
    for (size_t i = 0; i < w->parts.n; i++)
        intake_drop(w->intake, &w->parts.items[i]);
    intake_free(w->intake);
    est_loop_free(w->loop);
    fixture_worker_free(w);
}

static void limit(struct worker *w, unsigned records, unsigned in_flight, unsigned batch)
{
    struct est_config *cfg = (struct est_config *)(uintptr_t)w->cfg;

    cfg->consumer_lanes_records = records;
    saw.request = batch;
    saw.round = in_flight * batch;
}

/* n records of one key each, from that offset on. */
static void take(struct worker *w, size_t part, int64_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char key[24];
        (void)snprintf(key, sizeof(key), "%zu.%lld", part, (long long)offset + (long long)i);
        intake_take(w->intake, &w->parts.items[part],
                    fixture_order(offset + (int64_t)i, key, "note"));
    }
}

/* A request took them all and failed: nothing of it is ready any more. */
static void park_all(struct worker *w)
{
    struct est_lane_item *items[1000];
    struct est_lane *lane;
    size_t n = 0;

    for (size_t i = 0; i < w->cfg->n_types; i++)
        while ((lane = est_lanes_ready(w->lanes, i, 0)) != NULL)
            items[n++] = est_lanes_take(w->lanes, lane);
    while (n > 0)
        est_lanes_give_back(w->lanes, items[--n], EST_NEVER - 1);
}

static void settle(struct worker *w, size_t part, size_t n)
{
    EST_LIST_EACH(node, &w->parts.items[part].parcels) {
        struct parcel *pc = EST_CONTAINER(node, struct parcel, node);
        if (n-- == 0)
            return;
        est_lanes_settle(w->lanes, &pc->item);
        parcel_free(&w->parcels, pc);
    }
}

/* Until the condition holds; the loop has only the intake's own timer. */
#define WAIT_FOR(w, condition)                              \
    do {                                                    \
        est_us until_ = est_clock_mono() + 10 * EST_SECOND; \
        while (!(condition) && est_clock_mono() < until_)   \
            est_loop_turn((w)->loop, 20 * EST_MS);          \
        assert_true(condition);                             \
    } while (0)

/* --- tests --- */

static void what_each_record_becomes(void **state)
{
    static const struct {
        const char *why;
        const void *value; /* NULL = a tombstone */
        size_t len;
        enum est_verdict_class class;
    } cases[] = {
        {"a tombstone", NULL, 0, EST_CLASS_TOMBSTONE},
        {"no framing", "{\"a\":1}", 7, EST_CLASS_UNDECODABLE},
        {"cut short", "\xC3\x01\x02", 3, EST_CLASS_UNDECODABLE},
        {"nobody's schema", unknown_fingerprint, sizeof(unknown_fingerprint),
         EST_CLASS_UNDECODABLE},
        {"a registry's id without a registry", registry_id, sizeof(registry_id),
         EST_CLASS_UNDECODABLE},
    };
    struct worker *w = open_intake(1);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        intake_take(w->intake, &w->parts.items[0],
                    fixture_msg((int64_t)i, "k", cases[i].value, cases[i].len));
        if (saw.condemned != (int)i + 1 || saw.class != cases[i].class)
            fail_msg("%s", cases[i].why);
    }
    take(w, 0, 100, 1);
    assert_int_equal(saw.condemned, COUNT_OF(cases));
    assert_int_equal(est_lanes_stats(w->lanes).ready_records, 1);
    close_intake(w);
}

/* It is copied as it comes, for so large a one is not lent; its body is found in the copy. */
static void a_record_larger_than_what_is_lent_is_read_in_its_copy(void **state)
{
    struct worker *w = open_intake(1);
    struct est_node *first;
    struct parcel *pc;

    (void)state;
    w->loans.window = 1;
    take(w, 0, 0, 1);
    first = est_list_first(&w->parts.items[0].parcels);
    assert_non_null(first);
    pc = EST_CONTAINER(first, struct parcel, node);
    assert_int_equal(pc->framing, 10);
    assert_ptr_equal(parcel_body(pc).data, est_kafka_msg_value(pc->msg).data + 10);
    close_intake(w);
}

/* What stands below what was read is passed over when it was read, too; when it was not, the log
 * was cut and written anew. */
static void a_log_that_is_cut_is_noticed(void **state)
{
    struct worker *w = open_intake(1);
    struct part *p = &w->parts.items[0];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        intake_take(w->intake, p, fixture_chained(fixture_order(i, "a", "x"), 1, i));
    intake_take(w->intake, p, fixture_chained(fixture_order(2, "a", "x"), 1, 2));
    assert_false(saw.starts_over);
    intake_take(w->intake, p, fixture_chained(fixture_order(2, "a", "x"), 1, 4));
    assert_true(saw.starts_over);
    assert_int_equal(p->cut_at, 2);
    assert_int_equal(est_lanes_stats(w->lanes).records, 4);
    close_intake(w);
}

/* A dead letter that was put back is for the destination that had refused it; a group of another
 * one settles it unread. */
static void a_replay_for_another_is_passed_over(void **state)
{
    struct worker *w = open_intake(1);
    struct part *p = &w->parts.items[0];
    struct est_kafka_msg *msg;

    (void)state;
    intake_take(w->intake, p, fixture_replayed_for(fixture_order(0, "a", "x"), "another"));
    intake_take(w->intake, p, fixture_replayed_for(fixture_msg(1, "b", NULL, 0), "another"));
    assert_int_equal(saw.settled, 2);
    assert_int_equal(saw.condemned, 0);
    assert_int_equal(est_lanes_stats(w->lanes).records, 0);
    intake_take(w->intake, p, fixture_replayed_for(fixture_order(2, "a", "x"), w->dest->name));
    assert_int_equal(saw.settled, 2);
    assert_int_equal(est_lanes_stats(w->lanes).records, 1);
    /* a time that no replay has; unless the broker's own is kept */
    msg = fixture_timed(fixture_replayed_for(fixture_order(3, "c", "x"), "another"), 1001, false);
    intake_take(w->intake, p, msg);
    assert_int_equal(saw.settled, 2);
    msg = fixture_timed(fixture_replayed_for(fixture_order(4, "d", "x"), "another"), 1001, true);
    intake_take(w->intake, p, msg);
    assert_int_equal(saw.settled, 3);
    close_intake(w);
}

static void a_parcel_knows_how_it_is_read(void **state)
{
    struct worker *w = open_intake(1);
    struct parcel *pc;

    (void)state;
    take(w, 0, 0, 1);
    pc = EST_CONTAINER(w->parts.items[0].parcels.next, struct parcel, node);
    assert_true(est_schema_is_event(pc->schema));
    assert_ptr_equal(w->parts.items[0].schema, pc->schema);
    assert_int_equal(parcel_body(pc).len, est_kafka_msg_value(pc->msg).len - 10);
    close_intake(w);
}

/* What the account settles by itself makes no parcel; a mark is no tombstone for the DLQ. */
static void repeats_and_marks_are_settled_as_they_are_read(void **state)
{
    struct worker *w = open_intake(1);
    struct part *p = &w->parts.items[0];
    const struct est_note *now;

    (void)state;
    intake_take(w->intake, p, fixture_chained(fixture_order(0, "a", "x"), 1, 0));
    intake_take(w->intake, p, fixture_chained(fixture_order(1, "a", "x"), 1, 0));
    assert_int_equal(p->waiting, 1);
    assert_int_equal(saw.settled, 1);
    intake_take(w->intake, p, fixture_mark(fixture_chained(fixture_msg(2, "", NULL, 0), 1, 4)));
    assert_int_equal(p->waiting, 1);
    assert_int_equal(saw.settled, 2);
    assert_int_equal(saw.condemned, 0);
    intake_take(w->intake, p, fixture_chained(fixture_order(3, "a", "x"), 2, 0));
    intake_take(w->intake, p, fixture_order(4, "a", "x"));
    assert_int_equal(p->waiting, 3);
    assert_int_equal(est_account_settle(p->account, 0, EST_END_DELIVERED), EST_OK);
    now = est_account_now(p->account);
    assert_int_equal(now->tally.fresh, 1);
    assert_int_equal(now->tally.repeats, 1);
    assert_int_equal(now->tally.marks, 1);
    assert_int_equal(est_note_sum(now).missing, 3);
    close_intake(w);
}

static struct parcel *newest(const struct part *p)
{
    return EST_CONTAINER(p->parcels.prev, struct parcel, node);
}

/* The place in a chain, out of the value and out of the header: which of them counts. */
static void the_value_tells_the_chain_of_its_own_record(void **state)
{
    enum { AT = 1700000000123, ON_A_SECOND = 1700000000000 };
    static const struct {
        const char *why;
        int64_t at, said_at; /* the record's time, and the one in the value */
        unsigned inside, header;
        bool by_broker, believed;
    } rows[] = {
        {"it does", AT, AT, 1, 1, false, true},
        {"and the header is not looked at", AT, AT, 2, 99, false, true},
        {"of another record: the header counts", AT + 1, AT, 99, 3, false, false},
        {"a time that a dead letter put back may have", ON_A_SECOND, ON_A_SECOND, 99, 4, false,
         false},
        {"a time that the broker gave", AT, AT, 99, 5, true, false},
    };
    struct worker *w = open_intake(1);
    struct part *p = &w->parts.items[0];

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct est_kafka_msg *msg =
            fixture_timed(fixture_order(i, "a", "x"), rows[i].at, rows[i].by_broker);
        msg = fixture_chained_inside(msg, rows[i].inside, 0, rows[i].said_at);
        fixture_headers_asked = 0;
        intake_take(w->intake, p, fixture_chained(msg, rows[i].header, 0));
        if (p->waiting != i + 1 || rows[i].believed != (fixture_headers_asked == 0) ||
            rows[i].believed != fixture_is_untraced(newest(p)->msg))
            fail_msg("%s", rows[i].why);
    }
    for (unsigned boot = 1; boot <= COUNT_OF(rows); boot++) {
        struct est_kafka_msg *again = fixture_order(10 + boot, "a", "x");
        intake_take(w->intake, p, fixture_chained(again, boot, 0));
        assert_int_equal(saw.settled, boot);
    }
    assert_int_equal(p->waiting, COUNT_OF(rows));
    close_intake(w);
}

/* A value that says a number which was seen: a repeat when the header says so too, else a copy that
 * somebody has made of a value, and delivered. */
static void a_value_alone_makes_no_repeat(void **state)
{
    enum { AT = 1700000000123 };
    struct worker *w = open_intake(1);
    struct part *p = &w->parts.items[0];
    struct est_kafka_msg *msg;

    (void)state;
    for (int64_t i = 0; i < 3; i++) {
        msg = fixture_timed(fixture_order(i, "a", "x"), AT, false);
        msg = fixture_chained_inside(msg, 1, 0, AT);
        intake_take(w->intake, p, i < 2 ? fixture_chained(msg, 1, 0) : msg);
    }
    assert_int_equal(saw.settled, 1);
    assert_int_equal(p->waiting, 2);
    close_intake(w);
}

/* Behind a record that is never settled reading stops, and nothing is passed over: the commit point
 * would pass it, too. */
static void a_full_partition_waits_until_the_commit_point_rises(void **state)
{
    struct worker *w = open_intake(2);
    struct part *p = &w->parts.items[0];
    struct est_account_answer answer;

    (void)state;
    for (int64_t i = 0; i < PART_UNCOMMITTED_MAX; i++)
        assert_int_equal(part_read(p, i, EST_VIEW_NONE, EST_ACCOUNT_EVENT, &answer), EST_OK);
    take(w, 0, PART_UNCOMMITTED_MAX, 3);
    assert_true(saw.paused[0] && p->full);
    assert_int_equal(p->waiting, 0);
    for (int64_t i = 1; i < PART_UNCOMMITTED_MAX; i++)
        assert_int_equal(est_account_settle(p->account, i, EST_END_DELIVERED), EST_OK);
    intake_resume(w->intake);
    assert_true(saw.paused[0]);
    assert_int_equal(est_account_settle(p->account, 0, EST_END_DELIVERED), EST_OK);
    assert_int_equal(est_account_commit_point(p->account), PART_UNCOMMITTED_MAX);
    intake_resume(w->intake);
    assert_false(saw.paused[0] || p->full || saw.gave_up);
    assert_int_equal(p->waiting, 3);
    assert_int_equal(est_account_pending(p->account), 3);
    close_intake(w);
}

static void a_repeated_offset_is_dropped(void **state)
{
    struct worker *w = open_intake(1);

    (void)state;
    take(w, 0, 5, 1);
    take(w, 0, 5, 1);
    take(w, 0, 3, 1);
    assert_int_equal(w->parts.items[0].waiting, 1);
    close_intake(w);
}

static void plenty_holds_back_and_pauses_nothing(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    limit(w, 1000, 8, 50);
    take(w, 0, 0, 99);
    assert_false(saw.held);
    take(w, 0, 99, 1);
    assert_true(saw.held);
    for (int i = 0; i < 15; i++) /* longer than a hold may last on its own */
        est_loop_turn(w->loop, 20 * EST_MS);
    assert_true(saw.held);
    assert_false(saw.paused[0] || saw.paused[1]);
    settle(w, 0, 50);
    intake_resume(w->intake);
    assert_true(saw.held);
    settle(w, 0, 1);
    intake_resume(w->intake);
    assert_false(saw.held);
    close_intake(w);
}

/* With enough to send nobody is helped by a pause, which would only fetch everything again. */
static void plenty_pauses_not_even_a_full_partition(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    limit(w, 100, 8, 40);
    take(w, 0, 0, 90);
    for (int i = 0; i < 15; i++)
        est_loop_turn(w->loop, 20 * EST_MS);
    assert_true(saw.held);
    assert_false(saw.paused[0]);
    close_intake(w);
}

/* One that is sent slowly does not keep the others from being read. */
static void plenty_of_one_type_pauses_it_for_the_others(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    w->parts.items[1].type = est_config_type(w->cfg, "custom");
    limit(w, 400, 2, 32);
    take(w, 0, 0, 64);
    assert_true(saw.held);
    WAIT_FOR(w, !saw.held); /* more of it is let in */
    assert_false(saw.paused[0]);
    take(w, 0, 64, 135);
    assert_false(saw.held);
    take(w, 0, 199, 1);
    assert_true(saw.held);
    WAIT_FOR(w, saw.paused[0]);
    assert_false(saw.held || saw.paused[1]);
    take(w, 1, 0, 1);
    assert_false(saw.held);
    settle(w, 0, 136);
    intake_resume(w->intake);
    assert_true(saw.paused[0]); /* a round is left */
    settle(w, 0, 1);
    intake_resume(w->intake);
    assert_false(saw.paused[0]);
    close_intake(w);
}

/* Where every type is paused nobody is helped by more of the others. */
static void where_all_are_paused_nobody_is_helped(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    w->parts.items[1].type = est_config_type(w->cfg, "custom");
    limit(w, 400, 2, 32);
    saw.all_paused = true;
    take(w, 0, 0, 64);
    intake_on_watch(w->intake);
    intake_on_watch(w->intake);
    assert_true(saw.held);
    saw.all_paused = false;
    WAIT_FOR(w, !saw.held);
    assert_false(saw.paused[0]);
    close_intake(w);
}

/* As much as all requests carry, each 100 ms: nobody waits for long behind that. */
static void a_type_that_drains_is_not_slow(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    w->parts.items[1].type = est_config_type(w->cfg, "custom");
    limit(w, 4000, 4, 50);
    take(w, 0, 0, 2000);
    assert_true(saw.held);
    for (int i = 0; i < 3; i++) {
        settle(w, 0, 200);
        intake_on_watch(w->intake);
        assert_true(saw.held);
    }
    settle(w, 0, 199);
    intake_on_watch(w->intake);
    assert_false(saw.held || saw.paused[0]);
    close_intake(w);
}

/* A hold that ends for one record at a time holds up the others as one that lasts. */
static void a_slow_type_is_paused_though_its_holds_are_short(void **state)
{
    struct worker *w = open_intake(5);

    (void)state;
    w->parts.items[4].type = est_config_type(w->cfg, "custom");
    limit(w, 4000, 2, 32);
    take(w, 0, 0, 64);
    intake_on_watch(w->intake);
    assert_false(saw.held);
    for (size_t p = 0; p < 4; p++) /* none has more than its share of it */
        take(w, p, 64, p == 0 ? 436 : 500);
    est_loop_timer_off(w->loop, &w->intake->watch); /* the taking may have taken its time */
    for (int64_t i = 0; i < 100; i++) {             /* no hold lasts for long */
        est_loop_turn(w->loop, 10 * EST_MS);
        if (saw.paused[0])
            break;
        assert_true(saw.held);
        settle(w, 0, 1);
        intake_resume(w->intake);
        assert_false(saw.held);
        take(w, 0, 500 + i, 1);
    }
    assert_true(saw.paused[0]);
    assert_false(saw.held || saw.paused[4]);
    close_intake(w);
}

/* It is watched on for as long as there were holds, though there is none at the moment. */
static void holds_are_watched_while_there_are_any(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    limit(w, 4000, 4, 50);
    take(w, 0, 0, 100);
    settle(w, 0, 51);
    intake_resume(w->intake);
    assert_false(saw.held);
    est_loop_timer_off(w->loop, &w->intake->watch);
    intake_on_watch(w->intake);
    assert_true(est_loop_timer_armed(&w->intake->watch));
    est_loop_timer_off(w->loop, &w->intake->watch);
    intake_on_watch(w->intake);
    assert_false(est_loop_timer_armed(&w->intake->watch));
    close_intake(w);
}

/* It stays slow for as long as it would hold up the others. */
static void a_slow_type_is_forgotten_when_little_is_left(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    w->parts.items[1].type = est_config_type(w->cfg, "custom");
    limit(w, 4000, 8, 32);
    take(w, 0, 0, 64);
    assert_true(saw.held);
    WAIT_FOR(w, !saw.held);
    take(w, 0, 64, 1);
    assert_false(saw.held);
    settle(w, 0, 49);
    intake_resume(w->intake);
    take(w, 0, 65, 48);
    assert_false(saw.held);
    settle(w, 0, 49);
    intake_resume(w->intake);
    take(w, 0, 113, 48);
    assert_false(saw.held);
    take(w, 0, 161, 1);
    assert_true(saw.held);
    close_intake(w);
}

/* key: the records of a key share a lane; partition: all do; none: each has its own. */
static void the_order_of_a_type_names_its_lanes(void **state)
{
    static const struct {
        unsigned order;
        size_t lanes;
    } cases[] = {{EST_ORDER_KEY, 2}, {EST_ORDER_PARTITION, 1}, {EST_ORDER_NONE, 3}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct worker *w = open_intake(1);
        ((struct est_type_config *)(uintptr_t)w->parts.items[0].type)->order = cases[i].order;
        intake_take(w->intake, &w->parts.items[0], fixture_order(0, "a", "note"));
        intake_take(w->intake, &w->parts.items[0], fixture_order(1, "b", "note"));
        intake_take(w->intake, &w->parts.items[0], fixture_order(2, "a", "note"));
        assert_int_equal(est_lanes_stats(w->lanes).lanes, cases[i].lanes);
        close_intake(w);
    }
}

static void a_stuck_partition_is_paused_and_the_others_go_on(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    limit(w, 40, 100, 100); /* never plenty; a share of 20, or half of what is free */
    take(w, 0, 0, 21);
    park_all(w);
    assert_true(saw.held);
    WAIT_FOR(w, !saw.held);
    assert_true(saw.paused[0]);
    assert_false(saw.paused[1]);
    take(w, 1, 0, 5);
    assert_false(saw.held);
    settle(w, 0, 8);
    intake_resume(w->intake);
    assert_true(saw.paused[0]);
    settle(w, 0, 3);
    intake_resume(w->intake);
    assert_false(saw.paused[0]);
    close_intake(w);
}

/* A share of 20: above 15 it holds up the others. */
static void a_full_partition_that_drains_fast_is_let_be(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    limit(w, 40, 1, 100);
    saw.round = 2;
    take(w, 0, 0, 21);
    assert_true(saw.held);
    settle(w, 0, 2);
    intake_on_watch(w->intake);
    assert_true(saw.held);
    assert_false(saw.paused[0]);
    settle(w, 0, 1);
    intake_on_watch(w->intake);
    assert_true(saw.paused[0]);
    assert_false(saw.held);
    close_intake(w);
}

static void a_partition_that_drains_is_never_paused(void **state)
{
    struct worker *w = open_intake(2);

    (void)state;
    limit(w, 40, 100, 100);
    take(w, 0, 0, 20);
    assert_false(saw.held);
    take(w, 0, 20, 1);
    assert_true(saw.held);
    settle(w, 0, 10);
    intake_resume(w->intake);
    assert_false(saw.held);
    assert_false(saw.paused[0]);
    close_intake(w);
}

static void a_full_dlq_holds_back_until_it_has_room(void **state)
{
    struct worker *w = open_intake(1);

    (void)state;
    saw.dlq_full = true;
    take(w, 0, 0, 1);
    assert_true(saw.held);
    intake_resume(w->intake);
    assert_true(saw.held);
    saw.dlq_full = false;
    intake_resume(w->intake);
    assert_false(saw.held);
    close_intake(w);
}

static void what_waits_for_a_schema_keeps_its_place(void **state)
{
    struct worker *w = open_intake(1);

    (void)state;
    saw.can_ask = true;
    intake_take(w->intake, &w->parts.items[0],
                fixture_msg(0, "k", registry_id, sizeof(registry_id)));
    assert_int_equal(saw.asked, 1);
    assert_true(saw.paused[0]);
    take(w, 0, 1, 1);
    assert_int_equal(est_lanes_stats(w->lanes).records, 0);
    saw.can_ask = false; /* refused */
    saw.learnt(saw.learnt_arg);
    assert_int_equal(saw.condemned, 1);
    assert_int_equal(est_lanes_stats(w->lanes).records, 1);
    assert_false(saw.paused[0]);
    close_intake(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_record_becomes),
        cmocka_unit_test(a_record_larger_than_what_is_lent_is_read_in_its_copy),
        cmocka_unit_test(a_log_that_is_cut_is_noticed),
        cmocka_unit_test(a_replay_for_another_is_passed_over),
        cmocka_unit_test(a_parcel_knows_how_it_is_read),
        cmocka_unit_test(repeats_and_marks_are_settled_as_they_are_read),
        cmocka_unit_test(the_value_tells_the_chain_of_its_own_record),
        cmocka_unit_test(a_value_alone_makes_no_repeat),
        cmocka_unit_test(a_full_partition_waits_until_the_commit_point_rises),
        cmocka_unit_test(a_repeated_offset_is_dropped),
        cmocka_unit_test(plenty_holds_back_and_pauses_nothing),
        cmocka_unit_test(plenty_pauses_not_even_a_full_partition),
        cmocka_unit_test(plenty_of_one_type_pauses_it_for_the_others),
        cmocka_unit_test(where_all_are_paused_nobody_is_helped),
        cmocka_unit_test(a_type_that_drains_is_not_slow),
        cmocka_unit_test(a_slow_type_is_paused_though_its_holds_are_short),
        cmocka_unit_test(holds_are_watched_while_there_are_any),
        cmocka_unit_test(a_slow_type_is_forgotten_when_little_is_left),
        cmocka_unit_test(the_order_of_a_type_names_its_lanes),
        cmocka_unit_test(a_stuck_partition_is_paused_and_the_others_go_on),
        cmocka_unit_test(a_full_partition_that_drains_fast_is_let_be),
        cmocka_unit_test(a_partition_that_drains_is_never_paused),
        cmocka_unit_test(a_full_dlq_holds_back_until_it_has_room),
        cmocka_unit_test(what_waits_for_a_schema_keeps_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
