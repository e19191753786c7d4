/* How long things live: parked requests, clients that vanish, deadlines, slow readers, draining. */
#include "base/mem.h"
#include "http_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct rig r;

static struct est_http_limits short_limits(void)
{
    struct est_http_limits l = est_http_limits_default;

    l.header_timeout = l.body_timeout = l.idle_timeout = l.write_timeout = 20 * EST_SECOND;
    return l;
}

static unsigned open_now(void)
{
    return est_http_server_stats(r.server).open;
}

static void answer(size_t i, const char *text)
{
    est_http_reply(r.parked[i], 200, "text/plain", est_view_str(text));
}

/* --- parked --- */

static void parked_replies_in_any_order(void **state)
{
    enum { N = 20 };
    struct client c[N];

    (void)state;
    rig_open(&r, NULL);
    for (size_t i = 0; i < N; i++) {
        c[i] = rig_dial(&r);
        client_say_str(&c[i], GET("/park") GET("/say?behind"));
        WAIT_FOR(&r, r.n_parked == i + 1);
    }
    for (size_t k = 0; k < N; k++) {
        size_t i = (k * 7 + 3) % N;
        char text[16];
        (void)snprintf(text, sizeof(text), "number %zu.", i);
        assert_int_equal(c[i].in.len, 0);
        answer(i, text);
        assert_true(client_hears(&c[i], "GET /say ?behind"));
        assert_int_equal(client_count(&c[i], text), 1);
        assert_int_equal(client_count(&c[i], "\r\nDate: "), 2);
    }
    for (size_t i = 0; i < N; i++)
        client_close(&c[i]);
    WAIT_FOR(&r, open_now() == 0);
    assert_int_equal(r.released, N * 2);
    rig_close(&r);
}

/* The client goes while its request is parked: by FIN, by RST, with more bytes sent or none. */
static void a_client_that_vanishes_while_parked(void **state)
{
    static const struct {
        bool reset, more;
    } cases[] = {{false, false}, {true, false}, {false, true}, {true, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c;
        rig_open(&r, NULL);
        c = rig_dial(&r);
        client_say_str(&c, GET("/park"));
        WAIT_FOR(&r, r.n_parked == 1);
        if (cases[i].more) {
            client_say_str(&c, GET("/say"));
            rig_turn(&r);
        }
        if (cases[i].reset)
            client_reset(&c);
        else
            client_close(&c);
        for (int turn = 0; turn < 5; turn++)
            rig_turn(&r);
        if (cases[i].reset)
            assert_int_equal(open_now(), 0);
        answer(0, "late");
        WAIT_FOR(&r, open_now() == 0);
        rig_close(&r);
    }
}

static void a_stream_begun_for_a_client_that_is_gone(void **state)
{
    struct client c;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    client_say_str(&c, GET("/park"));
    WAIT_FOR(&r, r.n_parked == 1);
    client_reset(&c);
    WAIT_FOR(&r, open_now() == 0);
    assert_null(est_http_stream_begin(r.parked[0], "text/event-stream", NULL, NULL));
    rig_close(&r);
}

/* The server goes first: parked requests are never answered, with or without their client. */
static void the_server_is_freed_with_requests_parked(void **state)
{
    struct client here, gone;

    (void)state;
    rig_open(&r, NULL);
    here = rig_dial(&r);
    gone = rig_dial(&r);
    client_say_str(&here, GET("/park"));
    client_say_str(&gone, GET("/park"));
    WAIT_FOR(&r, r.n_parked == 2);
    client_reset(&gone);
    WAIT_FOR(&r, open_now() == 1);
    rig_close(&r);
    client_close(&here);
}

static void half_closed_clients_get_their_answers(void **state)
{
    struct client c;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    client_say_str(&c, GET("/say?1") GET("/park") GET("/say?3"));
    assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
    WAIT_FOR(&r, r.n_parked == 1);
    for (int turn = 0; turn < 5; turn++)
        rig_turn(&r);
    answer(0, "two");
    assert_true(client_hears_end(&c));
    assert_int_equal(client_count(&c, "\r\nDate: "), 3);
    assert_int_equal(client_count(&c, "GET /say ?3"), 1);
    client_close(&c);
    rig_close(&r);
}

/* It reads nothing until it has sent everything and its end: the server must wait for it. */
static void half_closed_and_slow(void **state)
{
    enum { N = 6, BYTES = 2000000 };
    struct client c;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    for (int i = 0; i < N; i++)
        client_say_str(&c, GET("/big?n=2000000"));
    assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
    for (int turn = 0; turn < 20; turn++)
        rig_turn(&r);
    assert_true(client_hears_end(&c));
    assert_int_equal(client_count(&c, "\r\nDate: "), N);
    assert_true(c.in.len > (size_t)N * BYTES);
    client_close(&c);
    rig_close(&r);
}

/* --- deadlines --- */

static void deadlines(void **state)
{
    static const struct {
        const char *name, *say;
        int status; /* 0 = closed without a word */
    } cases[] = {
        {"silent from the start", "", 0},
        {"header not complete", "GET /say HTTP/1.1\r\nHost:", 408},
        {"one byte", "G", 408},
        {"body not complete", "POST /say HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell",
         408},
        {"chunk not complete",
         "POST /say HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", 408},
        {"idle behind a request", GET("/say"), 200},
        {"a second header not complete", GET("/say") "GET", 200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_http_limits l = short_limits();
        struct client c;
        est_us begun = est_clock_mono();
        char want[16];
        l.header_timeout = l.body_timeout = l.idle_timeout = 60 * EST_MS;
        rig_open(&r, &l);
        c = rig_dial(&r);
        client_say_str(&c, cases[i].say);
        (void)snprintf(want, sizeof(want), "HTTP/1.1 %d ", cases[i].status);
        if (!client_hears_end(&c) || client_count(&c, want) != (cases[i].status != 0))
            fail_msg("%s: %s", cases[i].name, c.in.len ? c.in.data : "nothing");
        assert_true(est_clock_mono() - begun >= 60 * EST_MS);
        client_close(&c);
        WAIT_FOR(&r, open_now() == 0);
        rig_close(&r);
    }
}

/* Each phase has its own time, and a new phase a new one. */
static void a_slow_but_busy_client_is_left_alone(void **state)
{
    struct est_http_limits l = short_limits();
    struct client c;

    (void)state;
    l.header_timeout = l.body_timeout = l.idle_timeout = 150 * EST_MS;
    rig_open(&r, &l);
    c = rig_dial(&r);
    for (int i = 0; i < 3; i++) {
        assert_true(client_hears_nothing(&c, 80 * EST_MS));
        client_say_str(&c, "POST /say HTTP/1.1\r\n");
        assert_true(client_hears_nothing(&c, 80 * EST_MS));
        client_say_str(&c, "Host: x\r\nContent-Length: 2\r\n\r\nh");
        assert_true(client_hears_nothing(&c, 80 * EST_MS));
        client_say_str(&c, "i");
        assert_true(client_hears(&c, "POST /say - 2 hi"));
        client_forget(&c);
    }
    client_close(&c);
    rig_close(&r);
}

static void a_parked_request_has_no_deadline(void **state)
{
    struct est_http_limits l = short_limits();
    struct client c;

    (void)state;
    l.header_timeout = l.body_timeout = l.idle_timeout = l.write_timeout = 30 * EST_MS;
    rig_open(&r, &l);
    c = rig_dial(&r);
    client_say_str(&c, GET("/park"));
    assert_true(client_hears_nothing(&c, 200 * EST_MS));
    answer(0, "at last");
    assert_true(client_hears(&c, "at last"));
    assert_true(client_hears_end(&c)); /* idle from then on */
    client_close(&c);
    rig_close(&r);
}

/* --- back-pressure --- */

static void a_client_that_reads_nothing_is_dropped(void **state)
{
    struct est_http_limits l = short_limits();
    struct client c;

    (void)state;
    l.write_timeout = 100 * EST_MS;
    rig_open(&r, &l);
    c = rig_dial(&r);
    client_say_str(&c, GET("/big?n=20000000"));
    WAIT_FOR(&r, r.calls == 1);
    WAIT_FOR(&r, open_now() == 0);
    assert_int_equal(est_http_server_stats(r.server).timeouts, 1);
    client_close(&c);
    rig_close(&r);
}

static void progress_renews_the_write_deadline(void **state)
{
    struct est_http_limits l = short_limits();
    struct client c;
    est_us until;

    (void)state;
    l.write_timeout = 2 * EST_SECOND;
    rig_open(&r, &l);
    c = rig_dial(&r);
    client_say_str(&c, GET("/big?n=20000000"));
    until = est_clock_mono() + 2500 * EST_MS;
    while (est_clock_mono() < until) {
        client_read(&c, 50000);
        est_loop_turn(r.loop, 5 * EST_MS);
        assert_false(c.ended);
    }
    while (c.in.len < 20000000 && !c.ended) {
        client_read(&c, 1000000);
        rig_turn(&r);
    }
    assert_true(c.in.len > 20000000);
    client_close(&c);
    rig_close(&r);
}

/* It pipelines and reads nothing: the server stops answering, and goes on when it reads. */
static void pipelining_without_reading_holds_the_server_back(void **state)
{
    enum { N = 200 };
    struct client c;
    unsigned held;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    for (int i = 0; i < N; i++)
        client_say_str(&c, GET("/big?n=100000"));
    for (int turn = 0; turn < 50; turn++)
        rig_turn(&r);
    held = r.calls;
    assert_true(held < N);
    WAIT_FOR(&r, (client_read(&c, 1000000), c.in.len > (size_t)N * 100100));
    assert_int_equal(client_count(&c, "\r\nDate: "), N);
    client_close(&c);
    rig_close(&r);
}

/* --- draining --- */

static void drains(void **state)
{
    struct client idle, parked, half, slow, fresh;

    (void)state;
    rig_open(&r, NULL);
    idle = rig_dial(&r);
    client_say_str(&idle, GET("/say"));
    assert_true(client_hears(&idle, "GET /say"));
    fresh = rig_dial(&r);
    parked = rig_dial(&r);
    client_say_str(&parked, GET("/park") GET("/say?never"));
    half = rig_dial(&r);
    client_say_str(&half, "POST /say HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nh");
    slow = rig_dial(&r);
    client_say_str(&slow, GET("/big?n=10000000"));
    WAIT_FOR(&r, r.n_parked == 1 && r.calls == 3 && open_now() == 5);
    est_http_server_drain(r.server);
    assert_true(client_hears_end(&idle));
    assert_true(client_hears_end(&fresh));
    assert_false(est_http_server_idle(r.server));
    client_say_str(&half, "i");
    assert_true(client_hears(&half, "POST /say - 2 hi"));
    assert_true(client_hears_end(&half));
    assert_int_equal(client_count(&half, "Connection: close\r\n"), 1);
    answer(0, "done");
    assert_true(client_hears(&parked, "done"));
    assert_true(client_hears_end(&parked));
    assert_int_equal(client_count(&parked, "\r\nDate: "), 1);
    assert_true(client_hears_end(&slow));
    assert_true(slow.in.len > 10000000);
    client_close(&idle);
    client_close(&fresh);
    client_close(&parked);
    client_close(&half);
    client_close(&slow);
    WAIT_FOR(&r, est_http_server_idle(r.server));
    rig_close(&r);
}

static void no_more_than_conns_max(void **state)
{
    struct est_http_limits l = short_limits();
    struct client a, b, c;

    (void)state;
    l.conns_max = 2;
    rig_open(&r, &l);
    a = rig_dial(&r);
    b = rig_dial(&r);
    client_say_str(&a, GET("/say"));
    client_say_str(&b, GET("/say"));
    assert_true(client_hears(&a, "GET /say") && client_hears(&b, "GET /say"));
    c = rig_dial(&r);
    client_say_str(&c, GET("/say"));
    assert_true(client_hears_end(&c));
    assert_int_equal(client_count(&c, "HTTP/1.1 503 "), 1);
    assert_int_equal(client_count(&c, "Retry-After: "), 1);
    client_close(&c);
    client_close(&a);
    WAIT_FOR(&r, open_now() == 1);
    c = rig_dial(&r);
    client_say_str(&c, GET("/say"));
    assert_true(client_hears(&c, "GET /say"));
    assert_int_equal(est_http_server_stats(r.server).refused_full, 1);
    client_close(&b);
    client_close(&c);
    rig_close(&r);
}

/* --- memory --- */

/* Whichever allocation fails while three requests are served: each reply is whole or does not
 * come. */
static void without_memory(void **state)
{
    (void)state;
    for (long after = 0; after < 60; after++) {
        struct client c;
        size_t replies;
        rig_open(&r, NULL);
        c = rig_dial(&r);
        client_say_str(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n");
        for (int i = 0; i < 30; i++)
            client_say_str(&c, "0123456789");
        client_say_str(&c, GET("/big?n=5000") GET("/say") GET("/no/more"));
        est_buf_reserve(&c.in, 100000);
        est_mem_fail_after(after);
        (void)client_hears_end(&c);
        est_mem_fail_after(-1);
        replies = client_count(&c, "Content-Length: 300\r\n") +
                  client_count(&c, "Content-Length: 5000\r\n");
        assert_int_equal(client_count(&c, "bbbbbbbbbb"),
                         500 * client_count(&c, "Content-Length: 5000\r\n"));
        assert_int_equal(client_count(&c, "0123456789"),
                         30 * client_count(&c, "Content-Length: 300\r\n"));
        assert_true(replies <= 2);
        client_close(&c);
        WAIT_FOR(&r, open_now() == 0);
        rig_close(&r);
    }
}

static void a_hundred_thousand_requests_leave_nothing_behind(void **state)
{
    struct client c;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    for (int i = 0; i < 1000; i++) {
        for (int k = 0; k < 100; k++)
            client_say_str(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
        WAIT_FOR(&r, r.calls == (unsigned)(i + 1) * 100);
        assert_true(client_hears_replies(&c, 100));
        client_forget(&c);
    }
    client_close(&c);
    WAIT_FOR(&r, open_now() == 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parked_replies_in_any_order),
        cmocka_unit_test(a_client_that_vanishes_while_parked),
        cmocka_unit_test(a_stream_begun_for_a_client_that_is_gone),
        cmocka_unit_test(the_server_is_freed_with_requests_parked),
        cmocka_unit_test(half_closed_clients_get_their_answers),
        cmocka_unit_test(half_closed_and_slow),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(a_slow_but_busy_client_is_left_alone),
        cmocka_unit_test(a_parked_request_has_no_deadline),
        cmocka_unit_test(a_client_that_reads_nothing_is_dropped),
        cmocka_unit_test(progress_renews_the_write_deadline),
        cmocka_unit_test(pipelining_without_reading_holds_the_server_back),
        cmocka_unit_test(drains),
        cmocka_unit_test(no_more_than_conns_max),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(a_hundred_thousand_requests_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
