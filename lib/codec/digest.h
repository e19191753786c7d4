/* A name for something that must not be readable in the name: the first 128 bits of SHA-256 over
 * parts, each with its length, so that nothing of one can pass for a part of the other. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stddef.h>

enum { EST_DIGEST_LEN = 32 }; /* lower hex, without the NUL */

/* EST_ERR_NOMEM. */
est_err est_digest_text(const struct est_view *parts, size_t n, char out[EST_DIGEST_LEN + 1]);
