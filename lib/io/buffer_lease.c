/* Who may write and drain which boot. */
#include "io/buffer.h"

#include "io/buffer_op.h"

#include <stdio.h>
#include <string.h>

static struct est_redis_script claim_script = {
    .text = "local held = redis.call('GET', KEYS[1])\n"
            "if held and held ~= ARGV[1] then return {0, held} end\n"
            "local r = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
            "if type(r) == 'table' and r.err then return r end\n"
            "if ARGV[3] == '' then\n"
            "  redis.call('DEL', KEYS[3])\n"
            "elseif not redis.call('LPOS', KEYS[2], ARGV[3]) then\n"
            "  redis.call('RPUSH', KEYS[2], ARGV[3])\n"
            "end\n"
            "return {1, ''}\n"};

static struct est_redis_script renew_script = {.text = EST_BUFFER_FENCE
                                               "return redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"};

/* KEYS from 6 on are the streams of all types that SMEMBERS told; one more by now, and the boot is
 * not gone. One that another life has drained stays taken for a day: should its owner wake, it must
 * not go on as if its entries had been lost. */
static struct est_redis_script release_script = {
    .text = EST_BUFFER_FENCE "local gone = redis.call('SCARD', KEYS[2]) == #KEYS - 5\n"
                             "for i = 6, #KEYS do\n"
                             "  if redis.call('XLEN', KEYS[i]) > 0 then gone = false end\n"
                             "end\n"
                             "if gone then\n"
                             "  for i = 5, #KEYS do redis.call('DEL', KEYS[i]) end\n"
                             "  redis.call('DEL', KEYS[2], KEYS[3])\n"
                             "  for _, member in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do\n"
                             "    if string.sub(member, -33) == '/' .. ARGV[2] then\n"
                             "      redis.call('LREM', KEYS[4], 0, member)\n"
                             "    end\n"
                             "  end\n"
                             "end\n"
                             "if gone and ARGV[1] ~= ARGV[2] then\n"
                             "  redis.pcall('SET', KEYS[1], 'drained', 'EX', 86400)\n"
                             "else\n"
                             "  redis.call('DEL', KEYS[1])\n"
                             "end\n"
                             "return gone and 1 or 0\n"};

static struct est_redis_script adopt_script = {
    .text = "for _, member in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do\n"
            "  if string.sub(member, -33) == '/' .. ARGV[1] then\n"
            "    local r = redis.pcall('SET', KEYS[2], '1')\n"
            "    if type(r) == 'table' and r.err then return r end\n"
            "    return 1\n"
            "  end\n"
            "end\n"
            "return 0\n"};

/* --- claim --- */

static void on_claimed(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;
    struct est_view holder = est_redis_text(est_redis_item(r, 1));
    bool got = est_redis_integer(est_redis_item(r, 0)) == 1;
    char text[EST_BOOT_LEN + 1] = "";

    if (err == EST_OK && est_redis_n(r) != 2)
        err = EST_ERR_REDIS;
    if (err == EST_OK && holder.len > 0)
        (void)snprintf(text, sizeof(text), "%.*s", (int)holder.len, holder.data);
    op->fn.claim(op->arg, err, err == EST_OK && got, text);
    est_buffer_op_end(op);
}

est_err est_buffer_claim(struct est_buffer *b, const char *boot, est_buffer_claim_fn *fn, void *arg)
{
    struct est_buffer_key lease, adopt, boots = est_buffer_global(b, "boots");
    struct est_buffer_op *op;
    char member[EST_BUFFER_INSTANCE_MAX + EST_BOOT_LEN + 2] = "";

    if (!est_buffer_is_boot(boot))
        return EST_ERR_INVALID;
    op = est_buffer_op_new(b, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    op->fn.claim = fn;
    lease = est_buffer_key(b, boot, "lease", "");
    adopt = est_buffer_key(b, boot, "adopt", "");
    if (strcmp(boot, b->token) == 0)
        (void)snprintf(member, sizeof(member), "%s/%s", b->instance, boot);
    const struct est_view args[] = {est_buffer_key_view(&lease), est_buffer_key_view(&boots),
                                    est_buffer_key_view(&adopt), est_view_str(b->token),
                                    est_view_str(b->lease_ms),   est_view_str(member)};
    return est_buffer_op_sent(
        op, est_redis_script(b->redis, &claim_script, 3, 6, args, on_claimed, op));
}

/* --- renew --- */

static void on_renewed(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;

    est_buffer_see_fence(op->b, err, r);
    op->fn.done(op->arg, err);
    est_buffer_op_end(op);
}

est_err est_buffer_renew(struct est_buffer *b, const char *boot, est_buffer_done *fn, void *arg)
{
    struct est_buffer_key lease;
    struct est_buffer_op *op;

    if (!est_buffer_is_boot(boot))
        return EST_ERR_INVALID;
    op = est_buffer_op_new(b, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    op->fn.done = fn;
    lease = est_buffer_key(b, boot, "lease", "");
    const struct est_view args[] = {est_buffer_key_view(&lease), est_view_str(b->token),
                                    est_view_str(b->lease_ms)};
    return est_buffer_op_sent(
        op, est_redis_script(b->redis, &renew_script, 1, 3, args, on_renewed, op));
}

/* --- release: which types there are, then the script --- */

static void end_release(struct est_buffer_op *op, est_err err, bool gone)
{
    op->fn.release(op->arg, err, gone);
    est_buffer_op_end(op);
}

static void on_released(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;

    est_buffer_see_fence(op->b, err, r);
    end_release(op, err, err == EST_OK && est_redis_integer(r) == 1);
}

/* Types beyond the maximum, or that are no names of types, are not declared: the script then sees
 * that some are missing and lets the boot stand. */
static size_t put_streams(struct est_buffer_op *op, const struct est_redis_reply *r,
                          struct est_buffer_key *keys, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < est_redis_n(r) && n < max; i++) {
        struct est_view v = est_redis_text(est_redis_item(r, i));
        char type[EST_BUFFER_TYPE_MAX + 1];
        if (v.len > EST_BUFFER_TYPE_MAX)
            continue;
        (void)snprintf(type, sizeof(type), "%.*s", (int)v.len, v.data);
        keys[n++] = est_buffer_key(op->b, op->boot, type, "");
    }
    return n;
}

static void on_types(void *arg, est_err err, const struct est_redis_reply *r)
{
    enum { HEAD = 5 };
    struct est_buffer_op *op = arg;
    struct est_buffer_key keys[HEAD + EST_BUFFER_TYPES_MAX];
    struct est_view args[HEAD + EST_BUFFER_TYPES_MAX + 2];
    size_t n;

    if (err != EST_OK) {
        end_release(op, err, false);
        return;
    }
    keys[0] = est_buffer_key(op->b, op->boot, "lease", "");
    keys[1] = est_buffer_key(op->b, op->boot, "types", "");
    keys[2] = est_buffer_key(op->b, op->boot, "bytes", "");
    keys[3] = est_buffer_global(op->b, "boots");
    keys[4] = est_buffer_key(op->b, op->boot, "adopt", "");
    n = HEAD + put_streams(op, r, keys + HEAD, EST_BUFFER_TYPES_MAX);
    for (size_t i = 0; i < n; i++)
        args[i] = est_buffer_key_view(&keys[i]);
    args[n] = est_view_str(op->b->token);
    args[n + 1] = est_view_str(op->boot);
    err = est_redis_script(op->b->redis, &release_script, n, n + 2, args, on_released, op);
    if (err != EST_OK)
        end_release(op, err, false);
}

est_err est_buffer_release(struct est_buffer *b, const char *boot, est_buffer_release_fn *fn,
                           void *arg)
{
    struct est_buffer_key types;
    struct est_buffer_op *op;

    if (!est_buffer_is_boot(boot))
        return EST_ERR_INVALID;
    op = est_buffer_op_new(b, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    op->fn.release = fn;
    memcpy(op->boot, boot, sizeof(op->boot));
    types = est_buffer_key(b, boot, "types", "");
    const struct est_view args[] = {EST_VIEW_LIT("SMEMBERS"), est_buffer_key_view(&types)};
    return est_buffer_op_sent(op, est_redis_command(b->redis, 2, args, on_types, op));
}

/* --- adopt --- */

static void on_marked(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;

    op->fn.adopt(op->arg, err, err == EST_OK && est_redis_integer(r) == 1);
    est_buffer_op_end(op);
}

est_err est_buffer_adopt(struct est_buffer *b, const char *boot, est_buffer_adopt_fn *fn, void *arg)
{
    struct est_buffer_key adopt, boots = est_buffer_global(b, "boots");
    struct est_buffer_op *op;

    if (!est_buffer_is_boot(boot))
        return EST_ERR_INVALID;
    op = est_buffer_op_new(b, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    op->fn.adopt = fn;
    adopt = est_buffer_key(b, boot, "adopt", "");
    const struct est_view args[] = {est_buffer_key_view(&boots), est_buffer_key_view(&adopt),
                                    est_view_str(boot)};
    return est_buffer_op_sent(op,
                              est_redis_script(b->redis, &adopt_script, 2, 3, args, on_marked, op));
}
