#include "limiter.h"

/* Levels are in millionths of an event, so that a rate per second adds `rate` each microsecond and
 * nothing is lost to rounding. */
enum { UNIT = 1000000 };

void est_limiter_init(struct est_limiter *lim, uint32_t rate, est_us now)
{
    *lim = (struct est_limiter){.rate = rate, .level = (int64_t)rate * UNIT, .at = now};
}

/* From any debt that fits int64_t it takes at most level/rate microseconds to be full again, so the
 * product stays in range once the time is cut to that. */
static void refill(struct est_limiter *lim, est_us now)
{
    int64_t full = lim->rate * UNIT;
    est_us to_full = (full - lim->level) / lim->rate + 1;
    est_us elapsed = now - lim->at;

    if (elapsed <= 0)
        return;
    lim->at = now;
    if (elapsed >= to_full) {
        lim->level = full;
        return;
    }
    lim->level += elapsed * lim->rate;
    if (lim->level > full)
        lim->level = full;
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
