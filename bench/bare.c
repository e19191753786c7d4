#include "bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

_Noreturn void bare_die(const char *what)
{
    perror(what);
    exit(1);
}

rd_kafka_t *bare_kafka(rd_kafka_type_t type, const char *const *properties)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256];
    rd_kafka_t *rk;

    for (; *properties != NULL; properties += 2)
        if (rd_kafka_conf_set(conf, properties[0], properties[1], text, sizeof(text)) !=
            RD_KAFKA_CONF_OK)
            bare_die(text);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_FETCH);
    rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (rk == NULL)
        bare_die(text);
    return rk;
}

int bare_listen(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const void *)&sa, sizeof(sa)) != 0 || listen(fd, 1024) != 0)
        bare_die("listen");
    return fd;
}

int bare_watch_queue(int epoll_fd, rd_kafka_queue_t *queue, void *tag)
{
    static const uint64_t one = 1;
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = tag};
    int fd = eventfd(1, EFD_NONBLOCK); /* readable at once: what is queued already fires nothing */

    if (fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        bare_die("eventfd");
    rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof(one));
    return fd;
}

size_t bare_message(const char *data, size_t n, size_t *ret_head)
{
    const char *end = memmem(data, n, "\r\n\r\n", 4), *field;
    size_t head, body = 0;

    if (end == NULL)
        return 0;
    head = (size_t)(end - data) + 4;
    for (field = data; field != NULL && field < end;
         field = memchr(field, '\n', (size_t)(end - field))) {
        field += *field == '\n';
        if (strncasecmp(field, "content-length:", 15) == 0)
            body = strtoul(field + 15, NULL, 10);
    }
    *ret_head = head;
    return n >= head + body ? head + body : 0;
}
