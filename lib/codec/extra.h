/* What a record's field `extra` holds: the members that its schema does not name, under the
 * pointer of the object in which they stood (avro_write.h). Text as the encoder mostly writes it,
 * without escapes and nesting, is looked at once and never taken apart; any other goes through the
 * parser. */
#pragma once

#include "json_tree.h"

struct est_extra_member {
    struct est_view name;
    struct est_view text; /* the JSON text of its value; absent where the parser was needed: */
    yyjson_val *value;    /* its value; otherwise not set */
};

struct est_extra_object {
    struct est_view pointer;
    const struct est_extra_member *members;
    size_t n;
};

/* The views borrow from the text or from the memory of `js`. */
struct est_extra {
    const struct est_extra_object *objects;
    size_t n;
};

/* EST_ERR_JSON when it is no JSON object, is too large, or a name stands twice in one of its
 * objects; EST_ERR_NOMEM. */
est_err est_extra_read(struct est_json *js, struct est_view text, struct est_extra *ret);
/* The members that belong into the object at `at`, or NULL. */
const struct est_extra_object *est_extra_of(const struct est_extra *x, const struct est_path *at);
/* Appends `"name":value`. */
void est_extra_put(struct est_buf *out, const struct est_extra_member *m);
