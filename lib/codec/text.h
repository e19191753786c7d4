/* Text at speed: JSON strings written and their UTF-8 checked in one pass, sixteen bytes at a time
 * while they are plain. base/view.h and base/jsonw.h do the same for cold paths and broken text. */
#pragma once

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>

/* Well-formed UTF-8 (RFC 3629)? */
bool est_text_is_utf8(struct est_view v);
/* How many bytes at the beginning a JSON string holds as they are: up to what it would escape, or
 * what is no UTF-8. */
size_t est_text_plain(struct est_view v);
/* Append the quoted, escaped string. False, with `b` in no defined state, when it is no UTF-8. */
bool est_text_put(struct est_buf *b, struct est_view v);
/* The same of a text behind which EST_BUF_SLACK bytes can be read, whatever they are. */
bool est_text_put_padded(struct est_buf *b, struct est_view v);
/* An Avro name: [A-Za-z_][A-Za-z0-9_]*, at most 255 bytes. */
bool est_text_is_name(struct est_view v);
/* Free of control characters, so that it may stand in a header field or a log line. */
bool est_text_is_printable(struct est_view v);
