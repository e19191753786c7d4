/* The registry client against a server of ours that plays the registry. */
#include "io/http_in.h"
#include "io/http_out.h"
#include "io/loop.h"
#include "io/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct est_loop *lp;
    struct est_http_server *server;
    struct est_http_client *http;
    struct est_registry *rg;
    /* what the server saw, and what it answers */
    char method[8], path[256], query[64], body[256], authorization[64], content_type[64];
    int status;
    const char *answer;
    bool holds; /* never answers */
    /* what the client was told */
    unsigned n_done;
    est_err err;
    int got_status;
    char got[256];
};

static void copy(char *to, size_t size, struct est_view v)
{
    (void)snprintf(to, size, "%.*s", (int)v.len, v.data ? v.data : "");
}

static void on_request(void *arg, struct est_http_req *req)
{
    struct fixture *f = arg;

    copy(f->method, sizeof(f->method), est_http_method(req));
    copy(f->path, sizeof(f->path), est_http_path(req));
    copy(f->query, sizeof(f->query), est_http_query(req));
    copy(f->body, sizeof(f->body), est_http_body(req));
    copy(f->authorization, sizeof(f->authorization), est_http_header(req, "authorization"));
    copy(f->content_type, sizeof(f->content_type), est_http_header(req, "content-type"));
    if (!f->holds)
        est_http_reply(req, f->status, "application/json", est_view_str(f->answer));
}

static void on_done(void *arg, const struct est_registry_answer *answer)
{
    struct fixture *f = arg;

    f->n_done++;
    f->err = answer->err;
    f->got_status = answer->status;
    copy(f->got, sizeof(f->got), answer->body);
}

static int setup(void **state)
{
    static struct fixture f;
    const struct est_http_client_options http = {.conns_max = 4, .connect_timeout = EST_SECOND};
    const struct est_http_handlers handlers = {.request = on_request, .arg = &f};
    struct est_registry_options opt = {.token = "tok", .timeout = 5 * EST_SECOND};
    char url[64];

    f = (struct fixture){.status = 200, .answer = "{}"};
    assert_int_equal(est_loop_new(&f.lp, NULL), EST_OK);
    assert_int_equal(
        est_http_server_new(f.lp, &est_http_limits_default, &handlers, &f.server, NULL), EST_OK);
    assert_int_equal(est_http_server_listen(f.server, "127.0.0.1:0", NULL), EST_OK);
    assert_int_equal(est_http_client_new(f.lp, &http, &f.http, NULL), EST_OK);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/base/", est_http_server_port(f.server));
    opt.url = url;
    assert_int_equal(est_registry_new(f.http, &opt, &f.rg, NULL), EST_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    est_registry_free(f->rg);
    est_http_client_free(f->http);
    est_http_server_free(f->server);
    est_loop_free(f->lp);
    return 0;
}

static void wait_done(struct fixture *f, unsigned n)
{
    est_us deadline = est_clock_mono() + 10 * EST_SECOND;

    while (f->n_done < n && est_clock_mono() < deadline)
        est_loop_turn(f->lp, 100 * EST_MS);
    assert_int_equal(f->n_done, n);
}

static void test_requests(void **state)
{
    const unsigned char guid[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                    0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
    struct fixture *f = *state;
    struct est_view body = EST_VIEW_LIT("{\"schema\":\"x\"}");

    f->answer = "{\"id\":7}";
    assert_int_equal(est_registry_register(f->rg, "a/b c-value", body, on_done, f, NULL, NULL),
                     EST_OK);
    wait_done(f, 1);
    assert_string_equal(f->method, "POST");
    assert_string_equal(f->path, "/base/subjects/a%2Fb%20c-value/versions");
    assert_string_equal(f->body, "{\"schema\":\"x\"}");
    assert_string_equal(f->content_type, "application/vnd.schemaregistry.v1+json");
    assert_string_equal(f->authorization, "Bearer tok");
    assert_true(f->err == EST_OK && f->got_status == 200);
    assert_string_equal(f->got, "{\"id\":7}");

    assert_int_equal(est_registry_check(f->rg, "s", body, on_done, f, NULL, NULL), EST_OK);
    wait_done(f, 2);
    assert_string_equal(f->path, "/base/compatibility/subjects/s/versions/latest");
    assert_string_equal(f->query, "verbose=true");

    assert_int_equal(est_registry_get_id(f->rg, 4294967295, on_done, f, NULL, NULL), EST_OK);
    wait_done(f, 3);
    assert_string_equal(f->method, "GET");
    assert_string_equal(f->path, "/base/schemas/ids/4294967295");
    assert_string_equal(f->body, "");

    assert_int_equal(est_registry_get_guid(f->rg, guid, on_done, f, NULL, NULL), EST_OK);
    wait_done(f, 4);
    assert_string_equal(f->path, "/base/schemas/guids/01234567-89ab-cdef-fedc-ba9876543210");
}

static void test_verdicts(void **state)
{
    static const struct {
        int status;
        est_err want;
    } cases[] = {
        {200, EST_OK},           {201, EST_OK},           {302, EST_ERR_REGISTRY},
        {401, EST_ERR_REGISTRY}, {403, EST_ERR_REGISTRY}, {404, EST_ERR_NOTFOUND},
        {409, EST_ERR_INVALID},  {422, EST_ERR_INVALID},  {429, EST_ERR_REGISTRY},
        {500, EST_ERR_REGISTRY}, {503, EST_ERR_REGISTRY},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f->status = cases[i].status;
        assert_int_equal(est_registry_get_id(f->rg, 1, on_done, f, NULL, NULL), EST_OK);
        wait_done(f, (unsigned)i + 1);
        assert_int_equal(f->err, cases[i].want);
        assert_int_equal(f->got_status, cases[i].status);
    }
}

static void test_nobody_there(void **state)
{
    const struct est_registry_options opt = {.url = "http://127.0.0.1:1", .timeout = EST_SECOND};
    struct fixture *f = *state;
    struct est_registry *rg;

    assert_int_equal(est_registry_new(f->http, &opt, &rg, NULL), EST_OK);
    assert_int_equal(est_registry_get_id(rg, 1, on_done, f, NULL, NULL), EST_OK);
    wait_done(f, 1);
    assert_true(f->err == EST_ERR_REGISTRY && f->got_status == 0);
    est_registry_free(rg);
}

/* A cancelled call is never told of; freeing the client with calls under way is quiet. */
static void test_cancel(void **state)
{
    struct fixture *f = *state;
    struct est_registry_call *call = NULL;

    f->holds = true;
    assert_int_equal(est_registry_get_id(f->rg, 1, on_done, f, &call, NULL), EST_OK);
    est_registry_cancel(f->rg, call);
    assert_int_equal(est_registry_get_id(f->rg, 2, on_done, f, NULL, NULL), EST_OK);
    while (f->path[0] == '\0')
        est_loop_turn(f->lp, 100 * EST_MS);
    assert_int_equal(f->n_done, 0);
}

static void test_urls(void **state)
{
    static const char *const bad[] = {"", "localhost:8081", "ftp://x", "file:///etc/passwd"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct est_registry_options opt = {.url = bad[i], .timeout = EST_SECOND};
        struct est_registry *rg = NULL;
        assert_int_equal(est_registry_new(f->http, &opt, &rg, NULL), EST_ERR_INVALID);
        assert_null(rg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verdicts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_urls, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
