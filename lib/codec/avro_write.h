/* An event from JSON to Avro, in one walk that is also the check of the payload.
 *
 * Members that the schema does not name are kept in the field `extra`: a JSON object text keyed by
 * the JSON pointer of the object they stood in ({"":{"utm":1},"/payload":{"gift":true}}), so
 * nothing a bot sends is dropped. The same holds for a `null` given for a field that may be null,
 * for "timestamp" and "key" of the envelope, and for a CloudEvents subject and unknown attributes.
 *
 * JSON → Avro: an integer for int and long; any number for float and double; a boolean; a string
 * for string, enum and uuid; for decimal a number or a string of one, by its digits and never
 * through a double (an exponent is taken; digits beyond the scale are refused unless they are
 * zeros); for timestamps an RFC 3339 string or an integer in the field's unit; null or nothing for
 * a nullable field; a missing field takes its default. */
#pragma once

#include "base/buf.h"
#include "codec/inbound.h"
#include "codec/schema.h"

/* Append the body (no framing) of item i, which est_inbound_event has accepted, with the envelope
 * taken from *ev. On failure `out` is cut back to where it was. EST_ERR_EVENT_PAYLOAD with the
 * place, EST_ERR_TOO_LARGE when the body passes the event_max of the inbound, EST_ERR_FULL,
 * EST_ERR_NOMEM. The schema must be an event schema. */
est_err est_avro_write_event(const struct est_schema *sc, struct est_inbound *in, size_t i,
                             const struct est_event *ev, struct est_buf *out,
                             struct est_reject *reject);
