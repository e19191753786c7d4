/* When a failed delivery is tried again. The first `attempts` follow one another quickly, `initial`
 * × attempt apart, as a short hiccup needs; behind them a draw from [0, cap] is added to the last
 * of these steps, where cap doubles until the sum may reach `max` ("full jitter"): so many waiting
 * lanes do not come back at once, and none of them within the quick series. Nothing here ever gives
 * up: giving up is not a question of time. */
#pragma once

#include "base/clock.h"
#include "core/rng.h"

struct est_retry_policy {
    unsigned attempts; /* quick attempts in all, the first one included; at least 1 */
    est_us initial;    /* above 0 */
    est_us max;        /* upper bound of every wait drawn here; at least `initial` */
};

/* The longest Retry-After that is obeyed: a receiver that asks for a year means "much later". */
#define EST_RETRY_AFTER_MAX (3600 * EST_SECOND)

/* How long to wait once `failed` attempts (at least 1) have failed. `floor` is what the receiver
 * asked for (0 = nothing); the answer is never below it. */
est_us est_retry_wait(const struct est_retry_policy *policy, unsigned failed, est_us floor,
                      struct est_rng *rng);

/* The value of a Retry-After field (RFC 9110 §10.2.3) as a wait from `wall`: delay-seconds, or any
 * of the three HTTP-date forms (§5.6.7); 0 for a date that has passed, at most
 * EST_RETRY_AFTER_MAX. False when it is neither, and *ret_wait is left alone. */
bool est_retry_after_parse(struct est_view value, est_us wall, est_us *ret_wait);
