/* The event loop: epoll, timers and signals. One per process and the only place that waits; all of
 * our code runs on its thread. Watches and timers are embedded in their owners, which remove them
 * before they go. A callback may remove any watch or timer, its own included. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct est_loop;

/* events: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP. */
struct est_watch {
    int fd;
    uint32_t events;
    void (*fn)(void *arg, uint32_t events);
    void *arg;
};

struct est_timer {
    struct est_heap_node node;
    void (*fn)(void *arg);
    void *arg;
};

est_err est_loop_new(struct est_loop **ret, struct est_why *reterr);
void est_loop_free(struct est_loop *lp); /* watches and timers must be gone */

/* Monotonic time as of this turn of the loop: read once a turn, so that one turn has one now. */
est_us est_loop_now(const struct est_loop *lp);

/* Level-triggered. The caller fills the watch; fd must be non-blocking. */
est_err est_loop_watch(struct est_loop *lp, struct est_watch *w);
/* Change what is waited for; 0 = only errors and hang-ups. */
void est_loop_watch_events(struct est_loop *lp, struct est_watch *w, uint32_t events);
void est_loop_unwatch(struct est_loop *lp, struct est_watch *w);

/* Room for one timer more, until it is released: for timers that come with what the network sends,
 * so that arming them cannot fail. A program's own few timers have their room from the start. */
est_err est_loop_timer_reserve(struct est_loop *lp);
void est_loop_timer_release(struct est_loop *lp);
/* Arm or move; fires once, in the first turn at or after `at` (monotonic), at most once a turn. */
void est_loop_timer_at(struct est_loop *lp, struct est_timer *t, est_us at);
void est_loop_timer_off(struct est_loop *lp, struct est_timer *t); /* not armed: no-op */
bool est_loop_timer_armed(const struct est_timer *t);

/* Called at the end of each turn, after all watches and timers: where batches are flushed. */
void est_loop_on_turn(struct est_loop *lp, void (*fn)(void *arg), void *arg);
/* SIGTERM, SIGINT and SIGHUP arrive as calls of fn in the loop; SIGPIPE is ignored. */
est_err est_loop_on_signal(struct est_loop *lp, void (*fn)(void *arg, int signo), void *arg);

/* Run until est_loop_stop. */
void est_loop_run(struct est_loop *lp);
void est_loop_stop(struct est_loop *lp);
/* One turn that waits at most `max_wait`: for tests and for programs that wait for a condition. */
void est_loop_turn(struct est_loop *lp, est_us max_wait);
/* How long the callbacks of the last turns took: the worst since the last call (loop lag). */
est_us est_loop_take_lag(struct est_loop *lp);
