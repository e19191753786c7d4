/* avro-c as the second opinion: what our encoder writes, avro-c reads as the same values and writes
 * again as the same bytes; what avro-c writes, our decoder reads. Events are drawn at random from
 * the schemas themselves. */
#include "codec_fixture.h"

#include "base/mem.h"

#include <avro.h>
#include <stdlib.h>

struct pair {
    struct est_schema *ours;
    avro_schema_t schema;
    avro_value_iface_t *iface;
};

static struct pair pair_of(const char *type)
{
    struct pair p = {fixture_schema(type), NULL, NULL};
    struct est_view text = est_schema_text(p.ours);

    assert_int_equal(avro_schema_from_json_length(text.data, text.len, &p.schema), 0);
    p.iface = avro_generic_class_from_schema(p.schema);
    return p;
}

static void pair_free(struct pair *p)
{
    avro_value_iface_decref(p->iface);
    avro_schema_decref(p->schema);
    est_schema_free(p->ours);
}

/* Read by avro-c to the last byte, written by avro-c again. */
static void through_avro(struct pair *p, struct est_view bytes, struct est_buf *again)
{
    avro_reader_t reader = avro_reader_memory(bytes.data, (int64_t)bytes.len);
    avro_writer_t writer;
    avro_value_t value;

    assert_int_equal(avro_generic_value_new(p->iface, &value), 0);
    assert_int_equal(avro_value_read(reader, &value), 0);
    assert_true(est_buf_reserve(again, bytes.len + 64));
    writer = avro_writer_memory(again->data, (int64_t)(bytes.len + 64));
    assert_int_equal(avro_value_write(writer, &value), 0);
    again->len = (size_t)avro_writer_tell(writer);
    avro_writer_free(writer);
    avro_reader_free(reader);
    avro_value_decref(&value);
}

static const char *const texts[] = {
    "", "a", "João", "👋", "5511999990000@s.whatsapp.net", "0123456789abcdef0123456789"};

static void put_any(struct est_buf *b, avro_schema_t schema, const char *name);

static void put_fields(struct est_buf *b, avro_schema_t record)
{
    size_t n = avro_schema_record_size(record);
    bool first = true;

    est_buf_putc(b, '{');
    for (size_t i = 0; i < n; i++) {
        const char *name = avro_schema_record_field_name(record, (int)i);
        if (rand() % 3 == 0)
            continue;
        est_buf_printf(b, "%s\"%s\":", first ? "" : ",", name);
        put_any(b, avro_schema_record_field_get_by_index(record, (int)i), name);
        first = false;
    }
    if (rand() % 3 == 0)
        est_buf_printf(b, "%s\"unnamed\":[1,{\"x\":null}]", first ? "" : ",");
    est_buf_putc(b, '}');
}

static void put_array(struct est_buf *b, avro_schema_t items)
{
    est_buf_putc(b, '[');
    for (int n = rand() % 5, i = 0; i < n; i++) {
        est_buf_puts(b, i ? "," : "");
        put_any(b, items, "");
    }
    est_buf_putc(b, ']');
}

static void put_any(struct est_buf *b, avro_schema_t schema, const char *name)
{
    bool is_time = strstr(name, "_at") != NULL;

    switch (avro_typeof(schema)) {
    case AVRO_UNION: put_any(b, avro_schema_union_branch(schema, rand() % 5 ? 1 : 0), name); break;
    case AVRO_NULL: est_buf_puts(b, "null"); break;
    case AVRO_BOOLEAN: est_buf_puts(b, rand() % 2 ? "true" : "false"); break;
    case AVRO_INT32: est_buf_put_i64(b, rand() - RAND_MAX / 2); break;
    case AVRO_INT64:
        est_buf_put_i64(b, is_time ? rand()
                                   : (int64_t)((uint64_t)rand() << 33 ^ (uint64_t)rand() << 10));
        break;
    case AVRO_DOUBLE: est_buf_printf(b, "%d.%d", rand() % 1000, rand() % 1000); break;
    case AVRO_BYTES: est_buf_printf(b, "%d.%02d", rand() - RAND_MAX / 2, rand() % 100); break;
    case AVRO_STRING: est_buf_printf(b, "\"%s\"", texts[(size_t)rand() % COUNT_OF(texts)]); break;
    case AVRO_RECORD: put_fields(b, schema); break;
    case AVRO_ARRAY: put_array(b, avro_schema_array_items(schema)); break;
    case AVRO_MAP: est_buf_puts(b, "{\"k\":1.50,\"l\":[null]}"); break;
    default: fail_msg("a type the schemas do not use");
    }
}

static void one_event(struct pair *p, struct est_buf *json, struct est_buf *ours,
                      struct est_buf *theirs)
{
    avro_schema_t payload = avro_schema_record_field_get(p->schema, "payload");
    struct est_buf a, b;
    struct est_reject rj = {0};
    struct est_why why = {EST_OK, ""};

    est_buf_clear(json);
    est_buf_clear(ours);
    est_buf_clear(theirs);
    est_buf_puts(json, "{\"event\":\"e\",\"payload\":");
    put_any(json, payload, "");
    est_buf_puts(json, rand() % 2 ? "}" : ",\"sequence\":-5,\"more\":true}");
    est_buf_putc(json, '\0');
    if (fixture_encode(p->ours, json->data, ours, &rj) != EST_OK)
        fail_msg("%s: %s %s", json->data, rj.pointer, rj.detail);
    through_avro(p, est_buf_view(ours), theirs);
    assert_true(est_view_eq(est_buf_view(ours), est_buf_view(theirs)));
    est_buf_init(&a, 1 << 16);
    est_buf_init(&b, 1 << 16);
    if (est_avro_read_json(p->ours, est_buf_view(theirs), &a, &why) != EST_OK ||
        est_avro_read_event(p->ours, EST_VIEW_LIT("t"), est_buf_view(theirs), &b, NULL, &why) !=
            EST_OK)
        fail_msg("%s: %s", json->data, why.text);
    est_buf_fini(&a);
    est_buf_fini(&b);
}

static void test_random_events(void **state)
{
    static const char *const types[] = {"message", "message_status", "order",     "payment", "user",
                                        "session", "interaction",    "bot_error", "custom"};
    struct est_buf json, ours, theirs;

    (void)state;
    srand(20260101);
    est_buf_init(&json, 1 << 16);
    est_buf_init(&ours, 1 << 16);
    est_buf_init(&theirs, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct pair p = pair_of(types[i]);
        for (int n = 0; n < 500; n++)
            one_event(&p, &json, &ours, &theirs);
        pair_free(&p);
    }
    est_buf_fini(&json);
    est_buf_fini(&ours);
    est_buf_fini(&theirs);
}

/* The values themselves, not only the bytes. */
static void test_values(void **state)
{
    struct pair p = pair_of("payment");
    avro_value_t value, payload, field, branch;
    avro_reader_t reader;
    struct est_buf b;
    const char *text = NULL;
    const void *bytes = NULL;
    size_t len = 0;
    int32_t n = 0;
    int64_t ms = 0;

    (void)state;
    est_buf_init(&b, 4096);
    assert_int_equal(
        fixture_encode(p.ours,
                       "{\"event\":\"pago\",\"payload\":{\"amount\":-1.29,\"installments\":-3,"
                       "\"payment_id\":17,\"paid_at\":\"1970-01-01T00:00:01Z\"}}",
                       &b, NULL),
        EST_OK);
    reader = avro_reader_memory(b.data, (int64_t)b.len);
    assert_int_equal(avro_generic_value_new(p.iface, &value), 0);
    assert_int_equal(avro_value_read(reader, &value), 0);
    avro_value_get_by_name(&value, "event", &field, NULL);
    avro_value_get_string(&field, &text, &len);
    assert_string_equal(text, "pago");
    avro_value_get_by_name(&value, "payload", &payload, NULL);
    avro_value_get_by_name(&payload, "amount", &field, NULL);
    avro_value_get_current_branch(&field, &branch);
    avro_value_get_bytes(&branch, &bytes, &len);
    assert_int_equal(len, 2);
    assert_memory_equal(bytes, "\xff\x7f", 2);
    avro_value_get_by_name(&payload, "installments", &field, NULL);
    avro_value_get_current_branch(&field, &branch);
    avro_value_get_int(&branch, &n);
    assert_int_equal(n, -3);
    avro_value_get_by_name(&payload, "paid_at", &field, NULL);
    avro_value_get_current_branch(&field, &branch);
    avro_value_get_long(&branch, &ms);
    assert_int_equal(ms, 1000);
    avro_value_get_by_name(&payload, "payment_id", &field, NULL);
    avro_value_get_current_branch(&field, &branch);
    avro_value_get_string(&branch, &text, &len);
    assert_string_equal(text, "17");
    avro_value_decref(&value);
    avro_reader_free(reader);
    est_buf_fini(&b);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_events),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
