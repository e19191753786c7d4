#include "clock.h"

#include <time.h>

/* The years 0000 to 9999: what RFC 3339 can write. */
static const est_us FIRST = -62167219200 * EST_SECOND, LAST = 253402300800 * EST_SECOND - 1;

/* -0400-03-01: years from March of whole 400-year eras begin here, and no time above is before. */
static const est_us ERA_BEFORE = (-719468 - (est_us)146097) * 86400 * EST_SECOND;

static est_us now_of(clockid_t id)
{
    struct timespec ts;

    (void)clock_gettime(id, &ts);
    return (est_us)ts.tv_sec * EST_SECOND + ts.tv_nsec / 1000;
}

est_us est_clock_mono(void)
{
    return now_of(CLOCK_MONOTONIC);
}

est_us est_clock_wall(void)
{
    return now_of(CLOCK_REALTIME);
}

/* Days since 1970-01-01 of a proleptic Gregorian date, counting years from March so that the leap
 * day is the last of its year. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    int64_t year = m <= 2 ? y - 1 : y;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (int64_t)(m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The way back: the date of a day since ERA_BEFORE. */
static void date_of(uint32_t day, uint32_t *ret_y, uint32_t *ret_m, uint32_t *ret_d)
{
    uint32_t era = day / 146097, of_era = day % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153; /* from March */

    *ret_d = of_year - (153 * month + 2) / 5 + 1;
    *ret_m = month < 10 ? month + 3 : month - 9;
    *ret_y = year + era * 400 + (*ret_m <= 2) - 400;
}

static void put_pair(char *out, uint32_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";

    memcpy(out, pairs + value * 2, 2);
}

void est_rfc3339_format(est_us wall, char out[EST_RFC3339_LEN + 1])
{
    est_us shown = wall < FIRST ? FIRST : wall > LAST ? LAST : wall;
    uint64_t ms = (uint64_t)(shown - ERA_BEFORE) / 1000; /* rounds down also before 1970 */
    uint32_t of_day = (uint32_t)(ms % 86400000), y, m, d;

    date_of((uint32_t)(ms / 86400000), &y, &m, &d);
    memcpy(out, "0000-00-00T00:00:00.000Z", EST_RFC3339_LEN + 1);
    put_pair(out, y / 100);
    put_pair(out + 2, y % 100);
    put_pair(out + 5, m);
    put_pair(out + 8, d);
    put_pair(out + 11, of_day / 3600000);
    put_pair(out + 14, of_day / 60000 % 60);
    put_pair(out + 17, of_day / 1000 % 60);
    out[20] = (char)('0' + of_day % 1000 / 100);
    put_pair(out + 21, of_day % 100);
}

/* Reads n digits at *at; false when they are not there or above max. */
static bool take_digits(struct est_view v, size_t *at, unsigned n, unsigned max, unsigned *ret)
{
    unsigned long long value;

    if (v.len - *at < n || !est_view_u64(est_view(v.data + *at, n), max, &value))
        return false;
    *at += n;
    *ret = (unsigned)value;
    return true;
}

static bool take_char(struct est_view v, size_t *at, const char *any)
{
    if (*at >= v.len || v.data[*at] == '\0' || strchr(any, v.data[*at]) == NULL)
        return false;
    (*at)++;
    return true;
}

static bool take_fraction(struct est_view v, size_t *at, est_us *ret)
{
    est_us unit = EST_SECOND / 10, frac = 0;
    size_t from = *at;

    while (*at < v.len && v.data[*at] >= '0' && v.data[*at] <= '9') {
        frac += unit * (v.data[*at] - '0');
        unit /= 10;
        (*at)++;
    }
    *ret = frac;
    return *at > from;
}

static bool take_offset(struct est_view v, size_t *at, est_us *ret)
{
    unsigned h, m;
    bool minus = *at < v.len && v.data[*at] == '-';

    *ret = 0;
    if (take_char(v, at, "Zz"))
        return true;
    if (!take_char(v, at, "+-") || !take_digits(v, at, 2, 23, &h) || !take_char(v, at, ":") ||
        !take_digits(v, at, 2, 59, &m))
        return false;
    *ret = (est_us)(h * 60 + m) * 60 * EST_SECOND * (minus ? -1 : 1);
    return true;
}

static unsigned days_in(unsigned y, unsigned m)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

    return m == 2 && leap ? 29 : days[m - 1];
}

bool est_rfc3339_parse(struct est_view v, est_us *ret_wall)
{
    unsigned y, mo, d, h, mi, s;
    est_us frac = 0, offset, wall;
    size_t at = 0;

    if (!take_digits(v, &at, 4, 9999, &y) || !take_char(v, &at, "-") ||
        !take_digits(v, &at, 2, 12, &mo) || !take_char(v, &at, "-") ||
        !take_digits(v, &at, 2, 31, &d) || !take_char(v, &at, "Tt ") ||
        !take_digits(v, &at, 2, 23, &h) || !take_char(v, &at, ":") ||
        !take_digits(v, &at, 2, 59, &mi) || !take_char(v, &at, ":") ||
        !take_digits(v, &at, 2, 60, &s))
        return false;
    if (mo == 0 || d == 0 || d > days_in(y, mo))
        return false;
    if (take_char(v, &at, ".") && !take_fraction(v, &at, &frac))
        return false;
    if (!take_offset(v, &at, &offset) || at != v.len)
        return false;
    wall =
        ((days_of(y, mo, d) * 24 + h) * 60 + mi) * 60 * EST_SECOND + s * EST_SECOND + frac - offset;
    if (wall < FIRST || wall > LAST)
        return false;
    *ret_wall = wall;
    return true;
}
