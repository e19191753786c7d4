/* Any body, in any shape, through the envelope and the encoder; what is taken must decode again.
 * First byte: the shape; second: the schema. */
#include "codec/avro_read.h"
#include "codec/avro_write.h"
#include "codec/inbound.h"
#include "codec/pointer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_SCHEMAS = 3 };

static struct est_schema *schemas[N_SCHEMAS];
static struct est_inbound *in;
static struct est_pointer *pointer;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void setup(void)
{
    static const char *const types[N_SCHEMAS] = {"order", "message", "custom"};
    char path[512];

    for (size_t i = 0; i < N_SCHEMAS; i++) {
        (void)snprintf(path, sizeof(path), "%s/schemas/%s.avsc", ESTEIRA_SOURCE_DIR, types[i]);
        require(est_schema_load(path, &schemas[i], NULL) == EST_OK);
    }
    require(est_inbound_new(NULL, &in) == EST_OK);
    require(est_pointer_new(EST_VIEW_LIT("/payload/items/0/sku"), &pointer, NULL) == EST_OK);
}

static void one(const struct est_schema *sc, size_t i)
{
    struct est_event ev = {.id = EST_VIEW_LIT("i"),
                           .source = EST_VIEW_LIT("s"),
                           .tenant = EST_VIEW_LIT(""),
                           .dedup_id = EST_VIEW_LIT("d")};
    struct est_buf avro, json;
    struct est_reject rj;

    if (est_inbound_event(in, i, &ev, &rj) != EST_OK)
        return;
    (void)est_inbound_pointer(in, i, pointer);
    est_buf_init(&avro, 1 << 22);
    est_buf_init(&json, 1 << 24);
    if (est_avro_write_event(sc, in, i, &ev, &avro, &rj) == EST_OK)
        require(est_avro_read_event(sc, EST_VIEW_LIT("t"), est_buf_view(&avro), &json, NULL,
                                    NULL) == EST_OK);
    est_buf_fini(&avro);
    est_buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct est_inbound_field fields[] = {{EST_VIEW_LIT("ce-specversion"), EST_VIEW_LIT("1.0")},
                                         {EST_VIEW_LIT("ce-id"), EST_VIEW_LIT("i")},
                                         {EST_VIEW_LIT("ce-source"), EST_VIEW_LIT("s")},
                                         {EST_VIEW_LIT("ce-type"), EST_VIEW_LIT("t")},
                                         {EST_VIEW_LIT("ce-subject"), EST_VIEW_NONE}};
    struct est_view body;

    if (in == NULL)
        setup();
    if (size < 2)
        return 0;
    body = est_view((const char *)data + 2, size - 2);
    fields[4].value = est_view(body.data, body.len < 40 ? body.len : 40);
    if (est_inbound_parse(in, (enum est_inbound_kind)(data[0] % 5), body, fields, 5, NULL) ==
        EST_OK)
        for (size_t i = 0; i < est_inbound_count(in); i++)
            one(schemas[data[1] % N_SCHEMAS], i);
    return 0;
}
