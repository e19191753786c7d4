/* How fast: prints one JSON line a step, for the figures of docs/adr/0002-avro-codec.md. Not a
 * test. codec_bench [seconds per step [only steps whose name holds this]] avro-c is measured at its
 * best: a value reused, its fields set by index from texts already at hand, one memory writer;
 * nothing is looked up, checked or parsed in its steps. */
#include "codec_fixture.h"

#include "base/clock.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>

static const char event_json[] =
    "{\"event\":\"order_created\",\"id\":\"01936e2f-5b6a-7c3d-8e4f-0123456789ab\",\"source\":"
    "\"waha:loja-1\","
    "\"occurred_at\":\"2026-11-24T17:37:21.004Z\",\"payload\":{\"order_id\":\"A-2026-000123\","
    "\"conversation_id\":\"5511999990000@c.us\",\"contact\":\"5511999990000\",\"contact_name\":"
    "\"João da Silva\","
    "\"status\":\"created\",\"currency\":\"BRL\",\"total\":599.90,\"items\":[{\"sku\":\"CAFE-500\","
    "\"name\":\"Café torrado 500 "
    "g\",\"qty\":2,\"unit_price\":199.95},{\"sku\":\"XIC-1\",\"name\":\"Xícara\","
    "\"qty\":1,\"unit_price\":200.00}],\"payment_method\":\"pix\"}}";

static const char *seconds_text = "1", *only = "";

struct bench {
    struct est_schema *sc;
    struct est_inbound *in;
    struct est_event ev;
    struct est_buf out, body, text;
    avro_value_t value;
    avro_writer_t writer;
    char avro_out[4096];
    avro_reader_t reader;
};

static void step_parse(struct bench *b)
{
    if (est_inbound_parse(b->in, EST_INBOUND_JSON, est_view(event_json, sizeof(event_json) - 1),
                          NULL, 0, NULL))
        abort();
}

static void step_event(struct bench *b)
{
    step_parse(b);
    if (est_inbound_event(b->in, 0, &b->ev, NULL))
        abort();
}

/* The item stays parsed: only the walk and the writing. */
static void step_encode(struct bench *b)
{
    est_buf_clear(&b->out);
    if (est_avro_write_event(b->sc, b->in, 0, &b->ev, &b->out, NULL))
        abort();
}

static void step_whole(struct bench *b)
{
    step_event(b);
    step_encode(b);
}

static void step_decode(struct bench *b)
{
    est_buf_clear(&b->text);
    if (est_avro_read_event(b->sc, EST_VIEW_LIT("order"), est_buf_view(&b->body), &b->text, NULL,
                            NULL))
        abort();
}

static void step_envelope(struct bench *b)
{
    struct est_event ev;

    if (est_avro_read_envelope(b->sc, est_buf_view(&b->body), &ev, NULL))
        abort();
}

static void set_text(avro_value_t *record, size_t field, const char *text)
{
    avro_value_t v;

    avro_value_get_by_index(record, field, &v, NULL);
    avro_value_set_string_len(&v, text, strlen(text) + 1);
}

static void set_maybe(avro_value_t *record, size_t field, const char *text)
{
    avro_value_t v, branch;

    avro_value_get_by_index(record, field, &v, NULL);
    avro_value_set_branch(&v, text ? 1 : 0, &branch);
    if (text)
        avro_value_set_string_len(&branch, text, strlen(text) + 1);
    else
        avro_value_set_null(&branch);
}

static void set_money(avro_value_t *record, size_t field, const char *bytes, size_t n)
{
    avro_value_t v, branch;
    char copy[8];

    memcpy(copy, bytes, n);
    avro_value_get_by_index(record, field, &v, NULL);
    avro_value_set_branch(&v, 1, &branch);
    avro_value_set_bytes(&branch, copy, n);
}

static void set_item(avro_value_t *items, const char *sku, const char *name, double qty,
                     const char *price)
{
    avro_value_t item, v, branch;

    avro_value_append(items, &item, NULL);
    set_maybe(&item, 0, sku);
    set_maybe(&item, 1, name);
    avro_value_get_by_index(&item, 2, &v, NULL);
    avro_value_set_branch(&v, 1, &branch);
    avro_value_set_double(&branch, qty);
    set_money(&item, 3, price, 2);
    set_maybe(&item, 4, NULL);
}

static void fill_payload(avro_value_t *p)
{
    static const char *const texts[19] = {[0] = "A-2026-000123", [1] = "5511999990000@c.us",
                                          [3] = "5511999990000", [4] = "João da Silva",
                                          [6] = "created",       [13] = "BRL",
                                          [14] = "pix"};
    avro_value_t v, items;

    for (size_t i = 0; i < 16; i++)
        if (i != 8 && i != 12)
            set_maybe(p, i, texts[i]);
    avro_value_get_by_index(p, 8, &v, NULL);
    avro_value_set_branch(&v, 1, &items);
    avro_value_reset(&items);
    set_item(&items, "CAFE-500", "Café torrado 500 g", 2, "\x4e\x1b");
    set_item(&items, "XIC-1", "Xícara", 1, "\x4e\x20");
    set_money(p, 12, "\x00\xea\x56", 3);
}

static void step_avro_encode(struct bench *b)
{
    avro_value_t v;

    set_text(&b->value, 0, "01936e2f-5b6a-7c3d-8e4f-0123456789ab");
    set_text(&b->value, 1, "order_created");
    set_text(&b->value, 2, "waha:loja-1");
    set_text(&b->value, 3, "");
    avro_value_get_by_index(&b->value, 4, &v, NULL);
    avro_value_set_long(&v, 1764005841004);
    avro_value_get_by_index(&b->value, 5, &v, NULL);
    avro_value_set_long(&v, 1764005841104);
    set_text(&b->value, 6, "01936e2f-5b6a-7c3d-8e4f-0123456789ab");
    set_maybe(&b->value, 7, NULL);
    avro_value_get_by_index(&b->value, 8, &v, NULL);
    fill_payload(&v);
    set_maybe(&b->value, 9, NULL);
    avro_writer_reset(b->writer);
    if (avro_value_write(b->writer, &b->value) != 0)
        abort();
}

static void step_avro_decode(struct bench *b)
{
    avro_reader_memory_set_source(b->reader, b->body.data, (int64_t)b->body.len);
    avro_value_reset(&b->value);
    if (avro_value_read(b->reader, &b->value) != 0)
        abort();
}

/* The best of many short rounds: what the step costs when nobody else wants the processor. */
static void measure(struct bench *b, const char *name, void (*step)(struct bench *))
{
    est_us limit = (est_us)(strtod(seconds_text, NULL) * 1e6), start = est_clock_mono(),
           best = EST_NEVER;
    enum { ROUND = 2000 };

    if (strstr(name, only) == NULL)
        return;

    while (est_clock_mono() - start < limit) {
        est_us from = est_clock_mono(), spent;
        for (int i = 0; i < ROUND; i++)
            step(b);
        spent = est_clock_mono() - from;
        best = spent < best ? spent : best;
    }
    printf("{\"step\":\"%s\",\"events_per_s\":%.0f,\"ns\":%.0f}\n", name,
           ROUND * 1e6 / (double)best, (double)best * 1e3 / ROUND);
}

int main(int argc, char **argv)
{
    static struct bench b;
    avro_schema_t schema;
    avro_value_iface_t *iface;
    struct est_view text;

    seconds_text = argc > 1 ? argv[1] : "1";
    only = argc > 2 ? argv[2] : "";
    b.sc = fixture_schema("order");
    b.ev = (struct est_event){
        .id = EST_VIEW_LIT("x"), .tenant = EST_VIEW_LIT(""), .received_at = 1764005841104000};
    est_buf_init(&b.out, 1 << 20);
    est_buf_init(&b.body, 1 << 20);
    est_buf_init(&b.text, 1 << 20);
    text = est_schema_text(b.sc);
    if (est_inbound_new(NULL, &b.in) || avro_schema_from_json_length(text.data, text.len, &schema))
        return 1;
    iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &b.value);
    b.writer = avro_writer_memory(b.avro_out, sizeof(b.avro_out));
    b.reader = avro_reader_memory(NULL, 0);
    step_event(&b);
    b.ev.dedup_id = b.ev.id;
    step_encode(&b);
    est_buf_put_view(&b.body, est_buf_view(&b.out));
    fprintf(stderr, "%zu bytes of JSON, %zu of Avro\n", sizeof(event_json) - 1, b.body.len);

    measure(&b, "parse", step_parse);
    measure(&b, "parse+envelope", step_event);
    measure(&b, "encode", step_encode);
    measure(&b, "parse+envelope+encode", step_whole);
    measure(&b, "avro-c fill+encode", step_avro_encode);
    measure(&b, "decode to JSON", step_decode);
    measure(&b, "envelope only", step_envelope);
    measure(&b, "avro-c decode to values", step_avro_decode);

    avro_value_decref(&b.value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    avro_writer_free(b.writer);
    avro_reader_free(b.reader);
    est_inbound_free(b.in);
    est_schema_free(b.sc);
    est_buf_fini(&b.out);
    est_buf_fini(&b.body);
    est_buf_fini(&b.text);
    return 0;
}
