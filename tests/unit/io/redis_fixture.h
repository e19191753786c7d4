/* Real redis-servers for tests: each in a folder of its own, stopped by its pid. A failure to start
 * fails the test. */
#pragma once

#include "io/loop.h"
#include "io/redis.h"

#include <stdbool.h>
#include <sys/types.h>

enum { REDIS_ARGS_MAX = 40 };

struct redis_server {
    pid_t pid; /* 0 = not running */
    char dir[64], socket[96], url[128];
    int port; /* 0 = the socket alone */
    char args[REDIS_ARGS_MAX][128];
    int n_args;
};

/* `extra` are command-line arguments, NULL at the end (may be NULL). Waits until it answers. */
void redis_server_start(struct redis_server *s, bool tcp, const char *const *extra);
/* As redis-server FILE --sentinel; watches the master at `port` under the name "m". */
void redis_server_start_sentinel(struct redis_server *s, int port);
void redis_server_kill(struct redis_server *s); /* SIGKILL; the folder stays */
/* The same again, with `extra` in addition; `wait`: until it answers. */
void redis_server_again(struct redis_server *s, const char *const *extra, bool wait);
void redis_server_stop(struct redis_server *s); /* kills and removes the folder */
void redis_server_signal(struct redis_server *s, int signo);

/* One command on a connection of its own, in the words of redis-cli; the answer as text, integers
 * in decimal, "" for nil; items of an array joined by spaces. Valid until the next call. */
const char *redis_server_do(struct redis_server *s, const char *command);
long redis_server_number(struct redis_server *s, const char *command);
/* Asks until the answer holds that text; false when it does not in time. */
bool redis_server_wait(struct redis_server *s, const char *command, const char *holds);

int redis_free_port(void);

/* Turns the loop until *flag, at most for `seconds`; fails the test then. */
void redis_turn_until(struct est_loop *lp, const bool *flag, int seconds);
void redis_turn_for(struct est_loop *lp, est_us time);
