#include "limiter.h"

/* Levels are in millionths of an event, so that a rate per second adds `rate` each microsecond and
 * nothing is lost to rounding. */
enum { UNIT = 1000000 };

void est_limiter_init(struct est_limiter *lim, uint32_t rate, est_us now)
{
    *lim = (struct est_limiter){.rate = rate, .level = (int64_t)rate * UNIT, .at = now};
}

/* The time that counts is cut to what fills the bucket, so the product stays in range after any
 * sleep and from any debt, and never passes the rim. */
static void refill(struct est_limiter *lim, est_us now)
{
    int64_t full = lim->rate * UNIT;
    est_us elapsed = now - lim->at;

    if (elapsed <= 0)
        return;
    lim->at = now;
    if (elapsed > (full - lim->level) / lim->rate)
        lim->level = full;
    else
        lim->level += elapsed * lim->rate;
}

est_us est_limiter_take(struct est_limiter *lim, uint32_t n, est_us now)
{
    int64_t cost = (int64_t)n * UNIT, full = lim->rate * UNIT, need;

    if (lim->rate == 0)
        return 0;
    refill(lim, now);
    need = cost < full ? cost : full;
    if (lim->level < need)
        return (need - lim->level + lim->rate - 1) / lim->rate;
    lim->level -= cost;
    return 0;
}
