/* Avro to JSON, by the schema that wrote it, in one pass and strictly: what avro-c lets through (a
 * boolean of 7, an enum index without symbol, text that is no UTF-8, a negative length, bytes left
 * over) is EST_ERR_AVRO here: such a record is damaged and must not reach a receiver half-read. */
#pragma once

#include "base/buf.h"
#include "codec/schema.h"
#include "core/event.h"

/* The event as receivers get it, appended to `out` as one compact JSON object:
 * {"id","event","type","source","tenant","occurred_at","received_at","dedup_id"[,"sequence"],
 * "payload":{…}, members of extra…}, members of `extra` back in the objects they came from. Fields
 * that are null are left out; of an extra member that a field already wrote, the field's is kept.
 * `type` is the topic's type. On failure `out` is cut back. `ret_ev` may be NULL; its views borrow
 * from `body`; key and trace are not in the record and stay absent.
 * The schema must be an event schema: else EST_ERR_AVRO. */
est_err est_avro_read_event(const struct est_schema *sc, struct est_view type, struct est_view body,
                            struct est_buf *out, struct est_event *ret_ev, struct est_why *reterr);
/* Only the envelope, without looking at the payload's inside. */
est_err est_avro_read_envelope(const struct est_schema *sc, struct est_view body,
                               struct est_event *ret_ev, struct est_why *reterr);
/* Any schema, as plain JSON: every field in its order, nulls written, enums by name, bytes as text
 * of one code point per byte, decimals and timestamps as for events. */
est_err est_avro_read_json(const struct est_schema *sc, struct est_view body, struct est_buf *out,
                           struct est_why *reterr);
