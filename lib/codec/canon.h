/* The Parsing Canonical Form of a schema and its fingerprint (Avro 1.11, "Parsing Canonical Form
 * for Schemas" and "Schema Fingerprints"), made from the plan. */
#pragma once

#include "base/buf.h"
#include "plan.h"

#include <stdbool.h>
#include <stdint.h>

/* With `with_meaning` also logical types and our attribute, which the canonical form leaves out:
 * two schemas that differ only there have one fingerprint and read the same bytes differently. */
void est_canon_put(struct est_buf *b, const struct est_plan *p, bool with_meaning);
/* CRC-64-AVRO. */
uint64_t est_canon_fingerprint(struct est_view bytes);
