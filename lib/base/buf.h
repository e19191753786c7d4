/* Growable bytes with a mandatory maximum. An append that would pass the maximum, or that finds no
 * memory, marks the buffer failed and appends nothing; every later append is a no-op, so a sequence
 * of appends is checked once, at its end. */
#pragma once

#include "err.h"
#include "view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes behind cap that may be written to, though they are no part of what the buffer holds: who
 * brings memory of his own for a buffer has them there too. */
enum { EST_BUF_SLACK = 16 };

struct est_buf {
    char *data;
    size_t len, cap, max;
    bool failed;
    bool starved; /* failed for want of memory, not for the maximum */
};

void est_buf_init(struct est_buf *b, size_t max);
void est_buf_fini(struct est_buf *b);
/* Empty again, memory kept, failure forgotten. */
void est_buf_clear(struct est_buf *b);
/* Room for n more bytes at b->data + b->len; the caller then raises b->len. False = failed. */
static inline bool est_buf_reserve(struct est_buf *b, size_t n);
static inline void est_buf_put(struct est_buf *b, const void *data, size_t n);
static inline void est_buf_put_view(struct est_buf *b, struct est_view v);
/* The same of a short text behind which EST_BUF_SLACK bytes can be read: it is copied in moves of a
 * fixed size, which cost less than finding out how to copy so few bytes. */
static inline void est_buf_put_padded(struct est_buf *b, struct est_view v);
void est_buf_puts(struct est_buf *b, const char *s);
static inline void est_buf_putc(struct est_buf *b, char c);
void est_buf_put_u64(struct est_buf *b, uint64_t n);
void est_buf_put_i64(struct est_buf *b, int64_t n);
void est_buf_printf(struct est_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drop n bytes from the front. */
void est_buf_consume(struct est_buf *b, size_t n);
/* Cut back to len bytes (len <= b->len). */
void est_buf_truncate(struct est_buf *b, size_t len);
struct est_view est_buf_view(const struct est_buf *b);
/* EST_OK, or once an append has failed EST_ERR_FULL, or EST_ERR_NOMEM for want of memory. */
est_err est_buf_err(const struct est_buf *b);

/* --- inline: most appends find their room --- */

/* What est_buf_reserve does when there is no room yet. */
bool est_buf_grow(struct est_buf *b, size_t n);

static inline bool est_buf_reserve(struct est_buf *b, size_t n)
{
    return (n <= b->cap - b->len && !b->failed) || est_buf_grow(b, n);
}

static inline void est_buf_put(struct est_buf *b, const void *data, size_t n)
{
    if (n == 0 || !est_buf_reserve(b, n))
        return;
    memcpy(b->data + b->len, data, n);
    b->len += n;
}

static inline void est_buf_put_view(struct est_buf *b, struct est_view v)
{
    est_buf_put(b, v.data, v.len);
}

static inline void est_buf_put_padded(struct est_buf *b, struct est_view v)
{
    if (!est_buf_reserve(b, v.len))
        return;
    for (size_t i = 0; i < v.len; i += EST_BUF_SLACK)
        memcpy(b->data + b->len + i, v.data + i, EST_BUF_SLACK);
    b->len += v.len;
}

static inline void est_buf_putc(struct est_buf *b, char c)
{
    if (est_buf_reserve(b, 1))
        b->data[b->len++] = c;
}
