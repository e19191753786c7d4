/* Times of events: milliseconds since 1970 in the record, RFC 3339 in JSON where it can say them.
 */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Years 1 to 9999, which RFC 3339 can say. */
static inline bool est_moment_is_sayable(int64_t ms)
{
    return ms >= -62135596800000 && ms <= 253402300799999;
}

enum { EST_MOMENT_MAX = 26 };

/* "2026-11-24T17:37:21.004Z" in quotes, without a NUL; a time that is not sayable stays a number.
 * Returns the length. */
size_t est_moment_text(int64_t ms, char out[EST_MOMENT_MAX]);
/* Append that text. */
void est_moment_put(struct est_buf *b, int64_t ms);
/* The same of microseconds, which get three more digits where they are not zeros. */
void est_moment_put_micros(struct est_buf *b, int64_t us);
