/* Why an item of a request, or a document, is refused: which one, where in it, and what was
 * expected. The texts name members and JSON types; they never repeat a value, for values are
 * personal data. */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct est_path;

enum { EST_REJECT_POINTER = 256, EST_REJECT_DETAIL = 160 };

struct est_reject {
    est_err code;
    size_t index;                     /* of the item in its request, from 0 */
    char pointer[EST_REJECT_POINTER]; /* RFC 6901, relative to the item; "" = the whole item. Valid
                                         UTF-8; one that is too long is cut at a step: "/a/b/..." */
    char detail[EST_REJECT_DETAIL];   /* one sentence for a person */
};

/* Fill `rj` (may be NULL) with the whole item as the place, and return `err`. */
est_err est_reject_set(struct est_reject *rj, est_err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the place; NULL is the whole item. */
est_err est_reject_at(struct est_reject *rj, const struct est_path *at, est_err err,
                      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
