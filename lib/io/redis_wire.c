#include "io/redis_wire.h"

#include <string.h>

void est_redis_wire_array(struct est_buf *b, size_t n)
{
    est_buf_putc(b, '*');
    est_buf_put_u64(b, n);
    est_buf_puts(b, "\r\n");
}

void est_redis_wire_bulk(struct est_buf *b, struct est_view v)
{
    est_buf_putc(b, '$');
    est_buf_put_u64(b, v.len);
    est_buf_puts(b, "\r\n");
    est_buf_put_view(b, v);
    est_buf_puts(b, "\r\n");
}

void est_redis_wire_put(struct est_buf *b, size_t n, const struct est_view *args)
{
    est_redis_wire_array(b, n);
    for (size_t i = 0; i < n; i++)
        est_redis_wire_bulk(b, args[i]);
}

static struct est_view first_word(struct est_view fault)
{
    size_t n = 0;

    while (n < fault.len && fault.data[n] >= 'A' && fault.data[n] <= 'Z')
        n++;
    return n == fault.len || fault.data[n] == ' ' ? est_view(fault.data, n) : EST_VIEW_LIT("ERR");
}

est_err est_redis_wire_err(struct est_view fault)
{
    static const struct {
        const char *word;
        est_err err;
    } words[] = {
        {"OOM", EST_ERR_REDIS_FULL},
        {"MISCONF", EST_ERR_REDIS_FULL},
        {"READONLY", EST_ERR_REDIS_READONLY},
        {"NOAUTH", EST_ERR_REDIS_DENIED},
        {"WRONGPASS", EST_ERR_REDIS_DENIED},
        {"NOPERM", EST_ERR_REDIS_DENIED},
        {"LOADING", EST_ERR_REDIS_LOADING},
        {"MASTERDOWN", EST_ERR_REDIS_LOADING},
        {"BUSY", EST_ERR_REDIS_LOADING},
        {"TRYAGAIN", EST_ERR_REDIS_LOADING},
        {"UNKILLABLE", EST_ERR_REDIS_LOADING},
        {"NOREPLICAS", EST_ERR_REDIS_REPLICAS},
        {"FENCED", EST_ERR_FENCED},
    };
    struct est_view word = first_word(fault);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (est_view_is(word, words[i].word))
            return words[i].err;
    return EST_ERR_REDIS;
}

void est_redis_wire_word(struct est_view fault, char *out, size_t size)
{
    struct est_view word = first_word(fault);
    size_t n = word.len < size ? word.len : size - 1;

    memcpy(out, word.data, n);
    out[n] = '\0';
}
