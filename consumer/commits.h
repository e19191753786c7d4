/* Commits of what is settled in the partitions that are held: made when core/commit_pace says so,
 * at most one under way, each with its notes. What a revoked partition leaves to commit goes with
 * the revocation (worker.c). */
#pragma once

#include "base/err.h"
#include "core/commit_pace.h"
#include "io/loop.h"

#include <stdbool.h>

struct worker;

struct commits {
    struct worker *w;
    struct est_commit_pace pace;
    struct est_timer timer;
    est_us planned; /* when it is set for */
    bool under_way;
};

void commits_init(struct commits *c, struct worker *w);
void commits_fini(struct commits *c);
/* An event is settled. An idle consumer has no timer. */
void commits_settled(struct commits *c);
/* The one under way has ended. */
void commits_done(struct commits *c, est_err err, const char *detail);
