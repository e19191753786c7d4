#include "config/line.h"

#include <stdarg.h>
#include <stdio.h>

void est_line_printf(char *out, size_t n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(out, n, fmt, ap);
    va_end(ap);
}

void est_line_copy(char *out, size_t n, struct est_view v)
{
    size_t len = v.len < n ? v.len : n - 1;

    if (len > 0)
        memcpy(out, v.data, len);
    out[len] = '\0';
}
