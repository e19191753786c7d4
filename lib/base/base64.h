/* Bytes as text and back: base64 of RFC 4648 §4, with padding. */
#pragma once

#include "buf.h"

/* Appends 4 × ⌈n / 3⌉ characters. */
void est_base64_put(struct est_buf *out, struct est_view bytes);
/* Appends the bytes. Strict: the standard alphabet, padded, no white space, unused bits 0.
 * EST_ERR_INVALID: nothing was appended. EST_ERR_FULL, EST_ERR_NOMEM: `out` has failed. */
est_err est_base64_take(struct est_buf *out, struct est_view text);
