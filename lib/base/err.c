#include "err.h"

#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

struct row {
    const char *code;
    const char *text;
    enum est_disposition disposition;
};

static const struct row rows[EST_ERR__COUNT] = {
    [EST_OK] = {"OK", "no error", EST_RETRY},
#define EST_ERR(name, code, disposition, text) [EST_ERR_##name] = {code, text, EST_##disposition},
#include "err.def"
#undef EST_ERR
};

static const struct row *row_of(est_err err)
{
    static const struct row unknown = {"E-UNKNOWN", "unknown error", EST_FATAL};
    return (unsigned)err < EST_ERR__COUNT ? &rows[err] : &unknown;
}

const char *est_err_code(est_err err)
{
    return row_of(err)->code;
}

const char *est_err_text(est_err err)
{
    return row_of(err)->text;
}

enum est_disposition est_err_disposition(est_err err)
{
    return row_of(err)->disposition;
}

int est_err_exit(est_err err)
{
    if (err == EST_OK)
        return EX_OK;
    return est_err_disposition(err) == EST_RETRY ? EX_UNAVAILABLE : EX_CONFIG;
}

est_err est_why_set(struct est_why *why, est_err err, const char *fmt, ...)
{
    va_list ap;

    if (why == NULL)
        return err;
    why->code = err;
    va_start(ap, fmt);
    (void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
    va_end(ap);
    return err;
}
