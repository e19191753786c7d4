/* The HTTP client against our own server on the same loop: answers, limits, deadlines, cancelling.
 */
#include "base/mem.h"
#include "io/http_in.h"
#include "io/http_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const est_us DEADLINE = 20 * EST_SECOND;

static struct {
    struct est_loop *loop;
    struct est_http_server *server;
    struct est_http_client *client;
    char url[64];
    int requests;
    struct est_http_req *parked;
    char method[8], content_type[32], extra[32], expect[32], body[64];
} fx;

struct outcome {
    int calls;
    est_err err;
    int status;
    char body[64], retry_after[32], detail[160];
    size_t body_len;
};

static void copy(char *to, size_t size, struct est_view v)
{
    (void)snprintf(to, size, "%.*s", (int)v.len, v.data ? v.data : "");
}

/* /echo, /big (64 KiB), /park, /redirect, /busy */
static void on_request(void *arg, struct est_http_req *req)
{
    struct est_view path = est_http_path(req);

    (void)arg;
    fx.requests++;
    copy(fx.method, sizeof(fx.method), est_http_method(req));
    copy(fx.content_type, sizeof(fx.content_type), est_http_header(req, "content-type"));
    copy(fx.extra, sizeof(fx.extra), est_http_header(req, "x-extra"));
    copy(fx.expect, sizeof(fx.expect), est_http_header(req, "expect"));
    copy(fx.body, sizeof(fx.body), est_http_body(req));
    if (est_view_is(path, "/park")) {
        fx.parked = req;
        return;
    }
    if (est_view_is(path, "/big")) {
        char *big = est_calloc(1, 65536);
        est_http_reply(req, 200, "text/plain", est_view(big, 65536));
        est_free(big);
        return;
    }
    if (est_view_is(path, "/redirect"))
        est_http_reply_field(req, "Location", "/echo");
    if (est_view_is(path, "/busy"))
        est_http_reply_field(req, "Retry-After", " 7 ");
    est_http_reply(req,
                   est_view_is(path, "/busy")       ? 503
                   : est_view_is(path, "/redirect") ? 302
                                                    : 200,
                   "text/plain", EST_VIEW_LIT("hello"));
}

static int set_up(void **state)
{
    const struct est_http_handlers h = {.request = on_request};
    const struct est_http_client_options opt = {
        .conns_max = 4, .connect_timeout = EST_SECOND, .user_agent = "test"};

    (void)state;
    memset(&fx, 0, sizeof(fx));
    assert_int_equal(est_loop_new(&fx.loop, NULL), EST_OK);
    assert_int_equal(est_http_server_new(fx.loop, &est_http_limits_default, &h, &fx.server, NULL),
                     EST_OK);
    assert_int_equal(est_http_server_listen(fx.server, "127.0.0.1:0", NULL), EST_OK);
    (void)snprintf(fx.url, sizeof(fx.url), "http://127.0.0.1:%u", est_http_server_port(fx.server));
    assert_int_equal(est_http_client_new(fx.loop, &opt, &fx.client, NULL), EST_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    est_http_client_free(fx.client);
    est_http_server_free(fx.server);
    est_loop_free(fx.loop);
    return 0;
}

static void on_done(void *arg, const struct est_http_result *res)
{
    struct outcome *o = arg;

    o->calls++;
    o->err = res->err;
    o->status = res->status;
    o->body_len = res->body.len;
    copy(o->body, sizeof(o->body),
         est_view(res->body.data, res->body.len < 60 ? res->body.len : 60));
    copy(o->retry_after, sizeof(o->retry_after), res->retry_after);
    (void)snprintf(o->detail, sizeof(o->detail), "%s", res->detail);
}

static struct est_http_call *send(const char *method, const char *path, const char *body,
                                  est_us timeout, struct outcome *o)
{
    static const struct est_http_field fields[] = {{"Content-Type", "application/json"},
                                                   {"X-Extra", "yes"}};
    char url[128];
    const struct est_http_request rq = {.method = method,
                                        .url = url,
                                        .fields = fields,
                                        .n_fields = 2,
                                        .body = est_view_str(body),
                                        .timeout = timeout,
                                        .response_max = 4096};
    struct est_http_call *call = NULL;

    (void)snprintf(url, sizeof(url), "%s%s", path[0] == '/' ? fx.url : "", path);
    memset(o, 0, sizeof(*o));
    assert_int_equal(est_http_client_send(fx.client, &rq, on_done, o, &call, NULL), EST_OK);
    assert_int_equal(o->calls, 0); /* never from inside the call */
    return call;
}

#define WAIT_FOR(condition)                               \
    do {                                                  \
        est_us until_ = est_clock_mono() + DEADLINE;      \
        while (!(condition) && est_clock_mono() < until_) \
            est_loop_turn(fx.loop, 20 * EST_MS);          \
        assert_true(condition);                           \
    } while (0)

static void answers(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *retry_after;
    } cases[] = {
        {"GET", "/echo", NULL, 200, ""},  {"POST", "/echo", "{\"a\":1}", 200, ""},
        {"POST", "/echo", "", 200, ""},   {"GET", "/redirect", NULL, 302, ""}, /* not followed */
        {"POST", "/busy", "x", 503, "7"},
    };
    struct outcome o;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s %s\n", cases[i].method, cases[i].path);
        (void)send(cases[i].method, cases[i].path, cases[i].body, 5 * EST_SECOND, &o);
        WAIT_FOR(o.calls > 0);
        assert_int_equal(o.err, EST_OK);
        assert_int_equal(o.status, cases[i].status);
        assert_string_equal(o.body, "hello");
        assert_string_equal(o.retry_after, cases[i].retry_after);
        assert_string_equal(fx.method, cases[i].method);
        assert_string_equal(fx.body, cases[i].body ? cases[i].body : "");
        assert_string_equal(fx.content_type, "application/json");
        assert_string_equal(fx.extra, "yes");
        assert_string_equal(fx.expect, "");
    }
    assert_int_equal(fx.requests, 5);
    assert_int_equal(est_http_server_stats(fx.server).accepted, 1); /* one connection, kept alive */
    assert_int_equal(est_http_client_pending(fx.client), 0);
}

static void failures_are_told_once(void **state)
{
    struct outcome o;

    (void)state;
    (void)send("GET", "/big", NULL, 5 * EST_SECOND, &o);
    WAIT_FOR(o.calls > 0);
    assert_int_equal(o.err, EST_ERR_TOO_LARGE);
    (void)send("GET", "/park", NULL, 200 * EST_MS, &o);
    WAIT_FOR(o.calls > 0);
    assert_int_equal(o.err, EST_ERR_TIMEOUT);
    assert_int_equal(o.status, 0);
    assert_true(o.detail[0] != '\0');
    est_http_reply(fx.parked, 200, NULL, EST_VIEW_NONE);
    (void)send("GET", "http://127.0.0.1:1/", NULL, 5 * EST_SECOND, &o);
    WAIT_FOR(o.calls > 0);
    assert_int_equal(o.err, EST_ERR_CONNECT);
    for (int i = 0; i < 5; i++)
        est_loop_turn(fx.loop, 10 * EST_MS);
    assert_int_equal(o.calls, 1);
}

static void a_cancelled_call_is_silent(void **state)
{
    struct outcome o, after;
    struct est_http_call *call;

    (void)state;
    call = send("GET", "/park", NULL, 5 * EST_SECOND, &o);
    WAIT_FOR(fx.parked != NULL);
    est_http_client_cancel(fx.client, call);
    est_http_reply(fx.parked, 200, NULL, EST_VIEW_NONE);
    (void)send("GET", "/echo", NULL, 5 * EST_SECOND, &after);
    WAIT_FOR(after.calls > 0);
    assert_int_equal(after.err, EST_OK);
    assert_int_equal(o.calls, 0);
}

static void a_field_cannot_break_the_request_apart(void **state)
{
    static const struct est_http_field bad[] = {
        {"X-A", "1\r\nX-B: 2"}, {"X-A\n", "1"}, {"X:A", "1"}, {"X-A", "1\x01"}};
    struct outcome o = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct est_http_request rq = {.method = "GET",
                                            .url = fx.url,
                                            .fields = &bad[i],
                                            .n_fields = 1,
                                            .timeout = EST_SECOND,
                                            .response_max = 100};
        assert_int_equal(est_http_client_send(fx.client, &rq, on_done, &o, NULL, NULL),
                         EST_ERR_INVALID);
    }
    assert_int_equal(o.calls, 0);
    assert_int_equal(est_http_client_pending(fx.client), 0);
}

static void freeing_with_calls_under_way(void **state)
{
    struct outcome o;

    (void)state;
    (void)send("GET", "/park", NULL, 5 * EST_SECOND, &o);
    WAIT_FOR(fx.parked != NULL);
    est_http_client_free(fx.client);
    fx.client = NULL;
    est_http_reply(fx.parked, 200, NULL, EST_VIEW_NONE);
    assert_int_equal(o.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_are_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_call_is_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_field_cannot_break_the_request_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freeing_with_calls_under_way, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
