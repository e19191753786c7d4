#include "codec_fixture.h"

#include "base/mem.h"
#include "codec/canon.h"

#include <stdio.h>

/* The canonical forms and fingerprints that the Avro project publishes with its own tests
 * (schema-tests.txt), as signed 64-bit numbers there. */
static void test_published_vectors(void **state)
{
    static const struct {
        const char *schema, *canonical;
        int64_t fingerprint;
    } cases[] = {
        {"\"null\"", "\"null\"", 7195948357588979594},
        {"{\"type\":\"null\"}", "\"null\"", 7195948357588979594},
        {"\"boolean\"", "\"boolean\"", -6970731678124411036},
        {"\"int\"", "\"int\"", 8247732601305521295},
        {"\"long\"", "\"long\"", -3434872931120570953},
        {"\"float\"", "\"float\"", 5583340709985441680},
        {"\"double\"", "\"double\"", -8181574048448539266},
        {"\"bytes\"", "\"bytes\"", 5746618253357095269},
        {"\"string\"", "\"string\"", -8142146995180207161},
        {"[ \"int\"  ]", "[\"int\"]", -5232228896498058493},
        {"[ \"int\" , {\"type\":\"boolean\"} ]", "[\"int\",\"boolean\"]", 5392556393470105090},
        {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\"}",
         "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", -4824392279771201922},
        {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"namespace\":\"x.y\"}",
         "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[]}", 5916914534497305771},
        {"{\"fields\":[], \"type\":\"record\", \"name\":\"a.b.foo\", \"namespace\":\"x.y\"}",
         "{\"name\":\"a.b.foo\",\"type\":\"record\",\"fields\":[]}", -4616218487480524110},
        {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"doc\":\"Useful info\"}",
         "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", -4824392279771201922},
        {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"aliases\":[\"foo\",\"bar\"]}",
         "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", -4824392279771201922},
        {"{\"fields\":[{\"type\":{\"type\":\"boolean\"}, \"name\":\"f1\"}], \"type\":\"record\", "
         "\"name\":\"foo\"}",
         "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\"}]"
         "}",
         7843277075252814651},
        {"{ \"fields\":[{\"type\":\"boolean\", \"aliases\":[], \"name\":\"f1\", \"default\":true},"
         "{\"order\":\"descending\",\"name\":\"f2\",\"doc\":\"Hello\",\"type\":\"int\"}],"
         "\"type\":\"record\", \"name\":\"foo\"}",
         "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\"},"
         "{\"name\":\"f2\",\"type\":\"int\"}]}",
         -4860222112080293046},
        {"{\"type\":\"enum\", \"name\":\"foo\", \"symbols\":[\"A1\"]}",
         "{\"name\":\"foo\",\"type\":\"enum\",\"symbols\":[\"A1\"]}", -6342190197741309591},
        {"{\"namespace\":\"x.y.z\", \"type\":\"enum\", \"name\":\"foo\", \"doc\":\"foo bar\", "
         "\"symbols\":[\"A1\", \"A2\"]}",
         "{\"name\":\"x.y.z.foo\",\"type\":\"enum\",\"symbols\":[\"A1\",\"A2\"]}",
         -4448647247586288245},
        {"{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}",
         "{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}", 1756455273707447556},
        {"{ \"values\":\"string\", \"type\":\"map\"}", "{\"type\":\"map\",\"values\":\"string\"}",
         -8732877298790414990},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_why why = {EST_OK, ""};
        struct est_schema *sc = NULL;
        est_err err = est_schema_parse(est_view_str(cases[i].schema), &sc, &why);
        if (err)
            fail_msg("%s: %s", cases[i].schema, why.text);
        if (!est_view_is(est_schema_canonical(sc), cases[i].canonical))
            fail_msg("%s became %.*s", cases[i].schema, (int)est_schema_canonical(sc).len,
                     est_schema_canonical(sc).data);
        if ((int64_t)est_schema_fingerprint(sc) != cases[i].fingerprint)
            fail_msg("%s has %lld", cases[i].schema, (long long)est_schema_fingerprint(sc));
        assert_true(est_view_is(est_schema_text(sc), cases[i].schema));
        est_schema_free(sc);
    }
}

/* Vectors whose schemas we refuse: their canonical form is fingerprinted as it is. */
static void test_fingerprints_of_text(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"[]", -1241056759729112623},
        {"{\"type\":\"array\",\"items\":\"null\"}", -589620603366471059},
        {"{\"name\":\"PigValue\",\"type\":\"record\",\"fields\":[{\"name\":\"value\",\"type\":["
         "\"null\","
         "\"int\",\"long\",\"PigValue\"]}]}",
         -1759257747318642341},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal((int64_t)est_canon_fingerprint(est_view_str(cases[i].text)),
                         cases[i].want);
}

#define FIELD(rest) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\"," rest "}]}"
#define FIELDS(list) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" list "]}"

/* What avro-c takes without a word, and what it has no word for. */
static void test_lint(void **state)
{
    static const struct {
        const char *schema, *words; /* words: in the error text; NULL = a good schema */
    } cases[] = {
        /* JSON */
        {"{", "ends too early"},
        {"{\"type\":\"int\",\"type\":\"int\"}", "stands twice"},
        {"12", "a type is a name"},
        {"\"strin\"", "no type of the name"},
        {"{\"typ\":\"int\"}", "needs a \"type\""},
        {"{\"type\":{\"type\":\"int\"}}", "needs a \"type\""},
        /* names */
        {"{\"type\":\"record\",\"fields\":[]}", "needs a \"name\""},
        {"{\"type\":\"record\",\"name\":\"1a\",\"fields\":[]}", "letters, digits"},
        {"{\"type\":\"record\",\"name\":\"a-b\",\"fields\":[]}", "letters, digits"},
        {"{\"type\":\"record\",\"name\":\"a..b\",\"fields\":[]}", "letters, digits"},
        {"{\"type\":\"record\",\"name\":\"\",\"fields\":[]}", "letters, digits"},
        {"{\"type\":\"record\",\"name\":\"a\",\"namespace\":\"x.\",\"fields\":[]}", "namespace"},
        {"{\"type\":\"record\",\"name\":\"a\",\"doc\":1,\"fields\":[]}", "doc"},
        {"{\"type\":\"record\",\"name\":\"a\",\"aliases\":[\"x y\"],\"fields\":[]}", "aliases"},
        {FIELDS("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":1}},"
                "{\"name\":\"b\",\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":1}}"),
         "defined twice"},
        {FIELDS("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":1}},"
                "{\"name\":\"b\",\"type\":\"X\"}"),
         NULL},
        {FIELD("\"type\":{\"type\":\"R\"}"), "contains itself"},
        /* records */
        {"{\"type\":\"record\",\"name\":\"R\"}", "\"fields\" must be"},
        {FIELDS("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":\"long\"}"),
         "stands twice"},
        {FIELDS("{\"type\":\"int\"}"), "needs a \"name\""},
        {FIELDS("7"), "needs a \"name\""},
        {FIELD("\"typ\":\"int\""), "no \"type\""},
        {FIELD("\"type\":\"int\",\"order\":1"), "\"order\""},
        {FIELD("\"type\":[\"null\",\"R\"]"), "contains itself"},
        {FIELD("\"type\":{\"type\":\"array\",\"items\":\"R\"}"), "contains itself"},
        /* defaults */
        {FIELD("\"type\":\"int\",\"default\":\"1\""), "default"},
        {FIELD("\"type\":\"int\",\"default\":1.5"), "default"},
        {FIELD("\"type\":\"int\",\"default\":2147483648"), "default"},
        {FIELD("\"type\":\"boolean\",\"default\":\"true\""), "default"},
        {FIELD("\"type\":\"string\",\"default\":null"), "default"},
        {FIELD("\"type\":[\"null\",\"string\"],\"default\":\"x\""), "default"},
        {FIELD("\"type\":[\"string\",\"null\"],\"default\":null"), "default"},
        {FIELD("\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[1,\"2\"]"), "default"},
        {FIELD("\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":[]"), "default"},
        {FIELD("\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]},\"default\":\"B\""),
         "default"},
        {FIELD("\"type\":{\"type\":\"fixed\",\"name\":\"X\",\"size\":2},\"default\":\"abc\""),
         "default"},
        {FIELD("\"type\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[{\"name\":\"x\",\"type\":"
               "\"int\"}]},"
               "\"default\":{}"),
         "default"},
        {FIELD("\"type\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[{\"name\":\"x\",\"type\":"
               "\"int\"}]},"
               "\"default\":{\"x\":1,\"y\":2}"),
         "default"},
        {FIELD("\"type\":\"bytes\",\"default\":\"\\u0100\""), "default"},
        {FIELD("\"type\":\"bytes\",\"default\":\"\\u00ff\""), NULL},
        {FIELD("\"type\":\"double\",\"default\":1e999"), "default"},
        {FIELD("\"type\":[\"null\",\"string\"],\"default\":null"), NULL},
        {FIELD("\"type\":[\"string\",\"null\"],\"default\":\"x\""), NULL},
        /* unions */
        {"[]", "a union has"},
        {"[\"int\",\"int\"]", "of one type"},
        {"[\"null\",[\"int\"]]", "directly in a union"},
        {"[{\"type\":\"array\",\"items\":\"int\"},{\"type\":\"array\",\"items\":\"string\"}]",
         "of one type"},
        {"[\"string\",{\"type\":\"string\",\"logicalType\":\"uuid\"}]", "of one type"},
        {"[{\"type\":\"fixed\",\"name\":\"A\",\"size\":1},{\"type\":\"fixed\",\"name\":\"B\","
         "\"size\":1}]",
         NULL},
        /* enums and fixed */
        {"{\"type\":\"enum\",\"name\":\"E\"}", "symbols"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}", "symbols"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}", "stands twice"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A B\"]}", "not a name"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}",
         "none of its symbols"},
        {"{\"type\":\"fixed\",\"name\":\"X\"}", "size"},
        {"{\"type\":\"fixed\",\"name\":\"X\",\"size\":0}", "size"},
        {"{\"type\":\"fixed\",\"name\":\"X\",\"size\":-1}", "size"},
        {"{\"type\":\"fixed\",\"name\":\"X\",\"size\":1.5}", "size"},
        /* items of no size */
        {"{\"type\":\"array\"}", "\"items\" is missing"},
        {"{\"type\":\"array\",\"items\":\"null\"}", "no size"},
        {"{\"type\":\"map\",\"values\":\"null\"}", "no size"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}}",
         "no size"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"R\",\"fields\":["
         "{\"name\":\"n\",\"type\":\"null\"}]}}",
         "no size"},
        /* logical types and ours */
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\"}", "precision"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":0}", "precision"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":19}", "precision"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":5}", "scale"},
        {"{\"type\":\"string\",\"logicalType\":\"decimal\",\"precision\":4}", "does not go with"},
        {"{\"type\":\"int\",\"logicalType\":\"timestamp-millis\"}", "does not go with"},
        {"{\"type\":\"int\",\"logicalType\":\"date\"}", "not supported"},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-milis\"}", "not supported"},
        {"{\"type\":\"long\",\"logicalType\":7}", "must be a string"},
        {FIELD("\"type\":\"long\",\"logicalType\":\"timestamp-millis\""), "belongs inside"},
        {FIELD("\"type\":\"long\",\"esteira\":\"id\""), "on strings"},
        {FIELD("\"type\":\"string\",\"esteira\":\"ids\""), "is \"id\" or \"json\""},
        {FIELD("\"type\":[\"null\",\"string\"],\"esteira\":\"id\""), NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_why why = {EST_OK, ""};
        struct est_schema *sc = NULL;
        est_err err = est_schema_parse(est_view_str(cases[i].schema), &sc, &why);
        if (cases[i].words == NULL
                ? err != EST_OK
                : err != EST_ERR_SCHEMA || strstr(why.text, cases[i].words) == NULL)
            fail_msg("%s: %s, %s", cases[i].schema, est_err_code(err), why.text);
        assert_true((sc != NULL) == (err == EST_OK));
        est_schema_free(sc);
    }
}

static void put_nested(struct est_buf *b, int depth)
{
    est_buf_clear(b);
    for (int i = 0; i < depth; i++)
        est_buf_puts(b, "{\"type\":\"array\",\"items\":");
    est_buf_puts(b, "\"int\"");
    for (int i = 0; i < depth; i++)
        est_buf_putc(b, '}');
}

static est_err parse_buf(const struct est_buf *b)
{
    struct est_schema *sc = NULL;
    est_err err = est_schema_parse(est_buf_view(b), &sc, NULL);

    est_schema_free(sc);
    return err;
}

static void test_bounds(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 1 << 20);
    put_nested(&b, 31);
    assert_int_equal(parse_buf(&b), EST_OK);
    put_nested(&b, 32);
    assert_int_equal(parse_buf(&b), EST_ERR_SCHEMA);
    put_nested(&b, 5000);
    assert_int_equal(parse_buf(&b), EST_ERR_SCHEMA);
    for (int n = 256; n <= 257; n++) {
        est_buf_clear(&b);
        est_buf_puts(&b, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
        for (int i = 0; i < n; i++)
            est_buf_printf(&b, "%s{\"name\":\"f%d\",\"type\":\"int\"}", i ? "," : "", i);
        est_buf_puts(&b, "]}");
        assert_int_equal(parse_buf(&b), n == 256 ? EST_OK : EST_ERR_SCHEMA);
    }
    est_buf_clear(&b);
    while (b.len <= EST_SCHEMA_TEXT_MAX)
        est_buf_puts(&b, "                                                                ");
    assert_int_equal(parse_buf(&b), EST_ERR_TOO_LARGE);
    est_buf_fini(&b);
}

static void test_error_names_the_place(void **state)
{
    struct est_schema *sc = NULL;
    struct est_why why;

    (void)state;
    assert_int_equal(
        est_schema_parse(
            EST_VIEW_LIT(FIELD("\"type\":[\"null\",{\"type\":\"array\",\"items\":\"x\"}]")), &sc,
            &why),
        EST_ERR_SCHEMA);
    assert_string_equal(why.text,
                        "/fields/f/type/1/items: no type of the name \"x\" before this place");
}

static void test_event_schemas(void **state)
{
    static const char *const types[] = {"message", "message_status", "order",     "payment", "user",
                                        "session", "interaction",    "bot_error", "custom"};
    struct est_schema *sc;
    struct est_why why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        sc = fixture_schema(types[i]);
        assert_true(est_schema_is_event(sc));
        assert_int_equal(est_schema_check_event(sc, &why), EST_OK);
        assert_true(est_view_starts(est_schema_name(sc), EST_VIEW_LIT("dev.esteira.events.")));
        est_schema_free(sc);
    }
    sc = fixture_schema_text(FIELD("\"type\":\"int\""));
    assert_false(est_schema_is_event(sc));
    assert_int_equal(est_schema_check_event(sc, &why), EST_ERR_SCHEMA);
    est_schema_free(sc);
}

#define TEXT_FIELD(name) "{\"name\":\"" name "\",\"type\":\"string\"},"
#define TIME_FIELD(name) \
    "{\"name\":\"" name "\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
#define USUAL                                                                   \
    TEXT_FIELD("id")                                                            \
    TEXT_FIELD("event")                                                         \
    TEXT_FIELD("source")                                                        \
    TEXT_FIELD("tenant")                                                        \
    TIME_FIELD("occurred_at")                                                   \
    TIME_FIELD("received_at")                                                   \
    TEXT_FIELD("dedup_id")                                                      \
    "{\"name\":\"sequence\",\"type\":[\"null\",\"long\"]},"                     \
    "{\"name\":\"payload\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}," \
    "{\"name\":\"extra\",\"type\":[\"null\",\"string\"]}"
#define CHAIN_FIELD(type) "{\"name\":\"chain\",\"type\":" type "}"
#define EVENT(fields) "{\"type\":\"record\",\"name\":\"E\",\"fields\":[" fields "]}"

/* Where the chain may stand, and as what. */
static void test_chain_of_events(void **state)
{
    static const struct {
        const char *text, *fault;
    } rows[] = {
        {EVENT(USUAL), NULL},
        {EVENT(CHAIN_FIELD("[\"null\",\"string\"]") "," USUAL), NULL},
        {EVENT(USUAL "," CHAIN_FIELD("[\"null\",\"string\"]")), "10 fields"},
        {EVENT(CHAIN_FIELD("[\"string\",\"null\"]") "," USUAL), "\"chain\""},
        {EVENT(CHAIN_FIELD("\"string\"") "," USUAL), "\"chain\""},
        {EVENT(CHAIN_FIELD("[\"null\",\"bytes\"]") "," USUAL), "\"chain\""},
        {EVENT(TEXT_FIELD("other") USUAL), "10 fields"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct est_schema *sc = fixture_schema_text(rows[i].text);
        struct est_why why = {EST_OK, ""};
        est_err err = est_schema_check_event(sc, &why);
        if (est_schema_is_event(sc) != (rows[i].fault == NULL) ||
            (err == EST_OK) != (rows[i].fault == NULL) ||
            (rows[i].fault != NULL && strstr(why.text, rows[i].fault) == NULL))
            fail_msg("row %zu: %s", i, why.text);
        est_schema_free(sc);
    }
}

static void test_load(void **state)
{
    struct est_schema *sc = NULL;
    struct est_why why;

    (void)state;
    assert_int_equal(est_schema_load(ESTEIRA_SOURCE_DIR "/schemas/none.avsc", &sc, &why),
                     EST_ERR_NOTFOUND);
    assert_int_equal(est_schema_load(ESTEIRA_SOURCE_DIR "/schemas", &sc, &why), EST_ERR_CONF_FILE);
    assert_int_equal(est_schema_load("/dev/zero", &sc, &why), EST_ERR_TOO_LARGE);
    assert_null(sc);
}

static void test_no_memory(void **state)
{
    struct est_schema *order = fixture_schema("order");
    est_err err = EST_ERR_NOMEM;

    (void)state;
    for (long n = 0; err != EST_OK; n++) {
        struct est_schema *sc = NULL;
        assert_true(n < 500);
        est_mem_fail_after(n);
        err = est_schema_parse(est_schema_text(order), &sc, NULL);
        est_mem_fail_after(-1);
        assert_true(err == EST_OK || err == EST_ERR_NOMEM);
        est_schema_free(sc);
    }
    est_schema_free(order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_fingerprints_of_text),
        cmocka_unit_test(test_lint),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_error_names_the_place),
        cmocka_unit_test(test_event_schemas),
        cmocka_unit_test(test_chain_of_events),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
