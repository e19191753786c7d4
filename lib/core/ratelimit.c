#include "ratelimit.h"

enum { NUMBER_MAX = 1000000000 };
/* A reset above this is no number of seconds that anybody means. */
static const unsigned long long EPOCH_SECONDS = 1000000000ULL, EPOCH_MS = 1000000000000ULL;

/* Cuts off what stands before the separator and the separator itself. Quoted strings are whole. */
static struct est_view cut(struct est_view *v, char separator)
{
    bool is_quoted = false;
    size_t i = 0;
    struct est_view part;

    for (; i < v->len; i++) {
        if (is_quoted && v->data[i] == '\\' && i + 1 < v->len)
            i++;
        else if (v->data[i] == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && v->data[i] == separator)
            break;
    }
    part = est_view_trim(est_view(v->data, i));
    i += i < v->len;
    *v = est_view(v->data + i, v->len - i);
    return part;
}

/* A number as these fields write it: digits, perhaps with a fraction, which is cut off. */
static bool number(struct est_view v, unsigned long long max, unsigned long long *ret)
{
    (void)(v = cut(&v, '.'));
    return est_view_u64(v, max, ret);
}

/* One item of a list: `"name";r=1;t=2`, `limit=100` or `100;w=60`. */
struct said {
    unsigned long long quota, window, left, reset;
    bool has_quota, has_window, has_left, has_reset;
    bool is_other; /* counts something else than requests */
};

/* Names of limits that count bytes, or requests at a time: they are not ours to keep. */
struct others {
    struct est_view names[4];
    size_t n;
};

static void take_pair(struct said *s, struct est_view name, struct est_view value)
{
    const struct {
        const char *name;
        unsigned long long *value;
        bool *has;
    } names[] = {
        {"r", &s->left, &s->has_left},     {"remaining", &s->left, &s->has_left},
        {"t", &s->reset, &s->has_reset},   {"reset", &s->reset, &s->has_reset},
        {"q", &s->quota, &s->has_quota},   {"limit", &s->quota, &s->has_quota},
        {"w", &s->window, &s->has_window},
    };
    unsigned long long n;

    if (est_view_ieq(name, EST_VIEW_LIT("qu")))
        s->is_other = !est_view_is(value, "\"requests\"");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!est_view_ieq(name, est_view_str(names[i].name)) || !number(value, NUMBER_MAX, &n))
            continue;
        *names[i].value = n;
        *names[i].has = true;
    }
}

static void take_item(struct said *s, struct est_view item)
{
    bool is_first = true;

    while (item.len > 0) {
        struct est_view part = cut(&item, ';'), name = cut(&part, '=');
        if (part.len > 0)
            take_pair(s, name, est_view_trim(part));
        else if (is_first && number(name, NUMBER_MAX, &s->quota))
            s->has_quota = true;
        is_first = false;
    }
}

/* Time per request, for comparing; 0 = nothing said. */
static est_us left_pace(const struct est_ratelimit *r)
{
    if (!r->has_left)
        return -1;
    return r->left == 0 ? EST_NEVER - 1 : r->reset / (est_us)r->left;
}

static void keep_left(struct est_ratelimit *r, unsigned long long left, est_us reset)
{
    struct est_ratelimit other = {.has_left = true, .left = (uint32_t)left, .reset = reset};

    if (other.reset > EST_RATELIMIT_MAX)
        other.reset = EST_RATELIMIT_MAX;
    if (left_pace(&other) <= left_pace(r))
        return;
    r->has_left = true;
    r->left = other.left;
    r->reset = other.reset;
}

static void keep_quota(struct est_ratelimit *r, unsigned long long quota, est_us window)
{
    if (quota == 0 || window <= 0 || window > EST_RATELIMIT_MAX)
        return;
    if (r->quota != 0 && r->window / (est_us)r->quota >= window / (est_us)quota)
        return;
    r->quota = (uint32_t)quota;
    r->window = window;
}

static void keep(struct est_ratelimit *r, const struct said *s)
{
    if (s->is_other)
        return;
    if (s->has_left && s->has_reset)
        keep_left(r, s->left, (est_us)s->reset * EST_SECOND);
    if (s->has_quota && s->has_window)
        keep_quota(r, s->quota, (est_us)s->window * EST_SECOND);
}

static bool is_other(const struct others *others, struct est_view name)
{
    for (size_t i = 0; i < others->n; i++)
        if (est_view_eq(others->names[i], name))
            return true;
    return false;
}

/* A list, or a dictionary whose members describe one limit together ("limit=100, reset=30"). */
static void take_list(struct est_ratelimit *r, struct est_view list, struct others *others)
{
    struct said together = {0};

    while (list.len > 0) {
        struct est_view item = cut(&list, ','), rest = item, name = cut(&rest, ';');
        struct said alone = {0};
        take_item(&alone, item);
        alone.is_other = alone.is_other || is_other(others, name);
        if (alone.is_other && others->n < sizeof(others->names) / sizeof(others->names[0]))
            others->names[others->n++] = name;
        keep(r, &alone);
        if (name.len > 0 && name.data[0] != '"')
            take_item(&together, item);
    }
    keep(r, &together);
}

/* Seconds from now, or a Unix time in seconds or milliseconds. */
static bool reset_of(struct est_view v, est_us wall, est_us *ret)
{
    unsigned long long n;

    if (!number(est_view_trim(v), 10 * EPOCH_MS, &n))
        return false;
    if (n >= EPOCH_MS)
        *ret = (est_us)n * EST_MS - wall;
    else if (n >= EPOCH_SECONDS)
        *ret = (est_us)n * EST_SECOND - wall;
    else
        *ret = (est_us)n * EST_SECOND;
    if (*ret < 0)
        *ret = 0;
    return true;
}

/* The oldest form: three fields; the first may name windows behind the number ("100, 100;w=60"). */
static void take_three(struct est_ratelimit *r, const struct est_ratelimit_fields *f, est_us wall)
{
    struct est_view left = f->left;
    struct others none = {0};
    unsigned long long n;
    est_us reset;

    if (f->quota.data != NULL)
        take_list(r, f->quota, &none);
    if (left.data == NULL || f->reset.data == NULL || !number(cut(&left, ','), NUMBER_MAX, &n) ||
        !reset_of(f->reset, wall, &reset))
        return;
    keep_left(r, n, reset);
}

bool est_ratelimit_read(const struct est_ratelimit_fields *fields, est_us wall,
                        struct est_ratelimit *ret)
{
    struct others others = {0};

    *ret = (struct est_ratelimit){0};
    if (fields->policy.data != NULL) /* first: it tells what the names of the other count */
        take_list(ret, fields->policy, &others);
    if (fields->limit.data != NULL)
        take_list(ret, fields->limit, &others);
    take_three(ret, fields, wall);
    return ret->has_left || ret->quota != 0;
}
