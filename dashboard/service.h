/* The running dashboard: the object that owns everything, and the order in which it starts and
 * stops. */
#pragma once

struct est_config;
struct service;

/* Each returns EX_OK or the exit code of the process (sysexits.h), having logged why. The config is
 * borrowed. */
int service_start(const struct est_config *cfg, struct service **ret);
/* Until SIGTERM or SIGINT, then until running requests are answered, at most five seconds. */
void service_run(struct service *sv);
void service_free(struct service *sv); /* NULL is a no-op */

/* Recount what is stored and say on standard output whether the numbers hold: EX_OK, or 1. */
int service_audit(const struct est_config *cfg);
