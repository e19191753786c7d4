/* JSON pointers (RFC 6901), split once when the configuration is read, followed per event. */
#pragma once

#include "base/err.h"
#include "base/view.h"

struct est_pointer;

/* "" is the whole document; otherwise it begins with '/'. At most 16 steps, 512 bytes.
 * EST_ERR_INVALID, EST_ERR_NOMEM. */
est_err est_pointer_new(struct est_view text, struct est_pointer **ret, struct est_why *reterr);
void est_pointer_free(struct est_pointer *p);
struct est_view est_pointer_text(const struct est_pointer *p);
