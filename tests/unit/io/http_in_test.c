/* What the server says to what clients send: framing, fields, refusals. Lifetime and deadlines are
 * in http_conn_test.c, listeners in http_listen_test.c. */
#include "http_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define V(s) EST_VIEW_LIT(s)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD_OF(method, path) method " " path " HTTP/1.1\r\nHost: x\r\n"

static int status_of(const struct client *c)
{
    return c->in.len > 12 ? (int)strtol(c->in.data + 9, NULL, 10) : 0;
}

/* One request, one reply: its status and the end of what came. */
static void well_formed_requests(void **state)
{
    static const struct {
        struct est_view say;
        const char *body; /* of the reply */
        bool closes;
    } cases[] = {
        {V(GET("/say")), "GET /say - 0 ", false},
        {V(GET("/say?a=b")), "GET /say ?a=b 0 ", false},
        {V(GET("/say?")), "GET /say ? 0 ", false},
        {V("GET http://example.org/say?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /say ?x=1 0 ",
         false},
        {V("GET http://example.org HTTP/1.1\r\nHost: x\r\n\r\n"), "GET / - 0 ", false},
        {V("GET http://example.org?x=/ HTTP/1.1\r\nHost: x\r\n\r\n"), "GET / ?x=/ 0 ", false},
        {V("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), "OPTIONS * - 0 ", false},
        {V("\r\n\r\n" GET("/say")), "GET /say - 0 ", false},
        {V("GET /say HTTP/1.1\r\nHost:x\r\n\r\n"), "GET /say - 0 ", false},
        {V("GET /say HTTP/1.1\r\nhOsT: \t x \t \r\nEmpty:\r\n\r\n"), "GET /say - 0 ", false},
        {V(HEAD_OF("POST", "/say") "Content-Length: 5\r\n\r\nhello"), "POST /say - 5 hello", false},
        {V(HEAD_OF("POST", "/say") "Content-Length: 005\r\n\r\nhello"), "POST /say - 5 hello",
         false},
        {V(HEAD_OF("POST", "/say") "Content-Length: 0\r\n\r\n"), "POST /say - 0 ", false},
        {V(HEAD_OF("POST", "/say") "Content-Length: 3\r\n\r\na\0b"), "POST /say - 3 a", false},
        {V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n"
                                   "0123456789\r\n0\r\n\r\n"),
         "POST /say - chunked abc0123456789", false},
        {V(HEAD_OF("POST", "/say") "transfer-encoding: CHUNKED\r\n\r\n0\r\nTrailer: t\r\n\r\n"),
         "POST /say - chunked ", false},
        {V(HEAD_OF("GET", "/say") "Connection: close\r\n\r\n"), "GET /say - 0 ", true},
        {V("GET /say HTTP/1.0\r\n\r\n"), "GET /say - 0 ", true},
        {V("GET /say HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "GET /say - 0 ", false},
        {V("GET /say HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"),
         "GET /say - 0 ", true},
        {V(HEAD_OF("GET", "/say") "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
         "GET /say - 0 ", false},
        {V(HEAD_OF("POST", "/say") "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                   "HTTP2-Settings: AA\r\nContent-Length: 2\r\n\r\nhi"),
         "POST /say - 2 hi", false},
    };
    struct rig r;

    (void)state;
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c = rig_dial(&r);
        client_say(&c, cases[i].say);
        if (!client_hears(&c, cases[i].body) || status_of(&c) != 200)
            fail_msg("row %zu: %s", i, c.in.data);
        if (cases[i].closes) {
            assert_true(client_hears_end(&c));
        } else {
            client_forget(&c);
            client_say(&c, V(GET("/say?again")));
            if (!client_hears(&c, "GET /say ?again 0 "))
                fail_msg("row %zu: the connection is not kept: %s", i, c.in.data);
        }
        client_close(&c);
    }
    rig_close(&r);
}

/* Each is refused with its status, is not handed to the handler, and ends the connection. */
static void refused_requests(void **state)
{
    static const struct {
        int status;
        struct est_view say;
    } cases[] = {
        {400, V("GET /say HTTP/1.1\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n")},
        {400, V("GET /say HTTP/1.0\r\nHost: x\r\nhost: y\r\n\r\n")},
        {400, V("\x16\x03\x01\x02\x00\x01\x00")}, /* TLS */
        {400, V("HELLO\r\n\r\n")},
        {501, V("get /say HTTP/1.1\r\nHost: x\r\n\r\n")},
        {400, V("GET  HTTP/1.1\r\nHost: x\r\n\r\n")},
        {400, V("GET say HTTP/1.1\r\nHost: x\r\n\r\n")},
        {400, V("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n")},
        {400, V("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n")},
        {505, V("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
        {501, V("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n")},
        {501, V("PROPFIND /say HTTP/1.1\r\nHost: x\r\n\r\n")},
        {501, V("ANUNENDINGMETHODWITHOUTASPACE")},
        {505, V("GET /say HTTP/2.0\r\nHost: x\r\n\r\n")},
        {505, V("GET /say HTTP/1.2\r\nHost: x\r\n\r\n")},
        {505, V("GET /say HTTP/0.9\r\nHost: x\r\n\r\n")},
        {400, V("CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n")},
        {400, V("GET  /say HTTP/1.1\r\nHost: x\r\n\r\n")},
        {400, V("GET /say  HTTP/1.1\r\nHost: x\r\n\r\n")},
        {400, V("GET /say HTTP/1.1 \r\nHost: x\r\n\r\n")},
        {400, V("GET /say HTTP/1.1 x\r\nHost: x\r\n\r\n")},
        {400, V("GET /say HTTP/1.x\r\nHost: x\r\n\r\n")},
        {400, V("GET /say RTSP/1.0\r\nHost: x\r\n\r\n")},
        {501, V("SOURCE /say ICE/1.0\r\nHost: x\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\nHost: x\n\n")},
        {400, V("GET /say\r\nHost: x\r\n\r\n")},
        {413, V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n")},
        {417, V(HEAD_OF("POST", "/say") "Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n")},
        /* framing that another server may read otherwise */
        {400,
         V(HEAD_OF("POST",
                   "/say") "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {400,
         V(HEAD_OF("POST",
                   "/say") "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: 5, 5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: +5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: -5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: 0x5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: 5 5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length:\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length: 18446744073709551616\r\n\r\n")},
        {413, V(HEAD_OF("POST", "/say") "Content-Length: 18446744073709551615\r\n\r\n")},
        {501, V(HEAD_OF("POST", "/say") "Transfer-Encoding: gzip\r\n\r\nhello")},
        {501, V(HEAD_OF("POST", "/say") "Transfer-Encoding: identity\r\n\r\nhello")},
        {400, V(HEAD_OF("POST",
                        "/say") "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello")},
        {501, V(HEAD_OF("POST", "/say") "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
        {501,
         V(HEAD_OF(
             "POST",
             "/say") "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {400,
         V(HEAD_OF(
             "POST",
             "/say") "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {501, V(HEAD_OF("POST", "/say") "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")},
        {400, V("POST /say HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {400, V(HEAD_OF("POST", "/say") "Content-Length : 5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")},
        {400, V(HEAD_OF("POST", "/say") " Content-Length: 5\r\n\r\nhello")},
        {400, V(HEAD_OF("POST", "/say") "X: a\r\n b\r\n\r\n")}, /* folded */
        {400, V("GET /say HTTP/1.1\r\nHost: x\nX: y\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\r\nHost: x\rX: y\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\r\nHost: x\r\nX\0: a\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\r\nHost: x\r\nX Y: a\r\n\r\n")},
        {400, V("GET /say HTTP/1.1\r\nHost: x\r\nX\r\n\r\n")},
        {400,
         V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n")},
        {400,
         V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n")},
        {400, V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n")},
        {400,
         V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n")},
        {400, V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n")},
        {400, V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n")},
        {400,
         V(HEAD_OF("POST", "/say") "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\na")},
    };
    struct rig r;

    (void)state;
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c = rig_dial(&r);
        client_say(&c, cases[i].say);
        client_say(&c, V(GET("/smuggled")));
        if (!client_hears_end(&c) || status_of(&c) != cases[i].status ||
            client_count(&c, "\r\nDate: ") != 1)
            fail_msg("row %zu: %s", i, c.in.len ? c.in.data : "nothing");
        assert_int_equal(client_count(&c, "Connection: close\r\n"), 1);
        assert_int_equal(client_count(&c, "Content-Type: application/problem+json\r\n"), 1);
        client_close(&c);
    }
    assert_int_equal(r.calls, 0);
    assert_int_equal(est_http_server_stats(r.server).bad_requests,
                     sizeof(cases) / sizeof(cases[0]));
    rig_close(&r);
}

/* How the bytes were cut into reads changes no answer. */
static void request_lines_byte_by_byte(void **state)
{
    static const struct {
        int status;
        const char *say;
    } cases[] = {
        {200, "\r\nGET /say HTTP/1.1\r\nHost: x\r\n\r\n"},
        {501, "BREW /say HTTP/1.1\r\nHost: x\r\n\r\n"},
        {501, "get /say HTTP/1.1\r\nHost: x\r\n\r\n"},
        {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {505, "GET /say HTTP/2.0\r\nHost: x\r\n\r\n"},
        {400, "GET\t/say HTTP/1.1\r\nHost: x\r\n\r\n"},
    };
    struct rig r;

    (void)state;
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c = rig_dial(&r);
        for (const char *p = cases[i].say; *p != '\0'; p++)
            client_say(&c, est_view(p, 1));
        if (!client_hears(&c, "\r\n\r\n") || status_of(&c) != cases[i].status)
            fail_msg("row %zu: %s", i, c.in.len ? c.in.data : "nothing");
        client_close(&c);
    }
    rig_close(&r);
}

static void limits_of_size(void **state)
{
    static const struct {
        int status;
        const char *before;
        size_t n; /* times 'a' */
        const char *behind;
    } cases[] = {
        {200, "GET /", 100, " HTTP/1.1\r\nHost: x\r\n\r\n"},
        {414, "GET /", 1025, " HTTP/1.1\r\nHost: x\r\n\r\n"},
        {414, "GET /", 100000, ""},
        {200, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 900, "\r\n\r\n"},
        {431, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 1025, "\r\n\r\n"},
        {431, "GET / HTTP/1.1\r\nHost: x\r\n", 1025, ": x\r\n\r\n"},
        {431, "GET / HTTP/1.1\r\nHost: x\r\n", 100000, ""},
        {431, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", 1025,
         "\r\n\r\n"},
        {200, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n", 2000, ""},
        {413, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2001\r\n\r\n", 2001, ""},
        {200, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n", 2000,
         "\r\n0\r\n\r\n"},
        {413, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n", 2001,
         "\r\n0\r\n\r\n"},
        {413, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n", 200000,
         ""},
    };
    struct est_http_limits limits = est_http_limits_default;
    struct rig r;

    (void)state;
    limits.header_max = 1024;
    limits.body_max = 2000;
    rig_open(&r, &limits);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c = rig_dial(&r);
        char *many = malloc(cases[i].n);
        assert_non_null(many);
        memset(many, 'a', cases[i].n);
        client_say_str(&c, cases[i].before);
        client_say(&c, est_view(many, cases[i].n));
        client_say_str(&c, cases[i].behind);
        if (!client_hears(&c, "\r\n\r\n") || status_of(&c) != cases[i].status)
            fail_msg("row %zu: %s", i, c.in.len ? c.in.data : "nothing");
        if (cases[i].status != 200)
            assert_true(client_hears_end(&c));
        free(many);
        client_close(&c);
    }
    rig_close(&r);
}

static void too_many_fields(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, NULL);
    for (size_t n = 99; n <= 101; n++) {
        struct client c = rig_dial(&r);
        client_say_str(&c, "GET /say HTTP/1.1\r\nHost: x\r\n");
        for (size_t i = 1; i < n; i++)
            client_say_str(&c, "A: b\r\n");
        client_say_str(&c, "\r\n");
        assert_true(client_hears(&c, "\r\n\r\n"));
        assert_int_equal(status_of(&c), n <= 100 ? 200 : 431);
        client_close(&c);
    }
    rig_close(&r);
}

/* Two requests with bodies, cut in two at every byte; then byte by byte. */
static void every_cut(void **state)
{
    static const struct est_view say = V(HEAD_OF(
        "POST", "/say?1") "Transfer-Encoding: chunked\r\nX: y\r\n\r\n"
                          "5\r\nhello\r\n1;ext=\"v\"\r\n!\r\n0\r\nTrailer: t\r\n\r\n" HEAD_OF(
                              "POST", "/say?2") "Content-Length: 3\r\n\r\nabc" GET("/say?3"));
    static const char *const want[] = {"POST /say ?1 chunked hello!HTTP", "POST /say ?2 3 abcHTTP",
                                       "GET /say ?3 0 "};
    struct rig r;

    (void)state;
    rig_open(&r, NULL);
    for (size_t cut = 1; cut <= say.len; cut++) {
        struct client c = rig_dial(&r);
        size_t at = 0;
        while (at < say.len) {
            size_t n = cut == say.len ? 1 : at == 0 ? cut : say.len - cut;
            client_say(&c, est_view(say.data + at, n));
            at += n;
            rig_turn(&r);
        }
        assert_true(client_hears(&c, want[2]));
        for (size_t i = 0; i < 3; i++)
            if (client_count(&c, want[i]) != 1)
                fail_msg("cut at %zu: %s", cut, c.in.data);
        client_close(&c);
    }
    rig_close(&r);
}

static void a_hundred_pipelined(void **state)
{
    struct rig r;
    struct client c;
    struct est_buf b;
    const char *at;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    est_buf_init(&b, 1 << 20);
    for (int i = 0; i < 100; i++)
        est_buf_printf(&b, "POST /say?%03d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%*s", i,
                       i, i, "");
    client_say(&c, est_buf_view(&b));
    assert_true(client_hears(&c, "/say ?099 99"));
    assert_int_equal(client_count(&c, "HTTP/1.1 200 OK\r\n"), 100);
    at = c.in.data;
    for (int i = 0; i < 100; i++) {
        char want[32];
        (void)snprintf(want, sizeof(want), "/say ?%03d %d ", i, i);
        at = strstr(at, want);
        if (at == NULL)
            fail_msg("reply %d is missing or out of order", i);
    }
    assert_int_equal(est_http_server_stats(r.server).requests, 100);
    est_buf_fini(&b);
    client_close(&c);
    rig_close(&r);
}

static void expect_continue(void **state)
{
    struct rig r;
    struct client c;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    client_say_str(&c, HEAD_OF("POST", "/say") "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(client_hears(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
    assert_int_equal(client_count(&c, "200 OK"), 0);
    client_say_str(&c, "hi");
    assert_true(client_hears(&c, "POST /say - 2 hi"));
    client_forget(&c);
    client_say_str(&c,
                   HEAD_OF("POST", "/no/body") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(client_hears_end(&c));
    assert_int_equal(status_of(&c), 401);
    assert_int_equal(client_count(&c, "100 Continue"), 0);
    client_close(&c);
    rig_close(&r);
}

static void head_has_no_body(void **state)
{
    struct rig r;
    struct client c;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    client_say_str(&c, HEAD_OF("HEAD", "/say") "\r\n" GET("/say?2"));
    assert_true(client_hears(&c, "GET /say ?2 0 "));
    assert_int_equal(client_count(&c, "HEAD /say"), 0);
    assert_int_equal(client_count(&c, "Content-Length: 14\r\n"), 2);
    client_forget(&c);
    client_say_str(&c, HEAD_OF("HEAD", "/no/way") "\r\n");
    assert_true(client_hears_end(&c));
    assert_int_equal(client_count(&c, "\"status\""), 0);
    client_close(&c);
    c = rig_dial(&r); /* a refusal behind a HEAD has its body: it answers something else */
    client_say_str(&c, HEAD_OF("HEAD", "/say") "\r\nBAD\r\n\r\n");
    assert_true(client_hears_end(&c));
    assert_int_equal(client_count(&c, "\"status\":400"), 1);
    client_close(&c);
    rig_close(&r);
}

static void refused_before_the_body(void **state)
{
    struct rig r;
    struct client c;

    (void)state;
    rig_open(&r, NULL);
    c = rig_dial(&r);
    client_say_str(&c, HEAD_OF("POST", "/no/thanks") "Content-Length: 1000000\r\n\r\n");
    assert_true(client_hears(&c, "\"status\":401"));
    assert_int_equal(client_count(&c, "WWW-Authenticate: Bearer\r\n"), 1);
    for (int i = 0; i < 1000; i++) /* it goes on sending; what was said must still arrive */
        client_say_str(&c,
                       "0123456789012345678901234567890123456789012345678901234567890123456789");
    assert_true(client_hears_end(&c));
    assert_int_equal(client_count(&c, "HTTP/1.1 "), 1);
    assert_int_equal(r.calls, 0);
    client_close(&c);
    rig_close(&r);
}

static void query_parameters(void **state)
{
    static const struct {
        const char *query, *want; /* of n */
    } cases[] = {
        {"n=1", "1"}, {"a=2&n=3", "3"}, {"nn=4&n=5", "5"}, {"&&n=7&", "7"}, {"n=8&n=9", "8"},
    };
    struct rig r;

    (void)state;
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client c = rig_dial(&r);
        char say[100], want[32];
        (void)snprintf(say, sizeof(say), "GET /big?%s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].query);
        (void)snprintf(want, sizeof(want), "Content-Length: %s\r\n", cases[i].want);
        client_say_str(&c, say);
        if (!client_hears(&c, want))
            fail_msg("%s", cases[i].query);
        client_close(&c);
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_requests),
        cmocka_unit_test(refused_requests),
        cmocka_unit_test(request_lines_byte_by_byte),
        cmocka_unit_test(limits_of_size),
        cmocka_unit_test(too_many_fields),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(a_hundred_pipelined),
        cmocka_unit_test(expect_continue),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(refused_before_the_body),
        cmocka_unit_test(query_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
