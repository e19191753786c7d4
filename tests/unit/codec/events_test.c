/* Events as bots send them, through Avro and back: what arrives is what was sent, and the envelope.
 */
#include "codec_fixture.h"

#include "base/mem.h"

#include <stdio.h>

#define HEAD                                                                                  \
    "\"id\":\"e1\",\"source\":\"src\",\"tenant\":\"\",\"occurred_at\":\"1970-01-01T00:00:01." \
    "000Z\","                                                                                 \
    "\"received_at\":\"1970-01-01T00:00:02.000Z\",\"dedup_id\":\"e1\""

static const struct {
    const char *type, *sent, *want;
} cases[] = {
    {"order",
     "{\"event\":\"order_created\",\"payload\":{\"order_id\":\"A-1\",\"status\":\"created\","
     "\"total\":599.9,"
     "\"currency\":\"BRL\",\"items\":[{\"sku\":7891000315507,\"name\":\"Café João ☕\",\"qty\":2,"
     "\"unit_price\":\"299.95\"}]}}",
     "{" HEAD ",\"event\":\"order_created\",\"type\":\"order\",\"payload\":{\"order_id\":\"A-1\","
     "\"status\":\"created\",\"total\":599.90,\"currency\":\"BRL\",\"items\":[{\"sku\":"
     "\"7891000315507\","
     "\"name\":\"Café João ☕\",\"qty\":2,\"unit_price\":299.95}]}}"},
    {"order",
     "{\"event\":\"order_update\",\"utm\":{\"a\":[1,2.50,1e3]},\"payload\":{\"order_id\":\"A-1\","
     "\"gift\":true,"
     "\"items\":[{\"sku\":\"x\"},{\"sku\":\"y\",\"color\":\"azul\",\"size\":null}]}}",
     "{" HEAD ",\"event\":\"order_update\",\"type\":\"order\",\"utm\":{\"a\":[1,2.50,1e3]},"
     "\"payload\":{\"order_id\":\"A-1\",\"gift\":true,\"items\":[{\"sku\":\"x\"},"
     "{\"sku\":\"y\",\"color\":\"azul\",\"size\":null}]}}"},
    {"message",
     "{\"event\":\"new_message\",\"key\":\"conv-9\",\"timestamp\":\"2026-11-24T12:00:00-03:00\","
     "\"sequence\":7,"
     "\"payload\":{\"message_id\":\"wamid.1\",\"from\":5511999990000,\"to\":\"5511888880000\","
     "\"text\":\"Olá "
     "👋\\n\\\"João\\\"\",\"from_me\":false,\"media\":{\"mime\":\"image/jpeg\",\"size\":123,"
     "\"w\":800}}}",
     "{\"id\":\"e1\",\"source\":\"src\",\"tenant\":\"\",\"occurred_at\":\"2026-11-24T15:00:00."
     "000Z\","
     "\"received_at\":\"1970-01-01T00:00:02.000Z\",\"dedup_id\":\"e1\",\"event\":\"new_message\","
     "\"type\":\"message\",\"key\":\"conv-9\",\"timestamp\":\"2026-11-24T12:00:00-03:00\","
     "\"sequence\":7,"
     "\"payload\":{\"message_id\":\"wamid.1\",\"from\":\"5511999990000\",\"to\":\"5511888880000\","
     "\"text\":\"Olá "
     "👋\\n\\\"João\\\"\",\"from_me\":false,\"media\":{\"mime\":\"image/jpeg\",\"size\":123,"
     "\"w\":800}}}"},
    {"message", /* null and absent are told apart */
     "{\"event\":\"m\",\"payload\":{\"text\":null,\"media\":{\"url\":null,\"mime\":\"a/b\"}}}",
     "{" HEAD ",\"event\":\"m\",\"type\":\"message\",\"payload\":{\"text\":null,"
     "\"media\":{\"url\":null,\"mime\":\"a/b\"}}}"},
    {"message", "{\"event\":\"m\",\"payload\":{}}",
     "{" HEAD ",\"event\":\"m\",\"type\":\"message\",\"payload\":{}}"},
    {"message", /* what the belt says itself is not overwritten by the sender */
     "{\"event\":\"m\",\"type\":\"fake\",\"received_at\":1,\"payload\":{}}",
     "{" HEAD ",\"event\":\"m\",\"type\":\"message\",\"payload\":{}}"},
    {"message_status",
     "{\"event\":\"message_read\",\"payload\":{\"message_id\":\"w\",\"status\":\"failed\",\"rank\":"
     "3,"
     "\"error\":{\"code\":131026,\"title\":\"Undeliverable\",\"href\":\"x\"}}}",
     "{" HEAD
     ",\"event\":\"message_read\",\"type\":\"message_status\",\"payload\":{\"message_id\":\"w\","
     "\"status\":\"failed\",\"rank\":3,\"error\":{\"code\":\"131026\",\"title\":\"Undeliverable\","
     "\"href\":\"x\"}}}"},
    {"payment",
     "{\"event\":\"payment_update\",\"payload\":{\"amount\":\"1e2\",\"installments\":3,"
     "\"due_at\":1764000000000,\"paid_at\":\"2026-01-02T03:04:05.678901Z\"}}",
     "{" HEAD ",\"event\":\"payment_update\",\"type\":\"payment\",\"payload\":{\"amount\":100.00,"
     "\"installments\":3,\"due_at\":\"2025-11-24T16:00:00.000Z\",\"paid_at\":\"2026-01-02T03:04:05."
     "678Z\"}}"},
    {"payment", "{\"event\":\"p\",\"payload\":{\"amount\":-0}}",
     "{" HEAD ",\"event\":\"p\",\"type\":\"payment\",\"payload\":{\"amount\":0.00}}"},
    {"payment", "{\"event\":\"p\",\"payload\":{\"amount\":-9999999999999999.99}}",
     "{" HEAD
     ",\"event\":\"p\",\"type\":\"payment\",\"payload\":{\"amount\":-9999999999999999.99}}"},
    {"user",
     "{\"event\":\"user_login\",\"payload\":{\"user_id\":9223372036854775809,\"consent\":true}}",
     "{" HEAD
     ",\"event\":\"user_login\",\"type\":\"user\",\"payload\":{\"user_id\":\"9223372036854775809\","
     "\"consent\":true}}"},
    {"session",
     "{\"event\":\"qr_code\",\"payload\":{\"session\":\"loja\",\"state\":\"qr\",\"attempt\":-1}}",
     "{" HEAD ",\"event\":\"qr_code\",\"type\":\"session\",\"payload\":{\"session\":\"loja\","
     "\"state\":\"qr\","
     "\"attempt\":-1}}"},
    {"interaction",
     "{\"event\":\"list_reply\",\"payload\":{\"choice_id\":3,\"answers\":{\"a\":1.50,\"b\":[null],"
     "\"c\":\"d\"}}}",
     "{" HEAD ",\"event\":\"list_reply\",\"type\":\"interaction\",\"payload\":{\"choice_id\":\"3\","
     "\"answers\":{\"a\":1.50,\"b\":[null],\"c\":\"d\"}}}"},
    {"bot_error", "{\"event\":\"error\",\"payload\":{\"code\":\"E1\",\"count\":9007199254740993}}",
     "{" HEAD ",\"event\":\"error\",\"type\":\"bot_error\",\"payload\":{\"code\":\"E1\","
     "\"count\":9007199254740993}}"},
    {"custom",
     "{\"event\":\"my.own\",\"more\":\"x\",\"payload\":{\"n\":12345678901234567890,\"o\":{\"a/"
     "b~\":[{}]},"
     "\"z\":null,\"t\":true,\"s\":\"\\u0000é\"}}",
     "{" HEAD ",\"event\":\"my.own\",\"type\":\"custom\",\"more\":\"x\",\"payload\":{\"n\":"
     "12345678901234567890,"
     "\"o\":{\"a/b~\":[{}]},\"z\":null,\"t\":true,\"s\":\"\\u0000é\"}}"},
};

static void test_round_trips(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_schema *sc = fixture_schema(cases[i].type);
        char *got = fixture_round(sc, cases[i].type, cases[i].sent);
        assert_json_equal(got, cases[i].want);
        est_free(got);
        est_schema_free(sc);
    }
}

/* Decode in every way; nothing may crash, and what comes out must be JSON. */
static void poke(const struct est_schema *sc, struct est_view body, struct est_json *js,
                 size_t *ret_valid)
{
    const struct est_value *v;
    struct est_event ev;
    struct est_why why;
    struct est_buf out;

    est_buf_init(&out, 1 << 20);
    (void)est_avro_read_envelope(sc, body, &ev, &why);
    if (est_avro_read_event(sc, EST_VIEW_LIT("t"), body, &out, &ev, &why) == EST_OK) {
        struct est_reject rj;
        est_err err = est_json_parse(js, est_buf_view(&out), &v, &rj);
        /* A flip may make two names of a map equal: that document is not ours to mend. */
        if (err != EST_OK && err != EST_ERR_JSON_DUPLICATE)
            fail_msg("not JSON: %.*s (%s)", (int)out.len, out.data, rj.detail);
        (*ret_valid)++;
    } else {
        assert_int_equal(out.len, 0);
        assert_true(why.text[0] != '\0');
    }
    est_buf_clear(&out);
    if (est_avro_read_json(sc, body, &out, &why) == EST_OK)
        assert_true(est_json_parse(js, est_buf_view(&out), &v, NULL) != EST_ERR_JSON);
    est_buf_fini(&out);
    est_json_clear(js);
}

/* Every prefix is an error; every flip of a bit is an error or a document. */
static void test_damage(void **state)
{
    struct est_json *js;

    (void)state;
    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_schema *sc = fixture_schema(cases[i].type);
        struct est_buf avro;
        size_t valid = 0;
        est_buf_init(&avro, 1 << 20);
        assert_int_equal(fixture_encode(sc, cases[i].sent, &avro, NULL), EST_OK);
        for (size_t n = 0; n < avro.len; n++) {
            char *copy =
                est_strndup(avro.data, n); /* of its own, so that a sanitizer sees its end */
            copy = est_realloc(copy, n);
            poke(sc, est_view(copy, n), js, &valid);
            est_free(copy);
        }
        assert_int_equal(valid, 0);
        for (size_t bit = 0; bit < 8 * avro.len; bit++) {
            avro.data[bit / 8] = (char)(avro.data[bit / 8] ^ (1 << (bit % 8)));
            poke(sc, est_buf_view(&avro), js, &valid);
            avro.data[bit / 8] = (char)(avro.data[bit / 8] ^ (1 << (bit % 8)));
        }
        est_buf_putc(&avro, 0);
        valid = 0;
        poke(sc, est_buf_view(&avro), js, &valid);
        assert_int_equal(valid, 0);
        est_buf_fini(&avro);
        est_schema_free(sc);
    }
    est_json_free(js);
}

/* Each allocation of a whole passage fails in turn: always an error of memory, never a refusal of
 * the event, for a refusal is for ever. */
static void test_no_memory(void **state)
{
    struct est_why why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_schema *sc = fixture_schema(cases[i].type);
        est_err err = EST_ERR_NOMEM;
        for (long n = 0; err != EST_OK; n++) {
            struct est_reject rj = {0};
            struct est_buf avro, out;
            assert_true(n < 100);
            est_buf_init(&avro, 1 << 20);
            est_buf_init(&out, 1 << 20);
            est_mem_fail_after(n);
            err = fixture_encode(sc, cases[i].sent, &avro, &rj);
            if (err == EST_OK)
                err = est_avro_read_event(sc, EST_VIEW_LIT("t"), est_buf_view(&avro), &out, NULL,
                                          &why);
            est_mem_fail_after(-1);
            if (err != EST_OK && err != EST_ERR_NOMEM && err != EST_ERR_FULL)
                fail_msg("%s: allocation %ld gave %s %s", cases[i].sent, n, est_err_code(err),
                         rj.detail);
            est_buf_fini(&avro);
            est_buf_fini(&out);
        }
        est_schema_free(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
