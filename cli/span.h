/* Times as people read them. */
#pragma once

#include "out.h"

#include "base/clock.h"

enum { SPAN_TEXT = 40 };

/* "38 ms", "1.4 s", "1 min 14 s", "6 d 4 h"; in Portuguese with a decimal comma. Negative counts
 * as nothing. */
void span_text(enum est_lang lang, est_us d, char out[SPAN_TEXT]);
/* Local time, with milliseconds: "14:35:10,204", of another day "24/11 14:35:10,204". */
void span_time(enum est_lang lang, int64_t unix_ms, int64_t now_ms, char out[SPAN_TEXT]);
