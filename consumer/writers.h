/* The schemas that records are decoded with: always the one that wrote the record. Our own types' are
 * there from the start; with a schema registry, others are asked for when a record names them. */
#pragma once

#include "base/err.h"

struct est_config;
struct est_health;
struct est_loop;
struct est_schema;
struct est_wire;
struct writers;

/* `learnt` is called, from the loop, when a record that had to wait may be tried again. */
est_err writers_new(struct est_loop *lp, const struct est_config *cfg, struct est_health *health,
                    void (*learnt)(void *arg), void *arg, struct writers **ret, struct est_why *reterr);
void writers_free(struct writers *w);

/* EST_ERR_AGAIN: the registry is being asked. EST_ERR_SCHEMA_UNKNOWN: nobody knows it. */
est_err writers_find(struct writers *w, const struct est_wire *wire, const struct est_schema **ret);
