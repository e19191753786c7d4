/* JSON pointers (RFC 6901), split once when the configuration is read, followed per event. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stddef.h>

struct est_pointer;
struct est_value;

/* "" is the whole document; otherwise it begins with '/'. At most 16 steps, 512 bytes.
 * EST_ERR_INVALID, EST_ERR_NOMEM. */
est_err est_pointer_new(struct est_view text, struct est_pointer **ret, struct est_why *reterr);
void est_pointer_free(struct est_pointer *p);
struct est_view est_pointer_text(const struct est_pointer *p);
size_t est_pointer_count(const struct est_pointer *p);
/* Step i, unescaped; i < est_pointer_count. */
struct est_view est_pointer_step(const struct est_pointer *p, size_t i);
/* Where steps `first` and after lead to from `v`; NULL when there is no such place. */
const struct est_value *est_pointer_follow(const struct est_pointer *p, size_t first,
                                           const struct est_value *v);
