/* Writing JSON into a buffer: escaping only, no state. Structure is the caller's. (RFC 8259) */
#pragma once

#include "buf.h"

/* The quoted, escaped string. Ill-formed UTF-8 becomes U+FFFD, so the output is valid JSON. */
void est_json_put_string(struct est_buf *b, struct est_view v);
void est_json_put_str(struct est_buf *b, const char *s);
/* `"name":` with a comma before it unless the last byte opens an object or array. */
void est_json_put_name(struct est_buf *b, const char *name);
