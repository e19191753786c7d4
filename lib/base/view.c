#include "view.h"

#include <limits.h>

enum { NEVER_TOO_MANY = 19 }; /* decimal digits that 64 bits always hold */

static char lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c + ('a' - 'A')) : c;
}

static bool same_folded(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool est_view_ieq(struct est_view a, struct est_view b)
{
    return a.len == b.len && same_folded(a.data, b.data, a.len);
}

bool est_view_starts(struct est_view v, struct est_view prefix)
{
    return v.len >= prefix.len && est_view_eq(est_view(v.data, prefix.len), prefix);
}

bool est_view_istarts(struct est_view v, struct est_view prefix)
{
    return v.len >= prefix.len && same_folded(v.data, prefix.data, prefix.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct est_view est_view_trim(struct est_view v)
{
    while (v.len > 0 && is_blank(v.data[0])) {
        v.data++;
        v.len--;
    }
    while (v.len > 0 && is_blank(v.data[v.len - 1]))
        v.len--;
    return v;
}

bool est_view_u64(struct est_view v, unsigned long long max, unsigned long long *ret)
{
    size_t safe = v.len < NEVER_TOO_MANY ? v.len : NEVER_TOO_MANY;
    unsigned long long n = 0;

    if (v.len == 0)
        return false;
    for (size_t i = 0; i < safe; i++) {
        unsigned digit = (unsigned)(unsigned char)v.data[i] - '0';
        if (digit > 9)
            return false;
        n = n * 10 + digit;
    }
    for (size_t i = safe; i < v.len; i++) {
        unsigned digit = (unsigned)(unsigned char)v.data[i] - '0';
        if (digit > 9 || n > (ULLONG_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    if (n > max)
        return false;
    *ret = n;
    return true;
}

/* One row per lead byte range of RFC 3629 §4: continuation count and bounds of the second byte. */
static size_t utf8_step(const unsigned char *s, size_t left)
{
    static const struct {
        unsigned char lo, hi, extra, lo2, hi2;
    } rows[] = {
        {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF}, {0xE1, 0xEC, 2, 0x80, 0xBF},
        {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
        {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
    };

    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        if (s[0] < rows[r].lo || s[0] > rows[r].hi)
            continue;
        if (left <= rows[r].extra || s[1] < rows[r].lo2 || s[1] > rows[r].hi2)
            return 0;
        for (size_t i = 2; i <= rows[r].extra; i++)
            if (s[i] < 0x80 || s[i] > 0xBF)
                return 0;
        return (size_t)rows[r].extra + 1;
    }
    return 0;
}

bool est_utf8_valid(struct est_view v)
{
    const unsigned char *s = (const unsigned char *)v.data;
    size_t i = 0;

    while (i < v.len) {
        size_t step = s[i] < 0x80 ? 1 : utf8_step(s + i, v.len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}
