/* How far a long command is: one line, rewritten ten times a second on a terminal, a plain line
 * every ten seconds elsewhere, nothing with -q or --json. */
#pragma once

#include "base/clock.h"
#include "out.h"

struct progress {
    est_us started, shown_at; /* monotonic */
    uint64_t total;           /* bytes in all; 0 = unknown */
    enum text what;           /* 0 = sending */
};

/* done: bytes of the total; units: what the reader counts in, e.g. events. */
void progress_show(struct progress *p, struct out *o, est_us now, uint64_t done, uint64_t units);
