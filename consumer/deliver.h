/* Delivery: batches from the lanes, one request each, and what the answer means for every event of
 * it. A refused batch is halved until the guilty event stands alone; it alone goes to the DLQ. What
 * failed for any other reason goes back to its lane, in its place. */
#pragma once

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct deliver;
struct worker;

est_err deliver_new(struct worker *w, struct deliver **ret, struct est_why *reterr);
void deliver_free(struct deliver *dv);
/* Start what may start now; called at the end of each turn of the loop. */
void deliver_dispatch(struct deliver *dv);
/* False when everything that waits must go on waiting beyond `until`: the endpoint is down, or no
 * lane is ready before. */
bool deliver_can_go_on(const struct deliver *dv, est_us until);
/* Every type is paused, as all are until it is known which ones are. */
bool deliver_is_paused(const struct deliver *dv);
/* Events that one request takes, as large as they are at present, and those that all take together
 * which may be in flight at once. */
size_t deliver_request(const struct deliver *dv);
size_t deliver_round(const struct deliver *dv);
/* Events of a type that requests could take at once. */
size_t deliver_ready(const struct deliver *dv, size_t type);
/* Batches under way that can end by themselves: those that wait for an endpoint that is down
 * cannot. */
size_t deliver_in_flight(const struct deliver *dv);
/* Give up the requests that are out: what they carried has an unknown outcome. */
void deliver_abandon(struct deliver *dv);
void deliver_metrics(struct deliver *dv);
