#include "daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

unsigned daemon_free_port(void)
{
    struct sockaddr_in sa = loopback(0);
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const void *)&sa, sizeof(sa)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    (void)close(fd);
    return ntohs(sa.sin_port);
}

void daemon_start(struct daemon *d, const char *path, const char *const *settings)
{
    int log_fd;

    (void)snprintf(d->log_path, sizeof(d->log_path), "/tmp/esteira-daemon-XXXXXX");
    log_fd = mkstemp(d->log_path);
    assert_true(log_fd >= 0);
    d->pid = fork();
    assert_true(d->pid >= 0);
    if (d->pid == 0) {
        for (; *settings != NULL; settings++)
            (void)putenv((char *)(uintptr_t)*settings);
        (void)dup2(log_fd, STDERR_FILENO);
        (void)execl(path, path, (char *)NULL);
        _exit(127);
    }
    (void)close(log_fd);
}

int daemon_wait(struct daemon *d, est_us patience)
{
    est_us until = est_clock_mono() + patience;
    int status;

    while (waitpid(d->pid, &status, WNOHANG) == 0) {
        if (est_clock_mono() > until) {
            (void)kill(d->pid, SIGKILL);
            (void)waitpid(d->pid, &status, 0);
            return -1;
        }
        (void)poll(NULL, 0, 5);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int daemon_stop(struct daemon *d, int signo, est_us patience)
{
    int status;

    if (d->pid <= 0)
        return 0;
    (void)kill(d->pid, signo);
    status = daemon_wait(d, patience);
    d->pid = 0;
    (void)unlink(d->log_path);
    return status;
}

int http_send(unsigned port, const char *method, const char *path, const char *type,
              const char *body)
{
    struct sockaddr_in sa = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t size = strlen(body) + 1024;
    char *text;
    int n;

    if (connect(fd, (const void *)&sa, sizeof(sa)) != 0) {
        (void)close(fd);
        return -1;
    }
    text = malloc(size);
    assert_non_null(text);
    n = snprintf(text, size,
                 "%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 method, path, type, strlen(body), body);
    for (int at = 0; at < n;) {
        ssize_t sent = send(fd, text + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (int)sent;
    }
    free(text);
    return fd;
}

void http_read(int fd, struct answer *ret, est_us patience)
{
    static char text[300000];
    est_us begun = est_clock_mono(), until = begun + patience, now;
    size_t n = 0;
    const char *body;

    memset(ret, 0, sizeof(*ret));
    while (fd >= 0 && n < sizeof(text) - 1 && (now = est_clock_mono()) < until) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;
        if (poll(&p, 1, (int)((until - now) / EST_MS) + 1) <= 0)
            continue;
        got = recv(fd, text + n, sizeof(text) - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    if (fd >= 0)
        (void)close(fd);
    text[n] = '\0';
    ret->took = est_clock_mono() - begun;
    body = strstr(text, "\r\n\r\n");
    if (body == NULL)
        return;
    ret->status = (int)strtol(text + 9, NULL, 10);
    (void)snprintf(ret->head, sizeof(ret->head), "%.*s", (int)(body - text), text);
    (void)snprintf(ret->body, sizeof(ret->body), "%s", body + 4);
    ret->body_len = strlen(ret->body);
}

void http_ask(unsigned port, const char *method, const char *path, const char *type,
              const char *body, struct answer *ret)
{
    http_read(http_send(port, method, path, type, body), ret, 15 * EST_SECOND);
}
