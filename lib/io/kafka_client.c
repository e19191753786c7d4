#include "kafka_client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 1000 };

static est_err set(rd_kafka_conf_t *conf, const char *name, const char *value,
                   struct est_why *reterr)
{
    char text[160];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
        return EST_OK;
    return est_why_set(reterr, EST_ERR_INVALID, "Kafka property %s: %s", name, text);
}

est_err est_kafka_configure(rd_kafka_conf_t *conf, const struct est_kafka_setting *settings,
                            size_t n, struct est_why *reterr)
{
    for (size_t i = 0; i < n; i++) {
        const struct est_kafka_setting *s = &settings[i];
        char number[24];
        est_err err;
        (void)snprintf(number, sizeof(number), "%" PRId64, s->number);
        err = set(conf, s->name, s->text ? s->text : number, reterr);
        if (err != EST_OK)
            return err;
    }
    return EST_OK;
}

static bool is_fixed(const char *name)
{
    static const char *const fixed[] = {
        "enable.idempotence",
        "acks",
        "request.required.acks",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "partition.assignment.strategy",
        "log.queue",
        "group.id",
        "enable.gapless.guarantee",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "queuing.strategy",
        "delivery.report.only.error",
        "transactional.id",
    };

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (strcmp(name, fixed[i]) == 0)
            return true;
    return false;
}

est_err est_kafka_configure_extra(rd_kafka_conf_t *conf, const struct est_kafka_option *extra,
                                  size_t n, struct est_why *reterr)
{
    for (size_t i = 0; i < n; i++) {
        est_err err =
            is_fixed(extra[i].name)
                ? est_why_set(reterr, EST_ERR_INVALID,
                              "kafka.options: %s cannot be changed: no loss and order rest on it",
                              extra[i].name)
                : set(conf, extra[i].name, extra[i].value, reterr);
        if (err != EST_OK)
            return err;
    }
    return EST_OK;
}

est_err est_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t **conf, rd_kafka_t **ret,
                      struct est_why *reterr)
{
    char text[160];
    rd_kafka_t *rk = rd_kafka_new(type, *conf, text, sizeof(text));

    if (rk == NULL)
        return est_why_set(reterr, EST_ERR_INVALID, "Kafka client: %s", text);
    *conf = NULL;
    *ret = rk;
    return EST_OK;
}

est_err est_kafka_open(rd_kafka_type_t type, const struct est_kafka_setting *settings, size_t n,
                       const struct est_kafka_option *extra, size_t n_extra, rd_kafka_t **ret,
                       struct est_why *reterr)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    est_err err = est_kafka_configure(conf, settings, n, reterr);

    if (err == EST_OK)
        err = est_kafka_configure_extra(conf, extra, n_extra, reterr);
    if (err == EST_OK)
        err = est_kafka_new(type, &conf, ret, reterr);
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    return err;
}

void est_kafka_wake_soon(const struct est_kafka_wake *w)
{
    const uint64_t one = 1;

    (void)!write(w->fd, &one, sizeof(one)); /* fails only when the counter is full: awake anyway */
}

static bool handle_one(struct est_kafka_wake *w, int wait_ms)
{
    rd_kafka_event_t *ev = rd_kafka_queue_poll(w->queue, wait_ms);

    if (ev == NULL)
        return false;
    w->fn(w->arg, ev);
    if (!w->fn_takes)
        rd_kafka_event_destroy(ev);
    return true;
}

static void on_readable(void *arg, uint32_t events)
{
    struct est_kafka_wake *w = arg;
    uint64_t count;

    (void)events;
    (void)!read(w->fd, &count, sizeof(count));
    for (int i = 0; i < EVENTS_PER_TURN; i++) {
        if (w->queue == NULL || w->held)
            return;
        if (!handle_one(w, 0)) {
            if (w->fn_empty != NULL)
                w->fn_empty(w->arg);
            return;
        }
    }
    est_kafka_wake_soon(w);
}

est_err est_kafka_wake_init(struct est_kafka_wake *w, struct est_loop *lp, rd_kafka_queue_t *queue,
                            void (*fn)(void *arg, rd_kafka_event_t *ev), void *arg,
                            struct est_why *reterr)
{
    static const uint64_t one = 1;

    *w = (struct est_kafka_wake){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
                                 .loop = lp,
                                 .queue = queue,
                                 .fn = fn,
                                 .arg = arg};
    if (w->fd < 0)
        return est_why_set(reterr, EST_ERR_IO, "eventfd: %s", strerror(errno));
    w->watch = (struct est_watch){.fd = w->fd, .events = EPOLLIN, .fn = on_readable, .arg = w};
    if (est_loop_watch(lp, &w->watch) != EST_OK)
        return est_why_set(reterr, EST_ERR_IO, "epoll: %s", strerror(errno));
    rd_kafka_queue_io_event_enable(queue, w->fd, &one, sizeof(one));
    est_kafka_wake_soon(w); /* what was queued before it was armed fires nothing */
    return EST_OK;
}

void est_kafka_wake_fini(struct est_kafka_wake *w)
{
    if (w->fd < 0)
        return;
    if (w->queue != NULL)
        rd_kafka_queue_io_event_enable(w->queue, -1, NULL, 0);
    est_loop_unwatch(w->loop, &w->watch);
    (void)close(w->fd);
    w->fd = -1;
    w->queue = NULL;
}

void est_kafka_wake_hold(struct est_kafka_wake *w, bool held)
{
    w->held = held;
    if (!held)
        est_kafka_wake_soon(w);
}

void est_kafka_wake_wait(struct est_kafka_wake *w, est_us wait)
{
    if (!handle_one(w, (int)(wait / EST_MS)))
        return;
    while (handle_one(w, 0)) {
    }
}
