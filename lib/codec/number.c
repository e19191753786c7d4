#include "number.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

enum { DOUBLE_TEXT_MAX = 400, EXPONENT_MAX = 100000 };

int64_t est_number_power(unsigned n)
{
    static const int64_t powers[EST_NUMBER_PRECISION_MAX + 1] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
    };

    return powers[n];
}

static bool is_digit(struct est_view t, size_t at)
{
    return at < t.len && t.data[at] >= '0' && t.data[at] <= '9';
}

enum est_number_fault est_number_i64(struct est_view text, int64_t *ret)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t i = negative ? 1 : 0;
    uint64_t n = 0, max = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;

    if (!is_digit(text, i) || (text.data[i] == '0' && text.len > i + 1))
        return EST_NUMBER_SYNTAX;
    for (; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
        if (digit > 9)
            return EST_NUMBER_SYNTAX;
        if (n > (max - digit) / 10)
            return EST_NUMBER_RANGE;
        n = n * 10 + digit;
    }
    *ret = negative ? (int64_t)(0 - n) : (int64_t)n;
    return EST_NUMBER_OK;
}

/* A number as significand × 10^exponent, where the significand ends in no zero. Digits beyond the
 * 18th are counted but not kept: then the number fits no decimal of ours anyway. */
struct parts {
    bool negative;
    uint64_t significand;
    size_t digits; /* of the significand */
    long exponent;
};

static void take_digit(struct parts *p, unsigned digit, size_t *zeros)
{
    if (digit == 0) {
        *zeros += p->digits > 0;
        return;
    }
    p->digits += *zeros + 1;
    if (p->digits <= EST_NUMBER_PRECISION_MAX) {
        for (; *zeros > 0; (*zeros)--)
            p->significand *= 10;
        p->significand = p->significand * 10 + digit;
    }
    *zeros = 0;
}

static bool take_exponent(struct est_view t, size_t *at, long *ret)
{
    bool negative = *at < t.len && t.data[*at] == '-';
    long n = 0;

    if (*at < t.len && (t.data[*at] == '-' || t.data[*at] == '+'))
        (*at)++;
    if (!is_digit(t, *at))
        return false;
    for (; is_digit(t, *at); (*at)++)
        if (n < EXPONENT_MAX)
            n = n * 10 + (t.data[*at] - '0');
    *ret = negative ? -n : n;
    return true;
}

static bool take_parts(struct est_view t, struct parts *p)
{
    size_t i = t.len > 0 && t.data[0] == '-' ? 1 : 0, zeros = 0;
    long fraction = 0, exponent = 0;

    *p = (struct parts){.negative = i == 1};
    if (!is_digit(t, i) || (t.data[i] == '0' && is_digit(t, i + 1)))
        return false;
    for (; is_digit(t, i); i++)
        take_digit(p, (unsigned)(t.data[i] - '0'), &zeros);
    if (i < t.len && t.data[i] == '.') {
        if (!is_digit(t, ++i))
            return false;
        for (; is_digit(t, i); i++, fraction++)
            take_digit(p, (unsigned)(t.data[i] - '0'), &zeros);
    }
    if (i < t.len && (t.data[i] | 0x20) == 'e') {
        i++;
        if (!take_exponent(t, &i, &exponent))
            return false;
    }
    p->exponent = exponent - fraction + (long)zeros;
    return i == t.len;
}

enum est_number_fault est_number_decimal(struct est_view text, unsigned precision, unsigned scale,
                                         int64_t *ret)
{
    struct parts p;
    int64_t n;
    long shift;

    if (!take_parts(text, &p))
        return EST_NUMBER_SYNTAX;
    if (p.digits == 0) {
        *ret = 0;
        return EST_NUMBER_OK;
    }
    shift = p.exponent + (long)scale;
    if (shift < 0)
        return EST_NUMBER_FRACTION;
    if (p.digits > precision || (unsigned long)shift > precision - p.digits)
        return EST_NUMBER_RANGE;
    n = (int64_t)p.significand;
    for (; shift > 0; shift--)
        n *= 10;
    *ret = p.negative ? -n : n;
    return EST_NUMBER_OK;
}

enum est_number_fault est_number_double(struct est_view text, double *ret)
{
    char copy[DOUBLE_TEXT_MAX + 1];
    const char *end;
    yyjson_val v;

    if (text.len == 0 || text.len > DOUBLE_TEXT_MAX)
        return text.len == 0 ? EST_NUMBER_SYNTAX : EST_NUMBER_RANGE;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    end = yyjson_read_number(copy, &v, YYJSON_READ_ALLOW_INF_AND_NAN, NULL, NULL);
    if (end != copy + text.len)
        return EST_NUMBER_SYNTAX;
    if (!isfinite(yyjson_get_num(&v)))
        return EST_NUMBER_RANGE;
    *ret = yyjson_get_num(&v);
    return EST_NUMBER_OK;
}
