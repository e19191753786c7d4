#include "reject.h"

#include "path.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 4, 0))) static void fill(struct est_reject *rj,
                                                       const struct est_path *at, est_err err,
                                                       const char *fmt, va_list ap)
{
    rj->code = err;
    rj->index = 0;
    est_path_format(at, rj->pointer, sizeof(rj->pointer));
    (void)vsnprintf(rj->detail, sizeof(rj->detail), fmt, ap);
}

est_err est_reject_set(struct est_reject *rj, est_err err, const char *fmt, ...)
{
    va_list ap;

    if (rj == NULL)
        return err;
    va_start(ap, fmt);
    fill(rj, NULL, err, fmt, ap);
    va_end(ap);
    return err;
}

est_err est_reject_at(struct est_reject *rj, const struct est_path *at, est_err err,
                      const char *fmt, ...)
{
    va_list ap;

    if (rj == NULL)
        return err;
    va_start(ap, fmt);
    fill(rj, at, err, fmt, ap);
    va_end(ap);
    return err;
}
