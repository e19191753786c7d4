#include "retry.h"

#include "base/assert.h"

#include <string.h>

/* min(a × factor, max) without overflow; all above 0. */
static est_us times_up_to(est_us a, uint64_t factor, est_us max)
{
    return factor >= (uint64_t)(max / a) + 1 ? max : a * (est_us)factor;
}

est_us est_retry_wait(const struct est_retry_policy *policy, unsigned failed, est_us floor,
                      struct est_rng *rng)
{
    unsigned quick = failed < policy->attempts ? failed : policy->attempts, slow;
    est_us wait = times_up_to(policy->initial, quick, policy->max), cap;

    EST_ASSERT(policy->attempts > 0 && policy->initial > 0 && policy->max >= policy->initial);
    EST_ASSERT(failed > 0);
    if (failed >= policy->attempts && wait < policy->max) {
        slow = failed - policy->attempts;
        cap = times_up_to(policy->initial, UINT64_C(2) << (slow < 62 ? slow : 62),
                          policy->max - wait);
        wait += (est_us)est_rng_below(rng, (uint64_t)cap + 1);
    }
    return wait > floor ? wait : floor;
}

/* One HTTP-date form is a pattern whose small letters are fields (take_field() below) and whose
 * other characters stand for themselves. */
static const char *const date_forms[] = {
    "a, d m y t GMT", /* Sun, 06 Nov 1994 08:49:37 GMT (IMF-fixdate) */
    "l, d-m-u t GMT", /* Sunday, 06-Nov-94 08:49:37 GMT (RFC 850) */
    "a m s t y",      /* Sun Nov  6 08:49:37 1994 (asctime) */
};

static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday",    NULL};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                          "Aug", "Sep", "Oct", "Nov", "Dec", NULL};

/* A date being read: the fields go to their places in an RFC 3339 text, whose parser then checks
 * them. */
struct date {
    struct est_view left;
    char text[sizeof("0000-00-00T00:00:00Z")];
    bool short_year;
};

static bool take_name(struct date *d, const char *const *names, size_t cut, unsigned *ret_index)
{
    for (unsigned i = 0; names[i] != NULL; i++) {
        size_t n = strlen(names[i]);
        n = cut != 0 && cut < n ? cut : n;
        if (d->left.len >= n && memcmp(d->left.data, names[i], n) == 0) {
            d->left = est_view(d->left.data + n, d->left.len - n);
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* n bytes as they are; the RFC 3339 parser refuses what is no digit. */
static bool take_bytes(struct date *d, size_t n, char *out)
{
    if (d->left.len < n)
        return false;
    memcpy(out, d->left.data, n);
    d->left = est_view(d->left.data + n, d->left.len - n);
    return true;
}

static bool take_month(struct date *d)
{
    unsigned month;

    if (!take_name(d, month_names, 0, &month))
        return false;
    d->text[5] = (char)('0' + (month + 1) / 10);
    d->text[6] = (char)('0' + (month + 1) % 10);
    return true;
}

static bool take_padded_day(struct date *d)
{
    if (!take_bytes(d, 2, d->text + 8))
        return false;
    if (d->text[8] == ' ')
        d->text[8] = '0';
    return true;
}

static bool take_field(struct date *d, char field)
{
    unsigned ignored;
    char byte;

    switch (field) {
    case 'a': /* day name, short */ return take_name(d, day_names, 3, &ignored);
    case 'l': /* day name, long */ return take_name(d, day_names, 0, &ignored);
    case 'm': /* month name */ return take_month(d);
    case 'd': /* day, two digits */ return take_bytes(d, 2, d->text + 8);
    case 's': /* day, padded with a space */ return take_padded_day(d);
    case 'y': /* year, four digits */ return take_bytes(d, 4, d->text);
    case 'u': /* year, two digits */ d->short_year = true; return take_bytes(d, 2, d->text + 2);
    case 't': /* time of day */ return take_bytes(d, 8, d->text + 11);
    default: return take_bytes(d, 1, &byte) && byte == field;
    }
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + (text[1] - '0');
}

/* A two-digit year is the one at most 50 years ahead, else the most recent one in the past
 * (RFC 9110 §5.6.7). */
static void put_century(struct date *d, est_us wall)
{
    char now[EST_RFC3339_LEN + 1];
    int century, ahead;

    est_rfc3339_format(wall, now);
    century = two_digits(now);
    ahead = two_digits(d->text + 2) - two_digits(now + 2);
    if (ahead > 50)
        century--;
    else if (ahead + 100 <= 50)
        century++;
    d->text[0] = (char)('0' + century / 10);
    d->text[1] = (char)('0' + century % 10);
}

static bool parse_date(struct est_view value, const char *form, est_us wall, est_us *ret)
{
    struct date d = {.left = value, .text = "0000-00-00T00:00:00Z"};

    for (; *form != '\0'; form++)
        if (!take_field(&d, *form))
            return false;
    if (d.short_year)
        put_century(&d, wall);
    return d.left.len == 0 && est_rfc3339_parse(est_view_str(d.text), ret);
}

static bool is_digits(struct est_view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] < '0' || v.data[i] > '9')
            return false;
    return v.len > 0;
}

static est_us clamp(est_us wait)
{
    return wait < 0 ? 0 : wait > EST_RETRY_AFTER_MAX ? EST_RETRY_AFTER_MAX : wait;
}

bool est_retry_after_parse(struct est_view value, est_us wall, est_us *ret_wait)
{
    unsigned long long seconds;
    est_us at;

    value = est_view_trim(value);
    if (is_digits(value)) {
        bool small = est_view_u64(value, EST_RETRY_AFTER_MAX / EST_SECOND, &seconds);
        *ret_wait = small ? (est_us)seconds * EST_SECOND : EST_RETRY_AFTER_MAX;
        return true;
    }
    for (size_t i = 0; i < sizeof(date_forms) / sizeof(date_forms[0]); i++) {
        if (parse_date(value, date_forms[i], wall, &at)) {
            *ret_wait = clamp(at - wall);
            return true;
        }
    }
    return false;
}
