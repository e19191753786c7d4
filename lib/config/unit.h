/* Numbers with units, as people write them: durations, sizes, counts; and back into text. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"

#include <stddef.h>

enum { EST_UNIT_TEXT = 32 };

/* 1500ms, 1.5s, 10m, 12h, 7d; a bare number counts milliseconds. One space before the unit is
 * allowed. EST_ERR_INVALID: no number. EST_ERR_UNSUPPORTED: a number, but no such unit.
 * EST_ERR_RANGE: more than fits, or a fraction below one microsecond. */
est_err est_unit_duration(struct est_view text, est_us *ret);
/* 512, 512B, 64KiB, 1.5MiB, 1GiB, 1TiB. Units of a thousand (kB, MB) are no units here: too many
 * people mean the other thing by them. Errors as above. */
est_err est_unit_size(struct est_view text, size_t *ret);
est_err est_unit_count(struct est_view text, unsigned *ret);

/* The largest unit that divides without rest: 90s, 1500ms, 7d. */
void est_unit_put_duration(struct est_buf *out, est_us d);
void est_unit_put_size(struct est_buf *out, size_t n);
/* "16MiB" for "16MB" or "16M": the unit that was meant, or false when that cannot be told. */
bool est_unit_guess(struct est_view text, bool duration, char out[EST_UNIT_TEXT]);
