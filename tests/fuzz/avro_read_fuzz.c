/* Any bytes under a schema: an error or valid JSON; and what is read of an event in a hurry is what
 * is read of it strictly. First byte: the schema. */
#include "codec/avro_read.h"
#include "codec/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_SCHEMAS = 4 };

static struct est_schema *schemas[N_SCHEMAS];
static struct est_json *js;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void setup(void)
{
    static const char *const types[] = {"order", "interaction", "custom"};
    static const char all[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":\"boolean\"},"
        "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"
        "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}},"
        "{\"name\":\"u\",\"type\":[\"int\",\"float\",\"double\",\"bytes\",\"string\"]},"
        "{\"name\":\"d\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":18,"
        "\"scale\":9}},"
        "{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
        "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":"
        "\"long\"}}}]}";
    char path[512];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/schemas/%s.avsc", ESTEIRA_SOURCE_DIR, types[i]);
        require(est_schema_load(path, &schemas[i], NULL) == EST_OK);
    }
    require(est_schema_parse(est_view_str(all), &schemas[3], NULL) == EST_OK);
    require(est_json_new(NULL, &js) == EST_OK);
}

static void check(const struct est_buf *out)
{
    const struct est_value *v;
    est_err err = est_json_parse(js, est_buf_view(out), &v, NULL);

    /* A map may name a member twice; and text kept in it may add to the nesting. */
    require(err == EST_OK || err == EST_ERR_JSON_DUPLICATE || err == EST_ERR_JSON_DEPTH);
    est_json_clear(js);
}

/* The border of payload and extra is looked for from the end where an event is read whole, and
 * walked to where only its envelope is. */
static void check_event(const struct est_schema *sc, struct est_view body, struct est_buf *out)
{
    struct est_event ev, strict;

    if (est_avro_read_event(sc, EST_VIEW_LIT("t"), body, out, &ev, NULL) != EST_OK)
        return;
    check(out);
    require(est_avro_read_envelope(sc, body, &strict, NULL) == EST_OK);
    require(est_view_eq(ev.id, strict.id) && est_view_eq(ev.event, strict.event) &&
            est_view_eq(ev.source, strict.source) && est_view_eq(ev.tenant, strict.tenant) &&
            est_view_eq(ev.dedup_id, strict.dedup_id) && ev.occurred_at == strict.occurred_at &&
            ev.received_at == strict.received_at && ev.has_sequence == strict.has_sequence &&
            (!ev.has_sequence || ev.sequence == strict.sequence));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct est_schema *sc;
    struct est_view body;
    struct est_event ev;
    struct est_buf out;

    if (js == NULL)
        setup();
    if (size < 1)
        return 0;
    sc = schemas[data[0] % N_SCHEMAS];
    body = est_view((const char *)data + 1, size - 1);
    est_buf_init(&out, 1 << 22);
    if (est_avro_read_json(sc, body, &out, NULL) == EST_OK)
        check(&out);
    est_buf_clear(&out);
    (void)est_avro_read_envelope(sc, body, &ev, NULL);
    check_event(sc, body, &out);
    est_buf_fini(&out);
    return 0;
}
