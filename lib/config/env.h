/* The environment over the file: ESTEIRA_<PATH> for every key, and the names of the old service. A
 * variable that is empty counts as not set, as compose files and .env files leave them. */
#pragma once

#include "config/config.h"

void est_env_overlay(struct est_config *cfg, struct est_config_report *rp);
