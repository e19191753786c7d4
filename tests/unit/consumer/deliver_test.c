/* What a request carries, and where its events go: bodies, cuts, keys, what cannot be decoded,
 * settling, giving back. */
#include "consumer_fixture.h"

#include "base/mem.h"
#include "codec/schemas.h"
#include "core/batch.h"
#include "core/lanes.h"
#include "deadletter.h"
#include "deliver_state.h"
#include "io/loop.h"
#include "metrics/metrics.h"

/* --- what stands in --- */

static struct {
    bool dlq_full, finished;
    int condemned, settled, status;
    enum est_verdict_class class;
    char reason[200];
} saw;

bool deadletter_is_full(const struct deadletter *dl)
{
    (void)dl;
    return saw.dlq_full;
}

void deadletter_put(struct deadletter *dl, struct parcel *pc, enum est_verdict_class class,
                    int status, const char *reason)
{
    (void)dl;
    assert_null(pc->item.lane);
    saw.condemned++;
    saw.class = class;
    saw.status = status;
    (void)snprintf(saw.reason, sizeof(saw.reason), "%s", reason);
}

void worker_settle(struct worker *w, struct parcel *pc, enum est_end end)
{
    assert_int_equal(end, EST_END_DELIVERED);
    saw.settled++;
    parcel_free(&w->parcels, pc);
}

void deliver_finish(struct shipment *s)
{
    est_batch_give_back_all(&s->batch, s->dv->w->lanes, 0, s->batch.n, 0);
    saw.finished = true;
}

/* --- a shipment --- */

static struct {
    struct worker *w;
    struct deliver dv;
    struct line line;
    struct shipment s;
    struct est_schemas *schemas;
    const struct est_schema *order;
    struct est_series *delivered[EST_CONFIG_TYPES_MAX], *duplicates[EST_CONFIG_TYPES_MAX];
} my;

static struct est_destination_config *destination(void)
{
    return &((struct est_config *)(uintptr_t)my.w->cfg)->destinations[0];
}

static size_t type_index(const char *name)
{
    return (size_t)(est_config_type(my.w->cfg, name) - my.w->cfg->types);
}

static int open_shipment(void **state)
{
    (void)state;
    memset(&saw, 0, sizeof(saw));
    memset(&my, 0, sizeof(my));
    my.w = fixture_worker(1);
    assert_int_equal(est_loop_new(&my.w->loop, NULL), EST_OK);
    assert_int_equal(est_schemas_new(4, &my.schemas), EST_OK);
    assert_int_equal(
        est_schemas_load(my.schemas, ESTEIRA_SOURCE_DIR "/schemas/order.avsc", &my.order, NULL),
        EST_OK);
    for (size_t i = 0; i < my.w->cfg->n_types; i++) {
        my.delivered[i] = est_metrics_series(my.w->metrics, EST_METRIC_DELIVERED, "d", "t");
        my.duplicates[i] = est_metrics_series(my.w->metrics, EST_METRIC_DUPLICATES, "d", "t");
    }
    my.dv = (struct deliver){.w = my.w,
                             .passed = 1,
                             .delivered = my.delivered,
                             .duplicates = my.duplicates,
                             .retried =
                                 est_metrics_series(my.w->metrics, EST_METRIC_RETRIED, "d", NULL)};
    line_init(&my.line, my.w->cfg, my.w->dest, type_index("order"));
    my.line.limits.count = 10;
    my.line.limits.age = 0;
    my.s.dv = &my.dv;
    my.s.line = &my.line;
    est_buf_init(&my.s.body, 1 << 16);
    assert_int_equal(est_batch_init(&my.s.batch, 10), EST_OK);
    return 0;
}

static int close_shipment(void **state)
{
    (void)state;
    est_batch_give_back_all(&my.s.batch, my.w->lanes, 0, my.s.batch.n, 0);
    est_batch_fini(&my.s.batch);
    est_buf_fini(&my.s.body);
    est_loop_free(my.w->loop);
    fixture_worker_free(my.w);
    est_schemas_free(my.schemas);
    return 0;
}

static void push(struct est_kafka_msg *msg)
{
    struct parcel *pc = parcel_new(&my.w->parcels, &my.w->parts.items[0], msg);

    assert_non_null(pc);
    pc->schema = my.order;
    pc->item.group = (uint16_t)type_index("order");
    pc->framing = 10;
    assert_int_equal(est_lanes_push(my.w->lanes, est_kafka_msg_key(msg), &pc->item, pc->bytes, 0),
                     EST_OK);
}

static void push_orders(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char key[24];
        (void)snprintf(key, sizeof(key), "k%zu", i);
        push(fixture_order((int64_t)i, key, "note"));
    }
}

static void push_damaged(void)
{
    push(fixture_msg(50, "damaged", "0123456789\xff\xff\xff", 13));
}

static size_t load(void)
{
    (void)est_batch_fill(&my.s.batch, &my.line.limits, my.w->lanes, 0);
    return deliver_load(&my.s);
}

static size_t count(const char *what)
{
    const char *at = my.s.body.data, *end = at + my.s.body.len;
    size_t n = 0;

    for (; (at = memmem(at, (size_t)(end - at), what, strlen(what))) != NULL; n++)
        at++;
    return n;
}

/* --- tests --- */

static void one_event_goes_alone(void **state)
{
    struct est_view body;
    char key[DELIVER_KEY_MAX];

    (void)state;
    push_orders(1);
    assert_int_equal(load(), 1);
    assert_true(my.s.single);
    body = est_buf_view(&my.s.body);
    assert_true(est_view_starts(body, EST_VIEW_LIT("{\"id\":\"e1\",\"event\":\"order_created\"")));
    assert_int_equal(body.data[body.len - 1], '}');
    my.s.range = (struct est_range){0, 1};
    deliver_key(&my.s, key);
    assert_string_equal(key, "\"e1\"");
}

static void several_share_a_body(void **state)
{
    char key[DELIVER_KEY_MAX], again[DELIVER_KEY_MAX];

    (void)state;
    push_orders(3);
    assert_int_equal(load(), 3);
    assert_false(my.s.single);
    assert_true(est_view_starts(est_buf_view(&my.s.body), EST_VIEW_LIT("{\"events\":[{\"id\":")));
    assert_int_equal(count("},{\"id\":\"e1\""), 2);
    assert_int_equal(deliver_parcel(&my.s, 2)->attempts, 1);
    my.s.range = (struct est_range){0, 3};
    deliver_key(&my.s, key);
    assert_int_equal(strlen(key), EST_BATCH_KEY_LEN + 2);
    my.s.range = (struct est_range){0, 2};
    assert_int_equal(deliver_load_range(&my.s), 2);
    deliver_key(&my.s, again);
    assert_string_not_equal(key, again);
    assert_int_equal(deliver_parcel(&my.s, 0)->attempts, 2);
}

/* What a body cannot hold waits in its lane as if it had not been taken. */
static void a_body_is_cut_where_it_is_full(void **state)
{
    (void)state;
    push_orders(5);
    destination()->batch_bytes = 600; /* two of them and no third */
    assert_int_equal(load(), 2);
    assert_int_equal(my.s.batch.n, 2);
    assert_int_equal(est_lanes_stats(my.w->lanes).ready_records, 3);
    assert_int_equal(est_lanes_stats(my.w->lanes).out, 2);
    assert_int_equal(count("\"id\":\"e1\""), 2);
    assert_true(my.s.body.len <= 600 + 2);
}

static void one_event_fits_any_body(void **state)
{
    (void)state;
    push_orders(2);
    destination()->batch_bytes = 10;
    assert_int_equal(load(), 1);
    assert_int_equal(my.s.batch.n, 1);
}

static void a_damaged_record_goes_alone_to_the_dlq(void **state)
{
    (void)state;
    push_orders(1);
    push_damaged();
    push(fixture_order(60, "behind", "note"));
    assert_int_equal(load(), 2);
    assert_int_equal(saw.condemned, 1);
    assert_int_equal(saw.class, EST_CLASS_UNDECODABLE);
    assert_int_equal(saw.status, 0);
    assert_non_null(strstr(saw.reason, "the bytes are not of the schema"));
    assert_null(deliver_parcel(&my.s, 1));
    assert_int_equal(count("},{"), 1);
    assert_int_equal(count("\"id\":\"e1\""), 2);
}

static void a_batch_of_damaged_records_has_no_body(void **state)
{
    (void)state;
    push_damaged();
    assert_int_equal(load(), 0);
    assert_int_equal(saw.condemned, 1);
    assert_int_equal(my.s.batch.left, 0);
}

static void a_full_dlq_keeps_the_damaged_record_in_its_lane(void **state)
{
    (void)state;
    saw.dlq_full = true;
    push_damaged();
    push_orders(1);
    assert_int_equal(load(), 1);
    assert_int_equal(saw.condemned, 0);
    assert_int_equal(est_lanes_stats(my.w->lanes).parked, 1);
}

static void without_memory_nothing_is_condemned(void **state)
{
    (void)state;
    push_orders(1);
    (void)est_batch_fill(&my.s.batch, &my.line.limits, my.w->lanes, 0);
    est_mem_fail_after(0);
    assert_int_equal(deliver_load(&my.s), 0);
    est_mem_fail_after(-1);
    assert_int_equal(saw.condemned, 0);
    assert_int_equal(est_lanes_stats(my.w->lanes).records, 1);
}

/* A batch is being halved, and its first half was answered event by event: what follows an event of
 * its key that has to wait does not go out with the second half. */
static void no_event_overtakes_one_of_its_key_that_waits(void **state)
{
    (void)state;
    push(fixture_order(0, "a", "note"));
    push(fixture_order(1, "a", "note"));
    push(fixture_order(2, "a", "note"));
    push(fixture_order(3, "b", "note"));
    assert_int_equal(load(), 4);
    deliver_settle(&my.s, 0, false);
    deliver_give_back(&my.s, 1, true, 0);
    my.s.range = (struct est_range){2, 4};
    assert_int_equal(deliver_load_range(&my.s), 1);
    assert_null(deliver_parcel(&my.s, 2));
    assert_true(est_view_is(est_kafka_msg_key(deliver_parcel(&my.s, 3)->msg), "b"));
    assert_int_equal(est_lanes_stats(my.w->lanes).parked, 1);
}

static void delivered_and_duplicate_are_counted(void **state)
{
    (void)state;
    push_orders(2);
    assert_int_equal(load(), 2);
    deliver_settle(&my.s, 0, false);
    deliver_settle(&my.s, 1, true);
    assert_int_equal(saw.settled, 2);
    assert_int_equal(my.dv.passed, 3);
    assert_int_equal(my.line.passed, 3);
    assert_int_equal(est_series_count(my.delivered[0]), 2);
    assert_int_equal(est_series_count(my.duplicates[0]), 1);
    assert_int_equal(est_lanes_stats(my.w->lanes).records, 0);
}

static void a_refusal_names_its_status(void **state)
{
    (void)state;
    push_orders(1);
    assert_int_equal(load(), 1);
    deliver_condemn(&my.s, 0, EST_CLASS_HTTP_4XX, 422);
    assert_int_equal(saw.status, 422);
    assert_non_null(strstr(saw.reason, "(HTTP 422)"));
}

static void what_failed_waits_and_remembers(void **state)
{
    (void)state;
    push_orders(2);
    assert_int_equal(load(), 2);
    my.s.range = (struct est_range){0, 2};
    deliver_retry_all(&my.s, true, 30 * EST_SECOND);
    assert_true(saw.finished);
    assert_int_equal(est_series_count(my.dv.retried), 2);
    assert_int_equal(est_lanes_stats(my.w->lanes).parked, 2);
    assert_true(est_lanes_wake_at(my.w->lanes) >= est_loop_now(my.w->loop) + 30 * EST_SECOND);
    EST_LIST_EACH(n, &my.w->parts.items[0].parcels)
        assert_true(EST_CONTAINER(n, struct parcel, node)->first_failed_at > 0);
}

/* Three tries in all, 500 ms and 1 s apart, before anything longer; from then on by itself. */
static void three_tries_come_quickly(void **state)
{
    static const est_us least[] = {500 * EST_MS, EST_SECOND, 1500 * EST_MS};
    static const est_us most[] = {500 * EST_MS, EST_SECOND, 2500 * EST_MS};
    struct parcel *pc;
    est_us wait;

    (void)state;
    push_orders(1);
    assert_int_equal(load(), 1);
    my.s.range = (struct est_range){0, 1};
    pc = deliver_parcel(&my.s, 0);
    for (size_t i = 0; i < COUNT_OF(least); i++) {
        deliver_retry_all(&my.s, true, 0);
        wait = est_lanes_wake_at(my.w->lanes) - est_loop_now(my.w->loop);
        assert_true(wait >= least[i] && wait <= most[i]);
        assert_int_equal(pc->item.level, i + 1);
        assert_int_equal(est_batch_fill(&my.s.batch, &my.line.limits, my.w->lanes,
                                        est_lanes_wake_at(my.w->lanes)),
                         1);
    }
}

static void what_nobody_is_blamed_for_costs_no_try(void **state)
{
    struct parcel *pc;

    (void)state;
    push_orders(1);
    assert_int_equal(load(), 1);
    my.s.range = (struct est_range){0, 1};
    pc = deliver_parcel(&my.s, 0);
    for (int i = 0; i < 10; i++) {
        deliver_retry_all(&my.s, false, 0);
        assert_int_equal(est_lanes_wake_at(my.w->lanes) - est_loop_now(my.w->loop), 500 * EST_MS);
        (void)est_batch_fill(&my.s.batch, &my.line.limits, my.w->lanes,
                             est_lanes_wake_at(my.w->lanes));
    }
    assert_int_equal(pc->failed, 0);
    assert_int_equal(pc->item.level, 0);
}

/* Only failures count between which others were delivered. */
static void an_event_is_given_up_for_its_own_fault_alone(void **state)
{
    (void)state;
    my.line.max_attempts = 3;
    push_orders(1);
    my.s.range = (struct est_range){0, 1};
    my.s.failed_class = EST_CLASS_HTTP_5XX;
    my.s.failed_status = 503;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(est_batch_fill(&my.s.batch, &my.line.limits, my.w->lanes,
                                        i == 0 ? 0 : est_lanes_wake_at(my.w->lanes)),
                         1);
        my.dv.passed += i > 9; /* the first counts; then others pass before the last two */
        deliver_retry_all(&my.s, true, 0);
        assert_int_equal(saw.condemned, i == 11);
    }
    assert_int_equal(saw.class, EST_CLASS_HTTP_5XX);
    assert_int_equal(saw.status, 503);
}

static void fail_all_of(est_us now)
{
    size_t n = est_batch_fill(&my.s.batch, &my.line.limits, my.w->lanes, now);

    assert_true(n > 0);
    my.s.range = (struct est_range){0, (uint32_t)n};
    my.dv.passed++; /* of another type */
    deliver_retry_all(&my.s, true, 0);
}

/* The receiver cannot take the type, while it takes another. */
static void a_type_that_fails_whole_gives_up_no_event(void **state)
{
    (void)state;
    my.line.max_attempts = 3;
    push_orders(2);
    fail_all_of(0);
    for (int i = 0; i < 20; i++)
        fail_all_of(est_lanes_wake_at(my.w->lanes));
    assert_int_equal(saw.condemned, 0);
    for (int i = 0; i < 20 && saw.condemned == 0; i++) {
        my.line.passed++;
        my.line.failing = 0;
        fail_all_of(est_lanes_wake_at(my.w->lanes));
    }
    assert_true(saw.condemned > 0);
}

static void who_is_to_hold_on_is_never_given_up(void **state)
{
    (void)state;
    my.line.max_attempts = 1;
    my.line.gives_up = false;
    push_orders(1);
    assert_int_equal(load(), 1);
    my.s.range = (struct est_range){0, 1};
    deliver_retry_all(&my.s, true, 0);
    assert_int_equal(saw.condemned, 0);
    assert_int_equal(est_lanes_stats(my.w->lanes).parked, 1);
}

#define WITH_SHIPMENT(test) cmocka_unit_test_setup_teardown(test, open_shipment, close_shipment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SHIPMENT(one_event_goes_alone),
        WITH_SHIPMENT(several_share_a_body),
        WITH_SHIPMENT(a_body_is_cut_where_it_is_full),
        WITH_SHIPMENT(one_event_fits_any_body),
        WITH_SHIPMENT(a_damaged_record_goes_alone_to_the_dlq),
        WITH_SHIPMENT(a_batch_of_damaged_records_has_no_body),
        WITH_SHIPMENT(a_full_dlq_keeps_the_damaged_record_in_its_lane),
        WITH_SHIPMENT(without_memory_nothing_is_condemned),
        WITH_SHIPMENT(no_event_overtakes_one_of_its_key_that_waits),
        WITH_SHIPMENT(delivered_and_duplicate_are_counted),
        WITH_SHIPMENT(a_refusal_names_its_status),
        WITH_SHIPMENT(what_failed_waits_and_remembers),
        WITH_SHIPMENT(an_event_is_given_up_for_its_own_fault_alone),
        WITH_SHIPMENT(a_type_that_fails_whole_gives_up_no_event),
        WITH_SHIPMENT(who_is_to_hold_on_is_never_given_up),
        WITH_SHIPMENT(three_tries_come_quickly),
        WITH_SHIPMENT(what_nobody_is_blamed_for_costs_no_try),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
