/* Replies that go on: order, chunks, slow readers, and the one call of `closed`. */
#include "base/mem.h"
#include "http_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct rig r;
static struct client c;

static int begin(void **state)
{
    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    client_say_str(&c, GET("/stream"));
    WAIT_FOR(&r, r.stream != NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    client_close(&c);
    rig_close(&r);
    return 0;
}

static void writes_chunks_and_ends(void **state)
{
    (void)state;
    assert_true(client_hears(&c, "\r\n\r\n"));
    assert_int_equal(client_count(&c, "Transfer-Encoding: chunked\r\n"), 1);
    assert_int_equal(client_count(&c, "Content-Length"), 0);
    assert_true(est_http_stream_write(r.stream, EST_VIEW_LIT("data: one\n\n"), 1000));
    assert_true(est_http_stream_write(r.stream, EST_VIEW_LIT(""), 1000));
    assert_true(client_hears(&c, "b\r\ndata: one\n\n\r\n"));
    client_say_str(&c, "it may say what it likes"); /* and is not heard */
    assert_true(est_http_stream_write(r.stream, EST_VIEW_LIT("two"), 1000));
    assert_true(client_hears(&c, "3\r\ntwo\r\n"));
    est_http_stream_end(r.stream);
    assert_true(client_hears_end(&c));
    assert_int_equal(client_count(&c, "0\r\n\r\n"), 1);
    assert_int_equal(r.closed, 0);
}

static void closed_is_called_once(void **state)
{
    (void)state;
    assert_true(client_hears(&c, "\r\n\r\n"));
    client_close(&c);
    WAIT_FOR(&r, r.closed == 1);
    for (int i = 0; i < 10; i++)
        rig_turn(&r);
    assert_int_equal(r.closed, 1);
}

/* The client resets; the next write finds out, and `closed` comes from the loop, not from the
 * write. */
static void closed_is_not_called_from_a_write(void **state)
{
    struct est_http_stream *st = r.stream;

    (void)state;
    assert_true(client_hears(&c, "\r\n\r\n"));
    client_reset(&c);
    for (int i = 0; i < 5; i++) {
        assert_true(est_http_stream_write(st, EST_VIEW_LIT("late"), 1000));
        assert_int_equal(r.closed, 0);
    }
    WAIT_FOR(&r, r.closed == 1);
    for (int i = 0; i < 10; i++)
        rig_turn(&r);
    assert_int_equal(r.closed, 1);
}

static void ended_after_the_client_has_gone(void **state)
{
    (void)state;
    client_reset(&c);
    assert_true(est_http_stream_write(r.stream, EST_VIEW_LIT("late"), 1000));
    est_http_stream_end(r.stream);
    WAIT_FOR(&r, est_http_server_stats(r.server).open == 0);
    assert_int_equal(r.closed, 0);
}

static void a_slow_reader_is_told_of(void **state)
{
    static char block[10000];
    size_t taken = 0;

    (void)state;
    memset(block, 's', sizeof(block));
    while (est_http_stream_write(r.stream, est_view(block, sizeof(block)), 200000)) {
        taken++;
        assert_true(taken < 100000);
    }
    assert_int_equal(r.closed, 0);
    WAIT_FOR(&r, (client_read(&c, 1000000), client_count(&c, "2710\r\n") == taken));
    assert_true(est_http_stream_write(r.stream, EST_VIEW_LIT("again"), 200000));
    assert_true(client_hears(&c, "again"));
}

/* Always a little behind, so that the queue is never empty: it must not grow for all that. */
static void a_reader_always_behind_costs_no_memory(void **state)
{
    static char block[50000];
    size_t refused = 0;

    (void)state;
    memset(block, 's', sizeof(block));
    while (est_http_stream_write(r.stream, est_view(block, sizeof(block)), 1000000)) {
    }
    for (int i = 0; i < 4000; i++) { /* 160 MB: more than a connection's buffer may ever hold */
        client_forget(&c);
        client_read(&c, 40000);
        rig_turn(&r);
        refused += !est_http_stream_write(r.stream, est_view(block, sizeof(block)), 1000000);
        assert_int_equal(r.closed, 0);
        assert_false(c.ended);
    }
    assert_true(refused < 4000);
}

static void without_memory_nothing_is_queued(void **state)
{
    static char block[300000];

    (void)state;
    assert_true(client_hears(&c, "\r\n\r\n"));
    client_forget(&c);
    est_mem_fail_after(0);
    assert_false(est_http_stream_write(r.stream, est_view(block, sizeof(block)), 1000000));
    est_mem_fail_after(-1);
    assert_true(est_http_stream_write(r.stream, EST_VIEW_LIT("whole"), 1000000));
    assert_true(client_hears(&c, "5\r\nwhole\r\n"));
    assert_int_equal(c.in.len, 10);
}

static void drain_and_free_close_streams(void **state)
{
    struct client other = rig_dial(&r);
    struct est_http_stream *first = r.stream;

    (void)state;
    client_say_str(&other, GET("/stream"));
    WAIT_FOR(&r, r.stream != NULL && r.stream != first);
    est_http_server_drain(r.server);
    assert_int_equal(r.closed, 2);
    assert_true(est_http_server_idle(r.server));
    client_close(&other);
}

static void plain_for_old_clients(void **state)
{
    struct client old = rig_dial(&r);
    struct est_http_stream *first = r.stream;

    (void)state;
    client_say_str(&old, "GET /stream HTTP/1.0\r\n\r\n");
    WAIT_FOR(&r, r.stream != first);
    assert_true(est_http_stream_write(r.stream, EST_VIEW_LIT("bytes"), 1000));
    est_http_stream_end(r.stream);
    assert_true(client_hears_end(&old));
    assert_int_equal(client_count(&old, "Transfer-Encoding"), 0);
    assert_int_equal(client_count(&old, "\r\n\r\nbytes"), 1);
    assert_int_equal(old.in.len, (size_t)(strstr(old.in.data, "bytes") - old.in.data) + 5);
    client_close(&old);
    r.stream = first;
}

static void head_gets_the_head(void **state)
{
    struct client head = rig_dial(&r);
    struct est_http_stream *first = r.stream;

    (void)state;
    client_say_str(&head, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(client_hears_end(&head));
    assert_null(r.stream);
    assert_int_equal(client_count(&head, "HTTP/1.1 200 OK\r\n"), 1);
    client_close(&head);
    r.stream = first;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(writes_chunks_and_ends),
        T(closed_is_called_once),
        T(closed_is_not_called_from_a_write),
        T(ended_after_the_client_has_gone),
        T(a_slow_reader_is_told_of),
        T(a_reader_always_behind_costs_no_memory),
        T(without_memory_nothing_is_queued),
        T(drain_and_free_close_streams),
        T(plain_for_old_clients),
        T(head_gets_the_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
