/* Days as the owner of the bot counts them: from midnight to midnight in one time zone. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* "America/Sao_Paulo", a name of the time zone database. Called once, before zone_day.
 * EST_ERR_NOTFOUND when this machine does not know the zone. */
est_err zone_init(const char *name, struct est_why *reterr);
/* Days since 1970-01-01 of the local date at that moment (milliseconds since the epoch). */
int64_t zone_day(int64_t ms);
