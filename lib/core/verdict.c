#include "verdict.h"

#include "base/assert.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Statuses in [from, to]. The first row that matches counts, so exceptions stand before their
 * range. */
struct status_row {
    int from, to;
    struct est_verdict verdict;
};

/* An event is blamed as poison; est_verdict_of() makes that a split for a request of several. */
#define DELIVERED \
    { \
        EST_VERDICT_DELIVERED, EST_CLASS_NONE, false, false \
    }
#define RETRY(class, infra) \
    { \
        EST_VERDICT_RETRY, EST_CLASS_##class, infra, false \
    }
#define PAUSE(class, alert) \
    { \
        EST_VERDICT_PAUSE, EST_CLASS_##class, false, alert \
    }
#define POISON(class) \
    { \
        EST_VERDICT_POISON, EST_CLASS_##class, false, false \
    }

static const struct status_row statuses[] = {
    {200, 299, DELIVERED},
    {300, 399, PAUSE(ROUTE, false)}, /* a redirect: DASHBOARD_URL names another place */
    {401, 401, PAUSE(AUTH, false)},
    {403, 403, PAUSE(AUTH, false)},
    {407, 407, PAUSE(AUTH, false)},
    {404, 405, PAUSE(ROUTE, false)},
    {410, 410, PAUSE(ROUTE, false)},
    {408, 408, RETRY(TIMEOUT, true)},
    {409, 409, RETRY(CONFLICT, false)},
    {425, 425, RETRY(CONFLICT, false)}, /* Too Early (RFC 8470) */
    {429, 429, RETRY(RATE_LIMITED, false)},
    {413, 413, POISON(TOO_LARGE)},
    {422, 422, POISON(SCHEMA)},
    {400, 499, POISON(HTTP_4XX)},
    {501, 501, PAUSE(HTTP_5XX, true)},
    {505, 505, PAUSE(HTTP_5XX, true)},
    {500, 599, RETRY(HTTP_5XX, true)},
};

static const struct status_row item_statuses[] = {
    {200, 299, DELIVERED},
    {408, 408, RETRY(TIMEOUT, false)},
    {409, 409, RETRY(CONFLICT, false)},
    {424, 424, RETRY(DEPENDENCY, false)}, /* an earlier event of its key failed */
    {425, 425, RETRY(CONFLICT, false)},
    {429, 429, RETRY(RATE_LIMITED, false)},
    {413, 413, POISON(TOO_LARGE)},
    {422, 422, POISON(SCHEMA)},
    {400, 499, POISON(HTTP_4XX)},
    {500, 599, RETRY(HTTP_5XX, false)},
};

struct error_row {
    est_err err;
    struct est_verdict verdict;
};

/* No complete response: what became of the events is unknown, so they are sent again. */
static const struct error_row transports[] = {
    {EST_ERR_TIMEOUT, RETRY(TIMEOUT, true)},    {EST_ERR_HTTP, RETRY(PROTOCOL, true)},
    {EST_ERR_TOO_LARGE, RETRY(PROTOCOL, true)}, /* of the response */
    {EST_ERR_NOMEM, RETRY(LOCAL, false)},       /* ours, no fault of the path */
    {EST_ERR_FULL, RETRY(LOCAL, false)},        {EST_ERR_AGAIN, RETRY(LOCAL, false)},
};

static const struct est_verdict unreachable = RETRY(CONNECT, true);
/* Whoever answers 1xx at the end, or a number that is no status, does not speak HTTP; in results[]
 * it leaves the outcome of the event unknown. Neither blames the event. */
static const struct est_verdict no_status = RETRY(PROTOCOL, true);
static const struct est_verdict no_item_status = RETRY(PROTOCOL, false);

static struct est_verdict find_status(const struct status_row *rows, size_t n, int status,
                                      struct est_verdict otherwise)
{
    for (size_t i = 0; i < n; i++)
        if (status >= rows[i].from && status <= rows[i].to)
            return rows[i].verdict;
    return otherwise;
}

static struct est_verdict find_transport(est_err err)
{
    for (size_t i = 0; i < COUNT(transports); i++)
        if (transports[i].err == err)
            return transports[i].verdict;
    return unreachable;
}

struct est_verdict est_verdict_of(const struct est_outcome *outcome)
{
    struct est_verdict v;

    EST_ASSERT(outcome->events > 0);
    if (outcome->transport != EST_OK)
        return find_transport(outcome->transport);
    v = find_status(statuses, COUNT(statuses), outcome->status, no_status);
    if (outcome->itemized && (outcome->status == 200 || outcome->status == 207))
        v.act = EST_VERDICT_PER_ITEM;
    if (v.act == EST_VERDICT_POISON && outcome->events > 1)
        v.act = EST_VERDICT_SPLIT;
    return v;
}

struct est_verdict est_verdict_of_item(int status)
{
    return find_status(item_statuses, COUNT(item_statuses), status, no_item_status);
}

enum est_verdict_class est_verdict_class_of(est_err err)
{
    static const struct {
        est_err err;
        enum est_verdict_class class;
    } rows[] = {
        {EST_OK, EST_CLASS_NONE},
        {EST_ERR_TOMBSTONE, EST_CLASS_TOMBSTONE},
        {EST_ERR_TOO_LARGE, EST_CLASS_TOO_LARGE},
        {EST_ERR_EVENT_PAYLOAD, EST_CLASS_SCHEMA},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].err == err)
            return rows[i].class;
    return EST_CLASS_UNDECODABLE;
}

static const struct {
    const char *name;
    est_err err;
} classes[] = {
#define EST_CLASS(name, text, err) [EST_CLASS_##name] = {text, EST_ERR_##err},
#define EST_ERR_OK EST_OK
#include "core/class.def"
#undef EST_ERR_OK
#undef EST_CLASS
};

const char *est_verdict_class_name(enum est_verdict_class class)
{
    EST_ASSERT((size_t) class < COUNT(classes));
    return classes[class].name;
}

est_err est_verdict_class_err(enum est_verdict_class class)
{
    EST_ASSERT((size_t) class < COUNT(classes));
    return classes[class].err;
}
