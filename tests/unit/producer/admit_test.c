/* From a body to records: defaults, ids, keys, routing, partitions, refusals. With the schemas and
 * the configuration that ship. */
#include "admit.h"
#include "catalog.h"
#include "codec/wire.h"
#include "config/config.h"
#include "core/murmur2.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW ((est_us)1795541841004000)

static struct est_config *cfg;
static struct catalog *cat;
static struct admit ad;

static int open_admit(void **state)
{
    struct est_config_report report;
    struct est_why why = {0};

    (void)state;
    est_report_init(&report);
    assert_int_equal(est_config_load(ESTEIRA_SOURCE_DIR "/pipeline.yaml", &cfg, &report), EST_OK);
    est_report_fini(&report);
    if (catalog_new(cfg, &cat, &why) != EST_OK)
        fail_msg("%s", why.text);
    for (size_t i = 0; i < catalog_count(cat); i++)
        catalog_at(cat, i)->partitions = 8;
    return admit_init(&ad, cfg, cat) == EST_OK ? 0 : -1;
}

static int close_admit(void **state)
{
    (void)state;
    admit_fini(&ad);
    catalog_free(cat);
    est_config_free(cfg);
    return 0;
}

static est_err parse(const char *body, const char *idempotency_key)
{
    struct admit_context ctx = {.idempotency_key = est_view_str(idempotency_key), .now = NOW};

    return admit_parse(&ad, EST_INBOUND_JSON, est_view_str(body), &ctx);
}

static void one(const char *body)
{
    if (parse(body, NULL) != EST_OK || ad.n != 1)
        fail_msg("%s: %s", body, ad.n_rejects ? ad.rejects[0].detail : "no item");
}

static void defaults(void **state)
{
    const struct admit_item *it;

    (void)state;
    one("{\"event\":\"order_created\",\"payload\":{}}");
    it = &ad.items[0];
    assert_int_equal(it->ev.id.len, 36);
    assert_int_equal(it->ev.id.data[14], '7');
    assert_true(est_view_eq(it->ev.dedup_id, it->ev.id));
    assert_true(est_view_is(it->ev.source, "esteira"));
    assert_true(est_view_is(it->ev.tenant, ""));
    assert_int_equal(it->ev.occurred_at, NOW);
    assert_int_equal(it->ev.received_at, NOW);
    assert_string_equal(it->type->name, "order");
    assert_true(admit_value(&ad, it).len > 10);
    assert_false(admit_is_batch(&ad));
    one("{\"event\":\"order_created\",\"id\":\"mine\",\"source\":\"s\","
        "\"tenant\":\"t\",\"dedup_id\":\"d\","
        "\"occurred_at\":\"2020-01-02T03:04:05.006Z\",\"payload\":{}}");
    it = &ad.items[0];
    assert_true(est_view_is(it->ev.id, "mine"));
    assert_true(est_view_is(it->ev.dedup_id, "d"));
    assert_true(est_view_is(it->ev.source, "s"));
    assert_true(est_view_is(it->ev.tenant, "t"));
    assert_int_equal(it->ev.occurred_at, 1577934245006000);
}

static void idempotency_keys(void **state)
{
    static char longest[258];
    const char *single = "{\"event\":\"order_created\",\"payload\":{}}";
    const char *bad[] = {"", "a\nb", "\xFF", longest};

    (void)state;
    assert_int_equal(parse(single, "once"), EST_OK);
    assert_true(est_view_is(ad.items[0].ev.id, "once"));
    assert_true(est_view_is(ad.items[0].ev.dedup_id, "once"));
    assert_int_equal(parse("{\"event\":\"order_created\",\"id\":\"own\",\"payload\":{}}", "once"),
                     EST_OK);
    assert_true(est_view_is(ad.items[0].ev.id, "own"));
    assert_int_equal(parse("[{\"event\":\"order_created\",\"payload\":{}}]", "once"), EST_OK);
    assert_int_equal(ad.items[0].ev.id.len, 36); /* of a batch it names nothing */
    memset(longest, 'k', 256);
    assert_int_equal(parse(single, longest), EST_OK);
    longest[256] = 'k';
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(single, bad[i]), EST_ERR_EVENT_SHAPE);
        assert_non_null(strstr(ad.rejects[0].detail, "Idempotency-Key"));
    }
}

static void keys_in_order(void **state)
{
    static const struct {
        const char *body, *key; /* NULL = the id */
    } cases[] = {
        {"{\"event\":\"x\",\"key\":\"own\",\"source\":\"bot\",\"payload\":{}}", "own"},
        {"{\"event\":\"x\",\"source\":\"bot\",\"payload\":{}}", "bot"},
        {"{\"event\":\"x\",\"key\":\"\",\"source\":\"bot\",\"payload\":{}}", "bot"},
        {"{\"event\":\"x\",\"id\":\"i\",\"payload\":{}}", "i"},
        {"{\"event\":\"order_created\",\"source\":\"bot\",\"payload\":{\"order_id\":\"o1\"}}",
         "o1"},
        {"{\"event\":\"order_created\",\"source\":\"bot\",\"payload\":{\"order_id\":17}}", "17"},
        {"{\"event\":\"order_created\",\"key\":\"own\",\"payload\":{\"order_id\":\"o1\"}}", "own"},
        {"{\"event\":\"order_created\",\"source\":\"bot\",\"payload\":{}}", "bot"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        one(cases[i].body);
        if (!est_view_is(ad.items[0].key, cases[i].key))
            fail_msg("row %zu: %.*s", i, (int)ad.items[0].key.len, ad.items[0].key.data);
        assert_int_equal(ad.items[0].partition, est_murmur2_partition(ad.items[0].key, 8));
    }
}

/* Every event name that the configuration lists goes to its type; any other to custom. */
static void routing(void **state)
{
    (void)state;
    for (size_t t = 0; t < cfg->n_types; t++)
        for (size_t e = 0; e < cfg->types[t].events.n; e++) {
            char body[256];
            (void)snprintf(body, sizeof(body), "{\"event\":\"%s\",\"payload\":{}}",
                           cfg->types[t].events.items[e]);
            one(body);
            assert_string_equal(ad.items[0].type->name, cfg->types[t].name);
            assert_string_equal(ad.items[0].type->topic, cfg->types[t].topic);
        }
    one("{\"event\":\"never_heard_of\",\"payload\":{\"a\":[1,{\"b\":null}]}}");
    assert_string_equal(ad.items[0].type->name, "custom");
}

static void a_batch_in_parts(void **state)
{
    (void)state;
    assert_int_equal(
        parse("[{\"event\":\"user_login\",\"id\":\"a\",\"payload\":{}},"
              "{\"event\":\"order_created\",\"payload\":{\"total\":\"many\"}},"
              "{\"payload\":{}},"
              "{\"event\":\"order_created\",\"id\":\"d\",\"payload\":{\"total\":\"1.50\"}}]",
              NULL),
        EST_OK);
    assert_true(admit_is_batch(&ad));
    assert_int_equal(ad.n, 2);
    assert_true(est_view_is(ad.items[0].ev.id, "a"));
    assert_true(est_view_is(ad.items[1].ev.id, "d"));
    assert_int_equal(ad.items[1].index, 3);
    assert_int_equal(ad.n_rejected, 2);
    assert_int_equal(ad.rejects[0].index, 1);
    assert_string_equal(ad.rejects[0].pointer, "/payload/total");
    assert_int_equal(ad.rejects[0].code, EST_ERR_EVENT_PAYLOAD);
    assert_null(strstr(ad.rejects[0].detail, "many"));
    assert_int_equal(ad.rejects[1].index, 2);
    assert_int_equal(ad.rejects[1].code, EST_ERR_EVENT_SHAPE);
    for (size_t i = 0; i < ad.n; i++) { /* the good values are whole, whatever came between them */
        struct est_wire w;
        assert_int_equal(est_wire_parse(admit_value(&ad, &ad.items[i]), EST_VIEW_NONE, &w), EST_OK);
    }
}

static void many_refusals_are_counted(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 1 << 20);
    est_buf_puts(&b, "[{}");
    for (int i = 1; i < 250; i++)
        est_buf_puts(&b, ",{}");
    est_buf_puts(&b, "]");
    est_buf_putc(&b, '\0');
    assert_int_equal(parse(b.data, NULL), EST_OK);
    assert_int_equal(ad.n, 0);
    assert_int_equal(ad.n_rejects, ADMIT_REJECTS_MAX);
    assert_int_equal(ad.n_rejected, 250);
    est_buf_fini(&b);
}

static void whole_bodies_refused(void **state)
{
    static const char *const cases[] = {
        "", "x", "[]", "1", "\"a\"", "null", "{", "[{\"event\":1}", "{\"a\":1}{}"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)parse(cases[i], NULL);
        if (ad.n != 0 || ad.n_rejects != 1)
            fail_msg("%s was taken", cases[i]);
        assert_true(ad.rejects[0].detail[0] != '\0');
    }
}

static void trace_context(void **state)
{
    static char longer[200];
    const char *parents[] = {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "", "a\tb",
                             longer};

    (void)state;
    memset(longer, '0', sizeof(longer) - 1);
    for (size_t i = 0; i < 4; i++) {
        struct admit_context ctx = {.traceparent = est_view_str(parents[i]), .now = NOW};
        assert_int_equal(admit_parse(&ad, EST_INBOUND_JSON,
                                     EST_VIEW_LIT("{\"event\":\"x\",\"payload\":{}}"), &ctx),
                         EST_OK);
        assert_int_equal(ad.items[0].ev.traceparent.data != NULL, i == 0);
    }
}

static void a_large_request_is_given_back(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 8 << 20);
    est_buf_puts(&b, "[{\"event\":\"x\",\"payload\":{}}");
    for (int i = 1; i < 5000; i++)
        est_buf_printf(&b, ",{\"event\":\"x\",\"payload\":{\"text\":\"%0500d\"}}", i);
    est_buf_puts(&b, "]");
    est_buf_putc(&b, '\0');
    assert_int_equal(parse(b.data, NULL), EST_OK);
    assert_int_equal(ad.n, 5000);
    assert_true(ad.cap >= 5000 && ad.values.cap > 1 << 20);
    admit_clear(&ad);
    assert_true(ad.cap <= 1024 && ad.values.cap <= 1 << 20);
    one("{\"event\":\"x\",\"payload\":{}}");
    est_buf_fini(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_admit, close_admit)
    const struct CMUnitTest tests[] = {
        T(defaults),
        T(idempotency_keys),
        T(keys_in_order),
        T(routing),
        T(a_batch_in_parts),
        T(many_refusals_are_counted),
        T(whole_bodies_refused),
        T(trace_context),
        T(a_large_request_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
