/* Percentiles of durations: of all of them, and of the worst window of some seconds, because a mean
 * over a minute hides the second in which all stood still. 0.1 ms fine below 1 s, 10 ms above. */
#pragma once

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>

enum { LATENCY_BUCKETS = 10000 + 13000, LATENCY_WINDOW_MIN = 100 };

struct latency_counts {
    uint64_t n;
    uint32_t of[LATENCY_BUCKETS];
};

struct latency {
    struct latency_counts all, window;
    est_us window_length, window_end;
    est_us max,
        worst_p99; /* of the windows closed so far with at least LATENCY_WINDOW_MIN durations */
};

/* Zeroed by the caller (it is large). */
void latency_init(struct latency *l, est_us window_length, est_us now);
void latency_note(struct latency *l, est_us duration, est_us now);
/* The duration below which the share (0 to 1) lies; 0 of nothing. */
est_us latency_share(const struct latency_counts *c, double share);
/* The window under way counts, too. */
est_us latency_worst_p99(const struct latency *l);
