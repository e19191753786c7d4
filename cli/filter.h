/* `--filter K=V`: which events are shown. K names a member, with dots into objects; V is compared
 * with a string's text, a number's digits, or true, false and null as they are written. */
#pragma once

#include "args.h"

#include "codec/json.h"

/* NULL when every filter has its `=`; else the one that has not. */
const char *filter_wrong(const struct args_many *filters);
/* Whether all of them fit. */
bool filter_fits(const struct args_many *filters, const struct est_value *event);
