#include "io/kafka_ask.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *ask_broker(void *arg)
{
    struct est_kafka_ask *ask = arg;
    const uint64_t one = 1;

    ask->code = rd_kafka_metadata(ask->rk, 0, NULL, &ask->md, ask->timeout_ms);
    (void)!write(ask->watch.fd, &one, sizeof(one)); /* an eventfd that holds 0 or 1 takes it */
    return NULL;
}

static void end(struct est_kafka_ask *ask)
{
    uint64_t n;

    (void)pthread_join(ask->thread, NULL);
    (void)!read(ask->watch.fd, &n, sizeof(n));
    ask->running = false;
}

static void drop(struct est_kafka_ask *ask)
{
    if (ask->md != NULL)
        rd_kafka_metadata_destroy(ask->md);
    ask->md = NULL;
}

static void on_answer(void *arg, uint32_t events)
{
    struct est_kafka_ask *ask = arg;

    (void)events;
    end(ask);
    ask->fn(ask->arg, ask->code, ask->code == RD_KAFKA_RESP_ERR_NO_ERROR ? ask->md : NULL);
    drop(ask);
}

est_err est_kafka_ask_init(struct est_kafka_ask *ask, struct est_loop *lp, rd_kafka_t *rk,
                           void (*fn)(void *arg, rd_kafka_resp_err_t code,
                                      const struct rd_kafka_metadata *md),
                           void *arg, struct est_why *reterr)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    *ask = (struct est_kafka_ask){.rk = rk,
                                  .loop = lp,
                                  .watch = {.fd = fd, .events = EPOLLIN, .fn = on_answer},
                                  .fn = fn,
                                  .arg = arg};
    ask->watch.arg = ask;
    if (fd < 0)
        return est_why_set(reterr, EST_ERR_IO, "eventfd: %s", strerror(errno));
    if (est_loop_watch(lp, &ask->watch) == EST_OK)
        return EST_OK;
    (void)close(fd);
    ask->watch.fd = -1;
    return est_why_set(reterr, EST_ERR_IO, "cannot watch for answers of Kafka");
}

void est_kafka_ask_fini(struct est_kafka_ask *ask)
{
    if (ask->loop == NULL || ask->watch.fd < 0)
        return;
    if (ask->running)
        end(ask);
    drop(ask);
    est_loop_unwatch(ask->loop, &ask->watch);
    (void)close(ask->watch.fd);
    ask->watch.fd = -1;
}

est_err est_kafka_ask_start(struct est_kafka_ask *ask, est_us timeout)
{
    if (ask->running)
        return EST_ERR_AGAIN;
    ask->timeout_ms = (int)(timeout / EST_MS);
    ask->running = pthread_create(&ask->thread, NULL, ask_broker, ask) == 0;
    return ask->running ? EST_OK : EST_ERR_IO;
}
