#include "config/url.h"

#include "config/check.h"
#include "config/line.h"

#include <stdio.h>
#include <string.h>

enum { SOCKET_PATH_MAX = 107 };

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static struct est_view after_scheme(struct est_view url)
{
    const char *at = memmem(url.data, url.len, "://", 3);

    if (at == NULL)
        return EST_VIEW_NONE;
    return est_view(at + 3, url.len - (size_t)(at + 3 - url.data));
}

static struct est_view authority(struct est_view url)
{
    struct est_view rest = after_scheme(url);
    size_t n = 0;

    while (n < rest.len && !is_one_of(rest.data[n], "/?#"))
        n++;
    return est_view(rest.data, n);
}

/* --- secrets --- */

static struct est_view password_of(struct est_view url)
{
    struct est_view auth = authority(url);
    const char *at = auth.len > 0 ? memrchr(auth.data, '@', auth.len) : NULL;
    const char *colon = at ? memchr(auth.data, ':', (size_t)(at - auth.data)) : NULL;

    if (colon == NULL)
        return EST_VIEW_NONE;
    return est_view(colon + 1, (size_t)(at - colon - 1));
}

/* The value of the first "…password=" of the query behind `from`. */
static struct est_view query_secret(struct est_view url, const char *from)
{
    static const char name[] = "password=";
    const char *end = url.data + url.len;
    const char *query = url.len > 0 ? memchr(url.data, '?', url.len) : NULL;
    const char *at, *value;
    size_t n = 0;

    if (query == NULL)
        return EST_VIEW_NONE;
    if (query < from)
        query = from;
    at = memmem(query, (size_t)(end - query), name, sizeof(name) - 1);
    if (at == NULL)
        return EST_VIEW_NONE;
    value = at + sizeof(name) - 1;
    while (value + n < end && value[n] != '&')
        n++;
    return est_view(value, n);
}

struct est_view est_url_secret(struct est_view url, const char *from)
{
    struct est_view password = password_of(url);

    if (password.len > 0 && password.data >= from)
        return password;
    return query_secret(url, from);
}

/* The part of a URL that may be shown, for messages. */
static void quote_url(struct est_view url, char out[EST_MESSAGE_ARG_LEN])
{
    struct est_view secret = est_url_secret(url, url.data);

    if (secret.len == 0)
        est_message_quote(url, out);
    else
        est_line_printf(out, EST_MESSAGE_ARG_LEN, "\"%.*s***\"", (int)(secret.data - url.data),
                        url.data);
}

/* --- schemes --- */

static bool is_scheme(struct est_view url, const char *scheme)
{
    size_t n = strlen(scheme);

    return url.len > n + 3 && memcmp(url.data, scheme, n) == 0 &&
           memcmp(url.data + n, "://", 3) == 0;
}

static bool has_scheme(const char *schemes, struct est_view url)
{
    struct est_view rest = after_scheme(url);
    size_t n = rest.data ? (size_t)(rest.data - url.data) - 3 : 0;

    for (const char *s = schemes; n > 0 && *s != '\0'; s += strspn(s, " ")) {
        size_t len = strcspn(s, " ");
        if (est_view_eq(est_view(s, len), est_view(url.data, n)))
            return true;
        s += len;
    }
    return false;
}

/* "http https" to "http://, https://". */
static void list_schemes(const char *schemes, char out[EST_MESSAGE_ARG_LEN])
{
    size_t at = 0;

    for (const char *s = schemes; *s != '\0'; s += strspn(s, " ")) {
        size_t len = strcspn(s, " ");
        at += (size_t)snprintf(out + at, EST_MESSAGE_ARG_LEN - at, "%s%.*s://", at ? ", " : "",
                               (int)len, s);
        s += len;
    }
}

/* --- hosts --- */

static struct est_fault check_host(struct est_view text, const char *shown)
{
    struct est_view host, port;
    unsigned long long n;

    if (text.len == 0 || text.data[0] == ':')
        return est_message_fault(EST_MESSAGE_NO_HOST, shown, NULL);
    if (text.data[text.len - 1] != ']' && est_check_split(text, &host, &port) &&
        (!est_view_u64(port, 65535, &n) || n == 0))
        return est_message_fault(EST_MESSAGE_PORT, shown, "1");
    return EST_NO_FAULT;
}

/* What stands behind user and password. */
static struct est_view hosts_of(struct est_view url)
{
    struct est_view auth = authority(url);
    const char *at = auth.len > 0 ? memrchr(auth.data, '@', auth.len) : NULL;

    return at == NULL ? auth : est_view(at + 1, auth.len - (size_t)(at + 1 - auth.data));
}

/* host,host/master */
static struct est_fault check_sentinels(struct est_view url, const char *shown)
{
    struct est_view hosts = hosts_of(url);
    const char *path = hosts.data + hosts.len;
    struct est_fault fault = EST_NO_FAULT;

    for (bool more = true; more && fault.message == EST_MESSAGE_NONE;) {
        const char *comma = hosts.len > 0 ? memchr(hosts.data, ',', hosts.len) : NULL;
        size_t n = comma ? (size_t)(comma - hosts.data) : hosts.len;
        fault = check_host(est_view(hosts.data, n), shown);
        more = comma != NULL;
        if (more)
            hosts = est_view(comma + 1, hosts.len - n - 1);
    }
    if (fault.message == EST_MESSAGE_NONE &&
        (url.data + url.len - path < 2 || path[0] != '/' || is_one_of(path[1], "/?#")))
        fault = est_message_fault(EST_MESSAGE_SENTINEL_MASTER, shown, NULL);
    return fault;
}

static struct est_fault check_socket(struct est_view url, const char *shown)
{
    struct est_view path = after_scheme(url);
    const char *query = path.len > 0 ? memchr(path.data, '?', path.len) : NULL;

    if (query != NULL)
        path.len = (size_t)(query - path.data);
    if (path.len < 2 || path.data[0] != '/' || path.len > SOCKET_PATH_MAX)
        return est_message_fault(EST_MESSAGE_SOCKET_PATH, shown, NULL);
    return EST_NO_FAULT;
}

/* The forms that only Redis has. */
static bool is_cluster(const struct est_field *f, struct est_view url)
{
    struct est_view hosts = hosts_of(url);

    if (!has_scheme(f->key->unit, EST_VIEW_LIT("redis://")))
        return false;
    if (is_scheme(url, "redis+cluster") || is_scheme(url, "rediss+cluster") ||
        is_scheme(url, "redis-cluster"))
        return true;
    return (is_scheme(url, "redis") || is_scheme(url, "rediss")) && hosts.len > 0 &&
           memchr(hosts.data, ',', hosts.len) != NULL;
}

/* --- the whole --- */

struct est_fault est_url_check(const struct est_field *f, struct est_view url)
{
    char shown[EST_MESSAGE_ARG_LEN], schemes[EST_MESSAGE_ARG_LEN];

    if (url.len == 0)
        return EST_NO_FAULT;
    if (f->in_file && est_url_secret(url, url.data).len > 0)
        return est_message_fault(EST_MESSAGE_SECRET, f->secret_env, NULL);
    quote_url(url, shown);
    if (is_cluster(f, url))
        return est_message_fault(EST_MESSAGE_CLUSTER, NULL, NULL);
    if (!has_scheme(f->key->unit, url)) {
        list_schemes(f->key->unit, schemes);
        return est_message_fault(EST_MESSAGE_SCHEME, shown, schemes);
    }
    if (memchr(url.data, ' ', url.len) != NULL)
        return est_check_type_fault(f->key, shown, shown);
    if (is_scheme(url, "unix"))
        return check_socket(url, shown);
    if (is_scheme(url, "redis+sentinel"))
        return check_sentinels(url, shown);
    return check_host(hosts_of(url), shown);
}
