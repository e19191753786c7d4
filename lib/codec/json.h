/* Reading JSON strictly (RFC 8259): well-formed UTF-8, no member twice, nesting bounded, nothing
 * behind the value, and numbers kept as their digits, so that no 64-bit id and no cent is ever lost
 * in a double.
 *
 * A reader holds any number of documents at once; all of them, and every view into them, live until
 * est_json_clear or est_json_free. Its memory is reused, so a small document costs well under 1 us.
 * Writing JSON is base/jsonw.h. */
#pragma once

#include "base/buf.h"
#include "codec/reject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_json;
struct est_value; /* one JSON value, owned by its reader */

enum est_json_type {
    EST_JSON_NULL,
    EST_JSON_BOOL,
    EST_JSON_NUMBER,
    EST_JSON_STRING,
    EST_JSON_ARRAY,
    EST_JSON_OBJECT
};

struct est_json_limits {
    unsigned depth_max; /* nested arrays and objects */
    size_t memory_max;  /* bytes of text and values together, over all documents held */
};
extern const struct est_json_limits est_json_limits_default; /* 64, 64 MiB */

/* limits NULL = the defaults. EST_ERR_NOMEM. */
est_err est_json_new(const struct est_json_limits *limits, struct est_json **ret);
void est_json_free(struct est_json *js);
/* Forget every document; memory is kept up to a bound. */
void est_json_clear(struct est_json *js);

/* One document; the text may go afterwards. EST_ERR_JSON, EST_ERR_JSON_DEPTH,
 * EST_ERR_JSON_DUPLICATE, EST_ERR_TOO_LARGE (memory_max) or EST_ERR_NOMEM; `reject` (may be NULL)
 * says where. */
est_err est_json_parse(struct est_json *js, struct est_view text, const struct est_value **ret,
                       struct est_reject *reject);

/* Every accessor takes NULL for "absent" and then answers absent, false or 0, so look-ups chain:
 * est_json_string(est_json_get(est_json_get(ev, "payload"), "order_id")). */
enum est_json_type est_json_type(const struct est_value *v); /* EST_JSON_NULL when absent */
const char *est_json_type_name(const struct est_value *v); /* "a string", "an object", "nothing" */
/* The member of an object; NULL when absent or when `obj` is no object. */
const struct est_value *est_json_get(const struct est_value *obj, const char *name);
/* Elements of an array, members of an object; else 0. */
size_t est_json_size(const struct est_value *v);
/* Walk an array or object: `it` starts zeroed; false at the end. ret_name may be NULL. */
struct est_json_iter {
    const struct est_value *next;
    size_t left;
    bool begun;
};
bool est_json_each(const struct est_value *container, struct est_json_iter *it,
                   struct est_view *ret_name, const struct est_value **ret);
/* The decoded text of a string (may hold NUL bytes); absent otherwise. */
struct est_view est_json_string(const struct est_value *v);
/* The digits of a number as sent ("-12", "599.90", "1e3"); absent otherwise. */
struct est_view est_json_number(const struct est_value *v);
bool est_json_bool(const struct est_value *v, bool *ret); /* false when it is no boolean */
/* An integer without fraction and exponent that fits; false otherwise. */
bool est_json_i64(const struct est_value *v, int64_t *ret);
/* A non-empty string, or the digits of an integer: what can be an id or a key. Else absent. */
struct est_view est_json_id(const struct est_value *v);
/* Append the value as compact JSON; numbers keep their digits. */
void est_json_put_value(struct est_buf *b, const struct est_value *v);
