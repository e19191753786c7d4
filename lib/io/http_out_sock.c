#include "http_out_state.h"

#include "base/mem.h"

#include <sys/epoll.h>

/* A socket of libcurl's that the loop watches. */
struct sock {
    struct est_watch watch;
    struct est_http_client *client;
};

static void on_socket(void *arg, uint32_t events)
{
    struct sock *s = arg;
    int mask = ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
               ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
               ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);

    est_http_client_act(s->client, s->watch.fd, mask);
}

static void on_timer(void *arg)
{
    est_http_client_act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct est_http_client *c = arg;

    (void)multi;
    if (timeout_ms < 0)
        est_loop_timer_off(c->loop, &c->timer);
    else
        est_loop_timer_at(c->loop, &c->timer, est_clock_mono() + timeout_ms * EST_MS);
    return 0;
}

static void sock_free(struct est_http_client *c, struct sock *s)
{
    if (s == NULL)
        return;
    est_loop_unwatch(c->loop, &s->watch);
    est_free(s);
}

/* -1 makes libcurl end the transfers of that socket with an error. */
static int sock_new(struct est_http_client *c, curl_socket_t fd, uint32_t events)
{
    struct sock *s = est_calloc(1, sizeof(*s));

    if (s == NULL)
        return -1;
    *s = (struct sock){.watch = {.fd = fd, .events = events, .fn = on_socket, .arg = s},
                       .client = c};
    if (est_loop_watch(c->loop, &s->watch) != EST_OK) {
        est_free(s);
        return -1;
    }
    (void)curl_multi_assign(c->multi, fd, s);
    return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock_arg)
{
    static const uint32_t wanted[] = {[CURL_POLL_IN] = EPOLLIN,
                                      [CURL_POLL_OUT] = EPOLLOUT,
                                      [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT};
    struct est_http_client *c = arg;
    struct sock *s = sock_arg;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        sock_free(c, s);
        return 0;
    }
    if (s == NULL)
        return sock_new(c, fd, wanted[what]);
    est_loop_watch_events(c->loop, &s->watch, wanted[what]);
    return 0;
}

void est_http_sock_attach(struct est_http_client *c)
{
    c->timer = (struct est_timer){.fn = on_timer, .arg = c};
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
}
