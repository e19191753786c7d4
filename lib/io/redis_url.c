#include "io/redis_url.h"

#include "base/view.h"
#include "io/redis.h"
#include "io/redis_tls.h"

#include <string.h>

enum { DB_MAX = 1000000, PORT = 6379, SENTINEL_PORT = 26379 };

enum form_kind { FORM_TCP, FORM_UNIX, FORM_SENTINEL, FORM_CLUSTER };

struct form {
    const char *scheme;
    enum form_kind kind;
    bool tls;
};

static const struct form forms[] = {
    {"redis", FORM_TCP, false},
    {"rediss", FORM_TCP, true},
    {"unix", FORM_UNIX, false},
    {"redis+sentinel", FORM_SENTINEL, false},
    {"redis+cluster", FORM_CLUSTER, false},
    {"rediss+cluster", FORM_CLUSTER, false},
    {"redis-cluster", FORM_CLUSTER, false},
};

/* --- pieces --- */

/* What stands before the first of `set` goes to *ret; the rest, that character included, stays. */
static void cut(struct est_view *v, const char *set, struct est_view *ret)
{
    size_t n = 0;

    while (n < v->len && strchr(set, v->data[n]) == NULL)
        n++;
    *ret = est_view(v->data, n);
    *v = est_view(v->data + n, v->len - n);
}

static bool skip(struct est_view *v, char c)
{
    if (v->len == 0 || v->data[0] != c)
        return false;
    *v = est_view(v->data + 1, v->len - 1);
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decoding into size bytes with the NUL; no control characters come out of it. */
static bool decode(struct est_view v, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < v.len; i++) {
        int c = (unsigned char)v.data[i];
        if (c == '%') {
            int high = i + 2 < v.len ? hex(v.data[i + 1]) : -1;
            int low = i + 2 < v.len ? hex(v.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = high << 4 | low;
            i += 2;
        }
        if (c < ' ' || c == 0x7F || n + 1 >= size)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

static bool copy(struct est_view v, char *out, size_t size)
{
    if (v.len >= size)
        return false;
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    out[v.len] = '\0';
    return true;
}

static bool take_db(struct est_view v, unsigned *ret)
{
    unsigned long long n = 0;

    if (v.len > 0 && !est_view_u64(v, DB_MAX, &n))
        return false;
    *ret = (unsigned)n;
    return true;
}

/* --- parts; each sets reterr --- */

static est_err parse_user(struct est_view info, struct est_redis_url *u, struct est_why *reterr)
{
    struct est_view user;

    cut(&info, ":", &user);
    (void)skip(&info, ':');
    if (!decode(user, u->user, sizeof(u->user)))
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the user in the Redis URL is too long or badly percent-encoded");
    if (!decode(info, u->password, sizeof(u->password)))
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the password in the Redis URL is too long or badly percent-encoded");
    if (u->user[0] != '\0' && u->password[0] == '\0')
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the Redis URL names a user without a password; a password alone is "
                           "written :password@host");
    return EST_OK;
}

static bool is_host(struct est_view v, bool brackets)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] == '\0' ||
            (strchr(set, v.data[i]) == NULL && !(brackets && strchr(":%", v.data[i]) != NULL)))
            return false;
    return v.len > 0;
}

static est_err parse_host(struct est_view text, uint16_t port, struct est_redis_host *ret,
                          struct est_why *reterr)
{
    bool brackets = skip(&text, '[');
    struct est_view name;
    unsigned long long n = port;

    cut(&text, brackets ? "]" : ":", &name);
    if (!is_host(name, brackets) || !copy(name, ret->name, sizeof(ret->name)) ||
        (brackets && !skip(&text, ']')))
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the Redis URL needs a host: a name, an IPv4 address, or an IPv6 "
                           "address in brackets");
    if (text.len > 0 && (!skip(&text, ':') || !est_view_u64(text, 65535, &n) || n == 0))
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the port in the Redis URL must be a number from 1 to 65535");
    ret->port = (uint16_t)n;
    return EST_OK;
}

static est_err parse_hosts(struct est_view text, bool many, struct est_redis_url *u,
                           struct est_why *reterr)
{
    est_err err = EST_OK;

    if (!many && text.len > 0 && memchr(text.data, ',', text.len) != NULL)
        return est_why_set(reterr, EST_ERR_UNSUPPORTED,
                           "several hosts: Redis Cluster is not supported; use replication with "
                           "Sentinel (redis+sentinel://host,host/master)");
    for (bool more = true; more && err == EST_OK; u->n_hosts++) {
        struct est_view one;
        cut(&text, ",", &one);
        more = skip(&text, ',');
        if (u->n_hosts == EST_REDIS_HOSTS_MAX)
            return est_why_set(reterr, EST_ERR_INVALID, "the Redis URL names more than %d hosts",
                               EST_REDIS_HOSTS_MAX);
        err = parse_host(one, many ? SENTINEL_PORT : PORT, &u->hosts[u->n_hosts], reterr);
    }
    return err;
}

static est_err parse_option(struct est_view name, struct est_view value, enum form_kind kind,
                            struct est_redis_url *u, struct est_why *reterr)
{
    bool good;

    if (kind == FORM_UNIX && est_view_is(name, "db"))
        good = value.len > 0 && take_db(value, &u->db);
    else if (kind == FORM_UNIX && est_view_is(name, "user"))
        good = decode(value, u->user, sizeof(u->user));
    else if (kind == FORM_UNIX && est_view_is(name, "password"))
        good = decode(value, u->password, sizeof(u->password));
    else if (kind == FORM_SENTINEL && est_view_is(name, "sentinel_password"))
        good = decode(value, u->sentinel_password, sizeof(u->sentinel_password));
    else
        return est_why_set(
            reterr, EST_ERR_INVALID,
            "the Redis URL has an option that this form does not know: unix:// takes "
            "db, user and password, redis+sentinel:// takes sentinel_password");
    return good ? EST_OK
                : est_why_set(reterr, EST_ERR_INVALID,
                              "the option %.*s in the Redis URL is not valid", (int)name.len,
                              name.data);
}

static est_err parse_options(struct est_view query, enum form_kind kind, struct est_redis_url *u,
                             struct est_why *reterr)
{
    est_err err = EST_OK;

    while (err == EST_OK && query.len > 0) {
        struct est_view value, name;
        cut(&query, "&", &value);
        (void)skip(&query, '&');
        cut(&value, "=", &name);
        (void)skip(&value, '=');
        err = parse_option(name, value, kind, u, reterr);
    }
    return err;
}

static est_err parse_path(struct est_view path, enum form_kind kind, struct est_redis_url *u,
                          struct est_why *reterr)
{
    struct est_view master;

    (void)skip(&path, '/');
    if (kind == FORM_SENTINEL) {
        cut(&path, "/", &master);
        (void)skip(&path, '/');
        if (master.len == 0 || !decode(master, u->master, sizeof(u->master)))
            return est_why_set(reterr, EST_ERR_INVALID,
                               "the Redis URL lacks the master's name: "
                               "redis+sentinel://host,host/master");
    }
    if (!take_db(path, &u->db))
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the database in the Redis URL must be a number, as in "
                           "redis://host:6379/0");
    return EST_OK;
}

/* --- the whole --- */

static est_err parse_unix(struct est_view rest, struct est_redis_url *u, struct est_why *reterr)
{
    struct est_view path;

    cut(&rest, "?", &path);
    (void)skip(&rest, '?');
    if (path.len < 2 || path.data[0] != '/' || !decode(path, u->path, sizeof(u->path)))
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the Redis URL needs the whole path of a socket, at most %d bytes: "
                           "unix:///run/redis/redis.sock",
                           EST_REDIS_PATH_MAX);
    return parse_options(rest, FORM_UNIX, u, reterr);
}

/* user:password@ may hold '/' and '?' only percent-encoded; the last '@' before them ends it. */
static est_err parse_net(struct est_view rest, const struct form *f, struct est_redis_url *u,
                         struct est_why *reterr)
{
    struct est_view authority, path;
    const char *at;
    est_err err = EST_OK;

    cut(&rest, "/?#", &authority);
    cut(&rest, "?#", &path);
    (void)skip(&rest, '?');
    at = authority.len > 0 ? memrchr(authority.data, '@', authority.len) : NULL;
    if (at != NULL) {
        size_t n = (size_t)(at - authority.data);
        err = parse_user(est_view(authority.data, n), u, reterr);
        authority = est_view(at + 1, authority.len - n - 1);
    }
    if (err == EST_OK)
        err = parse_hosts(authority, f->kind == FORM_SENTINEL, u, reterr);
    if (err == EST_OK)
        err = parse_path(path, f->kind, u, reterr);
    return err ? err : parse_options(rest, f->kind, u, reterr);
}

static est_err parse(struct est_view text, struct est_redis_url *u, struct est_why *reterr)
{
    const char *sep = text.len > 0 ? memmem(text.data, text.len, "://", 3) : NULL;
    size_t n = sep ? (size_t)(sep - text.data) : 0;
    const struct form *f = NULL;
    struct est_view rest;

    for (size_t i = 0; sep != NULL && i < sizeof(forms) / sizeof(forms[0]); i++)
        if (est_view_is(est_view(text.data, n), forms[i].scheme))
            f = &forms[i];
    if (f == NULL)
        return est_why_set(reterr, EST_ERR_INVALID,
                           "a Redis URL begins with redis://, rediss://, unix:// or "
                           "redis+sentinel://");
    if (f->kind == FORM_CLUSTER)
        return est_why_set(reterr, EST_ERR_UNSUPPORTED,
                           "Redis Cluster is not supported; use replication with Sentinel "
                           "(redis+sentinel://host,host/master)");
    if (f->tls && !est_redis_tls_is_built())
        return est_why_set(reterr, EST_ERR_UNSUPPORTED,
                           "rediss:// needs hiredis 1.0 or newer with TLS, and this build has %s: "
                           "use redis:// inside a protected network, or a build of Debian 13",
                           est_redis_tls_library());
    u->tls = f->tls;
    u->sentinel = f->kind == FORM_SENTINEL;
    rest = est_view(sep + 3, text.len - n - 3);
    return f->kind == FORM_UNIX ? parse_unix(rest, u, reterr) : parse_net(rest, f, u, reterr);
}

est_err est_redis_url_parse(const char *text, struct est_redis_url *ret, struct est_why *reterr)
{
    est_err err;

    memset(ret, 0, sizeof(*ret));
    err = parse(est_view_str(text), ret, reterr);
    if (err != EST_OK)
        explicit_bzero(ret, sizeof(*ret));
    return err;
}

est_err est_redis_url_check(const char *url, struct est_why *reterr)
{
    struct est_redis_url u;
    est_err err = est_redis_url_parse(url, &u, reterr);

    explicit_bzero(&u, sizeof(u));
    return err;
}
