/* What a receiver says about its request budget, in any of the forms that are met:
 *
 *   RateLimit: "default";r=50;t=30                 RateLimit-Policy: "default";q=100;w=60
 *   RateLimit: limit=100, remaining=50, reset=30   RateLimit-Policy: 100;w=60
 *   RateLimit-Limit, -Remaining, -Reset, and the same with X- before it
 *
 * The first line is draft-ietf-httpapi-ratelimit-headers-10, the second its versions 07 to 09, the
 * third is older. A reset is in seconds, or, where it can only be that, a Unix time. What cannot be
 * read is passed over: these fields are advice, and a broken one must not stop a delivery. */
#pragma once

#include "base/clock.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

/* Values of the fields; absent where not sent. */
struct est_ratelimit_fields {
    struct est_view limit;              /* RateLimit */
    struct est_view policy;             /* RateLimit-Policy */
    struct est_view quota, left, reset; /* …-Limit, …-Remaining, …-Reset */
};

/* Of several limits the tightest: the one with the longest time per request. */
struct est_ratelimit {
    uint32_t quota; /* requests in each window; 0 = not said */
    est_us window;
    bool has_left; /* left and reset are known */
    uint32_t left; /* requests until the reset */
    est_us reset;  /* from now; at most EST_RATELIMIT_MAX */
};

#define EST_RATELIMIT_MAX (24 * 3600 * EST_SECOND)

/* wall: now, by the wall clock in us of the Unix epoch. False when nothing was said. */
bool est_ratelimit_read(const struct est_ratelimit_fields *fields, est_us wall,
                        struct est_ratelimit *ret);
