/* What goes to and comes from a Confluent-compatible schema registry, as JSON. The conversation
 * itself is io/registry.h; a program wires the two. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

enum { EST_REGISTRY_JSON_TEXT = 160 };

/* {"schema":"…"} for registering and for the compatibility check. */
void est_registry_json_put_schema(struct est_buf *b, struct est_view schema_text);
/* {"id":n}: the answer to a registration. EST_ERR_REGISTRY when it is something else. */
est_err est_registry_json_id(struct est_view body, uint32_t *ret_id);
/* {"schema":"…"}: replaces what `ret_text` holds. EST_ERR_UNSUPPORTED for schemaType other than
 * AVRO and for schemas with references. */
est_err est_registry_json_schema(struct est_view body, struct est_buf *ret_text);
/* {"is_compatible":true}; its "messages" joined and cut into `why` (may be NULL). */
est_err est_registry_json_compatible(struct est_view body, bool *ret, struct est_why *why);
/* {"error_code":40401,"message":"…"}: false when it is no such answer. */
bool est_registry_json_error(struct est_view body, int *ret_code,
                             char text[EST_REGISTRY_JSON_TEXT]);
