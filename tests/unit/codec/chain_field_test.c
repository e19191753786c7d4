/* The chain in the value: set, replaced, taken out, and believed only of its own record. */
#include "codec_fixture.h"

#include "base/mem.h"
#include "codec/chain_field.h"
#include "codec/wire.h"

#define CHAIN "0123456789abcdef0123456789abcdef/7/order/3/4242"
#define OTHER "fedcba9876543210fedcba9876543210/0/order/3/1"
#define EVENT                                                        \
    "{\"event\":\"order_created\",\"payload\":{\"order_id\":\"1\"}," \
    "\"chain\":\"the sender's own\"}"
#define PLAIN_EVENT                                                                                \
    "{\"type\":\"record\",\"name\":\"Plain\",\"fields\":["                                         \
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"event\",\"type\":\"string\"},"              \
    "{\"name\":\"source\",\"type\":\"string\"},{\"name\":\"tenant\",\"type\":\"string\"},"         \
    "{\"name\":\"occurred_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}" \
    ",{\"name\":\"received_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}" \
    "},{\"name\":\"dedup_id\",\"type\":\"string\"},"                                               \
    "{\"name\":\"sequence\",\"type\":[\"null\",\"long\"]},"                                        \
    "{\"name\":\"payload\",\"type\":{\"type\":\"map\",\"values\":\"string\"}},"                    \
    "{\"name\":\"extra\",\"type\":[\"null\",\"string\"]}]}"

static const int64_t LONG_AGO = 5, NOW = 1760000000123;

struct my {
    struct est_schema *order;
    struct est_buf value, out, again;
};

static int setup(void **state)
{
    struct my *my = est_calloc(1, sizeof(*my));

    my->order = fixture_schema("order");
    est_buf_init(&my->value, 1 << 20);
    est_buf_init(&my->out, 1 << 20);
    est_buf_init(&my->again, 1 << 20);
    est_wire_put_single(&my->value, est_schema_fingerprint(my->order));
    assert_int_equal(fixture_encode(my->order, EVENT, &my->value, NULL), EST_OK);
    *state = my;
    return 0;
}

static int teardown(void **state)
{
    struct my *my = *state;

    est_schema_free(my->order);
    est_buf_fini(&my->value);
    est_buf_fini(&my->out);
    est_buf_fini(&my->again);
    est_free(my);
    return 0;
}

static struct est_view body(const struct est_buf *value)
{
    struct est_wire wire;

    assert_int_equal(est_wire_parse(est_buf_view(value), EST_VIEW_NONE, &wire), EST_OK);
    return wire.body;
}

static void assert_view(struct est_view v, const char *want)
{
    if (want == NULL)
        assert_null(v.data);
    else if (!est_view_is(v, want))
        fail_msg("got \"%.*s\", want \"%s\"", (int)v.len, v.data, want);
}

static char *decoded(const struct my *my, const struct est_buf *value)
{
    struct est_why why = {0};
    struct est_buf text;
    char *ret;

    est_buf_init(&text, 1 << 20);
    if (est_avro_read_event(my->order, EST_VIEW_LIT("order"), body(value), &text, NULL, &why))
        fail_msg("%s", why.text);
    ret = est_strndup(text.data, text.len);
    est_buf_fini(&text);
    return ret;
}

static void test_an_event_is_written_without_one(void **state)
{
    const struct my *my = *state;

    assert_view(est_chain_field_get(my->order, body(&my->value), NOW), NULL);
}

static void test_what_was_put_is_found(void **state)
{
    struct my *my = *state;

    assert_true(est_chain_field_put(my->order, est_buf_view(&my->value), EST_VIEW_LIT(CHAIN), NOW,
                                    &my->out));
    assert_view(est_chain_field_get(my->order, body(&my->out), NOW), CHAIN);
    assert_true(est_chain_field_put(my->order, est_buf_view(&my->out), EST_VIEW_LIT(OTHER),
                                    LONG_AGO, &my->again));
    assert_view(est_chain_field_get(my->order, body(&my->again), LONG_AGO), OTHER);
    est_buf_clear(&my->out);
    assert_true(
        est_chain_field_put(my->order, est_buf_view(&my->again), EST_VIEW_NONE, 0, &my->out));
    assert_int_equal(my->out.len, my->value.len);
    assert_memory_equal(my->out.data, my->value.data, my->out.len);
}

static void test_it_is_no_part_of_the_event(void **state)
{
    struct my *my = *state;
    char *before = decoded(my, &my->value), *after;

    assert_true(est_chain_field_put(my->order, est_buf_view(&my->value), EST_VIEW_LIT(CHAIN), NOW,
                                    &my->out));
    after = decoded(my, &my->out);
    assert_string_equal(after, before);
    assert_non_null(strstr(after, "\"chain\":\"the sender's own\""));
    assert_null(strstr(after, CHAIN));
    est_free(before);
    est_free(after);
}

static void test_of_another_time_it_says_nothing(void **state)
{
    struct my *my = *state;

    assert_true(est_chain_field_put(my->order, est_buf_view(&my->value), EST_VIEW_LIT(CHAIN), NOW,
                                    &my->out));
    assert_view(est_chain_field_get(my->order, body(&my->out), NOW + 1), NULL);
    assert_view(est_chain_field_get(my->order, body(&my->out), -NOW), NULL);
    assert_view(est_chain_field_get(my->order, body(&my->out), 0), NULL);
}

/* The field as a stranger may have written it: `text` behind the branch and the length. */
static void test_what_is_no_chain_and_time_says_nothing(void **state)
{
    static const char *const texts[] = {
        "",   "@", CHAIN,       CHAIN "@",   CHAIN "@x",  "@5x",
        "@5", "5", CHAIN "@+5", CHAIN "@ 5", CHAIN "@-5", CHAIN "@99999999999999999999"};
    const struct my *my = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        unsigned char bytes[128] = {2};
        size_t len = strlen(texts[i]), at = 1;
        if (len >= 64)
            bytes[at++] = (unsigned char)(len << 1 | 0x80), bytes[at++] = (unsigned char)(len >> 6);
        else
            bytes[at++] = (unsigned char)(len << 1);
        memcpy(bytes + at, texts[i], len);
        assert_view(est_chain_field_get(my->order, est_view((char *)bytes, at + len), 5), NULL);
    }
}

static void test_a_damaged_body_says_nothing(void **state)
{
    struct my *my = *state;
    struct est_view whole;

    assert_true(est_chain_field_put(my->order, est_buf_view(&my->value), EST_VIEW_LIT(CHAIN), NOW,
                                    &my->out));
    whole = body(&my->out);
    for (size_t n = 0; n < sizeof("\x02"
                                  "l" CHAIN "@1760000000123") -
                               1;
         n++)
        assert_view(est_chain_field_get(my->order, est_view(whole.data, n), NOW), NULL);
    assert_view(est_chain_field_get(my->order, EST_VIEW_LIT("\x04\x02x"), NOW), NULL);
    assert_view(est_chain_field_get(my->order, EST_VIEW_LIT("\x01\x02x"), NOW), NULL);
}

static void test_a_value_of_another_kind_is_left_alone(void **state)
{
    struct my *my = *state;
    struct est_schema *message = fixture_schema("message");
    struct est_schema *plain = fixture_schema_text(PLAIN_EVENT);
    struct est_view chain = EST_VIEW_LIT(CHAIN), value = est_buf_view(&my->value);
    const struct {
        const struct est_schema *sc;
        struct est_view value;
    } rows[] = {
        {message, value},
        {my->order, EST_VIEW_NONE},
        {my->order, EST_VIEW_LIT("")},
        {my->order, est_view(value.data, 10)}, /* no body */
        {my->order, est_view(value.data + 1, value.len - 1)},
        {my->order, EST_VIEW_LIT("\0\0\0\0\1\0\0\0\0\0\0")}, /* a registry's number */
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_false(est_chain_field_put(rows[i].sc, rows[i].value, chain, NOW, &my->out));
    est_wire_put_single(&my->again, est_schema_fingerprint(plain));
    assert_int_equal(fixture_encode(plain, "{\"event\":\"x\",\"payload\":{}}", &my->again, NULL),
                     EST_OK);
    assert_false(est_chain_field_put(plain, est_buf_view(&my->again), chain, NOW, &my->out));
    assert_view(est_chain_field_get(plain, body(&my->again), NOW), NULL);
    assert_int_equal(my->out.len, 0);
    assert_false(my->out.failed);
    est_schema_free(message);
    est_schema_free(plain);
}

static void test_a_full_buffer_tells(void **state)
{
    struct my *my = *state;
    struct est_buf small;

    est_buf_init(&small, my->value.len + 10);
    assert_true(
        est_chain_field_put(my->order, est_buf_view(&my->value), EST_VIEW_LIT(CHAIN), NOW, &small));
    assert_true(small.failed);
    est_buf_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_event_is_written_without_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_put_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_is_no_part_of_the_event, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_another_time_it_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_chain_and_time_says_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_damaged_body_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_value_of_another_kind_is_left_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_full_buffer_tells, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
