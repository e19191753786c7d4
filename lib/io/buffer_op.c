#include "io/buffer_op.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* --- life --- */

static bool take(const char *from, char *to, size_t size)
{
    size_t n = from != NULL ? strlen(from) : 0;

    if (n >= size)
        return false;
    memcpy(to, from != NULL ? from : "", n);
    to[n] = '\0';
    return true;
}

bool est_buffer_is_boot(const char *text)
{
    return strlen(text) == EST_BOOT_LEN && strspn(text, "0123456789abcdef") == EST_BOOT_LEN;
}

bool est_buffer_is_type(const char *text)
{
    return text[0] != '\0' && strlen(text) <= EST_BUFFER_TYPE_MAX && strpbrk(text, "/:{}") == NULL;
}

bool est_buffer_is_stream(const struct est_buffer_stream *s)
{
    return est_buffer_is_boot(s->boot) && s->type != NULL && est_buffer_is_type(s->type);
}

est_err est_buffer_new(const struct est_buffer_options *opt, struct est_buffer **ret,
                       struct est_why *reterr)
{
    struct est_buffer *b = est_calloc(1, sizeof(*b));

    if (b == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the buffer");
    b->redis = opt->redis;
    b->replicas = opt->replicas;
    est_list_init(&b->ops);
    (void)snprintf(b->lease_ms, sizeof(b->lease_ms), "%lld", (long long)(opt->lease / EST_MS));
    (void)snprintf(b->wait_ms, sizeof(b->wait_ms), "%lld", (long long)(opt->wait_timeout / EST_MS));
    (void)snprintf(b->replicas_text, sizeof(b->replicas_text), "%u", opt->replicas);
    if (!take(opt->prefix, b->prefix, sizeof(b->prefix)) ||
        !take(opt->instance, b->instance, sizeof(b->instance)) ||
        !take(opt->token, b->token, sizeof(b->token)) || !est_buffer_is_boot(b->token) ||
        strpbrk(b->prefix, "{}") != NULL || opt->lease < EST_MS) {
        est_free(b);
        return est_why_set(reterr, EST_ERR_INVALID,
                           "the buffer's prefix, instance, token or lease is not valid");
    }
    *ret = b;
    return EST_OK;
}

void est_buffer_free(struct est_buffer *b)
{
    if (b == NULL)
        return;
    EST_LIST_EACH(it, &b->ops)
        est_buffer_op_end(EST_CONTAINER(it, struct est_buffer_op, node));
    est_free(b);
}

enum est_buffer_fence est_buffer_fence(const struct est_buffer *b)
{
    return b->fence;
}

void est_buffer_see_fence(struct est_buffer *b, est_err err, const struct est_redis_reply *r)
{
    if (err == EST_ERR_FENCED)
        b->fence = est_view_starts(est_redis_text(r), EST_VIEW_LIT("FENCED other"))
                       ? EST_FENCE_OTHER
                       : EST_FENCE_ABSENT;
}

/* --- keys --- */

struct est_buffer_key est_buffer_key(const struct est_buffer *b, const char *boot, const char *what,
                                     const char *more)
{
    struct est_buffer_key k;
    int n = snprintf(k.text, sizeof(k.text), "{%sbuf:%s}:%s%s", b->prefix, boot, what, more);

    k.len = (size_t)n; /* the parts are bounded: it fits */
    return k;
}

struct est_buffer_key est_buffer_global(const struct est_buffer *b, const char *name)
{
    struct est_buffer_key k;

    k.len = (size_t)snprintf(k.text, sizeof(k.text), "%s%s", b->prefix, name);
    return k;
}

/* --- operations --- */

struct est_buffer_op *est_buffer_op_new(struct est_buffer *b, void *arg)
{
    struct est_buffer_op *op = est_calloc(1, sizeof(*op));

    if (op == NULL)
        return NULL;
    op->b = b;
    op->arg = arg;
    est_list_init(&op->node);
    est_list_append(&b->ops, &op->node);
    return op;
}

void est_buffer_op_end(struct est_buffer_op *op)
{
    est_list_remove(&op->node);
    if (op->drop != NULL)
        op->drop(op->extra);
    est_free(op);
}

est_err est_buffer_op_sent(struct est_buffer_op *op, est_err err)
{
    if (err != EST_OK)
        est_buffer_op_end(op);
    return err;
}

est_err est_buffer_reboot(struct est_buffer *b, const char *token)
{
    if (!est_buffer_is_boot(token))
        return EST_ERR_INVALID;
    memcpy(b->token, token, EST_BOOT_LEN + 1);
    return EST_OK;
}
