/* Short texts in arrays of fixed size, where to be cut short is what is wanted. */
#pragma once

#include "base/view.h"

#include <stddef.h>

/* As snprintf; what does not fit is left out. */
void est_line_printf(char *out, size_t n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The bytes of `v`, at most n - 1 of them. */
void est_line_copy(char *out, size_t n, struct est_view v);
