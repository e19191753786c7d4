/* Whose turn it is and whether a place is free: shares, types whose requests hang, types that are
 * paused or time out. */
#include "consumer_fixture.h"

#include "base/mem.h"
#include "core/lanes.h"
#include "deliver_state.h"
#include "io/loop.h"

/* --- what stands in --- */

static struct {
    bool closed, down;
    est_us short_of;
} end;

bool endpoint_allow(struct endpoint *ep, uint32_t *ret_ticket)
{
    (void)ep;
    *ret_ticket = 7;
    return !end.closed;
}

void endpoint_forgo(struct endpoint *ep, uint32_t ticket)
{
    (void)ep;
    assert_int_equal(ticket, 7);
}

void endpoint_observe(struct endpoint *ep, uint32_t ticket, const struct endpoint_outcome *o)
{
    (void)ep;
    (void)o;
    assert_int_equal(ticket, 7);
}

est_us endpoint_ready_at(const struct endpoint *ep)
{
    (void)ep;
    return 0;
}

bool endpoint_is_down(const struct endpoint *ep)
{
    (void)ep;
    return end.down;
}

est_us endpoint_short_of(const struct endpoint *ep)
{
    (void)ep;
    return end.short_of;
}

/* --- two types, A before B, max_in_flight 4 --- */

enum { A, B, LINES, SHIPMENTS = 8 };

static struct {
    struct worker *w;
    struct deliver dv;
    struct line lines[EST_CONFIG_TYPES_MAX];
    struct shipment shipments[SHIPMENTS];
    struct est_lane_item items[2000];
    size_t n_items, n_out;
} my;

static struct est_destination_config *destination(void)
{
    return &((struct est_config *)(uintptr_t)my.w->cfg)->destinations[0];
}

static int open_lines(void **state)
{
    (void)state;
    memset(&my, 0, sizeof(my));
    memset(&end, 0, sizeof(end));
    my.w = fixture_worker(1);
    assert_int_equal(est_loop_new(&my.w->loop, NULL), EST_OK);
    destination()->max_in_flight = 4;
    my.dv = (struct deliver){
        .w = my.w, .lines = my.lines, .n_lines = LINES, .shipments = my.shipments, .n = SHIPMENTS};
    est_turns_init(&my.dv.turns, LINES);
    for (size_t i = 0; i < LINES; i++) {
        line_init(&my.lines[i], my.w->cfg, my.w->dest, i);
        my.lines[i].limits.age = 0;
    }
    est_turns_set(&my.dv.turns, A, 1);
    est_turns_set(&my.dv.turns, B, 2);
    return 0;
}

static int close_lines(void **state)
{
    (void)state;
    est_loop_free(my.w->loop);
    fixture_worker_free(my.w);
    return 0;
}

static void put(size_t line, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct est_lane_item *it = &my.items[my.n_items];
        char name[24];
        *it = (struct est_lane_item){.group = (uint16_t)line};
        (void)snprintf(name, sizeof(name), "%zu.%zu", line, my.n_items++);
        assert_int_equal(
            est_lanes_push(my.w->lanes, est_view_str(name), it, 10, est_loop_now(my.w->loop)),
            EST_OK);
    }
}

/* Starts the request whose turn it is: 'A', 'B', or '-' when there is none. */
static char go(void)
{
    bool waits[EST_TURNS_MAX];
    size_t i = deliver_pick(&my.dv, waits);
    struct shipment *s = &my.shipments[my.n_out];

    if (i == LINES)
        return '-';
    s->dv = &my.dv;
    s->line = &my.lines[i];
    if (deliver_allow(s) != DELIVER_GO)
        return '-';
    est_turns_take(&my.dv.turns, i, waits);
    s->call = (struct est_http_call *)&my; /* it is out */
    my.n_out++;
    return "AB"[i];
}

static const char *go_on(size_t n)
{
    static char text[SHIPMENTS * 2 + 1];

    for (size_t i = 0; i < n; i++)
        text[i] = go();
    text[n] = '\0';
    return text;
}

/* As if it had started so long ago. */
static void age(size_t shipment, est_us by)
{
    my.shipments[shipment].started_at -= by;
}

static void turns_by_weight(void **state)
{
    (void)state;
    put(A, 10);
    put(B, 10);
    assert_string_equal(go_on(5), "ABAA-");
}

static void all_places_taken_but_one_for_who_has_none(void **state)
{
    (void)state;
    put(B, 10);
    assert_string_equal(go_on(5), "BBBB-");
    put(A, 10);
    assert_string_equal(go_on(2), "A-");
    deliver_forgo(&my.shipments[0]);
    assert_int_equal(my.dv.out, 4);
}

/* The window of the type that hangs is full, and its places are lent. */
static void places_of_requests_that_hang_are_lent(void **state)
{
    (void)state;
    put(B, 10);
    put(A, 0);
    assert_string_equal(go_on(5), "BBBB-");
    for (size_t i = 0; i < 3; i++)
        age(i, EST_SECOND);
    assert_int_equal(go(), '-'); /* not to itself */
    put(A, 10);
    assert_string_equal(go_on(4), "AAA-");
    age(3, EST_SECOND);
    assert_string_equal(go_on(2), "A-"); /* and no more than twice as many */
    assert_int_equal(deliver_wake_at(&my.dv), EST_NEVER);
}

static void a_waker_is_set_for_the_next_place_that_is_lent(void **state)
{
    est_us now;

    (void)state;
    now = est_loop_now(my.w->loop);
    put(A, 10);
    assert_string_equal(go_on(1), "A");
    put(B, 10);
    my.lines[A].window.size = 1;
    assert_string_equal(go_on(4), "BBB-");
    my.lines[B].window.size = 8;
    age(0, 100 * EST_MS);
    assert_int_equal(deliver_wake_at(&my.dv), now + 150 * EST_MS);
}

static void one_at_a_time_is_one_at_a_time(void **state)
{
    (void)state;
    destination()->max_in_flight = 1;
    put(B, 10);
    assert_string_equal(go_on(2), "B-");
    put(A, 10);
    age(0, EST_SECOND);
    assert_int_equal(go(), '-');
}

static void a_paused_type_has_no_turn(void **state)
{
    (void)state;
    put(A, 10);
    put(B, 10);
    my.lines[A].is_paused = true;
    assert_string_equal(go_on(2), "BB");
    my.lines[B].is_paused = true;
    assert_int_equal(go(), '-');
    assert_int_equal(deliver_wake_at(&my.dv), EST_NEVER);
}

static void who_times_out_probes_last(void **state)
{
    uint32_t ticket;

    (void)state;
    put(A, 10);
    put(B, 10);
    for (int i = 0; i < 5; i++) {
        line_begin(&my.lines[A], 0, &ticket);
        line_end(&my.lines[A], ticket, EST_WINDOW_NEUTRAL, EST_BREAKER_FAILED, -10 * EST_SECOND);
    }
    assert_int_equal(my.lines[A].breaker.state, EST_BREAKER_OPEN);
    end.down = true; /* the endpoint's own probe is due, and that of A */
    assert_int_equal(go(), 'B');
}

/* While others are answered, a timeout is the type's; alone, it is the endpoint's. */
static void a_timeout_is_its_types_while_others_are_answered(void **state)
{
    static const struct est_verdict timeout = {EST_VERDICT_RETRY, EST_CLASS_TIMEOUT, true, false};
    struct endpoint_outcome o = {.verdict = timeout};

    (void)state;
    put(B, 10);
    assert_string_equal(go_on(2), "BB");
    deliver_observe(&my.shipments[0], &o);
    assert_false(o.is_apart);
    my.lines[A].answered_at = est_loop_now(my.w->loop) + 1;
    deliver_observe(&my.shipments[1], &o);
    assert_true(o.is_apart);
    assert_int_equal(my.lines[B].breaker.failed, 2);
    assert_int_equal(my.dv.out, 0);
}

static void while_the_budget_is_short_batches_grow_and_wait(void **state)
{
    struct est_batch_limits l;

    (void)state;
    l = deliver_limits(&my.dv, &my.lines[A]);
    assert_int_equal(l.count, 100);
    end.short_of = 600 * EST_MS;
    l = deliver_limits(&my.dv, &my.lines[A]);
    assert_int_equal(l.count, 5000);
    assert_int_equal(l.age, 1200 * EST_MS);
    end.short_of = 60 * EST_SECOND;
    l = deliver_limits(&my.dv, &my.lines[A]);
    assert_int_equal(l.age, 1500 * EST_MS);
    put(A, 1);
    assert_int_equal(go(), '-'); /* it waits for company */
    put(A, 99);
    assert_int_equal(go(), 'A');
}

#define WITH_LINES(test) cmocka_unit_test_setup_teardown(test, open_lines, close_lines)

/* Of a key only as many as a batch may carry of it. */
static void ready_is_what_could_go_out(void **state)
{
    (void)state;
    put(A, 3);
    for (size_t i = 0; i < 2; i++) {
        struct est_lane_item *it = &my.items[my.n_items++];
        *it = (struct est_lane_item){.group = A};
        assert_int_equal(est_lanes_push(my.w->lanes, EST_VIEW_LIT("0.0"), it, 10, 0), EST_OK);
    }
    assert_int_equal(deliver_ready(&my.dv, A), 5);
    my.lines[A].limits.per_key = 1;
    assert_int_equal(deliver_ready(&my.dv, A), 3);
    assert_int_equal(deliver_ready(&my.dv, B), 0);
}

static void all_are_paused_when_each_is(void **state)
{
    (void)state;
    my.lines[A].is_paused = true;
    assert_false(deliver_is_paused(&my.dv));
    my.lines[B].is_paused = true;
    assert_true(deliver_is_paused(&my.dv));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LINES(turns_by_weight),
        WITH_LINES(all_places_taken_but_one_for_who_has_none),
        WITH_LINES(places_of_requests_that_hang_are_lent),
        WITH_LINES(a_waker_is_set_for_the_next_place_that_is_lent),
        WITH_LINES(one_at_a_time_is_one_at_a_time),
        WITH_LINES(a_paused_type_has_no_turn),
        WITH_LINES(all_are_paused_when_each_is),
        WITH_LINES(ready_is_what_could_go_out),
        WITH_LINES(who_times_out_probes_last),
        WITH_LINES(a_timeout_is_its_types_while_others_are_answered),
        WITH_LINES(while_the_budget_is_short_batches_grow_and_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
