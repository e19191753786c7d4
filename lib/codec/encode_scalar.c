#include "encode_scalar.h"

#include "base/clock.h"
#include "moment.h"
#include "number.h"

#include <math.h>
#include <string.h>

static est_err out_of_range(struct est_encode *e, const struct est_path *at)
{
    return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD, "the number is out of range");
}

est_err est_encode_scalar_null(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                               const struct est_path *at)
{
    return yyjson_is_null(v) ? EST_OK : est_encode_mismatch(e, p, v, at);
}

est_err est_encode_scalar_boolean(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                  const struct est_path *at)
{
    if (!yyjson_is_bool(v))
        return est_encode_mismatch(e, p, v, at);
    est_buf_putc(e->out, yyjson_get_bool(v) ? 1 : 0);
    return EST_OK;
}

static est_err encode_timestamp(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                const struct est_path *at)
{
    int64_t per_ms = p->logical == EST_PLAN_TIMESTAMP_MICROS ? 1000 : 1, n;
    est_us us;

    if (yyjson_is_raw(v)) {
        if (est_number_i64(est_json_tree_text(v), &n) != EST_NUMBER_OK)
            return est_encode_mismatch(e, p, v, at);
    } else if (!yyjson_is_str(v) || !est_rfc3339_parse(est_json_tree_text(v), &us)) {
        return est_encode_mismatch(e, p, v, at);
    } else {
        n = per_ms == 1000 ? us : us / 1000 - (us % 1000 < 0);
    }
    if (!est_moment_is_sayable(n / per_ms))
        return out_of_range(e, at);
    est_encode_long(e->out, n);
    return EST_OK;
}

est_err est_encode_scalar_integer(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                  const struct est_path *at)
{
    enum est_number_fault fault;
    int64_t n = 0;

    if (p->logical != EST_PLAN_PLAIN && !e->is_default)
        return encode_timestamp(e, p, v, at);
    if (!yyjson_is_raw(v))
        return est_encode_mismatch(e, p, v, at);
    fault = est_number_i64(est_json_tree_text(v), &n);
    if (fault == EST_NUMBER_SYNTAX)
        return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD,
                             "expected an integer, found a number with a fraction or exponent");
    if (fault != EST_NUMBER_OK || (p->kind == EST_PLAN_INT && (n < INT32_MIN || n > INT32_MAX)))
        return out_of_range(e, at);
    est_encode_long(e->out, n);
    return EST_OK;
}

/* IEEE 754 in little endian, which is also how the machines we build for keep it. */
est_err est_encode_scalar_real(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                               const struct est_path *at)
{
    double d;
    float f;

    if (!yyjson_is_raw(v))
        return est_encode_mismatch(e, p, v, at);
    if (est_number_double(est_json_tree_text(v), &d) != EST_NUMBER_OK)
        return out_of_range(e, at);
    if (p->kind == EST_PLAN_DOUBLE) {
        est_buf_put(e->out, &d, sizeof(d));
        return EST_OK;
    }
    f = (float)d;
    if (!isfinite(f))
        return out_of_range(e, at);
    est_buf_put(e->out, &f, sizeof(f));
    return EST_OK;
}

/* The shortest two's complement, big endian, as the specification has it. */
static void put_decimal(struct est_buf *b, int64_t n)
{
    unsigned char bytes[8];
    size_t from = 0;

    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
    while (from < 7 && bytes[from] == (n < 0 ? 0xff : 0) &&
           (bytes[from + 1] >> 7) == (n < 0 ? 1 : 0))
        from++;
    est_encode_long(b, (int64_t)(8 - from));
    est_buf_put(b, bytes + from, 8 - from);
}

static est_err encode_decimal(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                              const struct est_path *at)
{
    enum est_number_fault fault;
    int64_t n;

    if (!yyjson_is_raw(v) && !yyjson_is_str(v))
        return est_encode_mismatch(e, p, v, at);
    fault = est_number_decimal(est_json_tree_text(v), p->precision, p->scale, &n);
    if (fault == EST_NUMBER_SYNTAX)
        return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD,
                             "expected a number or a string of one, such as \"599.90\"");
    if (fault == EST_NUMBER_FRACTION)
        return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD,
                             "more than %u digits behind the decimal point", p->scale);
    if (fault == EST_NUMBER_RANGE)
        return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD,
                             "more than %u digits before the decimal point",
                             p->precision - p->scale);
    put_decimal(e->out, n);
    return EST_OK;
}

/* Code points up to U+00FF become bytes of that value (the specification's JSON form of bytes). */
static bool put_latin(struct est_buf *b, struct est_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.data[i];
        if (c >= 0x80) {
            if (c > 0xC3)
                return false;
            c = (unsigned char)((c & 3) << 6 | ((unsigned char)v.data[++i] & 0x3f));
        }
        est_buf_putc(b, (char)c);
    }
    return true;
}

est_err est_encode_scalar_bytes(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                const struct est_path *at)
{
    if (p->logical == EST_PLAN_DECIMAL && !e->is_default)
        return encode_decimal(e, p, v, at);
    est_buf_clear(e->scratch);
    if (!yyjson_is_str(v) || !put_latin(e->scratch, est_json_tree_text(v)))
        return est_encode_mismatch(e, p, v, at);
    if (e->scratch->failed)
        return EST_ERR_NOMEM;
    if (p->kind == EST_PLAN_BYTES)
        est_encode_long(e->out, (int64_t)e->scratch->len);
    else if (e->scratch->len != p->n)
        return est_encode_mismatch(e, p, v, at);
    est_buf_put_view(e->out, est_buf_view(e->scratch));
    return EST_OK;
}

static bool is_uuid(struct est_view v)
{
    if (v.len != 36)
        return false;
    for (size_t i = 0; i < v.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? v.data[i] != '-' : memchr("0123456789abcdefABCDEF", v.data[i], 22) == NULL)
            return false;
    }
    return true;
}

static est_err encode_json_text(struct est_encode *e, yyjson_val *v)
{
    est_buf_clear(e->scratch);
    est_json_put_value(e->scratch, (const struct est_value *)v);
    if (e->scratch->failed)
        return EST_ERR_NOMEM;
    est_encode_string(e->out, est_buf_view(e->scratch));
    return EST_OK;
}

est_err est_encode_scalar_string(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                 const struct est_path *at)
{
    enum est_plan_logical logical = e->is_default ? EST_PLAN_PLAIN : p->logical;

    if (logical == EST_PLAN_JSON)
        return encode_json_text(e, v);
    if (logical == EST_PLAN_ID && yyjson_is_raw(v)) {
        if (!est_json_tree_is_integer(est_json_tree_text(v)))
            return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD,
                                 "expected a string or an integer, found a number with a fraction "
                                 "or exponent");
    } else if (!yyjson_is_str(v)) {
        return est_encode_mismatch(e, p, v, at);
    } else if (logical == EST_PLAN_UUID && !is_uuid(est_json_tree_text(v))) {
        return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD, "expected a UUID string");
    }
    est_encode_string(e->out, est_json_tree_text(v));
    return EST_OK;
}

size_t est_encode_scalar_symbol(const struct est_plan *p, yyjson_val *v)
{
    size_t i = 0;

    if (!yyjson_is_str(v))
        return p->n;
    while (i < p->n && !est_view_eq(p->symbols[i], est_json_tree_text(v)))
        i++;
    return i;
}

est_err est_encode_scalar_enum(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                               const struct est_path *at)
{
    size_t i = est_encode_scalar_symbol(p, v);

    if (i == p->n && yyjson_is_str(v))
        return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD,
                             "expected one of the schema's symbols, found another string");
    if (i == p->n)
        return est_encode_mismatch(e, p, v, at);
    est_encode_long(e->out, (int64_t)i);
    return EST_OK;
}
