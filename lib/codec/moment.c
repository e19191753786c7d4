#include "moment.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

_Static_assert(EST_MOMENT_MAX == EST_RFC3339_LEN + 2, "a time between quotes");

size_t est_moment_text(int64_t ms, char out[EST_MOMENT_MAX])
{
    if (!est_moment_is_sayable(ms)) {
        char digits[EST_MOMENT_MAX];
        int n = snprintf(digits, sizeof(digits), "%" PRId64, ms);
        memcpy(out, digits, (size_t)n);
        return (size_t)n;
    }
    out[0] = '"';
    est_rfc3339_format(ms * 1000, out + 1);
    out[EST_RFC3339_LEN + 1] = '"'; /* where the NUL was */
    return EST_MOMENT_MAX;
}

void est_moment_put(struct est_buf *b, int64_t ms)
{
    char text[EST_MOMENT_MAX];

    est_buf_put(b, text, est_moment_text(ms, text));
}

void est_moment_put_micros(struct est_buf *b, int64_t us)
{
    unsigned rest = (unsigned)((us % 1000 + 1000) % 1000);
    int64_t ms = us / 1000 - (us % 1000 < 0);

    if (!est_moment_is_sayable(ms)) {
        est_buf_put_i64(b, us);
        return;
    }
    est_moment_put(b, ms);
    if (rest == 0 || b->failed)
        return;
    est_buf_truncate(b, b->len - 2); /* Z" */
    est_buf_printf(b, "%03uZ\"", rest);
}
