#include "loop.h"

#include "base/assert.h"
#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256, TURN_HOOKS_MAX = 8, TIMERS_OF_OWN = 64 };

struct hook {
    void (*fn)(void *arg);
    void *arg;
};

struct est_loop {
    int epoll_fd;
    bool stopped;
    est_us now, worst_lag;
    struct est_heap timers;
    size_t timers_reserved;
    struct epoll_event events[EVENTS_PER_TURN];
    int n_events, at_event; /* the turn's events; a watch that goes is struck out of the rest */
    struct hook hooks[TURN_HOOKS_MAX];
    size_t n_hooks;
    struct est_watch signals;
    void (*on_signal)(void *arg, int signo);
    void *on_signal_arg;
};

est_err est_loop_new(struct est_loop **ret, struct est_why *reterr)
{
    struct est_loop *lp = est_calloc(1, sizeof(*lp));

    if (lp == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the event loop");
    lp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    lp->signals.fd = -1;
    if (lp->epoll_fd < 0) {
        est_free(lp);
        return est_why_set(reterr, EST_ERR_IO, "epoll_create1: %s", strerror(errno));
    }
    (void)signal(SIGPIPE, SIG_IGN);
    est_heap_init(&lp->timers);
    lp->timers_reserved = TIMERS_OF_OWN;
    if (est_heap_reserve(&lp->timers, lp->timers_reserved) != EST_OK) {
        est_loop_free(lp);
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for timers");
    }
    lp->now = est_clock_mono();
    *ret = lp;
    return EST_OK;
}

void est_loop_free(struct est_loop *lp)
{
    if (lp == NULL)
        return;
    if (lp->signals.fd >= 0)
        (void)close(lp->signals.fd);
    (void)close(lp->epoll_fd);
    est_heap_fini(&lp->timers);
    est_free(lp);
}

est_us est_loop_now(const struct est_loop *lp)
{
    return lp->now;
}

static int control(struct est_loop *lp, int op, struct est_watch *w)
{
    struct epoll_event ev = {.events = w->events, .data.ptr = w};

    return epoll_ctl(lp->epoll_fd, op, w->fd, &ev);
}

est_err est_loop_watch(struct est_loop *lp, struct est_watch *w)
{
    return control(lp, EPOLL_CTL_ADD, w) == 0 ? EST_OK : EST_ERR_IO;
}

void est_loop_watch_events(struct est_loop *lp, struct est_watch *w, uint32_t events)
{
    if (w->events == events)
        return;
    w->events = events;
    EST_ASSERT(control(lp, EPOLL_CTL_MOD, w) == 0);
}

void est_loop_unwatch(struct est_loop *lp, struct est_watch *w)
{
    (void)control(lp, EPOLL_CTL_DEL, w);
    for (int i = lp->at_event; i < lp->n_events; i++)
        if (lp->events[i].data.ptr == w)
            lp->events[i].data.ptr = NULL;
}

est_err est_loop_timer_reserve(struct est_loop *lp)
{
    if (est_heap_reserve(&lp->timers, lp->timers_reserved + 1) != EST_OK)
        return EST_ERR_NOMEM;
    lp->timers_reserved++;
    return EST_OK;
}

void est_loop_timer_release(struct est_loop *lp)
{
    lp->timers_reserved--;
}

void est_loop_timer_at(struct est_loop *lp, struct est_timer *t, est_us at)
{
    EST_ASSERT(est_heap_set(&lp->timers, &t->node, at) == EST_OK);
}

void est_loop_timer_off(struct est_loop *lp, struct est_timer *t)
{
    est_heap_remove(&lp->timers, &t->node);
}

bool est_loop_timer_armed(const struct est_timer *t)
{
    return t->node.slot != 0;
}

void est_loop_on_turn(struct est_loop *lp, void (*fn)(void *arg), void *arg)
{
    EST_ASSERT(lp->n_hooks < TURN_HOOKS_MAX);
    lp->hooks[lp->n_hooks++] = (struct hook){fn, arg};
}

static void read_signals(void *arg, uint32_t events)
{
    struct est_loop *lp = arg;
    struct signalfd_siginfo info;

    (void)events;
    while (read(lp->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        lp->on_signal(lp->on_signal_arg, (int)info.ssi_signo);
}

/* The signals are blocked before any library starts a thread, so that every thread inherits the
 * mask and they can only arrive here. */
est_err est_loop_on_signal(struct est_loop *lp, void (*fn)(void *arg, int signo), void *arg)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return EST_ERR_IO;
    lp->on_signal = fn;
    lp->on_signal_arg = arg;
    lp->signals = (struct est_watch){.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
                                     .events = EPOLLIN,
                                     .fn = read_signals,
                                     .arg = lp};
    return lp->signals.fd < 0 ? EST_ERR_IO : est_loop_watch(lp, &lp->signals);
}

/* Rounded up, so that a timer due in 0.3 ms does not make the loop spin for it. */
static int wait_ms(const struct est_loop *lp, est_us max_wait)
{
    const struct est_heap_node *first = est_heap_first(&lp->timers);
    est_us wait = max_wait;

    if (first != NULL && first->at - est_clock_mono() < wait)
        wait = first->at - est_clock_mono();
    if (wait <= 0)
        return 0;
    return wait > 3600 * EST_SECOND ? 3600 * 1000 : (int)((wait + EST_MS - 1) / EST_MS);
}

static void run_watches(struct est_loop *lp)
{
    for (lp->at_event = 0; lp->at_event < lp->n_events;) {
        struct epoll_event *ev = &lp->events[lp->at_event++];
        struct est_watch *w = ev->data.ptr;
        if (w != NULL)
            w->fn(w->arg, ev->events);
    }
    lp->n_events = lp->at_event = 0;
}

/* As many as were armed when the turn began: one that arms itself for a time that is over comes
 * again in the next turn and cannot hold this one up. */
static void run_timers(struct est_loop *lp)
{
    for (size_t left = lp->timers.n; left > 0; left--) {
        struct est_heap_node *first = est_heap_first(&lp->timers);
        struct est_timer *t = EST_CONTAINER(first, struct est_timer, node);
        if (first == NULL || first->at > lp->now)
            return;
        est_heap_remove(&lp->timers, first);
        t->fn(t->arg);
    }
}

void est_loop_turn(struct est_loop *lp, est_us max_wait)
{
    int n = epoll_wait(lp->epoll_fd, lp->events, EVENTS_PER_TURN, wait_ms(lp, max_wait));
    est_us lag;

    EST_ASSERT(n >= 0 || errno == EINTR);
    lp->n_events = n > 0 ? n : 0;
    lp->now = est_clock_mono();
    run_watches(lp);
    run_timers(lp);
    for (size_t i = 0; i < lp->n_hooks; i++)
        lp->hooks[i].fn(lp->hooks[i].arg);
    lag = est_clock_mono() - lp->now;
    if (lag > lp->worst_lag)
        lp->worst_lag = lag;
}

void est_loop_run(struct est_loop *lp)
{
    while (!lp->stopped)
        est_loop_turn(lp, EST_NEVER);
    lp->stopped = false;
}

void est_loop_stop(struct est_loop *lp)
{
    lp->stopped = true;
}

est_us est_loop_take_lag(struct est_loop *lp)
{
    est_us worst = lp->worst_lag;

    lp->worst_lag = 0;
    return worst;
}
