#include "codec_fixture.h"

#include "base/mem.h"
#include "codec/pointer.h"

#include <stdio.h>

struct fixture {
    struct est_inbound *in;
};

static int setup(void **state)
{
    static struct fixture f;

    assert_int_equal(est_inbound_new(NULL, &f.in), EST_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    est_inbound_free(((struct fixture *)*state)->in);
    return 0;
}

static void test_kinds(void **state)
{
    static const struct {
        const char *type;
        int want; /* -1 = refused */
    } cases[] = {
        {"application/json", EST_INBOUND_JSON},
        {"Application/JSON; charset=utf-8", EST_INBOUND_JSON},
        {" application/json ", EST_INBOUND_JSON},
        {"application/x-ndjson", EST_INBOUND_NDJSON},
        {"application/jsonl", EST_INBOUND_NDJSON},
        {"application/cloudevents+json", EST_INBOUND_CE},
        {"application/cloudevents-batch+json;charset=UTF-8", EST_INBOUND_CE_BATCH},
        {"text/plain", -1},
        {"application/jsonx", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum est_inbound_kind kind;
        bool ok = est_inbound_kind_of(est_view_str(cases[i].type), &kind);
        assert_true(ok == (cases[i].want >= 0) && (!ok || (int)kind == cases[i].want));
    }
    assert_false(est_inbound_kind_of(EST_VIEW_NONE, &(enum est_inbound_kind){0}));
}

#define P "\"payload\":{}"
#define CE "\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"t\""

/* The first failure of a body: of the whole, or of its first item that is not right. */
static est_err first_failure(struct est_inbound *in, enum est_inbound_kind kind, const char *body,
                             struct est_reject *rj)
{
    struct est_event ev = {0};
    est_err err = est_inbound_parse(in, kind, est_view_str(body), NULL, 0, rj);

    for (size_t i = 0; err == EST_OK && i < est_inbound_count(in); i++)
        err = est_inbound_event(in, i, &ev, rj);
    return err;
}

static void test_refusals(void **state)
{
    static const struct {
        enum est_inbound_kind kind;
        const char *body;
        est_err err;
        size_t index;
        const char *pointer;
    } cases[] = {
        {EST_INBOUND_JSON, "", EST_ERR_JSON, 0, ""},
        {EST_INBOUND_JSON, "{", EST_ERR_JSON, 0, ""},
        {EST_INBOUND_JSON, "[]", EST_ERR_EVENT_SHAPE, 0, ""},
        {EST_INBOUND_JSON, "12", EST_ERR_EVENT_SHAPE, 0, ""},
        {EST_INBOUND_JSON, "\"x\"", EST_ERR_EVENT_SHAPE, 0, ""},
        {EST_INBOUND_JSON, "[{\"event\":\"a\"," P "},null]", EST_ERR_EVENT_SHAPE, 1, ""},
        {EST_INBOUND_JSON, "[{\"event\":\"a\"," P "},[]]", EST_ERR_EVENT_SHAPE, 1, ""},
        {EST_INBOUND_JSON, "{}", EST_ERR_EVENT_SHAPE, 0, "/event"},
        {EST_INBOUND_JSON, "{\"event\":\"a\"}", EST_ERR_EVENT_SHAPE, 0, "/payload"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"payload\":null}", EST_ERR_EVENT_SHAPE, 0,
         "/payload"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"payload\":[]}", EST_ERR_EVENT_SHAPE, 0, "/payload"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"payload\":\"x\"}", EST_ERR_EVENT_SHAPE, 0,
         "/payload"},
        {EST_INBOUND_JSON, "{\"event\":null," P "}", EST_ERR_EVENT_SHAPE, 0, "/event"},
        {EST_INBOUND_JSON, "{\"event\":\"\"," P "}", EST_ERR_EVENT_SHAPE, 0, "/event"},
        {EST_INBOUND_JSON, "{\"event\":true," P "}", EST_ERR_EVENT_SHAPE, 0, "/event"},
        {EST_INBOUND_JSON, "{\"event\":\"a\\nb\"," P "}", EST_ERR_EVENT_SHAPE, 0, "/event"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"id\":\"x\\r\\ny\"," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/id"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"id\":1.5," P "}", EST_ERR_EVENT_SHAPE, 0, "/id"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"id\":{}," P "}", EST_ERR_EVENT_SHAPE, 0, "/id"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"source\":[1]," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/source"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"tenant\":true," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/tenant"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"dedup_id\":false," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/dedup_id"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"key\":[]," P "}", EST_ERR_EVENT_SHAPE, 0, "/key"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"sequence\":\"1\"," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/sequence"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"sequence\":1.0," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/sequence"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"sequence\":9223372036854775808," P "}",
         EST_ERR_EVENT_SHAPE, 0, "/sequence"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"occurred_at\":\"ontem\"," P "}", EST_ERR_EVENT_SHAPE,
         0, "/occurred_at"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"occurred_at\":1.5," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/occurred_at"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"occurred_at\":999999999999999999," P "}",
         EST_ERR_EVENT_SHAPE, 0, "/occurred_at"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"timestamp\":{}," P "}", EST_ERR_EVENT_SHAPE, 0,
         "/timestamp"},
        {EST_INBOUND_JSON, "{\"event\":\"a\",\"event\":\"b\"," P "}", EST_ERR_JSON_DUPLICATE, 0,
         "/event"},
        {EST_INBOUND_JSON,
         "[{\"event\":\"a\"," P "},{\"event\":\"a\",\"payload\":{\"x\":1,\"x\":1}}]",
         EST_ERR_JSON_DUPLICATE, 1, "/payload/x"},
        {EST_INBOUND_NDJSON, "\n \r\n\n", EST_ERR_EVENT_SHAPE, 0, ""},
        {EST_INBOUND_NDJSON, "{\"event\":\"a\"," P "}\n{\"event\":\n", EST_ERR_JSON, 1, ""},
        {EST_INBOUND_NDJSON, "{\"event\":\"a\"," P "} {\"event\":\"a\"," P "}\n", EST_ERR_JSON, 0,
         ""},
        {EST_INBOUND_NDJSON, "{\"event\":\"a\"," P "}\n7\n", EST_ERR_EVENT_SHAPE, 1, ""},
        {EST_INBOUND_CE, "[]", EST_ERR_EVENT_SHAPE, 0, ""},
        {EST_INBOUND_CE, "{}", EST_ERR_EVENT_SHAPE, 0, "/specversion"},
        {EST_INBOUND_CE, "{\"specversion\":\"0.3\",\"id\":\"i\"}", EST_ERR_EVENT_SHAPE, 0,
         "/specversion"},
        {EST_INBOUND_CE, "{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"s\",\"data\":{}}",
         EST_ERR_EVENT_SHAPE, 0, "/id"},
        {EST_INBOUND_CE, "{\"specversion\":\"1.0\",\"type\":\"t\",\"id\":\"i\",\"data\":{}}",
         EST_ERR_EVENT_SHAPE, 0, "/source"},
        {EST_INBOUND_CE, "{\"specversion\":\"1.0\",\"source\":\"s\",\"id\":\"i\",\"data\":{}}",
         EST_ERR_EVENT_SHAPE, 0, "/type"},
        {EST_INBOUND_CE, "{" CE "}", EST_ERR_EVENT_SHAPE, 0, "/data"},
        {EST_INBOUND_CE, "{" CE ",\"data\":\"x\"}", EST_ERR_EVENT_SHAPE, 0, "/data"},
        {EST_INBOUND_CE, "{" CE ",\"data_base64\":\"eA==\"}", EST_ERR_EVENT_SHAPE, 0,
         "/data_base64"},
        {EST_INBOUND_CE, "{" CE ",\"data\":{},\"time\":\"x\"}", EST_ERR_EVENT_SHAPE, 0, "/time"},
        {EST_INBOUND_CE_BATCH, "{" CE ",\"data\":{}}", EST_ERR_EVENT_SHAPE, 0, ""},
        {EST_INBOUND_CE_BATCH, "[{" CE ",\"data\":{}},{}]", EST_ERR_EVENT_SHAPE, 1, "/specversion"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_reject rj = {0};
        est_err err = first_failure(f->in, cases[i].kind, cases[i].body, &rj);
        if (err != cases[i].err || rj.code != err || rj.index != cases[i].index ||
            strcmp(rj.pointer, cases[i].pointer) != 0)
            fail_msg("%s gave %s at %zu %s: %s", cases[i].body, est_err_code(err), rj.index,
                     rj.pointer, rj.detail);
        assert_true(rj.detail[0] != '\0');
    }
}

/* The sender's values never come back in an error's text. */
static void test_errors_keep_values_to_themselves(void **state)
{
    struct fixture *f = *state;
    struct est_reject rj;

    (void)first_failure(f->in, EST_INBOUND_JSON,
                        "{\"event\":\"a\",\"occurred_at\":\"5511999990000\",\"payload\":{}}", &rj);
    assert_null(strstr(rj.detail, "5511"));
}

static void test_envelope(void **state)
{
    struct fixture *f = *state;
    struct est_event ev = {
        .source = EST_VIEW_LIT("default"), .occurred_at = 5, .tenant = EST_VIEW_LIT("")};
    const char *body =
        "{\"event\":\"e\",\"id\":42,\"dedup_id\":\"d\",\"tenant\":null,\"key\":\"k\",\"sequence\":-"
        "3,"
        "\"timestamp\":1000,\"occurred_at\":\"1970-01-01T00:00:07Z\",\"payload\":{}}";

    assert_int_equal(est_inbound_parse(f->in, EST_INBOUND_JSON, est_view_str(body), NULL, 0, NULL),
                     EST_OK);
    assert_false(est_inbound_is_batch(f->in));
    assert_int_equal(est_inbound_event(f->in, 0, &ev, NULL), EST_OK);
    assert_true(est_view_is(ev.event, "e") && est_view_is(ev.id, "42") &&
                est_view_is(ev.dedup_id, "d"));
    assert_true(est_view_is(ev.source, "default") && est_view_is(ev.tenant, "") &&
                est_view_is(ev.key, "k"));
    assert_true(ev.has_sequence && ev.sequence == -3);
    assert_int_equal(ev.occurred_at, 7 * EST_SECOND);
    ev = (struct est_event){.occurred_at = 5};
    assert_int_equal(
        est_inbound_parse(f->in, EST_INBOUND_JSON,
                          EST_VIEW_LIT("[{\"event\":\"e\",\"timestamp\":-1,\"payload\":{}}]"), NULL,
                          0, NULL),
        EST_OK);
    assert_true(est_inbound_is_batch(f->in));
    assert_int_equal(est_inbound_event(f->in, 0, &ev, NULL), EST_OK);
    assert_int_equal(ev.occurred_at, -1000);
    assert_null(ev.id.data);
}

/* "occurred_at" wins over "timestamp", whichever stands first. */
static void test_two_times(void **state)
{
    static const char *const bodies[] = {
        "{\"event\":\"e\",\"timestamp\":1000,\"occurred_at\":7000,\"payload\":{}}",
        "{\"event\":\"e\",\"occurred_at\":7000,\"timestamp\":1000,\"payload\":{}}",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct est_event ev = {0};
        assert_int_equal(
            est_inbound_parse(f->in, EST_INBOUND_JSON, est_view_str(bodies[i]), NULL, 0, NULL),
            EST_OK);
        assert_int_equal(est_inbound_event(f->in, 0, &ev, NULL), EST_OK);
        assert_int_equal(ev.occurred_at, 7 * EST_SECOND);
    }
}

/* A refused item leaves the caller's event as it was. */
static void test_failure_leaves_event(void **state)
{
    struct fixture *f = *state;
    struct est_event ev = {.id = EST_VIEW_LIT("mine"), .occurred_at = 5};

    assert_int_equal(
        est_inbound_parse(f->in, EST_INBOUND_JSON,
                          EST_VIEW_LIT("{\"id\":\"x\",\"occurred_at\":9,\"event\":\"e\"}"), NULL, 0,
                          NULL),
        EST_OK);
    assert_int_equal(est_inbound_event(f->in, 0, &ev, NULL), EST_ERR_EVENT_SHAPE);
    assert_true(est_view_is(ev.id, "mine") && ev.occurred_at == 5);
}

static void test_lines(void **state)
{
    struct fixture *f = *state;
    struct est_event ev = {0};
    const char *body =
        "\n{\"event\":\"a\"," P "}\r\n  \n\t{\"event\":\"b\"," P "}  \n{\"event\":\"c\"," P "}";

    assert_int_equal(
        est_inbound_parse(f->in, EST_INBOUND_NDJSON, est_view_str(body), NULL, 0, NULL), EST_OK);
    assert_int_equal(est_inbound_count(f->in), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(est_inbound_event(f->in, i, &ev, NULL), EST_OK);
        assert_true(ev.event.len == 1 && ev.event.data[0] == (char)('a' + (int)i));
    }
}

static void test_structured(void **state)
{
    struct fixture *f = *state;
    struct est_event ev = {0};
    const char *body =
        "{" CE ",\"time\":\"1970-01-01T00:00:01Z\",\"subject\":\"sub\",\"partitionkey\":\"pk\","
        "\"sequence\":\"17\",\"tenant\":\"t1\",\"dedupid\":\"dd\",\"traceparent\":\"00-x\","
        "\"datacontenttype\":\"application/json\",\"data\":{\"a\":1}}";

    assert_int_equal(est_inbound_parse(f->in, EST_INBOUND_CE, est_view_str(body), NULL, 0, NULL),
                     EST_OK);
    assert_int_equal(est_inbound_event(f->in, 0, &ev, NULL), EST_OK);
    assert_true(est_view_is(ev.event, "t") && est_view_is(ev.id, "i") &&
                est_view_is(ev.source, "s"));
    assert_true(est_view_is(ev.subject, "sub") && est_view_is(ev.key, "pk") &&
                est_view_is(ev.tenant, "t1"));
    assert_true(est_view_is(ev.dedup_id, "dd") && est_view_is(ev.traceparent, "00-x"));
    assert_true(ev.has_sequence && ev.sequence == 17 && ev.occurred_at == EST_SECOND);
}

#define FIELD(n, v)                      \
    {                                    \
        EST_VIEW_LIT(n), EST_VIEW_LIT(v) \
    }

static void test_binary(void **state)
{
    struct fixture *f = *state;
    struct est_event ev = {0};
    const struct est_inbound_field fields[] = {
        FIELD("Host", "x"),         FIELD("CE-SpecVersion", "1.0"),
        FIELD("ce-id", "i%201"),    FIELD("ce-source", "/loja"),
        FIELD("Ce-Type", "t"),      FIELD("ce-subject", "Jo%C3%A3o %F0%9F%91%8B 100%"),
        FIELD("ce-myext", "v\"\\"),
    };

    assert_int_equal(est_inbound_parse(f->in, EST_INBOUND_CE_BINARY, EST_VIEW_LIT("{\"a\":1}"),
                                       fields, COUNT_OF(fields), NULL),
                     EST_OK);
    assert_int_equal(est_inbound_event(f->in, 0, &ev, NULL), EST_OK);
    assert_true(est_view_is(ev.event, "t") && est_view_is(ev.id, "i 1") &&
                est_view_is(ev.source, "/loja"));
    assert_true(est_view_is(ev.subject, "João 👋 100%"));
}

static void test_binary_refusals(void **state)
{
    static const struct {
        struct est_inbound_field field;
        const char *body;
        est_err err;
        const char *pointer;
    } cases[] = {
        {FIELD("ce-type", "u"), "{}", EST_ERR_JSON_DUPLICATE, "/type"},
        {FIELD("ce-x", "%FF"), "{}", EST_ERR_EVENT_SHAPE, ""},
        {FIELD("ce-x", "%0A"), "{}", EST_OK, ""},
        {FIELD("ce-subject", "%0A"), "{}", EST_ERR_EVENT_SHAPE, "/subject"},
        {FIELD("ce-", "x"), "{}", EST_ERR_EVENT_SHAPE, ""},
        {FIELD("x", "x"), "[]", EST_ERR_EVENT_SHAPE, "/data"},
        {FIELD("x", "x"), "", EST_ERR_JSON, ""},
        {FIELD("x", "x"), "{},\"source\":\"evil\"", EST_ERR_JSON, ""},
        {FIELD("x", "x"), "{\"a\":{\"b\":1,\"b\":2}}", EST_ERR_JSON_DUPLICATE, "/data/a/b"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct est_inbound_field fields[] = {FIELD("ce-specversion", "1.0"),
                                                   FIELD("ce-id", "i"), FIELD("ce-source", "s"),
                                                   FIELD("ce-type", "t"), cases[i].field};
        struct est_reject rj = {0};
        struct est_event ev = {0};
        est_err err = est_inbound_parse(f->in, EST_INBOUND_CE_BINARY, est_view_str(cases[i].body),
                                        fields, COUNT_OF(fields), &rj);
        if (err == EST_OK)
            err = est_inbound_event(f->in, 0, &ev, &rj);
        if (err != cases[i].err || strcmp(rj.pointer, cases[i].pointer) != 0)
            fail_msg("case %zu gave %s at %s: %s", i, est_err_code(err), rj.pointer, rj.detail);
    }
}

static void test_limits(void **state)
{
    const struct est_inbound_limits limits = {
        .depth_max = 4, .items_max = 2, .event_max = 100, .memory_max = 1 << 20};
    struct est_inbound *in;
    struct est_event ev = {0};
    struct est_reject rj;
    struct est_buf b;

    (void)state;
    assert_int_equal(est_inbound_new(&limits, &in), EST_OK);
    assert_int_equal(est_inbound_parse(in, EST_INBOUND_JSON, EST_VIEW_LIT("[1,2]"), NULL, 0, &rj),
                     EST_OK);
    assert_int_equal(est_inbound_parse(in, EST_INBOUND_JSON, EST_VIEW_LIT("[1,2,3]"), NULL, 0, &rj),
                     EST_ERR_TOO_LARGE);
    assert_int_equal(est_inbound_count(in), 0);
    assert_int_equal(
        est_inbound_parse(in, EST_INBOUND_NDJSON, EST_VIEW_LIT("1\n2\n3"), NULL, 0, &rj),
        EST_ERR_TOO_LARGE);
    assert_int_equal(
        est_inbound_parse(in, EST_INBOUND_JSON,
                          EST_VIEW_LIT("[{\"event\":\"e\",\"payload\":{\"a\":[[0]]}}]"), NULL, 0,
                          &rj),
        EST_OK);
    assert_int_equal(est_inbound_event(in, 0, &ev, &rj), EST_OK);
    assert_int_equal(est_inbound_parse(in, EST_INBOUND_JSON,
                                       EST_VIEW_LIT("{\"event\":\"e\",\"payload\":{\"a\":[[{}]]}}"),
                                       NULL, 0, &rj),
                     EST_OK);
    assert_int_equal(est_inbound_event(in, 0, &ev, &rj), EST_ERR_JSON_DEPTH);
    assert_string_equal(rj.pointer, "/payload/a/0/0");
    est_buf_init(&b, 4 << 20);
    est_buf_putc(&b, '[');
    for (int i = 0; i < 300000; i++)
        est_buf_puts(&b, "1,");
    est_buf_puts(&b, "1]");
    assert_int_equal(est_inbound_parse(in, EST_INBOUND_JSON, est_buf_view(&b), NULL, 0, &rj),
                     EST_ERR_TOO_LARGE);
    est_buf_fini(&b);
    est_inbound_free(in);
}

static void test_pointers(void **state)
{
    static const struct {
        enum est_inbound_kind kind;
        const char *pointer, *want; /* NULL = nothing */
    } cases[] = {
        {EST_INBOUND_JSON, "/payload/order_id", "A1"},
        {EST_INBOUND_JSON, "/payload/n", "9007199254740993"},
        {EST_INBOUND_JSON, "/payload/list/1/x", "deep"},
        {EST_INBOUND_JSON, "/payload/a~1b", "slash"},
        {EST_INBOUND_JSON, "/payload/f", NULL},
        {EST_INBOUND_JSON, "/payload/empty", NULL},
        {EST_INBOUND_JSON, "/payload/none", NULL},
        {EST_INBOUND_JSON, "/payload/list", NULL},
        {EST_INBOUND_JSON, "/payload/list/01/x", NULL},
        {EST_INBOUND_JSON, "/payload/list/9/x", NULL},
        {EST_INBOUND_JSON, "/payload", NULL},
        {EST_INBOUND_JSON, "", NULL},
        {EST_INBOUND_JSON, "/event", "e"},
        {EST_INBOUND_CE, "/payload/order_id", "A1"},
        {EST_INBOUND_CE, "/event", "t"},
        {EST_INBOUND_CE, "/source", "s"},
        {EST_INBOUND_CE, "/subject", "sub"},
    };
    struct fixture *f = *state;
    static const char payload[] =
        "{\"order_id\":\"A1\",\"n\":9007199254740993,\"f\":1.5,\"empty\":\"\","
        "\"a/b\":\"slash\",\"list\":[0,{\"x\":\"deep\"}]}";
    char plain[256], ce[256];

    (void)snprintf(plain, sizeof(plain), "{\"event\":\"e\",\"payload\":%s}", payload);
    (void)snprintf(ce, sizeof(ce), "{" CE ",\"subject\":\"sub\",\"data\":%s}", payload);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_event ev = {0};
        struct est_pointer *p = NULL;
        struct est_view got;
        assert_int_equal(est_pointer_new(est_view_str(cases[i].pointer), &p, NULL), EST_OK);
        assert_int_equal(
            est_inbound_parse(f->in, cases[i].kind,
                              est_view_str(cases[i].kind == EST_INBOUND_CE ? ce : plain), NULL, 0,
                              NULL),
            EST_OK);
        assert_int_equal(est_inbound_event(f->in, 0, &ev, NULL), EST_OK);
        got = est_inbound_pointer(f->in, 0, p);
        if (cases[i].want == NULL ? got.data != NULL : !est_view_is(got, cases[i].want))
            fail_msg("%s gave %.*s", cases[i].pointer, (int)got.len, got.data);
        est_pointer_free(p);
    }
}

static void test_no_memory(void **state)
{
    const char *body = "{\"event\":\"a\"," P "}\n{\"event\":\n{\"event\":\"b\"," P "}";
    est_err err = EST_ERR_NOMEM;

    (void)state;
    for (long n = 0; err != EST_OK; n++) {
        struct est_inbound *in = NULL;
        struct est_reject rj = {0};
        assert_true(n < 50);
        est_mem_fail_after(n);
        err = est_inbound_new(NULL, &in);
        if (err == EST_OK)
            err = est_inbound_parse(in, EST_INBOUND_NDJSON, est_view_str(body), NULL, 0, &rj);
        est_mem_fail_after(-1);
        assert_true(err == EST_OK || err == EST_ERR_NOMEM);
        est_inbound_free(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_keep_values_to_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_envelope, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_times, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_leaves_event, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_structured, setup, teardown),
        cmocka_unit_test_setup_teardown(test_binary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_binary_refusals, setup, teardown),
        cmocka_unit_test(test_limits),
        cmocka_unit_test_setup_teardown(test_pointers, setup, teardown),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
