/* The way from a document's root to one of its values. Steps live on the C stack of a walk, so that
 * going down costs nothing and the pointer's text is only made when somebody needs it. */
#pragma once

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

/* `name` absent = element `index` of an array. parent NULL = the step leaves the root. */
struct est_path {
    const struct est_path *parent;
    struct est_view name;
    size_t index;
};

/* Append the RFC 6901 pointer; NULL is the root, whose pointer is empty. */
void est_path_put(struct est_buf *b, const struct est_path *at);
/* Is `pointer` that text? Without writing it. */
bool est_path_is(const struct est_path *at, struct est_view pointer);
/* The same into `size` bytes with a NUL; one that does not fit is cut at a step, with "/..."
 * behind. */
void est_path_format(const struct est_path *at, char *out, size_t size);
