#include "codec_fixture.h"

#include <stdio.h>

#define BYTES(s) EST_VIEW_LIT(s)

/* Bytes by hand: what is taken, how it is written, and what is damage. */
static void test_bytes(void **state)
{
    static const struct {
        const char *schema;
        struct est_view bytes;
        const char *want; /* NULL = EST_ERR_AVRO */
    } cases[] = {
        {"\"null\"", BYTES(""), "null"},
        {"\"null\"", BYTES("\0"), NULL},
        {"\"boolean\"", BYTES("\1"), "true"},
        {"\"boolean\"", BYTES("\0"), "false"},
        {"\"boolean\"", BYTES("\7"), NULL},
        {"\"boolean\"", BYTES(""), NULL},
        {"\"int\"", BYTES("\x01"), "-1"},
        {"\"int\"", BYTES("\x80\x01"), "64"},
        {"\"int\"", BYTES("\xfe\xff\xff\xff\x0f"), "2147483647"},
        {"\"int\"", BYTES("\x80\x80\x80\x80\x10"), NULL},
        {"\"long\"", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "-9223372036854775808"},
        {"\"long\"", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03"), NULL},
        {"\"long\"", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), NULL},
        {"\"long\"", BYTES("\x80"), NULL},
        {"\"float\"", BYTES("\x00\x00\x20\x40"), "2.5"},
        {"\"double\"", BYTES("\x00\x00\x00\x00\x00\x00\x00\x40"), "2"},
        {"\"double\"", BYTES("\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "0.1"},
        {"\"double\"", BYTES("\x00\x00\x00\x00\x00\x00\xf8\x7f"), NULL},
        {"\"double\"", BYTES("\x00\x00\x00\x00\x00\x00\xf0\x7f"), NULL},
        {"\"double\"", BYTES("\x00\x00\x00"), NULL},
        {"\"string\"", BYTES("\x04ol"), "\"ol\""},
        {"\"string\"", BYTES("\x04\xc3\xa1"), "\"\xc3\xa1\""},
        {"\"string\"", BYTES("\x02\xc3"), NULL},
        {"\"string\"", BYTES("\x06\xed\xa0\x80"), NULL},
        {"\"string\"", BYTES("\x04o"), NULL},
        {"\"string\"", BYTES("\x04olx"), NULL},
        {"\"string\"", BYTES("\x01"), NULL},
        {"\"string\"", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
        {"\"bytes\"", BYTES("\x04\x41\xff"), "\"A\xc3\xbf\""},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", BYTES("ab"), "\"ab\""},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", BYTES("a"), NULL},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", BYTES("\x02"), "\"B\""},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", BYTES("\x04"), NULL},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", BYTES("\x01"), NULL},
        {"[\"null\",\"int\"]", BYTES("\x00"), "null"},
        {"[\"null\",\"int\"]", BYTES("\x02\x02"), "1"},
        {"[\"null\",\"int\"]", BYTES("\x04\x02"), NULL},
        {"[\"null\",\"int\"]", BYTES("\x01\x02"), NULL},
        {"{\"type\":\"array\",\"items\":\"int\"}", BYTES("\x00"), "[]"},
        {"{\"type\":\"array\",\"items\":\"int\"}", BYTES("\x04\x02\x04\x02\x06\x00"), "[1,2,3]"},
        {"{\"type\":\"array\",\"items\":\"int\"}", BYTES("\x03\x04\x02\x04\x00"), "[1,2]"},
        {"{\"type\":\"array\",\"items\":\"int\"}", BYTES("\x03\x02\x02\x04\x00"), NULL},
        {"{\"type\":\"array\",\"items\":\"int\"}", BYTES("\x03\x06\x02\x04\x00"), NULL},
        {"{\"type\":\"array\",\"items\":\"int\"}", BYTES("\x04\x02"), NULL},
        {"{\"type\":\"array\",\"items\":\"int\"}", BYTES("\x80\x84\xaf\x5f\x02"), NULL},
        {"{\"type\":\"array\",\"items\":\"int\"}",
         BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
        {"{\"type\":\"map\",\"values\":\"int\"}", BYTES("\x02\x02k\x02\x00"), "{\"k\":1}"},
        {"{\"type\":\"map\",\"values\":\"int\"}", BYTES("\x02\x02\xff\x02\x00"), NULL},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
         BYTES("\x04\xff\x7f"), "-1.29"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
         BYTES("\x02\x05"), "0.05"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":0}",
         BYTES("\x02\x00"), "0"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
         BYTES("\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), "0.01"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
         BYTES("\x14\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "-0.01"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
         BYTES("\x14\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01"), NULL},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
         BYTES("\x00"), NULL},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":0}",
         BYTES("\x02\x64"), NULL},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", BYTES("\x01"),
         "\"1969-12-31T23:59:59.999Z\""},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
         BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "9223372036854775807"},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}",
         BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "9223372036854775807"},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}",
         BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "-9223372036854775808"},
        {"{\"type\":\"string\",\"esteira\":\"json\"}", BYTES("\x0e{\"a\":1}"), "{\"a\":1}"},
        {"{\"type\":\"string\",\"esteira\":\"json\"}", BYTES("\x06{a}"), NULL},
        {"{\"type\":\"string\",\"esteira\":\"json\"}", BYTES("\x00"), NULL},
        {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\","
         "\"int\"]},"
         "{\"name\":\"b\",\"type\":\"string\"}]}",
         BYTES("\x00\x02x"), "{\"a\":null,\"b\":\"x\"}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_schema *sc = fixture_schema_text(cases[i].schema);
        struct est_why why = {EST_OK, ""};
        struct est_buf out;
        est_err err;
        est_buf_init(&out, 4096);
        err = est_avro_read_json(sc, cases[i].bytes, &out, &why);
        if (cases[i].want == NULL
                ? err != EST_ERR_AVRO || out.len != 0 || why.text[0] == '\0'
                : err != EST_OK || !est_view_is(est_buf_view(&out), cases[i].want))
            fail_msg("case %zu, %s: %s %.*s %s", i, cases[i].schema, est_err_code(err),
                     (int)out.len, out.data ? out.data : "", why.text);
        est_buf_fini(&out);
        est_schema_free(sc);
    }
}

/* An event whose payload has an int and a text, its extra being of that union. */
static struct est_schema *event_schema(const char *extra)
{
    char text[1024];

    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},"
        "{\"name\":\"event\",\"type\":\"string\"},{\"name\":\"source\",\"type\":\"string\"},"
        "{\"name\":\"tenant\",\"type\":\"string\"},"
        "{\"name\":\"occurred_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-"
        "millis\"}},"
        "{\"name\":\"received_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-"
        "millis\"}},"
        "{\"name\":\"dedup_id\",\"type\":\"string\"},{\"name\":\"sequence\",\"type\":[\"null\","
        "\"long\"]},"
        "{\"name\":\"payload\",\"type\":{\"type\":\"record\",\"name\":\"P\",\"fields\":["
        "{\"name\":\"a\",\"type\":[\"null\",\"int\"]},{\"name\":\"t\",\"type\":[\"null\",\"string\"]}]}},"
        "{\"name\":\"extra\",\"type\":[%s]}]}",
        extra);
    return fixture_schema_text(text);
}

/* Where the payload ends is found from the record's end, and found out when it is not so. */
static void test_ends(void **state)
{
    static const char null_first[] = "\"null\",\"string\"", null_last[] = "\"string\",\"null\"";
    static const struct {
        const char *extra;     /* its union */
        struct est_view bytes; /* payload and extra */
        const char *want;      /* the payload in JSON; NULL = EST_ERR_AVRO */
    } cases[] = {
        {null_first, BYTES("\2\2\0\0"), "{\"a\":1}"},
        {null_first, BYTES("\2\2\0\2\4{}"), "{\"a\":1}"},
        {null_last, BYTES("\2\2\0\2"), "{\"a\":1}"},
        {null_last, BYTES("\2\2\0\0\4{}"), "{\"a\":1}"},
        /* not as we write it: a space behind, a length of more bytes than it needs */
        {null_first, BYTES("\2\2\0\2\6{} "), "{\"a\":1}"},
        {null_first, BYTES("\2\2\0\2\x84\0{}"), "{\"a\":1}"},
        /* more braces than are looked at, and a length of two bytes */
        {null_first,
         BYTES(
             "\2\2\0\2\xbe\1{\"/x\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
             "{},{},{},{},{},{},{}]}"),
         "{\"a\":1}"},
        {null_first,
         BYTES(
             "\2\2\0\2\xa4\1{\"/payload\":{\"b\":[{},{\"c\":\"                                       "
             "           \"}]}}"),
         "{\"a\":1,\"b\":[{},{\"c\":\"                                                  \"}]}"},
        /* valid, though a border is found where none is: read strictly */
        {null_first, BYTES("\2\2\0\x80\0"), "{\"a\":1}"},
        {null_first, BYTES("\2\2\2\6\2\14{\2\6 {}"), "{\"a\":1,\"t\":\"\\u0002\\f{\"}"},
        /* a text of the payload that looks like an extra */
        {null_first, BYTES("\2\2\2\10\2\4{}\0"), "{\"a\":1,\"t\":\"\\u0002\\u0004{}\"}"},
        {null_first, BYTES("\2\2\2\10\2\4{}"), NULL},
        {null_first, BYTES("\2\2\2\14{\2\4{}}\0\0"), NULL},
        /* damage */
        {null_first, BYTES("\2\2\0\2\6{}\0"), NULL},
        {null_first, BYTES("\2\2\0\2\4}}"), NULL},
        {null_first, BYTES("\2\2\0"), NULL},
        {null_first, BYTES("\2\0\0"), NULL},
        {null_first, BYTES("\2\2\0\4\4{}"), NULL},
        {null_last, BYTES("\2\2\0\2\4{}"), NULL},
        {null_first, BYTES("\0"), NULL},
        {null_first, BYTES("{"), NULL},
        {null_first, BYTES("}"), NULL},
        {null_first, BYTES(""), NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_schema *sc = event_schema(cases[i].extra);
        struct est_buf body, out;
        struct est_why why;
        est_err err;
        est_buf_init(&body, 4096);
        est_buf_init(&out, 4096);
        est_buf_put(&body, "\2i\2e\2s\0\0\0\2i\0", 12);
        est_buf_put_view(&body, cases[i].bytes);
        err = est_avro_read_event(sc, EST_VIEW_LIT("t"), est_buf_view(&body), &out, NULL, &why);
        est_buf_putc(&out, '\0');
        if (cases[i].want == NULL ? err != EST_ERR_AVRO || out.len != 1
                                  : err != EST_OK || strstr(out.data, cases[i].want) == NULL)
            fail_msg("case %zu: %s %s %s", i, est_err_code(err), err ? why.text : "", out.data);
        est_buf_fini(&body);
        est_buf_fini(&out);
        est_schema_free(sc);
    }
}

/* What extra holds is another program's word: it must not break or shadow the event. */
static void test_extra_of_others(void **state)
{
    static const struct {
        const char *extra, *want; /* payload and all behind it; NULL = EST_ERR_AVRO */
    } cases[] = {
        {"{}", "\"payload\":{\"a\":1}}"},
        {"{\"\":{\"id\":\"fake\",\"payload\":1,\"x\":[1.0]}}",
         "\"payload\":{\"a\":1},\"x\":[1.0]}"},
        {"{\"/payload\":{\"a\":2,\"b\":3}}", "\"payload\":{\"a\":1,\"b\":3}}"},
        {"{\"/nowhere\":{\"a\":2}}", "\"payload\":{\"a\":1}}"},
        {"{\"/payload\":7}", "\"payload\":{\"a\":1}}"},
        {"[]", NULL},
        {"nonsense", NULL},
        {"{\"\":{\"x\":1,\"x\":2}}", NULL},
    };
    struct est_schema *sc = event_schema("\"null\",\"string\"");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_buf body, out;
        struct est_why why;
        est_err err;
        est_buf_init(&body, 4096);
        est_buf_init(&out, 4096);
        est_buf_put(&body, "\2i\2e\2s\0\0\0\2i\0\2\2\0\2", 16);
        est_buf_putc(&body, (char)(2 * strlen(cases[i].extra)));
        est_buf_puts(&body, cases[i].extra);
        err = est_avro_read_event(sc, EST_VIEW_LIT("t"), est_buf_view(&body), &out, NULL, &why);
        if (cases[i].want == NULL) {
            assert_int_equal(err, EST_ERR_AVRO);
        } else {
            if (err)
                fail_msg("%s: %s", cases[i].extra, why.text);
            est_buf_putc(&out, '\0');
            assert_string_equal(strstr(out.data, "\"payload\""), cases[i].want);
        }
        est_buf_fini(&body);
        est_buf_fini(&out);
    }
    est_schema_free(sc);
}

static void test_envelope(void **state)
{
    struct est_schema *sc = fixture_schema("order"), *other = fixture_schema_text("\"int\"");
    struct est_event ev = {0};
    struct est_buf body, out;
    struct est_why why;

    (void)state;
    est_buf_init(&body, 4096);
    est_buf_init(&out, 64);
    assert_int_equal(
        fixture_encode(sc, "{\"event\":\"o\",\"sequence\":9,\"tenant\":\"t\",\"payload\":{}}",
                       &body, NULL),
        EST_OK);
    assert_int_equal(est_avro_read_envelope(sc, est_buf_view(&body), &ev, &why), EST_OK);
    assert_true(est_view_is(ev.id, "e1") && est_view_is(ev.event, "o") &&
                est_view_is(ev.tenant, "t"));
    assert_true(ev.occurred_at == EST_SECOND && ev.received_at == 2 * EST_SECOND);
    assert_true(ev.has_sequence && ev.sequence == 9 && ev.key.data == NULL);
    assert_int_equal(
        est_avro_read_event(sc, EST_VIEW_LIT("order"), est_buf_view(&body), &out, NULL, &why),
        EST_ERR_FULL);
    assert_int_equal(out.len, 0);
    assert_int_equal(
        est_avro_read_event(other, EST_VIEW_LIT("x"), EST_VIEW_LIT("\2"), &out, NULL, &why),
        EST_ERR_AVRO);
    est_buf_fini(&body);
    est_buf_fini(&out);
    est_schema_free(sc);
    est_schema_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_extra_of_others),
        cmocka_unit_test(test_envelope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
