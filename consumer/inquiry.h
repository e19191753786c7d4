/* Writers' schemas that we have not met: a registry is asked for one at a time, by the id or the
 * GUID that frames a record. What it refuses for good is remembered, for an id or GUID means one
 * schema for ever; anything else is asked again until there is an answer. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct est_schemas;
struct est_wire;
struct inquiry;
struct worker;

/* A schema was learnt into `schemas`, or refused: what waits for it may be looked at again. */
typedef void inquiry_done(void *arg);

/* Without a registry in the configuration nothing can be asked. `schemas` is borrowed. */
est_err inquiry_new(struct worker *w, struct est_schemas *schemas, inquiry_done *done, void *arg,
                    struct inquiry **ret, struct est_why *reterr);
void inquiry_free(struct inquiry *iq);

/* May this framing's schema be asked for? Not when it was refused lately. */
bool inquiry_can_ask(const struct inquiry *iq, const struct est_wire *wire);
/* Ask, unless another is being asked for: then it is for `done` to come back. */
void inquiry_ask(struct inquiry *iq, const struct est_wire *wire);
