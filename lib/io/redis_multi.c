/* Transactions: one call, one callback, and an answer for each of the commands that go out. */
#include "base/assert.h"
#include "base/mem.h"
#include "io/redis.h"
#include "io/redis_link.h"

struct multi {
    struct est_node node;
    est_redis_fn *fn; /* NULL: it could not be sent as a whole, nobody is told */
    void *arg;
    est_err err; /* the first */
    size_t due;  /* answers to come; the last is EXEC's */
};

static void end(struct multi *m)
{
    est_list_remove(&m->node);
    est_free(m);
}

static void on_answer(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct multi *m = arg;

    if (m->err == EST_OK)
        m->err = err;
    if (--m->due > 0)
        return;
    if (m->fn != NULL)
        m->fn(m->arg, m->err, m->err == EST_OK ? r : NULL);
    end(m);
}

static est_err put(struct est_redis *r, struct multi *m, size_t n, const struct est_view *args)
{
    est_err err = est_redis_command(r, n, args, on_answer, m);

    m->due += err == EST_OK;
    return err;
}

static est_err put_all(struct est_redis *r, struct multi *m, size_t n_commands,
                       const struct est_redis_words *commands)
{
    const struct est_view begin = EST_VIEW_LIT("MULTI"), exec = EST_VIEW_LIT("EXEC");
    est_err err = put(r, m, 1, &begin);

    for (size_t i = 0; err == EST_OK && i < n_commands; i++)
        err = put(r, m, commands[i].n, commands[i].args);
    return err == EST_OK ? put(r, m, 1, &exec) : err;
}

/* With half of it sent the server would take all that follows for the rest: only a new connection
 * ends that. */
est_err est_redis_multi(struct est_redis *r, size_t n_commands,
                        const struct est_redis_words *commands, est_redis_fn *fn, void *arg)
{
    struct multi *m = est_calloc(1, sizeof(*m));
    est_err err;

    EST_ASSERT(n_commands > 0 && n_commands <= EST_REDIS_MULTI_MAX);
    if (m == NULL)
        return EST_ERR_NOMEM;
    m->fn = fn;
    m->arg = arg;
    est_list_append(&r->multis, &m->node);
    err = put_all(r, m, n_commands, commands);
    if (err == EST_OK)
        return EST_OK;
    m->fn = NULL;
    if (m->due == 0)
        end(m);
    else if (est_redis_is_up(r))
        est_redis_link_fall(r, err, "half a transaction was sent");
    return err;
}

void est_redis_multi_free(struct est_redis *r)
{
    EST_LIST_EACH(it, &r->multis)
        end(EST_CONTAINER(it, struct multi, node));
}
