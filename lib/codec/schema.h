/* An Avro schema, checked harder than avro-c checks, and compiled into a plan that the encoder and
 * the decoder walk without looking up a name.
 *
 * Beyond the specification (1.11) a schema must: be free of recursion; have no item of no size in
 * an array or map (six bytes could then say two hundred million items); give every default in the
 * right type; name nothing twice; nest at most 32 deep with at most 256 fields a record. Logical
 * types: decimal on bytes (precision <= 18), timestamp-millis and timestamp-micros on long, uuid on
 * string; any other is refused rather than ignored.
 *
 * The attribute "esteira" on a string, or on a field of (nullable) string type, is ours:
 *   "id"    JSON integers are taken too, and keep their digits
 *   "json"  any JSON value is taken and kept as its text; decoding puts the value back
 *
 * An *event schema* (est_schema_is_event) is a record with the fields id, event, source, tenant,
 * occurred_at, received_at, dedup_id, sequence, payload, extra, in types as in schemas/; before
 * them all may stand `chain` (chain_field.h). */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_schema;

enum { EST_SCHEMA_TEXT_MAX = 256 * 1024 };

/* EST_ERR_SCHEMA with the place and the cause, EST_ERR_TOO_LARGE, EST_ERR_NOMEM. */
est_err est_schema_parse(struct est_view text, struct est_schema **ret, struct est_why *reterr);
est_err est_schema_load(const char *path, struct est_schema **ret, struct est_why *reterr);
void est_schema_free(struct est_schema *sc);

/* The text as it was given: what a registry must get (avro-c drops doc, default, logicalType). */
struct est_view est_schema_text(const struct est_schema *sc);
/* Full name of the record ("dev.esteira.events.Order"); the type name for others. */
struct est_view est_schema_name(const struct est_schema *sc);
/* CRC-64-AVRO of the Parsing Canonical Form. It does not cover logical types and our attribute:
 * est_schemas therefore refuses two schemas that differ only in those. */
uint64_t est_schema_fingerprint(const struct est_schema *sc);
/* The Parsing Canonical Form itself. */
struct est_view est_schema_canonical(const struct est_schema *sc);
bool est_schema_is_event(const struct est_schema *sc);
/* EST_OK, or EST_ERR_SCHEMA with what an event schema must have and this one has not. */
est_err est_schema_check_event(const struct est_schema *sc, struct est_why *reterr);
