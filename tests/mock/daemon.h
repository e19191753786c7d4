/* For tests: a daemon of ours as a child process, and plain HTTP to it. All has a deadline. */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct daemon {
    pid_t pid;
    char log_path[64]; /* its standard error */
};

/* A port of 127.0.0.1 that was free a moment ago. */
unsigned daemon_free_port(void);
/* settings: NAME=VALUE, NULL at the end, laid over this process's environment. */
void daemon_start(struct daemon *d, const char *path, const char *const *settings);
/* The exit status; -1 when it does not end within the time (it is killed then). */
int daemon_wait(struct daemon *d, est_us patience);
/* Send a signal, wait for the end, remove the log. */
int daemon_stop(struct daemon *d, int signo, est_us patience);

struct answer {
    int status; /* 0 = none came */
    char head[2048];
    char body[262144];
    size_t body_len;
    est_us took;
};

/* A connection of its own: send now, read later. -1 when nobody listens. */
int http_send(unsigned port, const char *method, const char *path, const char *type,
              const char *body);
void http_read(int fd, struct answer *ret, est_us patience);
/* Both. */
void http_ask(unsigned port, const char *method, const char *path, const char *type,
              const char *body, struct answer *ret);
