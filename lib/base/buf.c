#include "buf.h"

#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void est_buf_init(struct est_buf *b, size_t max)
{
    *b = (struct est_buf){.max = max};
}

void est_buf_fini(struct est_buf *b)
{
    est_free(b->data);
    *b = (struct est_buf){.max = b->max};
}

void est_buf_clear(struct est_buf *b)
{
    b->len = 0;
    b->failed = b->starved = false;
}

/* The slack has room for the NUL that vsnprintf wants, too. */
static bool grow(struct est_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    char *data;

    while (cap < need)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap > b->max)
        cap = b->max;
    data = est_realloc(b->data, cap + EST_BUF_SLACK);
    if (data == NULL) {
        b->starved = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

bool est_buf_grow(struct est_buf *b, size_t n)
{
    if (b->failed)
        return false;
    if (n > b->max - b->len || !grow(b, b->len + n)) {
        b->failed = true;
        return false;
    }
    return true;
}

void est_buf_puts(struct est_buf *b, const char *s)
{
    est_buf_put(b, s, strlen(s));
}

void est_buf_put_u64(struct est_buf *b, uint64_t n)
{
    enum { DIGITS = 20 };
    char digits[DIGITS + EST_BUF_SLACK];
    size_t at = DIGITS;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    est_buf_put_padded(b, est_view(digits + at, DIGITS - at));
}

void est_buf_put_i64(struct est_buf *b, int64_t n)
{
    if (n < 0)
        est_buf_putc(b, '-');
    est_buf_put_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void est_buf_printf(struct est_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        b->failed = true;
    else if (n > 0 && est_buf_reserve(b, (size_t)n)) {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void est_buf_consume(struct est_buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

void est_buf_truncate(struct est_buf *b, size_t len)
{
    if (len < b->len)
        b->len = len;
}

struct est_view est_buf_view(const struct est_buf *b)
{
    return est_view(b->data ? b->data : "", b->len);
}

est_err est_buf_err(const struct est_buf *b)
{
    return !b->failed ? EST_OK : b->starved ? EST_ERR_NOMEM : EST_ERR_FULL;
}
