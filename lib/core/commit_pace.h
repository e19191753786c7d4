/* When what is settled is committed. What is settled and not yet committed is delivered again when
 * the process dies; and each commit costs the broker something. So: one in each interval, or five
 * where much is settled, because at a high rate an interval is much. */
#pragma once

#include "base/clock.h"

#include <stdint.h>

enum {
    EST_COMMIT_MANY = 500, /* settled since the last commit: the next one comes sooner */
    EST_COMMIT_SOONER = 5  /* times as soon */
};

struct est_commit_pace {
    est_us interval;  /* above 0 */
    est_us made_at;   /* the last commit */
    uint64_t settled; /* since then */
};

/* The first commit is due as soon as something is settled. */
void est_commit_pace_init(struct est_commit_pace *p, est_us interval, est_us now);
/* One event more is settled. */
void est_commit_pace_settled(struct est_commit_pace *p);
/* A commit is made, or tried, of all that is settled. */
void est_commit_pace_made(struct est_commit_pace *p, est_us now);
/* When the next one is due: not before now; EST_NEVER = nothing is settled. */
est_us est_commit_pace_due(const struct est_commit_pace *p, est_us now);
