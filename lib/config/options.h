/* librdkafka's properties that kafka.options may not set: those that the promise of no loss rests
 * on, and those that have a key of ours. */
#pragma once

#include "base/view.h"
#include "config/report.h"

#include <stdbool.h>

struct est_option {
    const char *name;
    const char *key;            /* our key for it, or NULL */
    const char *why[EST_LANGS]; /* why it is fixed, where there is no key */
};

/* NULL = free to set. */
const struct est_option *est_options_find(struct est_view name);
/* sasl.password and its like: given by environment, never shown. */
bool est_options_is_secret(struct est_view name);
