#include "io/redis_conn.h"

#include "base/mem.h"
#include "io/redis_objects.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <hiredis/sds.h>
#include <stdio.h>
#include <sys/epoll.h>

/* redisAsyncHandleRead reads so much at most. */
enum { READ_SIZE = 16 * 1024 };

struct est_redis_conn {
    struct est_loop *loop;
    struct est_redis_conn_handlers h;
    redisAsyncContext *ac;             /* NULL once hiredis has freed it */
    struct est_redis_objects *objects; /* outlive the context */
    struct est_watch watch;
    bool watched, in_event, freed;
    size_t reads; /* since the last whole answer */
    est_us heard;
    char detail[128]; /* why it ended */
};

/* --- what hiredis asks of an event loop --- */

static void want(struct est_redis_conn *c, uint32_t set, uint32_t clear)
{
    uint32_t events = (c->watch.events | set) & ~clear;

    if (c->watched)
        est_loop_watch_events(c->loop, &c->watch, events);
}

static void add_read(void *arg)
{
    want(arg, EPOLLIN, 0);
}

static void del_read(void *arg)
{
    want(arg, 0, EPOLLIN);
}

static void add_write(void *arg)
{
    want(arg, EPOLLOUT, 0);
}

static void del_write(void *arg)
{
    want(arg, 0, EPOLLOUT);
}

static void unwatch(struct est_redis_conn *c)
{
    if (c->watched)
        est_loop_unwatch(c->loop, &c->watch);
    c->watched = false;
}

/* hiredis frees its context, in every way that a connection ends. */
static void on_cleanup(void *arg)
{
    struct est_redis_conn *c = arg;

    unwatch(c);
    if (c->detail[0] == '\0')
        (void)snprintf(c->detail, sizeof(c->detail), "%s",
                       c->ac->errstr != NULL && c->ac->errstr[0] != '\0' ? c->ac->errstr
                                                                         : "connection closed");
    c->ac->data = NULL;
    c->ac = NULL;
}

/* Takes hiredis' context out of our hands, from inside its callbacks, too: it is freed when they
 * return, and must not find us any more. */
static void drop_context(struct est_redis_conn *c)
{
    redisAsyncContext *ac = c->ac;

    if (ac == NULL)
        return;
    unwatch(c);
    c->ac = NULL;
    ac->data = NULL;
    ac->ev.addRead = ac->ev.delRead = ac->ev.addWrite = ac->ev.delWrite = NULL;
    ac->ev.cleanup = NULL;
    redisAsyncFree(ac);
}

static void on_answer(redisAsyncContext *ac, void *reply, void *unused)
{
    struct est_redis_conn *c = ac->data;

    (void)unused;
    if (c == NULL || reply == NULL) /* NULL: the connection ends, `gone` tells */
        return;
    c->reads = 0;
    c->h.answer(c->h.arg, reply);
}

static void end(struct est_redis_conn *c)
{
    est_redis_objects_free(c->objects);
    est_free(c);
}

/* --- events --- */

static void handle(struct est_redis_conn *c, uint32_t events)
{
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
        c->heard = est_loop_now(c->loop);
        if (++c->reads > EST_REDIS_REPLY_MAX / READ_SIZE) {
            (void)snprintf(c->detail, sizeof(c->detail), "an answer of more than %d MiB",
                           EST_REDIS_REPLY_MAX / (1024 * 1024));
            drop_context(c);
            return;
        }
        redisAsyncHandleRead(c->ac);
    }
    if (c->ac != NULL && (events & EPOLLOUT) != 0)
        redisAsyncHandleWrite(c->ac);
}

static void on_event(void *arg, uint32_t events)
{
    struct est_redis_conn *c = arg;

    c->in_event = true;
    handle(c, events);
    c->in_event = false;
    if (c->freed)
        end(c);
    else if (c->ac == NULL)
        c->h.gone(c->h.arg, c->detail);
}

/* --- life --- */

static est_err attach(struct est_redis_conn *c, redisAsyncContext *ac)
{
    c->watch = (struct est_watch){.fd = ac->c.fd, .events = 0, .fn = on_event, .arg = c};
    if (est_loop_watch(c->loop, &c->watch) != EST_OK)
        return EST_ERR_IO;
    c->watched = true;
    ac->data = c;
    ac->ev.data = c;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = on_cleanup;
    add_write(c); /* tells when it is connected */
    return EST_OK;
}

est_err est_redis_conn_new(struct est_loop *lp, const struct est_redis_target *to,
                           const struct est_redis_conn_handlers *h, struct est_redis_conn **ret,
                           struct est_why *reterr)
{
    struct est_redis_conn *c = est_calloc(1, sizeof(*c));
    redisAsyncContext *ac = NULL;
    est_err err = EST_ERR_NOMEM;

    if (c != NULL)
        c->objects = est_redis_objects_new();
    if (c != NULL && c->objects != NULL)
        ac = to->path[0] != '\0' ? redisAsyncConnectUnix(to->path)
                                 : redisAsyncConnect(to->host, to->port);
    if (ac == NULL)
        goto fail;
    est_redis_objects_use(c->objects, ac->c.reader);
    err = EST_ERR_CONNECT;
    c->loop = lp;
    c->h = *h;
    c->ac = ac;
    if (ac->err != 0 || (to->tls != NULL && !est_redis_tls_start(to->tls, ac, to->host)) ||
        attach(c, ac) != EST_OK)
        goto fail;
#if HIREDIS_MAJOR >= 1
    ac->c.reader->maxelements = 1 << 20;
#endif
    *ret = c;
    return EST_OK;
fail:
    (void)est_why_set(reterr, err, "%s",
                      ac != NULL && ac->err != 0 ? ac->errstr : "the connection cannot be set up");
    est_redis_conn_free(c);
    return err;
}

void est_redis_conn_free(struct est_redis_conn *c)
{
    if (c == NULL || c->freed)
        return;
    drop_context(c);
    c->freed = true;
    if (!c->in_event)
        end(c);
}

/* hiredis looks for the first argument with strchr(): it must not run out of the bytes. */
bool est_redis_conn_send(struct est_redis_conn *c, struct est_buf *wire)
{
    if (c->ac == NULL || est_buf_err(wire) != EST_OK || !est_buf_reserve(wire, 1))
        return false;
    wire->data[wire->len] = '\0';
    return redisAsyncFormattedCommand(c->ac, on_answer, NULL, wire->data, wire->len) == REDIS_OK;
}

bool est_redis_conn_is_open(const struct est_redis_conn *c)
{
    return c->ac != NULL && (c->ac->c.flags & REDIS_CONNECTED) != 0;
}

size_t est_redis_conn_unsent(const struct est_redis_conn *c)
{
    return c->ac != NULL ? sdslen(c->ac->c.obuf) : 0;
}

est_us est_redis_conn_heard(const struct est_redis_conn *c)
{
    return c->heard;
}
