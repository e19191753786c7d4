/* With a schema registry: every type's schema is registered under `<topic>-value` before events
 * are taken, and records are framed with the id that the registry gave (Confluent wire format).
 * Without one there is nothing to do. A registry that is away is asked again until it answers;
 * until then the shim is not ready. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct catalog;
struct enroll;
struct est_config;
struct est_health;
struct est_loop;

/* Starts asking at once when the configuration names a registry. */
est_err enroll_new(struct est_loop *lp, const struct est_config *cfg, struct catalog *cat,
                   struct est_health *health, struct enroll **ret, struct est_why *reterr);
/* True when every schema has its id, or when none is needed. */
bool enroll_done(const struct enroll *en);
void enroll_free(struct enroll *en);
