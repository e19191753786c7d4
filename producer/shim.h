/* The shim: owns everything that one esteira-producer process has, and the order in which it starts
 * and stops. */
#pragma once

#include "base/err.h"

struct est_config;
struct shim;

/* Everything but the listeners. `cfg` is borrowed and must outlive the shim. */
est_err shim_new(const struct est_config *cfg, struct shim **ret, struct est_why *reterr);
/* Serve until SIGTERM or SIGINT, then drain: accept no more, answer what is under way, at the
 * latest after producer.drain_timeout. */
est_err shim_run(struct shim *sh, struct est_why *reterr);
void shim_free(struct shim *sh);
