/* What a person does about a failure. Beside the words of configuration problems because both speak
 * two languages; err.def itself speaks only to programs and logs. */
#pragma once

#include "base/err.h"
#include "config/report.h"

/* "" when there is nothing to say. Never NULL. */
const char *est_advice_text(est_err err, enum est_lang lang);
/* From "E-KAFKA-DOWN", letters in either case; EST_OK when no failure has that code. */
est_err est_advice_find(const char *code);
