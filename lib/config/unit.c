#include "config/unit.h"

#include "config/line.h"

#include <limits.h>
#include <stdint.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Smallest first; the first row is the unit of a bare number's text form. */
static const struct unit durations[] = {
    {"us", 1},
    {"ms", EST_MS},
    {"s", EST_SECOND},
    {"m", 60 * EST_SECOND},
    {"h", 3600 * EST_SECOND},
    {"d", 86400 * EST_SECOND},
};
static const struct unit sizes[] = {
    {"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40},
};

/* What people write and mean one of the above by. */
static const struct {
    const char *wrong, *meant;
    bool duration;
} guesses[] = {
    {"k", "KiB", false},    {"kb", "KiB", false},         {"ki", "KiB", false},
    {"m", "MiB", false},    {"mb", "MiB", false},         {"mi", "MiB", false},
    {"g", "GiB", false},    {"gb", "GiB", false},         {"gi", "GiB", false},
    {"t", "TiB", false},    {"tb", "TiB", false},         {"ti", "TiB", false},
    {"kib", "KiB", false},  {"mib", "MiB", false},        {"gib", "GiB", false},
    {"byte", "B", false},   {"bytes", "B", false},        {"b", "B", false},
    {"sec", "s", true},     {"secs", "s", true},          {"second", "s", true},
    {"seconds", "s", true}, {"seg", "s", true},           {"segundos", "s", true},
    {"min", "m", true},     {"mins", "m", true},          {"minute", "m", true},
    {"minutes", "m", true}, {"minutos", "m", true},       {"hour", "h", true},
    {"hours", "h", true},   {"horas", "h", true},         {"day", "d", true},
    {"days", "d", true},    {"dias", "d", true},          {"msec", "ms", true},
    {"millis", "ms", true}, {"milliseconds", "ms", true},
};

struct number {
    uint64_t whole, fraction; /* fraction / scale */
    uint64_t scale;
    struct est_view unit;
};

static size_t digits(struct est_view v)
{
    size_t n = 0;

    while (n < v.len && v.data[n] >= '0' && v.data[n] <= '9')
        n++;
    return n;
}

/* Digits, at most six more behind a point, then whatever the unit is. */
static est_err split(struct est_view v, struct number *ret)
{
    size_t n = digits(v), m = 0;
    unsigned long long part;

    *ret = (struct number){.scale = 1};
    if (n == 0)
        return EST_ERR_INVALID;
    if (!est_view_u64(est_view(v.data, n), UINT64_MAX, &part))
        return EST_ERR_RANGE;
    ret->whole = part;
    if (n + 1 < v.len && v.data[n] == '.') {
        m = digits(est_view(v.data + n + 1, v.len - n - 1));
        if (m == 0 || m > 6)
            return EST_ERR_INVALID;
        (void)est_view_u64(est_view(v.data + n + 1, m), UINT64_MAX, &part);
        ret->fraction = part;
        for (size_t i = 0; i < m; i++)
            ret->scale *= 10;
        n += m + 1;
    }
    if (n + 1 < v.len && v.data[n] == ' ')
        n++;
    ret->unit = est_view(v.data + n, v.len - n);
    return EST_OK;
}

static est_err scaled(const struct number *num, uint64_t factor, uint64_t max, uint64_t *ret)
{
    uint64_t whole, part;

    if (__builtin_mul_overflow(num->whole, factor, &whole) ||
        __builtin_mul_overflow(num->fraction, factor, &part) || part % num->scale != 0 ||
        __builtin_add_overflow(whole, part / num->scale, &whole) || whole > max)
        return EST_ERR_RANGE;
    *ret = whole;
    return EST_OK;
}

static est_err parse(struct est_view text, const struct unit *units, size_t n, uint64_t bare,
                     uint64_t max, uint64_t *ret)
{
    struct number num;
    est_err err = split(text, &num);

    if (err)
        return err;
    if (num.unit.len == 0)
        return scaled(&num, bare, max, ret);
    for (size_t i = 0; i < n; i++)
        if (est_view_is(num.unit, units[i].name))
            return scaled(&num, units[i].factor, max, ret);
    return EST_ERR_UNSUPPORTED;
}

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

est_err est_unit_duration(struct est_view text, est_us *ret)
{
    uint64_t n;
    est_err err = parse(text, durations, COUNT_OF(durations), EST_MS, INT64_MAX, &n);

    if (err)
        return err;
    *ret = (est_us)n;
    return EST_OK;
}

est_err est_unit_size(struct est_view text, size_t *ret)
{
    uint64_t n;
    est_err err = parse(text, sizes, COUNT_OF(sizes), 1, SIZE_MAX / 2, &n);

    if (err)
        return err;
    *ret = (size_t)n;
    return EST_OK;
}

est_err est_unit_count(struct est_view text, unsigned *ret)
{
    unsigned long long n;

    if (text.len == 0 || digits(text) != text.len)
        return EST_ERR_INVALID;
    if (!est_view_u64(text, UINT_MAX, &n))
        return EST_ERR_RANGE;
    *ret = (unsigned)n;
    return EST_OK;
}

static void put(struct est_buf *out, uint64_t n, const struct unit *units, size_t n_units)
{
    size_t i = n_units - 1;

    while (i > 0 && (n == 0 || n % units[i].factor != 0))
        i--;
    est_buf_put_u64(out, n / units[i].factor);
    est_buf_puts(out, n == 0 ? "" : units[i].name);
}

void est_unit_put_duration(struct est_buf *out, est_us d)
{
    put(out, (uint64_t)d, durations, COUNT_OF(durations));
}

void est_unit_put_size(struct est_buf *out, size_t n)
{
    put(out, n, sizes, COUNT_OF(sizes));
}

bool est_unit_guess(struct est_view text, bool duration, char out[EST_UNIT_TEXT])
{
    struct number num;

    if (split(text, &num) || num.unit.len == 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(guesses); i++) {
        if (guesses[i].duration != duration ||
            !est_view_ieq(num.unit, est_view_str(guesses[i].wrong)))
            continue;
        size_t n = (size_t)(num.unit.data - text.data);
        est_line_printf(out, EST_UNIT_TEXT, "%.*s%s", n < 20 ? (int)n : 20, text.data,
                        guesses[i].meant);
        return true;
    }
    return false;
}
