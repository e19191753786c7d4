/* The bare limit of ingest: take a POST, produce its body with headers as long as ours, answer 202
 * when the broker has acknowledged. usage: bare_ingest PORT BROKERS TOPIC LINGER_MS */
#include "bare.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT = 64 * 1024, PARTITIONS = 8 };

struct conn {
    int fd;
    size_t n;
    char in[INPUT];
};

static rd_kafka_t *rk;
static rd_kafka_topic_t *topic;
static int epoll_fd;

static const char *const headers[][2] = {
    {"ce_specversion", "1.0"},
    {"ce_id", "01a20f7e-6fd6-7387-96a4-baeb1dce96f3"},
    {"ce_type", "order_created"},
    {"ce_source", "esteira"},
    {"ce_time", "2026-11-24T21:37:54.001Z"},
    {"content-type", "application/avro"},
    {"esteira-chain", "c5c6d76951ddbc0479ac5c95bb4fb665/0/order/3/123456"},
};

static void produce(struct conn *c, const char *body, size_t n)
{
    static int32_t turn;
    rd_kafka_headers_t *hdrs = rd_kafka_headers_new(8);

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        (void)rd_kafka_header_add(hdrs, headers[i][0], -1, headers[i][1], -1);
    if (rd_kafka_producev(rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(turn++ % PARTITIONS),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY("5511999990000", 13),
                          RD_KAFKA_V_VALUE((void *)(uintptr_t)body, n), RD_KAFKA_V_HEADERS(hdrs),
                          RD_KAFKA_V_OPAQUE(c), RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
        bare_die("produce");
}

static void answer(const rd_kafka_message_t *m)
{
    static const char text[] =
        "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
        "Content-Length: 63\r\n\r\n"
        "{\"id\":\"01a20f7e-6fd6-7387-96a4-baeb1dce96f3\",\"buffered\":false}\n";
    const struct conn *c = m->_private;

    if (m->err)
        bare_die(rd_kafka_err2str(m->err));
    if (c->fd < 0)
        return; /* the client has gone */
    if (send(c->fd, text, sizeof(text) - 1, MSG_NOSIGNAL) < 0 && errno != EPIPE &&
        errno != ECONNRESET)
        bare_die("send");
}

static void on_reports(int fd, rd_kafka_queue_t *queue)
{
    const rd_kafka_message_t *m;
    rd_kafka_event_t *ev;
    uint64_t count;

    (void)!read(fd, &count, sizeof(count));
    while ((ev = rd_kafka_queue_poll(queue, 0)) != NULL) {
        while ((m = rd_kafka_event_message_next(ev)) != NULL)
            answer(m);
        rd_kafka_event_destroy(ev);
    }
}

static void on_accept(int listener)
{
    int on = 1, fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct conn *c = calloc(1, sizeof(*c));
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
        if (c == NULL)
            bare_die("memory");
        c->fd = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
            bare_die("epoll");
    }
}

/* The connection's memory stays: a report may still name it. */
static void on_input(struct conn *c)
{
    ssize_t n = recv(c->fd, c->in + c->n, INPUT - c->n, 0);
    size_t head, whole;

    if (n <= 0) {
        (void)close(c->fd);
        c->fd = -1;
        return;
    }
    c->n += (size_t)n;
    while ((whole = bare_message(c->in, c->n, &head)) > 0) {
        produce(c, c->in + head, whole - head);
        c->n -= whole;
        memmove(c->in, c->in + whole, c->n);
    }
}

int main(int argc, char **argv)
{
    static int listener_tag, queue_tag;
    struct epoll_event events[256], ev = {.events = EPOLLIN, .data.ptr = &listener_tag};
    rd_kafka_queue_t *queue;
    int listener, queue_fd;

    if (argc != 5)
        return 64;
    rk = bare_kafka(RD_KAFKA_PRODUCER,
                    (const char *const[]){"bootstrap.servers", argv[2], "enable.idempotence",
                                          "true", "acks", "all", "linger.ms", argv[4], NULL});
    topic = rd_kafka_topic_new(rk, argv[3], NULL);
    queue = rd_kafka_queue_get_main(rk);
    epoll_fd = epoll_create1(0);
    listener = bare_listen((int)strtol(argv[1], NULL, 10));
    queue_fd = bare_watch_queue(epoll_fd, queue, &queue_tag);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &ev) != 0)
        bare_die("epoll");
    for (;;) {
        int n = epoll_wait(epoll_fd, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listener_tag)
                on_accept(listener);
            else if (events[i].data.ptr == &queue_tag)
                on_reports(queue_fd, queue);
            else
                on_input(events[i].data.ptr);
        }
    }
}
