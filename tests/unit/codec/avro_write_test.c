#include "codec_fixture.h"

#include "base/mem.h"

static void test_refusals(void **state)
{
    static const struct {
        const char *type, *payload, *pointer, *words;
    } cases[] = {
        {"order", "{\"order_id\":true}", "/payload/order_id",
         "expected a string or an integer, found a boolean"},
        {"order", "{\"order_id\":1.5}", "/payload/order_id", "fraction"},
        {"order", "{\"order_id\":{}}", "/payload/order_id", "found an object"},
        {"order", "{\"status\":1}", "/payload/status", "expected a string, found a number"},
        {"order", "{\"status\":[\"a\"]}", "/payload/status", "found an array"},
        {"order", "{\"total\":599.999}", "/payload/total", "more than 2 digits behind"},
        {"order", "{\"total\":\"R$ 10\"}", "/payload/total", "a number or a string of one"},
        {"order", "{\"total\":\"\"}", "/payload/total", "a number or a string of one"},
        {"order", "{\"total\":1e17}", "/payload/total", "more than 16 digits before"},
        {"order", "{\"total\":true}", "/payload/total", "found a boolean"},
        {"order", "{\"version\":1.0}", "/payload/version", "fraction or exponent"},
        {"order", "{\"version\":\"1\"}", "/payload/version", "expected an integer, found a string"},
        {"order", "{\"version\":9223372036854775808}", "/payload/version", "out of range"},
        {"order", "{\"items\":{}}", "/payload/items", "expected an array, found an object"},
        {"order", "{\"items\":[null]}", "/payload/items/0", "expected an object, found null"},
        {"order", "{\"items\":[{},{\"qty\":\"2\"}]}", "/payload/items/1/qty",
         "expected a number, found a string"},
        {"order", "{\"items\":[{\"qty\":1e999}]}", "/payload/items/0/qty", "out of range"},
        {"order", "{\"items\":[{\"unit_price\":\"1,50\"}]}", "/payload/items/0/unit_price",
         "string of one"},
        {"payment", "{\"installments\":2147483648}", "/payload/installments", "out of range"},
        {"payment", "{\"due_at\":\"amanhã\"}", "/payload/due_at", "RFC 3339"},
        {"payment", "{\"due_at\":true}", "/payload/due_at", "RFC 3339"},
        {"payment", "{\"due_at\":9223372036854775807}", "/payload/due_at", "out of range"},
        {"message", "{\"media\":\"http://x\"}", "/payload/media",
         "expected an object, found a string"},
        {"message", "{\"media\":{\"size\":\"1\"}}", "/payload/media/size", "expected an integer"},
        {"message", "{\"from_me\":1}", "/payload/from_me", "expected a boolean, found a number"},
        {"interaction", "{\"answers\":[1]}", "/payload/answers",
         "expected an object, found an array"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_schema *sc = fixture_schema(cases[i].type);
        struct est_reject rj = {0};
        struct est_buf json, out;
        est_buf_init(&json, 4096);
        est_buf_init(&out, 4096);
        est_buf_puts(&out, "kept");
        est_buf_printf(&json, "{\"event\":\"e\",\"payload\":%s}", cases[i].payload);
        est_buf_putc(&json, '\0');
        assert_int_equal(fixture_encode(sc, json.data, &out, &rj), EST_ERR_EVENT_PAYLOAD);
        if (strcmp(rj.pointer, cases[i].pointer) != 0 || strstr(rj.detail, cases[i].words) == NULL)
            fail_msg("%s: %s %s", cases[i].payload, rj.pointer, rj.detail);
        assert_int_equal(rj.code, EST_ERR_EVENT_PAYLOAD);
        assert_true(est_view_is(est_buf_view(&out), "kept"));
        est_buf_fini(&json);
        est_buf_fini(&out);
        est_schema_free(sc);
    }
}

/* A CloudEvents sender reads its own name of the payload; an index counts from the request's start.
 */
static void test_place_in_a_batch(void **state)
{
    struct est_schema *sc = fixture_schema("order");
    struct est_event ev = {.tenant = EST_VIEW_LIT(""), .dedup_id = EST_VIEW_LIT("d")};
    struct est_inbound *in;
    struct est_reject rj;
    struct est_buf out;

    (void)state;
    est_buf_init(&out, 4096);
    assert_int_equal(est_inbound_new(NULL, &in), EST_OK);
    assert_int_equal(
        est_inbound_parse(
            in, EST_INBOUND_CE_BATCH,
            EST_VIEW_LIT("[{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":\"t\","
                         "\"data\":{}},"
                         "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"s\",\"type\":\"t\","
                         "\"data\":{\"items\":[{\"sku\":[]}]}}]"),
            NULL, 0, &rj),
        EST_OK);
    assert_int_equal(est_inbound_event(in, 0, &ev, &rj), EST_OK);
    assert_int_equal(est_avro_write_event(sc, in, 0, &ev, &out, &rj), EST_OK);
    assert_int_equal(est_inbound_event(in, 1, &ev, &rj), EST_OK);
    assert_int_equal(est_avro_write_event(sc, in, 1, &ev, &out, &rj), EST_ERR_EVENT_PAYLOAD);
    assert_int_equal(rj.index, 1);
    assert_string_equal(rj.pointer, "/data/items/0/sku");
    est_inbound_free(in);
    est_schema_free(sc);
    est_buf_fini(&out);
}

static void test_size_limits(void **state)
{
    const struct est_inbound_limits limits = {
        .depth_max = 64, .items_max = 10, .event_max = 200, .memory_max = 1 << 20};
    struct est_schema *sc = fixture_schema("custom");
    struct est_event ev = {.id = EST_VIEW_LIT("i"),
                           .source = EST_VIEW_LIT("s"),
                           .tenant = EST_VIEW_LIT(""),
                           .dedup_id = EST_VIEW_LIT("i")};
    struct est_inbound *in;
    struct est_reject rj;
    struct est_buf out, body;

    (void)state;
    est_buf_init(&out, 300);
    est_buf_init(&body, 4096);
    assert_int_equal(est_inbound_new(&limits, &in), EST_OK);
    est_buf_printf(&body, "{\"event\":\"e\",\"payload\":{\"a\":\"%0*d\"}}", 160, 1);
    assert_int_equal(est_inbound_parse(in, EST_INBOUND_JSON, est_buf_view(&body), NULL, 0, &rj),
                     EST_OK);
    assert_int_equal(est_inbound_event(in, 0, &ev, &rj), EST_OK);
    assert_int_equal(est_avro_write_event(sc, in, 0, &ev, &out, &rj), EST_OK);
    assert_int_equal(est_avro_write_event(sc, in, 0, &ev, &out, &rj), EST_ERR_FULL);
    est_buf_clear(&body);
    est_buf_clear(&out);
    est_buf_printf(&body, "{\"event\":\"e\",\"payload\":{\"a\":\"%0*d\"}}", 200, 1);
    assert_int_equal(est_inbound_parse(in, EST_INBOUND_JSON, est_buf_view(&body), NULL, 0, &rj),
                     EST_OK);
    assert_int_equal(est_inbound_event(in, 0, &ev, &rj), EST_OK);
    assert_int_equal(est_avro_write_event(sc, in, 0, &ev, &out, &rj), EST_ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    est_inbound_free(in);
    est_schema_free(sc);
    est_buf_fini(&out);
    est_buf_fini(&body);
}

#define EVENT_OF(payload)                                                                          \
    "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},"       \
    "{\"name\":\"event\",\"type\":\"string\"},{\"name\":\"source\",\"type\":\"string\"},"          \
    "{\"name\":\"tenant\",\"type\":\"string\"},"                                                   \
    "{\"name\":\"occurred_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}" \
    ","                                                                                            \
    "{\"name\":\"received_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}" \
    ","                                                                                            \
    "{\"name\":\"dedup_id\",\"type\":\"string\"},{\"name\":\"sequence\",\"type\":[\"null\","       \
    "\"long\"]},"                                                                                  \
    "{\"name\":\"payload\",\"type\":{\"type\":\"record\",\"name\":\"P\",\"fields\":[" payload      \
    "]}},"                                                                                         \
    "{\"name\":\"extra\",\"type\":[\"null\",\"string\"]}]}"

/* Types that our own schemas do not use, and defaults that are not null. */
static void test_other_types(void **state)
{
    static const char schema[] =
        EVENT_OF("{\"name\":\"u\",\"type\":{\"type\":\"string\",\"logicalType\":\"uuid\"},"
                 "\"default\":\"00000000-0000-0000-0000-000000000000\"},"
                 "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"En\",\"symbols\":[\"A\","
                 "\"B\"]},\"default\":\"B\"},"
                 "{\"name\":\"x\",\"type\":[\"null\",\"int\",\"double\",\"string\",{\"type\":"
                 "\"array\",\"items\":\"long\"}],"
                 "\"default\":null},"
                 "{\"name\":\"b\",\"type\":\"bytes\",\"default\":\"\\u00ff\"},"
                 "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F2\",\"size\":2},"
                 "\"default\":\"ab\"},"
                 "{\"name\":\"s\",\"type\":\"float\",\"default\":0.5},"
                 "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"boolean\"},\"default\":{"
                 "\"t\":true}},"
                 "{\"name\":\"us\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-"
                 "micros\"},\"default\":0}");
    static const struct {
        const char *sent, *want;
    } cases[] = {
        {"{}", "{\"u\":\"00000000-0000-0000-0000-000000000000\",\"e\":\"B\",\"b\":\"\\u00ff\","
               "\"f\":\"ab\",\"s\":0.5,"
               "\"m\":{\"t\":true},\"us\":\"1970-01-01T00:00:00.000Z\"}"},
        {"{\"u\":\"01936E2F-5b6a-7c3d-8e4f-0123456789ab\",\"e\":\"A\",\"x\":7,\"b\":\"\\u0000é\","
         "\"f\":\"éÿ\",\"s\":1.25,"
         "\"m\":{},\"us\":\"1970-01-01T00:00:00.000007Z\"}",
         "{\"u\":\"01936E2F-5b6a-7c3d-8e4f-0123456789ab\",\"e\":\"A\",\"x\":7,\"b\":\"\\u0000é\","
         "\"f\":\"éÿ\",\"s\":1.25,"
         "\"m\":{},\"us\":\"1970-01-01T00:00:00.000007Z\"}"},
        {"{\"x\":1.5,\"m\":{}}",
         "{\"x\":1.5,\"m\":{},\"u\":\"00000000-0000-0000-0000-000000000000\",\"e\":\"B\","
         "\"b\":\"\\u00ff\",\"f\":\"ab\",\"s\":0.5,\"us\":\"1970-01-01T00:00:00.000Z\"}"},
        {"{\"x\":\"t\",\"m\":{},\"us\":-1}",
         "{\"x\":\"t\",\"m\":{},\"u\":\"00000000-0000-0000-0000-000000000000\","
         "\"e\":\"B\",\"b\":\"\\u00ff\",\"f\":\"ab\",\"s\":0.5,"
         "\"us\":\"1969-12-31T23:59:59.999999Z\"}"},
        {"{\"x\":[1,-2],\"m\":{}}",
         "{\"x\":[1,-2],\"m\":{},\"u\":\"00000000-0000-0000-0000-000000000000\",\"e\":\"B\","
         "\"b\":\"\\u00ff\",\"f\":\"ab\",\"s\":0.5,\"us\":\"1970-01-01T00:00:00.000Z\"}"},
        {"{\"x\":null,\"m\":{}}",
         "{\"x\":null,\"m\":{},\"u\":\"00000000-0000-0000-0000-000000000000\",\"e\":\"B\","
         "\"b\":\"\\u00ff\",\"f\":\"ab\",\"s\":0.5,\"us\":\"1970-01-01T00:00:00.000Z\"}"},
    };
    static const struct {
        const char *payload, *pointer;
    } refused[] = {
        {"{\"u\":\"x\"}", "/payload/u"},
        {"{\"e\":\"C\"}", "/payload/e"},
        {"{\"e\":1}", "/payload/e"},
        {"{\"x\":true}", "/payload/x"},
        {"{\"x\":[\"1\"]}", "/payload/x/0"},
        {"{\"b\":\"\\u0100\"}", "/payload/b"},
        {"{\"f\":\"abc\"}", "/payload/f"},
        {"{\"s\":1e300}", "/payload/s"},
        {"{\"m\":{\"a~/\":1}}", "/payload/m/a~0~1"},
        {"{\"e\":null}", "/payload/e"},
    };
    struct est_schema *sc = fixture_schema_text(schema);
    struct est_buf b;

    (void)state;
    assert_true(est_schema_is_event(sc));
    est_buf_init(&b, 8192);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_json *js = NULL;
        const struct est_value *v;
        struct est_buf payload;
        char *got;
        est_buf_init(&payload, 8192);
        est_buf_clear(&b);
        est_buf_printf(&b, "{\"event\":\"e\",\"payload\":%s}", cases[i].sent);
        est_buf_putc(&b, '\0');
        got = fixture_round(sc, "t", b.data);
        assert_non_null(got);
        assert_int_equal(est_json_new(NULL, &js), EST_OK);
        assert_int_equal(est_json_parse(js, est_view_str(got), &v, NULL), EST_OK);
        est_json_put_value(&payload, est_json_get(v, "payload"));
        est_buf_putc(&payload, '\0');
        assert_json_equal(payload.data, cases[i].want);
        est_json_free(js);
        est_buf_fini(&payload);
        est_free(got);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct est_reject rj = {0};
        struct est_buf out;
        est_buf_init(&out, 8192);
        est_buf_clear(&b);
        est_buf_printf(&b, "{\"event\":\"e\",\"payload\":%s}", refused[i].payload);
        est_buf_putc(&b, '\0');
        if (fixture_encode(sc, b.data, &out, &rj) != EST_ERR_EVENT_PAYLOAD ||
            strcmp(rj.pointer, refused[i].pointer) != 0)
            fail_msg("%s: %s %s", refused[i].payload, rj.pointer, rj.detail);
        est_buf_fini(&out);
    }
    est_buf_fini(&b);
    est_schema_free(sc);
}

static void test_required_field(void **state)
{
    struct est_schema *sc = fixture_schema_text(EVENT_OF("{\"name\":\"n\",\"type\":\"int\"}"));
    struct est_reject rj;
    struct est_buf out;

    (void)state;
    est_buf_init(&out, 8192);
    assert_int_equal(fixture_encode(sc, "{\"event\":\"e\",\"payload\":{}}", &out, &rj),
                     EST_ERR_EVENT_PAYLOAD);
    assert_string_equal(rj.pointer, "/payload/n");
    est_buf_fini(&out);
    est_schema_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_place_in_a_batch),
        cmocka_unit_test(test_size_limits),    cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_required_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
