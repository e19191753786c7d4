#include "verdict.h"

#include "base/assert.h"

#include <limits.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Statuses in [from, to]. The first row that matches counts, so exceptions stand before their
 * range. An event is blamed as poison; est_verdict_of() makes that a split for several. */
struct status_row {
    int from, to;
    enum est_verdict_act act;
    enum est_verdict_class class;
    enum { QUIET = 0, INFRA = 1, ALERT = 2 } flags;
};

static const struct status_row statuses[] = {
    {200, 299, EST_VERDICT_DELIVERED, EST_CLASS_NONE, QUIET},
    {300, 399, EST_VERDICT_PAUSE, EST_CLASS_ROUTE, QUIET}, /* the URL names another place */
    {401, 401, EST_VERDICT_PAUSE, EST_CLASS_AUTH, QUIET},
    {403, 403, EST_VERDICT_PAUSE, EST_CLASS_AUTH, QUIET},
    {407, 407, EST_VERDICT_PAUSE, EST_CLASS_AUTH, QUIET},
    {404, 405, EST_VERDICT_PAUSE, EST_CLASS_ROUTE, QUIET},
    {410, 410, EST_VERDICT_PAUSE, EST_CLASS_ROUTE, QUIET},
    {408, 408, EST_VERDICT_RETRY, EST_CLASS_TIMEOUT, INFRA},
    {409, 409, EST_VERDICT_RETRY, EST_CLASS_CONFLICT, QUIET},
    {425, 425, EST_VERDICT_RETRY, EST_CLASS_CONFLICT, QUIET}, /* Too Early (RFC 8470) */
    {429, 429, EST_VERDICT_RETRY, EST_CLASS_RATE_LIMITED, QUIET},
    {413, 413, EST_VERDICT_POISON, EST_CLASS_TOO_LARGE, QUIET},
    {422, 422, EST_VERDICT_POISON, EST_CLASS_SCHEMA, QUIET},
    {400, 499, EST_VERDICT_POISON, EST_CLASS_HTTP_4XX, QUIET},
    {501, 501, EST_VERDICT_PAUSE, EST_CLASS_HTTP_5XX, ALERT},
    {505, 505, EST_VERDICT_PAUSE, EST_CLASS_HTTP_5XX, ALERT},
    {500, 599, EST_VERDICT_RETRY, EST_CLASS_HTTP_5XX, INFRA},
    /* 1xx at the end, or a number that is no status: whoever answers does not speak HTTP. */
    {INT_MIN, INT_MAX, EST_VERDICT_RETRY, EST_CLASS_PROTOCOL, INFRA},
};

static const struct status_row item_statuses[] = {
    {200, 299, EST_VERDICT_DELIVERED, EST_CLASS_NONE, QUIET},
    {401, 401, EST_VERDICT_RETRY, EST_CLASS_AUTH, QUIET}, /* whoever asks, not the event */
    {407, 407, EST_VERDICT_RETRY, EST_CLASS_AUTH, QUIET},
    {408, 408, EST_VERDICT_RETRY, EST_CLASS_TIMEOUT, QUIET},
    {409, 409, EST_VERDICT_RETRY, EST_CLASS_CONFLICT, QUIET},
    {424, 424, EST_VERDICT_RETRY, EST_CLASS_DEPENDENCY, QUIET}, /* one before it failed */
    {425, 425, EST_VERDICT_RETRY, EST_CLASS_CONFLICT, QUIET},
    {429, 429, EST_VERDICT_RETRY, EST_CLASS_RATE_LIMITED, QUIET},
    {413, 413, EST_VERDICT_POISON, EST_CLASS_TOO_LARGE, QUIET},
    {422, 422, EST_VERDICT_POISON, EST_CLASS_SCHEMA, QUIET},
    {400, 499, EST_VERDICT_POISON, EST_CLASS_HTTP_4XX, QUIET},
    {500, 599, EST_VERDICT_RETRY, EST_CLASS_HTTP_5XX, QUIET},
    /* Nothing that speaks about an event: its outcome is unknown. */
    {INT_MIN, INT_MAX, EST_VERDICT_RETRY, EST_CLASS_PROTOCOL, QUIET},
};

/* No complete response: what became of the events is unknown, so they are sent again. What is not
 * named here never reached the destination. */
static const struct error_row {
    est_err err;
    enum est_verdict_class class;
} transports[] = {
    {EST_ERR_TIMEOUT, EST_CLASS_TIMEOUT},    {EST_ERR_HTTP, EST_CLASS_PROTOCOL},
    {EST_ERR_TOO_LARGE, EST_CLASS_PROTOCOL}, /* of the response */
    {EST_ERR_NOMEM, EST_CLASS_LOCAL},        /* ours, no fault of the path */
    {EST_ERR_FULL, EST_CLASS_LOCAL},         {EST_ERR_AGAIN, EST_CLASS_LOCAL},
};

static struct est_verdict find_status(const struct status_row *row, int status)
{
    while (status < row->from || status > row->to)
        row++;
    return (struct est_verdict){
        .act = row->act,
        .class = row->class,
        .infra = row->flags == INFRA,
        .alert = row->flags == ALERT,
    };
}

static enum est_verdict_class find_error(const struct error_row *rows, size_t n, est_err err,
                                         enum est_verdict_class otherwise)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].err == err)
            return rows[i].class;
    return otherwise;
}

static struct est_verdict verdict_of_transport(est_err err)
{
    struct est_verdict v = {.act = EST_VERDICT_RETRY};

    v.class = find_error(transports, COUNT(transports), err, EST_CLASS_CONNECT);
    v.infra = v.class != EST_CLASS_LOCAL;
    return v;
}

struct est_verdict est_verdict_of(const struct est_outcome *outcome)
{
    struct est_verdict v;

    EST_ASSERT(outcome->events > 0);
    if (outcome->transport != EST_OK)
        return verdict_of_transport(outcome->transport);
    v = find_status(statuses, outcome->status);
    if (outcome->itemized && (outcome->status == 200 || outcome->status == 207))
        v.act = EST_VERDICT_PER_ITEM;
    if (v.act == EST_VERDICT_POISON && outcome->events > 1)
        v.act = EST_VERDICT_SPLIT;
    return v;
}

bool est_verdict_is_doubtful(int status)
{
    return status == 403 || status == 404;
}

struct est_verdict est_verdict_of_item(int status)
{
    return find_status(item_statuses, status);
}

enum est_verdict_class est_verdict_class_of(est_err err)
{
    static const struct error_row rows[] = {
        {EST_OK, EST_CLASS_NONE},
        {EST_ERR_TOMBSTONE, EST_CLASS_TOMBSTONE},
        {EST_ERR_TOO_LARGE, EST_CLASS_TOO_LARGE},
        {EST_ERR_EVENT_PAYLOAD, EST_CLASS_SCHEMA},
    };

    return find_error(rows, COUNT(rows), err, EST_CLASS_UNDECODABLE);
}

static const struct {
    const char *name;
    est_err err;
} classes[] = {
#define EST_CLASS(name, text, err) [EST_CLASS_##name] = {text, err},
#include "core/class.def"
#undef EST_CLASS
};

const char *est_verdict_class_name(enum est_verdict_class class)
{
    EST_ASSERT(class < EST_CLASS__COUNT);
    return classes[class].name;
}

est_err est_verdict_class_err(enum est_verdict_class class)
{
    EST_ASSERT(class < EST_CLASS__COUNT);
    return classes[class].err;
}
