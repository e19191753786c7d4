/* The framing around an Avro body in a Kafka record: which schema wrote it.
 *   single-object  C3 01, CRC-64-AVRO fingerprint (8 bytes, little endian)  Avro 1.11,
 * "Single-object encoding" Confluent v0   00, schema id (4 bytes, big endian) in the value, or in
 * the header Confluent v1   01, GUID (16 bytes)                                      only in the
 * header Confluent's header is named `__value_schema_id`; with it the value is the bare body. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"
#include "codec/schemas.h"

#include <stdint.h>

#define EST_WIRE_HEADER "__value_schema_id"

enum est_wire_kind { EST_WIRE_SINGLE, EST_WIRE_ID, EST_WIRE_GUID };

struct est_wire {
    enum est_wire_kind kind;
    uint64_t fingerprint;                     /* SINGLE */
    uint32_t id;                              /* ID */
    unsigned char guid[EST_SCHEMAS_GUID_LEN]; /* GUID */
    struct est_view body;                     /* borrowed from the value */
};

void est_wire_put_single(struct est_buf *b, uint64_t fingerprint);
void est_wire_put_id(struct est_buf *b, uint32_t id);

/* `header` is the value of EST_WIRE_HEADER, absent when the record has none. EST_ERR_TOMBSTONE for
 * an absent value, EST_ERR_FRAMING for one that begins with none of the above or is cut short. */
est_err est_wire_parse(struct est_view value, struct est_view header, struct est_wire *ret);
