/* From the file's tree into the configuration, by the tables. */
#pragma once

#include "config/config.h"
#include "config/yaml.h"

/* cfg holds the defaults already. Everything wrong goes into the report. root NULL = an empty file.
 * */
void est_read_tree(struct est_config *cfg, const struct est_yaml *root,
                   struct est_config_report *rp);
