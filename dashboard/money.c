#include "money.h"

enum { WHOLE_DIGITS = 12, FRACTION_DIGITS = 2 };

bool money_parse(struct est_view digits, int64_t *ret_minor)
{
    const char *point = digits.len ? memchr(digits.data, '.', digits.len) : NULL;
    size_t whole_len = point ? (size_t)(point - digits.data) : digits.len;
    struct est_view fraction = est_view(digits.data, 0);
    unsigned long long whole, cents = 0;

    if (point != NULL)
        fraction = est_view(point + 1, digits.len - whole_len - 1);
    while (fraction.len > FRACTION_DIGITS && fraction.data[fraction.len - 1] == '0')
        fraction.len--;
    if (whole_len > WHOLE_DIGITS || fraction.len > FRACTION_DIGITS)
        return false;
    if (!est_view_u64(est_view(digits.data, whole_len), UINT64_MAX, &whole))
        return false;
    if (point != NULL && !est_view_u64(fraction, UINT64_MAX, &cents))
        return false;
    if (fraction.len == 1)
        cents *= 10;
    *ret_minor = (int64_t)(whole * 100 + cents);
    return true;
}

void money_print(struct est_buf *out, int64_t minor)
{
    int64_t size = minor < 0 ? -minor : minor;

    est_buf_printf(out, "%s%lld.%02lld", minor < 0 ? "-" : "", (long long)(size / 100),
                   (long long)(size % 100));
}
