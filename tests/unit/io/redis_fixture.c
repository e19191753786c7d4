#include "redis_fixture.h"

#include "base/clock.h"
#include "base/id.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE (20 * EST_SECOND)

static void nap(void)
{
    const struct timespec t = {0, 5 * 1000 * 1000};

    (void)nanosleep(&t, NULL);
}

/* Below the range from which the kernel takes ports of connections. */
int redis_free_port(void)
{
    for (int tries = 0; tries < 100; tries++) {
        int port = 20000 + (int)est_random_below(10000), fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int bad = bind(fd, (struct sockaddr *)&a, sizeof(a));
        (void)close(fd);
        if (bad == 0)
            return port;
    }
    fail_msg("no free port");
    return 0;
}

__attribute__((format(printf, 2, 3))) static void arg(struct redis_server *s, const char *fmt, ...)
{
    va_list ap;

    assert_true(s->n_args < REDIS_ARGS_MAX);
    va_start(ap, fmt);
    (void)vsnprintf(s->args[s->n_args++], sizeof(s->args[0]), fmt, ap);
    va_end(ap);
}

/* The server ends with the test, however that ends. */
static void spawn(struct redis_server *s, const char *const *extra)
{
    char *argv[REDIS_ARGS_MAX * 2] = {0};
    char log[128];
    int n = 0, fd;

    for (int i = 0; i < s->n_args; i++)
        argv[n++] = s->args[i];
    for (int i = 0; extra != NULL && extra[i] != NULL; i++)
        argv[n++] = (char *)(uintptr_t)extra[i];
    (void)snprintf(log, sizeof(log), "%s/log", s->dir);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid > 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)dup2(fd, 1);
    (void)dup2(fd, 2);
    (void)execvp(argv[0], argv);
    _exit(127);
}

static bool answers(struct redis_server *s)
{
    redisContext *c = redisConnectUnix(s->socket);
    bool good = c != NULL && c->err == 0;

    if (c != NULL)
        redisFree(c);
    return good;
}

static void wait_up(struct redis_server *s)
{
    est_us until = est_clock_mono() + DEADLINE;

    while (!answers(s)) {
        int status;
        if (waitpid(s->pid, &status, WNOHANG) == s->pid || est_clock_mono() > until)
            fail_msg("redis-server does not come up: see %s/log", s->dir);
        nap();
    }
}

static void make_dir(struct redis_server *s)
{
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/esteira-redis-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->socket, sizeof(s->socket), "%s/s", s->dir);
}

void redis_server_start(struct redis_server *s, bool tcp, const char *const *extra)
{
    make_dir(s);
    s->port = tcp ? redis_free_port() : 0;
    arg(s, "redis-server");
    arg(s, "--dir");
    arg(s, "%s", s->dir);
    arg(s, "--unixsocket");
    arg(s, "%s", s->socket);
    arg(s, "--port");
    arg(s, "%d", s->port);
    arg(s, "--save");
    arg(s, "%s", "");
    arg(s, "--repl-diskless-sync-delay");
    arg(s, "0");
    for (int i = 0; extra != NULL && extra[i] != NULL; i++)
        arg(s, "%s", extra[i]);
    if (tcp)
        (void)snprintf(s->url, sizeof(s->url), "redis://127.0.0.1:%d", s->port);
    else
        (void)snprintf(s->url, sizeof(s->url), "unix://%s", s->socket);
    redis_server_again(s, NULL, true);
}

void redis_server_start_sentinel(struct redis_server *s, int port)
{
    char path[96];
    FILE *f;

    make_dir(s);
    s->port = redis_free_port();
    (void)snprintf(path, sizeof(path), "%s/conf", s->dir);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f,
                  "port %d\ndir %s\nunixsocket %s\nsentinel monitor m 127.0.0.1 %d 1\n"
                  "sentinel down-after-milliseconds m 500\nsentinel failover-timeout m 2000\n",
                  s->port, s->dir, s->socket, port);
    assert_int_equal(fclose(f), 0);
    arg(s, "redis-server");
    arg(s, "%s", path);
    arg(s, "--sentinel");
    redis_server_again(s, NULL, true);
}

void redis_server_again(struct redis_server *s, const char *const *extra, bool wait)
{
    (void)unlink(s->socket);
    spawn(s, extra);
    if (wait)
        wait_up(s);
}

void redis_server_signal(struct redis_server *s, int signo)
{
    assert_int_equal(kill(s->pid, signo), 0);
}

void redis_server_kill(struct redis_server *s)
{
    if (s->pid == 0)
        return;
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

void redis_server_stop(struct redis_server *s)
{
    DIR *d;

    redis_server_kill(s);
    d = s->dir[0] != '\0' ? opendir(s->dir) : NULL;
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL)
        (void)closedir(d);
    (void)rmdir(s->dir);
}

/* --- asking --- */

static size_t show(const redisReply *r, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    if (r->type == REDIS_REPLY_INTEGER)
        n = (size_t)snprintf(out, size, "%lld", r->integer);
    else if (r->type != REDIS_REPLY_ARRAY)
        n = (size_t)snprintf(out, size, "%s", r->str != NULL ? r->str : "");
    for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements && n + 2 < size; i++) {
        if (i > 0)
            out[n++] = ' ';
        n += show(r->element[i], out + n, size - n);
    }
    return n < size ? n : size - 1;
}

const char *redis_server_do(struct redis_server *s, const char *command)
{
    static char text[16384];
    redisContext *c = redisConnectUnix(s->socket);
    redisReply *r;

    assert_non_null(c);
    if (c->err != 0) {
        redisFree(c);
        (void)snprintf(text, sizeof(text), "(no connection)");
        return text;
    }
    r = redisCommand(c, command);
    if (r == NULL)
        (void)snprintf(text, sizeof(text), "(no answer)");
    else
        (void)show(r, text, sizeof(text));
    if (r != NULL)
        freeReplyObject(r);
    redisFree(c);
    return text;
}

long redis_server_number(struct redis_server *s, const char *command)
{
    return strtol(redis_server_do(s, command), NULL, 10);
}

bool redis_server_wait(struct redis_server *s, const char *command, const char *holds)
{
    est_us until = est_clock_mono() + DEADLINE;

    while (strstr(redis_server_do(s, command), holds) == NULL) {
        if (est_clock_mono() > until)
            return false;
        nap();
    }
    return true;
}

/* --- the loop --- */

void redis_turn_until(struct est_loop *lp, const bool *flag, int seconds)
{
    est_us until = est_clock_mono() + seconds * EST_SECOND;

    while (!*flag) {
        est_loop_turn(lp, 10 * EST_MS);
        if (est_clock_mono() > until)
            fail_msg("not within %d s", seconds);
    }
}

void redis_turn_for(struct est_loop *lp, est_us time)
{
    est_us until = est_clock_mono() + time;

    while (est_clock_mono() < until)
        est_loop_turn(lp, until - est_clock_mono());
}
