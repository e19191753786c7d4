#include "commit_pace.h"

#include "base/assert.h"

#include <stdbool.h>

void est_commit_pace_init(struct est_commit_pace *p, est_us interval, est_us now)
{
    EST_ASSERT(interval > 0);
    *p = (struct est_commit_pace){.interval = interval, .made_at = now - interval};
}

void est_commit_pace_settled(struct est_commit_pace *p)
{
    p->settled++;
}

void est_commit_pace_made(struct est_commit_pace *p, est_us now)
{
    p->made_at = now;
    p->settled = 0;
}

est_us est_commit_pace_due(const struct est_commit_pace *p, est_us now)
{
    bool many = p->settled >= EST_COMMIT_MANY;
    est_us due = p->made_at + (many ? p->interval / EST_COMMIT_SOONER : p->interval);

    if (p->settled == 0)
        return EST_NEVER;
    return due > now ? due : now;
}
