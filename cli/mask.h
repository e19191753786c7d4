/* An event without what it says of people: the names of its members stay, and of each value its
 * kind and size. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* Appends a line for each value: `/payload/total  a string of 6`. Names that do not look like names
 * of a schema (letters, digits and _, - or ., at most 40, not a digit first) are `*`: a map's keys
 * may be people. */
void mask_put(struct est_buf *out, const struct est_value *v);
