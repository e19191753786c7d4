/* A token bucket: `rate` events a second, and at most one second's worth at once. A request larger
 * than that is let in when the bucket is full and leaves a debt, so the rate holds over time. */
#pragma once

#include "base/clock.h"

struct est_limiter {
    int64_t rate;  /* events per second; 0 = no limit */
    int64_t level; /* millionths of an event; negative = debt */
    est_us at;     /* when the level was right */
};

void est_limiter_init(struct est_limiter *lim, uint32_t rate, est_us now);
/* 0: the n events are allowed and taken. Otherwise nothing is taken, and it is how long to wait
 * before they would be. */
est_us est_limiter_take(struct est_limiter *lim, uint32_t n, est_us now);
