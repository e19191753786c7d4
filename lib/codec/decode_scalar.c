#include "decode_scalar.h"

#include "moment.h"
#include "number.h"
#include "text.h"

#include <math.h>
#include <string.h>

enum { DECIMAL_DIGITS = 20 };
static const double WHOLE_MAX = 1e15; /* below, a whole number is its digits, and no exponent */

est_err est_decode_scalar_null(struct est_decode *d, const struct est_plan *p,
                               const struct est_path *at)
{
    (void)p;
    (void)at;
    est_buf_puts(d->out, "null");
    return EST_OK;
}

est_err est_decode_scalar_boolean(struct est_decode *d, const struct est_plan *p,
                                  const struct est_path *at)
{
    struct est_view byte;

    (void)p;
    if (!est_cursor_raw(&d->in, 1, &byte) || (unsigned char)byte.data[0] > 1)
        return est_decode_fault(d, at, "a boolean that is neither 0 nor 1");
    est_buf_puts(d->out, byte.data[0] ? "true" : "false");
    return EST_OK;
}

est_err est_decode_scalar_integer(struct est_decode *d, const struct est_plan *p,
                                  const struct est_path *at)
{
    int64_t n;

    if (!est_cursor_long(&d->in, &n))
        return est_decode_damaged(d, at);
    if (p->kind == EST_PLAN_INT && (n < INT32_MIN || n > INT32_MAX))
        return est_decode_fault(d, at, "an int of more than 32 bits");
    if (p->logical == EST_PLAN_TIMESTAMP_MILLIS)
        est_moment_put(d->out, n);
    else if (p->logical == EST_PLAN_TIMESTAMP_MICROS)
        est_moment_put_micros(d->out, n);
    else
        est_buf_put_i64(d->out, n);
    return EST_OK;
}

/* The shortest text that reads back as the same double; of the library, for it knows no locale. */
static est_err put_double(struct est_decode *d, double value, const struct est_path *at)
{
    yyjson_val v = {.tag = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL, .uni = {.f64 = value}};
    _Alignas(16) char memory[1024];
    yyjson_alc alc;
    size_t len = 0;
    char *text;

    if (!isfinite(value))
        return est_decode_fault(d, at, "a number that JSON cannot say");
    if (fabs(value) < WHOLE_MAX && value == (double)(int64_t)value && !signbit(value)) {
        est_buf_put_i64(d->out, (int64_t)value);
        return EST_OK;
    }
    if (!yyjson_alc_pool_init(&alc, memory, sizeof(memory)) ||
        (text = yyjson_val_write_opts(&v, 0, &alc, &len, NULL)) == NULL)
        return EST_ERR_NOMEM;
    if (len > 2 && text[len - 1] == '0' && text[len - 2] == '.')
        len -= 2; /* 2.0 was most likely sent as 2 */
    est_buf_put(d->out, text, len);
    return EST_OK;
}

est_err est_decode_scalar_real(struct est_decode *d, const struct est_plan *p,
                               const struct est_path *at)
{
    struct est_view bytes;
    double value;
    float single;

    if (!est_cursor_raw(&d->in, p->min_size, &bytes))
        return est_decode_damaged(d, at);
    if (p->kind == EST_PLAN_DOUBLE) {
        memcpy(&value, bytes.data, sizeof(value));
        return put_double(d, value, at);
    }
    memcpy(&single, bytes.data, sizeof(single));
    return put_double(d, (double)single, at);
}

static void put_decimal(struct est_buf *b, int64_t n, unsigned scale)
{
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    char digits[DECIMAL_DIGITS + 3 + EST_BUF_SLACK];
    size_t at = DECIMAL_DIGITS + 3;
    unsigned done = 0;

    do {
        if (done == scale && scale > 0)
            digits[--at] = '.';
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
        done++;
    } while (left > 0 || done <= scale);
    if (n < 0)
        digits[--at] = '-';
    est_buf_put_padded(b, est_view(digits + at, DECIMAL_DIGITS + 3 - at));
}

static est_err decode_decimal(struct est_decode *d, const struct est_plan *p, struct est_view bytes,
                              const struct est_path *at)
{
    const unsigned char *s = (const unsigned char *)bytes.data;
    int64_t most = est_number_power(p->precision);
    uint64_t n;

    while (bytes.len > 8 && (s[0] == 0 || s[0] == 0xff) && (s[1] >> 7) == (s[0] & 1)) {
        s++; /* a longer form than needed is valid: the sign repeated in front */
        bytes.len--;
    }
    if (bytes.len == 0 || bytes.len > 8)
        return est_decode_fault(d, at, "a decimal of no digits or too many");
    n = s[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.len; i++)
        n = n << 8 | s[i];
    if ((int64_t)n >= most || (int64_t)n <= -most)
        return est_decode_fault(d, at, "a decimal with more digits than its precision");
    put_decimal(d->out, (int64_t)n, p->scale);
    return EST_OK;
}

/* Bytes as text of one code point each. */
static est_err put_latin(struct est_decode *d, struct est_view bytes)
{
    est_buf_clear(d->scratch);
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c >= 0x80)
            est_buf_putc(d->scratch, (char)(0xC0 | c >> 6));
        est_buf_putc(d->scratch, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
    }
    if (d->scratch->failed)
        return EST_ERR_NOMEM;
    (void)est_text_put(d->out, est_buf_view(d->scratch));
    return EST_OK;
}

est_err est_decode_scalar_bytes(struct est_decode *d, const struct est_plan *p,
                                const struct est_path *at)
{
    struct est_view bytes;
    bool ok = p->kind == EST_PLAN_FIXED ? est_cursor_raw(&d->in, p->n, &bytes)
                                        : est_cursor_bytes(&d->in, &bytes);

    if (!ok)
        return est_decode_damaged(d, at);
    return p->logical == EST_PLAN_DECIMAL ? decode_decimal(d, p, bytes, at) : put_latin(d, bytes);
}

/* The text of one JSON value goes out as that value, once it is known to be one. */
static est_err decode_json_text(struct est_decode *d, struct est_view text,
                                const struct est_path *at)
{
    _Alignas(16) char memory[2048];
    const struct est_value *v;
    struct est_json js;
    est_err err;

    est_json_tree_init_with(&js, memory, sizeof(memory));
    err = est_json_parse(&js, text, &v, NULL);
    if (err == EST_OK)
        est_json_put_value(d->out, v);
    est_json_tree_fini(&js);
    if (err == EST_ERR_NOMEM)
        return err;
    return err ? est_decode_fault(d, at, "text that should be JSON and is not") : EST_OK;
}

est_err est_decode_scalar_string(struct est_decode *d, const struct est_plan *p,
                                 const struct est_path *at)
{
    struct est_view text;
    bool ok;

    if (!est_cursor_bytes(&d->in, &text))
        return est_decode_damaged(d, at);
    if (p->logical == EST_PLAN_JSON)
        return decode_json_text(d, text, at);
    ok = est_cursor_left(&d->in) >= EST_BUF_SLACK ? est_text_put_padded(d->out, text)
                                                  : est_text_put(d->out, text);
    return ok ? EST_OK : est_decode_fault(d, at, "text that is not UTF-8");
}

est_err est_decode_scalar_enum(struct est_decode *d, const struct est_plan *p,
                               const struct est_path *at)
{
    int64_t i;

    if (!est_cursor_long(&d->in, &i) || i < 0 || (uint64_t)i >= p->n)
        return est_decode_fault(d, at, "an enum index without a symbol");
    (void)est_text_put(d->out, p->symbols[i]);
    return EST_OK;
}
