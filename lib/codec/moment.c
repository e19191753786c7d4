#include "moment.h"

#include "base/clock.h"

void est_moment_put(struct est_buf *b, int64_t ms)
{
    char text[EST_RFC3339_LEN + 2] = "\"";

    if (!est_moment_is_sayable(ms)) {
        est_buf_put_i64(b, ms);
        return;
    }
    est_rfc3339_format(ms * 1000, text + 1);
    text[EST_RFC3339_LEN + 1] = '"'; /* where the NUL was */
    est_buf_put(b, text, sizeof(text));
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
