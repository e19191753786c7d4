#include "io/buffer.h"

#include "io/buffer_op.h"

#include <stdio.h>
#include <string.h>

/* pcall, so that Redis 6 hands on its own words ("OOM …") instead of wrapping them. Redis refuses
 * the first write of a script or none: it does not run out of memory between two of them. */
static struct est_redis_script append_script = {
    .text = EST_BUFFER_FENCE
    "for i = 5, #ARGV, 3 do\n"
    "  local r = redis.pcall('XADD', KEYS[2], '*', 'id', ARGV[i], 'chain', ARGV[i + 1],\n"
    "                        'record', ARGV[i + 2])\n"
    "  if type(r) == 'table' and r.err then return r end\n"
    "end\n"
    "redis.call('SADD', KEYS[3], ARGV[2])\n"
    "redis.call('HINCRBY', KEYS[4], ARGV[2], ARGV[3])\n"
    "local largest = redis.call('HGET', KEYS[4], ':' .. ARGV[2])\n"
    "if tonumber(largest or 0) < tonumber(ARGV[4]) then\n"
    "  redis.call('HSET', KEYS[4], ':' .. ARGV[2], ARGV[4])\n"
    "end\n"
    "return (#ARGV - 4) / 3\n"};

/* Of entries that were gone already nobody knows the size: a share is taken off instead, and an
 * empty stream has 0 bytes in any case. The bytes are KEYS[3], of the type ARGV[2]. */
#define TAKE_OFF                                                          \
    "if off > 0 then redis.call('HINCRBY', KEYS[3], ARGV[2], -off) end\n" \
    "if redis.call('XLEN', KEYS[2]) == 0 then redis.call('HDEL', KEYS[3], ARGV[2], ':' .. ARGV[2]) end\n"

static struct est_redis_script remove_script = {
    .text = EST_BUFFER_FENCE
    "local n, want = redis.call('XDEL', KEYS[2], unpack(ARGV, 4)), #ARGV - 3\n"
    "local off = tonumber(ARGV[3])\n"
    "if n < want then off = math.floor(off * n / want) end\n" TAKE_OFF "return n\n"};

static struct est_redis_script refuse_script = {
    .text = EST_BUFFER_FENCE "local got = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])\n"
                             "if #got == 0 then return 0 end\n"
                             "local f = got[1][2]\n"
                             "f[#f + 1] = 'reason'\n"
                             "f[#f + 1] = ARGV[5]\n"
                             "local r = redis.pcall('XADD', KEYS[4], '*', unpack(f))\n"
                             "if type(r) == 'table' and r.err then return r end\n"
                             "redis.call('SADD', KEYS[5], ARGV[6])\n"
                             "redis.call('XDEL', KEYS[2], ARGV[3])\n"
                             "local off = tonumber(ARGV[4])\n" TAKE_OFF "return 1\n"};

/* --- append --- */

static void finish_append(struct est_buffer_op *op)
{
    op->fn.n(op->arg, op->err, op->err == EST_OK ? op->n : 0);
    est_buffer_op_end(op);
}

static void on_waited(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;

    op->waits = false;
    if (!op->appended) /* the script was sent once more (NOSCRIPT): this says nothing of it */
        return;
    if (op->err == EST_OK)
        op->err = err;
    if (op->err == EST_OK && est_redis_integer(r) < (int64_t)op->b->replicas)
        op->err = EST_ERR_REDIS_REPLICAS;
    finish_append(op);
}

static void send_wait(struct est_buffer_op *op)
{
    const struct est_view args[] = {EST_VIEW_LIT("WAIT"), est_view_str(op->b->replicas_text),
                                    est_view_str(op->b->wait_ms)};

    op->waits = est_redis_command(op->b->redis, 3, args, on_waited, op) == EST_OK;
}

/* WAIT goes with the script, and holds up what is sent behind both: no read tells of the entries
 * before their append is answered. */
static void on_appended(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;

    est_buffer_see_fence(op->b, err, r);
    op->appended = true;
    op->err = err == EST_OK && est_redis_integer(r) != (int64_t)op->n ? EST_ERR_REDIS : err;
    if (op->waits)
        return;
    if (op->err == EST_OK && op->b->replicas > 0) {
        send_wait(op);
        if (op->waits)
            return;
        op->err = EST_ERR_REDIS_REPLICAS;
    }
    finish_append(op);
}

est_err est_buffer_append(struct est_buffer *b, const struct est_buffer_stream *s,
                          const struct est_buffer_entry *entries, size_t n, est_buffer_n_fn *fn,
                          void *arg)
{
    enum { HEAD = 4 + 4 };
    struct est_view args[HEAD + 3 * EST_BUFFER_ENTRIES_MAX];
    struct est_buffer_key lease = est_buffer_key(b, s->boot, "lease", "");
    struct est_buffer_key stream, types = est_buffer_key(b, s->boot, "types", "");
    struct est_buffer_key sizes = est_buffer_key(b, s->boot, "bytes", "");
    struct est_buffer_op *op;
    uint64_t bytes = 0, largest = 0;
    char text[24], largest_text[24];
    est_err err;

    if (n == 0 || n > EST_BUFFER_ENTRIES_MAX || !est_buffer_is_stream(s))
        return EST_ERR_INVALID;
    op = est_buffer_op_new(b, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    op->fn.n = fn;
    op->n = n;
    stream = est_buffer_key(b, s->boot, s->type, "");
    for (size_t i = 0; i < n; i++) {
        struct est_view *at = &args[HEAD + 3 * i];
        at[0] = entries[i].id;
        at[1] = entries[i].chain;
        at[2] = entries[i].record;
        uint64_t size = (uint64_t)at[0].len + at[1].len + at[2].len;
        bytes += size;
        largest = size > largest ? size : largest;
    }
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
    (void)snprintf(largest_text, sizeof(largest_text), "%llu", (unsigned long long)largest);
    args[0] = est_buffer_key_view(&lease);
    args[1] = est_buffer_key_view(&stream);
    args[2] = est_buffer_key_view(&types);
    args[3] = est_buffer_key_view(&sizes);
    args[4] = est_view_str(b->token);
    args[5] = est_view_str(s->type);
    args[6] = est_view_str(text);
    args[7] = est_view_str(largest_text);
    est_buffer_largest_add(b, s, largest);
    err = est_redis_script(b->redis, &append_script, 4, HEAD + 3 * n, args, on_appended, op);
    if (err == EST_OK && b->replicas > 0)
        send_wait(op);
    return est_buffer_op_sent(op, err);
}

/* --- remove, refuse --- */

static void on_done(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;

    est_buffer_see_fence(op->b, err, r);
    op->fn.done(op->arg, err);
    est_buffer_op_end(op);
}

static struct est_buffer_op *done_op(struct est_buffer *b, est_buffer_done *fn, void *arg)
{
    struct est_buffer_op *op = est_buffer_op_new(b, arg);

    if (op != NULL)
        op->fn.done = fn;
    return op;
}

est_err est_buffer_remove(struct est_buffer *b, const struct est_buffer_stream *s,
                          const char *const *stream_ids, size_t n, uint64_t bytes,
                          est_buffer_done *fn, void *arg)
{
    enum { HEAD = 3 + 3 };
    struct est_view args[HEAD + EST_BUFFER_ENTRIES_MAX];
    struct est_buffer_key lease, stream, sizes;
    struct est_buffer_op *op;
    char text[24];

    if (n == 0 || n > EST_BUFFER_ENTRIES_MAX || !est_buffer_is_stream(s))
        return EST_ERR_INVALID;
    op = done_op(b, fn, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    lease = est_buffer_key(b, s->boot, "lease", "");
    stream = est_buffer_key(b, s->boot, s->type, "");
    sizes = est_buffer_key(b, s->boot, "bytes", "");
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
    args[0] = est_buffer_key_view(&lease);
    args[1] = est_buffer_key_view(&stream);
    args[2] = est_buffer_key_view(&sizes);
    args[3] = est_view_str(b->token);
    args[4] = est_view_str(s->type);
    args[5] = est_view_str(text);
    for (size_t i = 0; i < n; i++)
        args[HEAD + i] = est_view_str(stream_ids[i]);
    return est_buffer_op_sent(
        op, est_redis_script(b->redis, &remove_script, 3, HEAD + n, args, on_done, op));
}

est_err est_buffer_refuse(struct est_buffer *b, const struct est_buffer_stream *s,
                          const struct est_buffer_entry *entry, const char *reason,
                          est_buffer_done *fn, void *arg)
{
    struct est_buffer_key lease, stream, sizes, refused, all = est_buffer_global(b, "refused");
    struct est_buffer_op *op;
    char text[24], member[EST_BOOT_LEN + EST_BUFFER_TYPE_MAX + 2];

    if (!est_buffer_is_stream(s))
        return EST_ERR_INVALID;
    op = done_op(b, fn, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    lease = est_buffer_key(b, s->boot, "lease", "");
    stream = est_buffer_key(b, s->boot, s->type, "");
    sizes = est_buffer_key(b, s->boot, "bytes", "");
    refused = est_buffer_key(b, s->boot, s->type, ":refused");
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)entry->bytes);
    (void)snprintf(member, sizeof(member), "%s/%s", s->boot, s->type);
    const struct est_view args[] = {est_buffer_key_view(&lease), est_buffer_key_view(&stream),
                                    est_buffer_key_view(&sizes), est_buffer_key_view(&refused),
                                    est_buffer_key_view(&all),   est_view_str(b->token),
                                    est_view_str(s->type),       est_view_str(entry->stream_id),
                                    est_view_str(text),          est_view_str(reason),
                                    est_view_str(member)};
    return est_buffer_op_sent(op,
                              est_redis_script(b->redis, &refuse_script, 5, 11, args, on_done, op));
}
