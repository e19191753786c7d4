/* Time. One unit everywhere: est_us, microseconds in an int64_t. Deadlines and ages use the
 * monotonic clock; only what is shown to people or written into events uses the wall clock. */
#pragma once

#include "view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t est_us;

#define EST_MS ((est_us)1000)
#define EST_SECOND ((est_us)1000000)
#define EST_NEVER INT64_MAX

est_us est_clock_mono(void); /* CLOCK_MONOTONIC */
est_us est_clock_wall(void); /* microseconds since 1970-01-01T00:00:00Z */

enum { EST_RFC3339_LEN = 24 }; /* 2026-11-24T17:37:21.004Z, without the NUL */

/* UTC with milliseconds, rounded down; out holds EST_RFC3339_LEN + 1 bytes. A time outside the
 * years 0000 to 9999 is shown as the nearest inside. */
void est_rfc3339_format(est_us wall, char out[EST_RFC3339_LEN + 1]);
/* RFC 3339 date-time, any offset, any number of fraction digits (beyond microseconds ignored); a
 * leap second is the first second of the next minute. False also when UTC falls outside 0000 to
 * 9999. */
bool est_rfc3339_parse(struct est_view v, est_us *ret_wall);
