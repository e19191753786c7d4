/* URLs as values: schemes, hosts, and the secrets that may stand in them. */
#pragma once

#include "config/field.h"

struct est_fault est_url_check(const struct est_field *f, struct est_view url);
/* The first secret at or behind `from` (within url): "pw" in "redis://user:pw@host", "x" in
 * "?sentinel_password=x". Absent when there is none. */
struct est_view est_url_secret(struct est_view url, const char *from);
