/* Money as whole minor units (cents), read and written digit by digit, never as a double. */
#pragma once

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

/* "599.90", "2399", "0.5": true and the cents. False for a sign, an exponent, a part of a cent, or
 * more than 12 digits before the point. */
bool money_parse(struct est_view digits, int64_t *ret_minor);
/* "2399.00" */
void money_print(struct est_buf *out, int64_t minor);
