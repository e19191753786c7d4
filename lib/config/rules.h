/* Values against one another: what each is alone may be fine and still make no sense together.
 * Values that the report already speaks of are left out: they stand at their defaults. */
#pragma once

#include "config/config.h"

void est_rules_check(struct est_config *cfg, struct est_config_report *rp);
