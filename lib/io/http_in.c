#include "http_in.h"

#include "base/mem.h"
#include "io/http_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ACCEPTS_PER_EVENT = 64, BACKLOG = 1024 };
static const est_us ACCEPT_PAUSE = 100 * EST_MS;

const struct est_http_limits est_http_limits_default = {
    .header_max = 16 * 1024,
    .body_max = 16 * 1024 * 1024,
    .conns_max = 10000,
    .header_timeout = 10 * EST_SECOND,
    .body_timeout = 30 * EST_SECOND,
    .idle_timeout = 75 * EST_SECOND,
    .write_timeout = 30 * EST_SECOND,
};

static void accept_again(void *arg);

est_err est_http_server_new(struct est_loop *lp, const struct est_http_limits *limits,
                            const struct est_http_handlers *handlers, struct est_http_server **ret,
                            struct est_why *reterr)
{
    struct est_http_server *s = est_calloc(1, sizeof(*s));

    if (s == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the HTTP server");
    s->loop = lp;
    s->limits = *limits;
    s->handlers = *handlers;
    s->accept_again = (struct est_timer){.fn = accept_again, .arg = s};
    est_list_init(&s->conns);
    est_list_init(&s->orphans);
    *ret = s;
    return EST_OK;
}

/* --- accepting --- */

static void format_peer(const struct sockaddr_storage *sa, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";

    if (sa->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        (void)snprintf(out, size, "%s:%u", host, ntohs(in->sin_port));
    } else if (sa->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)sa;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        (void)snprintf(out, size, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        (void)snprintf(out, size, "unix");
    }
}

static void refuse_full(struct est_http_server *s, int fd)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                 "Content-Length: 0\r\nConnection: close\r\n\r\n";

    s->stats.refused_full++;
    (void)send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    (void)recv(fd, s->scratch, sizeof(s->scratch),
               MSG_DONTWAIT); /* unread bytes would make it a reset */
    (void)close(fd);
}

static void opened(struct est_http_server *s, int fd, const struct sockaddr_storage *sa)
{
    char peer[56];
    int on = 1;

    s->stats.accepted++;
    if (s->stats.open >= s->limits.conns_max) {
        refuse_full(s, fd);
        return;
    }
    if (sa->ss_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    format_peer(sa, peer, sizeof(peer));
    if (est_http_conn_open(s, fd, peer) != EST_OK)
        refuse_full(s, fd);
}

/* Out of descriptors: the listener would fire for ever, so it rests for a moment. */
static void rest(struct est_http_server *s)
{
    for (size_t i = 0; i < s->n_listeners; i++)
        est_loop_watch_events(s->loop, &s->listeners[i].watch, 0);
    est_loop_timer_at(s->loop, &s->accept_again, est_loop_now(s->loop) + ACCEPT_PAUSE);
}

static void accept_again(void *arg)
{
    struct est_http_server *s = arg;

    for (size_t i = 0; i < s->n_listeners; i++)
        est_loop_watch_events(s->loop, &s->listeners[i].watch, EPOLLIN);
}

static void on_listener(void *arg, uint32_t events)
{
    struct est_http_listener *l = arg;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
        struct sockaddr_storage sa = {0};
        socklen_t len = sizeof(sa);
        int fd = accept4(l->watch.fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            opened(l->server, fd, &sa);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            rest(l->server);
            return;
        } /* else that one connection died before it was accepted */
    }
}

/* --- listening --- */

static est_err add_listener(struct est_http_server *s, int fd, const char *unix_path,
                            struct est_why *reterr)
{
    struct est_http_listener *l = &s->listeners[s->n_listeners];

    l->server = s;
    l->watch = (struct est_watch){.fd = fd, .events = EPOLLIN, .fn = on_listener, .arg = l};
    (void)snprintf(l->unix_path, sizeof(l->unix_path), "%s", unix_path);
    if (listen(fd, BACKLOG) != 0 || est_loop_watch(s->loop, &l->watch) != EST_OK) {
        est_err err = est_why_set(reterr, EST_ERR_IO, "listen: %s", strerror(errno));
        (void)close(fd);
        return err;
    }
    s->n_listeners++;
    return EST_OK;
}

/* A socket file without a listener behind it is a leftover of a killed process. Anything else that
 * stands at the path is not ours to remove, though connecting to it is refused just the same. */
static bool is_stale(const struct sockaddr_un *sa)
{
    struct stat st;
    bool stale;
    int fd;

    if (lstat(sa->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    stale = fd >= 0 && connect(fd, (const void *)sa, sizeof(*sa)) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        (void)close(fd);
    return stale;
}

static est_err listen_unix(struct est_http_server *s, const char *path, struct est_why *reterr)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd;

    if (path[0] == '\0' || strlen(path) >= sizeof(sa.sun_path))
        return est_why_set(reterr, EST_ERR_INVALID, "unix:%s: a path of 1 to %zu bytes is needed",
                           path, sizeof(sa.sun_path) - 1);
    memcpy(sa.sun_path, path, strlen(path));
    if (is_stale(&sa))
        (void)unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const void *)&sa, sizeof(sa)) != 0 || chmod(path, 0660) != 0) {
        est_err err = est_why_set(reterr, EST_ERR_IO, "unix:%s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    return add_listener(s, fd, path, reterr);
}

/* "host:port" or "[v6]:port" → host without brackets, port. */
static bool split_address(const char *address, char *host, size_t host_size, const char **ret_port)
{
    const char *colon = strrchr(address, ':');
    size_t n;

    if (colon == NULL || colon[1] == '\0')
        return false;
    n = (size_t)(colon - address);
    if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
        address++;
        n -= 2;
    }
    if (n >= host_size)
        return false;
    memcpy(host, address, n);
    host[n] = '\0';
    *ret_port = colon + 1;
    return true;
}

static int bind_tcp(const struct addrinfo *ai)
{
    int on = 1, off = 0;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void note_port(struct est_http_server *s, int fd)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);

    if (s->port != 0 || getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        return;
    if (sa.ss_family == AF_INET)
        s->port = ntohs(((const struct sockaddr_in *)(const void *)&sa)->sin_port);
    else if (sa.ss_family == AF_INET6)
        s->port = ntohs(((const struct sockaddr_in6 *)(const void *)&sa)->sin6_port);
}

static est_err listen_tcp(struct est_http_server *s, const char *address, struct est_why *reterr)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    const char *port;
    char host[256];
    int rc, fd;

    if (!split_address(address, host, sizeof(host), &port))
        return est_why_set(reterr, EST_ERR_INVALID, "%s: expected HOST:PORT or unix:PATH", address);
    rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
    if (rc != 0)
        return est_why_set(reterr, rc == EAI_AGAIN ? EST_ERR_AGAIN : EST_ERR_INVALID, "%s: %s",
                           address, gai_strerror(rc));
    fd = bind_tcp(list);
    rc = errno;
    freeaddrinfo(list);
    if (fd < 0)
        return est_why_set(reterr, EST_ERR_IO, "%s: %s", address, strerror(rc));
    note_port(s, fd);
    return add_listener(s, fd, "", reterr);
}

est_err est_http_server_listen(struct est_http_server *s, const char *address,
                               struct est_why *reterr)
{
    if (s->n_listeners == EST_HTTP_LISTENERS_MAX)
        return est_why_set(reterr, EST_ERR_FULL, "%s: at most %d listeners", address,
                           EST_HTTP_LISTENERS_MAX);
    if (strncmp(address, "unix:", 5) == 0)
        return listen_unix(s, address + 5, reterr);
    return listen_tcp(s, address, reterr);
}

unsigned est_http_server_port(const struct est_http_server *s)
{
    return s->port;
}

/* --- ending --- */

static void close_listeners(struct est_http_server *s)
{
    for (size_t i = 0; i < s->n_listeners; i++) {
        est_loop_unwatch(s->loop, &s->listeners[i].watch);
        (void)close(s->listeners[i].watch.fd);
        if (s->listeners[i].unix_path[0] != '\0')
            (void)unlink(s->listeners[i].unix_path);
    }
    s->n_listeners = 0;
    est_loop_timer_off(s->loop, &s->accept_again);
}

void est_http_server_drain(struct est_http_server *s)
{
    s->draining = true;
    close_listeners(s);
    EST_LIST_EACH(n, &s->conns)
        est_http_conn_drain(EST_CONTAINER(n, struct est_http_conn, node));
}

bool est_http_server_idle(const struct est_http_server *s)
{
    return est_list_empty(&s->conns);
}

void est_http_server_free(struct est_http_server *s)
{
    if (s == NULL)
        return;
    close_listeners(s);
    EST_LIST_EACH(n, &s->conns) {
        struct est_http_conn *c = EST_CONTAINER(n, struct est_http_conn, node);
        c->req.replied = true; /* nobody will answer a parked request any more */
        est_http_conn_abort(c);
    }
    EST_LIST_EACH(n, &s->orphans) {
        struct est_http_conn *c = EST_CONTAINER(n, struct est_http_conn, node);
        c->req.replied = true;
        est_http_conn_continue(c);
    }
    est_free(s);
}

struct est_http_stats est_http_server_stats(const struct est_http_server *s)
{
    return s->stats;
}
