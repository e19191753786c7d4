/* Which types an operator has paused (`esteira pause TYPE`): a hash in Redis, <prefix>paused:<name
 * of the destination>, whose fields are types. It is looked at once a second; what it said last
 * holds while Redis is away. At the start all types wait for the first look, but no longer than
 * redis.timeout. */
#pragma once

#include "io/loop.h"

#include <stdbool.h>

struct deliver;

struct pauses {
    struct deliver *dv;
    struct est_timer timer;
    bool asking, known; /* known: it was looked, or waited for in vain */
    est_us begun;
};

/* Begins to look; needs dv->endpoint and dv->lines. */
void pauses_init(struct pauses *p, struct deliver *dv);
void pauses_fini(struct pauses *p);
