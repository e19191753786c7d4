/* The field `chain` of an event's record: what the header `esteira-chain` says (core/chain.h), and
 * the timestamp of the record that it was said of:  <chain>@<milliseconds>.  It saves a consumer
 * the headers of nearly every record, for a client library takes all of them apart or none. The
 * header stays the place where others look, and where this field is null it is the only one.
 *
 * Whoever copies values alone carries the field into a record that it was not said of. There the
 * time is mostly another one, and the field counts for nothing; where it is kept, too, the account
 * asks the header before it believes that the record is a repeat. */
#pragma once

#include "base/buf.h"
#include "codec/schema.h"

/* Append `value`, in single-object framing by `sc`, with the field set to `chain`, or to null where
 * that is absent, whatever it was before. False: `value` is not framed so, or its schema has no
 * such field; nothing was appended then. The time is not negative. Whether it fitted is asked of
 * the buffer. */
bool est_chain_field_put(const struct est_schema *sc, struct est_view value, struct est_view chain,
                         int64_t timestamp_ms, struct est_buf *out);
/* The chain in a body of that schema, of a record with that timestamp; borrowed. Absent when the
 * field says nothing, or nothing of this record. */
struct est_view est_chain_field_get(const struct est_schema *sc, struct est_view body,
                                    int64_t timestamp_ms);
