/* Why an item of a request, or a document, is refused: which one, where in it, and what was expected.
 * The texts name members and JSON types; they never repeat a value, for values are personal data. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stddef.h>

enum { EST_REJECT_POINTER = 256, EST_REJECT_DETAIL = 160 };

struct est_reject {
    est_err code;
    size_t index;                     /* of the item in its request, from 0 */
    char pointer[EST_REJECT_POINTER]; /* RFC 6901, relative to the item; "" = the whole item. Always
                                         valid UTF-8; a longer one is cut at a token and ends "/…" */
    char detail[EST_REJECT_DETAIL];   /* one sentence for a person */
};

/* Fill `rj` (may be NULL) and return `err`. The pointer becomes "" and the index 0. */
est_err est_reject_set(struct est_reject *rj, est_err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* One step of the way from an item's root to a value. Steps live on the C stack of a walk, so the
 * pointer's text is only made when somebody needs it. `name` absent = the array element `index`. */
struct est_path {
    const struct est_path *parent; /* NULL = the root is the parent */
    struct est_view name;
    size_t index;
};

/* The RFC 6901 text of a path (NULL = the root = ""); out holds `size` bytes. Returns its length. */
size_t est_reject_pointer(const struct est_path *at, char *out, size_t size);
/* est_reject_set with the place. */
est_err est_reject_at(struct est_reject *rj, const struct est_path *at, est_err err, const char *fmt,
                      ...) __attribute__((format(printf, 4, 5)));
