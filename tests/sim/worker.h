/* One member of the fake consumer group: lib/core driven as a consumer drives it, with a fake
 * clock. */
#pragma once

#include "belt.h"
#include "board.h"

struct worker;

struct worker *worker_new(struct belt *belt, struct board *board, uint64_t seed);
/* Killed at once: nothing is committed, and requests in flight may still reach the dashboard. */
void worker_kill(struct worker *w, est_us now);

void worker_assign(struct worker *w, uint32_t part);
/* All partitions are taken away. Commits what is settled; what waits is dropped, what is in flight
 * ends without effect here. */
void worker_revoke(struct worker *w);

/* Everything that is to be done by `now`: answers, dead letters, reading, requests, commits. */
void worker_step(struct worker *w, est_us now);
