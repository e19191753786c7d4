/* What a client would rather have: the Prefer field (RFC 7240). */
#pragma once

#include "base/view.h"
#include "io/http_in.h"

/* The value of the preference `name` (lower case) in one field's value; empty when it stands there
 * without one, absent when it does not stand there. The first instance counts (§2). Parameters are
 * passed over; a value in quotes is given without them. */
struct est_view est_prefer_get(struct est_view list, const char *name);
/* The same over all Prefer fields of the request: is it `value`, in either case? */
bool est_http_prefers(const struct est_http_req *req, const char *name, const char *value);
