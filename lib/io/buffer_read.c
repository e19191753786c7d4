/* Reading a stream from a place on. As a plain XRANGE beside a look at the lease, in one
 * transaction, where it is known how large an entry can be; else by a script, which stops when it
 * has enough. The script costs Redis three times as much: each string goes through Lua. */
#include "io/buffer.h"

#include "io/buffer_op.h"

#include <stdio.h>
#include <string.h>

/* Flat: whether this was the end, the size that no entry exceeds (0 = not known), then id, id,
 * chain and record of each entry. In pieces, because the size of what a count brings is not known
 * before. from, count, max and largest are locals set before. */
#define READ_BODY                                                              \
    "local out, n, size = {0, largest}, 0, 0\n"                                \
    "while n < count do\n"                                                     \
    "  local want = math.min(count - n, 32)\n"                                 \
    "  local got = redis.call('XRANGE', stream, from, '+', 'COUNT', want)\n"   \
    "  for _, e in ipairs(got) do\n"                                           \
    "    local f, at = e[2], 4 * n + 3\n"                                      \
    "    local ours = f[1] == 'id' and f[3] == 'chain' and f[5] == 'record'\n" \
    "    out[at] = e[1]\n"                                                     \
    "    out[at + 1] = ours and f[2]\n"                                        \
    "    out[at + 2] = ours and f[4]\n"                                        \
    "    out[at + 3] = ours and f[6]\n"                                        \
    "    n = n + 1\n"                                                          \
    "    if ours then size = size + #f[2] + #f[4] + #f[6] end\n"               \
    "    if size >= max then return out end\n"                                 \
    "  end\n"                                                                  \
    "  if #got < want then out[1] = 1 return out end\n"                        \
    "  from = '(' .. got[#got][1]\n"                                           \
    "end\n"                                                                    \
    "return out\n"

enum { FLAT_HEAD = 2, FLAT_EACH = 4 };

static struct est_redis_script read_script = {
    .text = EST_BUFFER_FENCE
    "local stream, from = KEYS[2], ARGV[2]\n"
    "local count, max = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
    "local largest = tonumber(redis.call('HGET', KEYS[3], ARGV[5]) or 0)\n" READ_BODY};

static struct est_redis_script peek_script = {
    .text = "local stream, from, largest = KEYS[1], ARGV[1], 0\n"
            "local count, max = tonumber(ARGV[2]), tonumber(ARGV[3])\n" READ_BODY};

/* --- one entry of an answer --- */

static bool take_id(const struct est_redis_reply *r, struct est_buffer_entry *e)
{
    struct est_view id = est_redis_text(r);

    *e = (struct est_buffer_entry){.bytes = 0};
    if (id.len == 0 || id.len > EST_BUFFER_ID_MAX)
        return false;
    memcpy(e->stream_id, id.data, id.len);
    e->stream_id[id.len] = '\0';
    return true;
}

static void take_fields(struct est_buffer_entry *e, const struct est_redis_reply *id,
                        const struct est_redis_reply *chain, const struct est_redis_reply *record)
{
    e->id = est_redis_text(id);
    e->chain = est_redis_text(chain);
    e->record = est_redis_text(record);
    e->bytes = (uint64_t)e->id.len + e->chain.len + e->record.len;
}

static bool take_flat(const struct est_redis_reply *r, size_t i, struct est_buffer_entry *e)
{
    size_t at = FLAT_HEAD + FLAT_EACH * i;

    if (!take_id(est_redis_item(r, at), e))
        return false;
    take_fields(e, est_redis_item(r, at + 1), est_redis_item(r, at + 2), est_redis_item(r, at + 3));
    return true;
}

/* [stream id, [name, value, …]], as XRANGE has it. What is none of ours keeps absent views. */
static bool take_nested(const struct est_redis_reply *r, size_t i, struct est_buffer_entry *e)
{
    const struct est_redis_reply *entry = est_redis_item(r, i);
    const struct est_redis_reply *f = est_redis_item(entry, 1);

    if (!take_id(est_redis_item(entry, 0), e))
        return false;
    if (est_redis_n(f) >= 6 && est_view_is(est_redis_text(est_redis_item(f, 0)), "id") &&
        est_view_is(est_redis_text(est_redis_item(f, 2)), "chain") &&
        est_view_is(est_redis_text(est_redis_item(f, 4)), "record"))
        take_fields(e, est_redis_item(f, 1), est_redis_item(f, 3), est_redis_item(f, 5));
    return true;
}

/* --- answers --- */

/* An answer that we did not make is refused as a whole. */
static void give(struct est_buffer_op *op, const struct est_redis_reply *r, size_t n, bool end,
                 bool (*take)(const struct est_redis_reply *, size_t, struct est_buffer_entry *))
{
    struct est_buffer_entry entries[EST_BUFFER_ENTRIES_MAX];
    est_err err = n > op->n ? EST_ERR_REDIS : EST_OK;

    for (size_t i = 0; err == EST_OK && i < n; i++)
        if (!take(r, i, &entries[i]))
            err = EST_ERR_REDIS;
    if (err == EST_OK)
        op->fn.read(op->arg, EST_OK, entries, n, end);
    else
        op->fn.read(op->arg, err, NULL, 0, false);
    est_buffer_op_end(op);
}

static void fail(struct est_buffer_op *op, est_err err)
{
    op->fn.read(op->arg, err, NULL, 0, false);
    est_buffer_op_end(op);
}

static void on_flat(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;
    size_t items = est_redis_n(r);
    int64_t largest = est_redis_integer(est_redis_item(r, 1));

    est_buffer_see_fence(op->b, err, r);
    if (err == EST_OK && items % FLAT_EACH != FLAT_HEAD)
        err = EST_ERR_REDIS;
    if (err != EST_OK) {
        fail(op, err);
        return;
    }
    if (largest > 0) {
        struct est_buffer_stream s = {.type = op->type};
        memcpy(s.boot, op->boot, sizeof(s.boot));
        est_buffer_largest_told(op->b, &s, (uint64_t)largest);
    }
    give(op, r, items / FLAT_EACH, est_redis_integer(est_redis_item(r, 0)) == 1, take_flat);
}

/* [the lease's holder, the entries] */
static void on_plain(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;
    const struct est_redis_reply *held = est_redis_item(r, 0), *entries = est_redis_item(r, 1);

    if (err == EST_OK && (est_redis_n(r) != 2 || est_redis_kind(entries) != EST_REDIS_ARRAY))
        err = EST_ERR_REDIS;
    if (err == EST_OK && !est_view_is(est_redis_text(held), op->b->token)) {
        op->b->fence = est_redis_kind(held) == EST_REDIS_NIL ? EST_FENCE_ABSENT : EST_FENCE_OTHER;
        err = EST_ERR_FENCED;
    }
    if (err != EST_OK)
        fail(op, err);
    else
        give(op, entries, est_redis_n(entries), est_redis_n(entries) < op->n, take_nested);
}

/* --- asking --- */

static struct est_buffer_op *read_op(struct est_buffer *b, const struct est_buffer_stream *s,
                                     size_t count, est_buffer_read_fn *fn, void *arg)
{
    struct est_buffer_op *op = est_buffer_op_new(b, arg);

    if (op != NULL) {
        op->fn.read = fn;
        op->n = count;
        (void)snprintf(op->type, sizeof(op->type), "%s", s->type);
        memcpy(op->boot, s->boot, sizeof(op->boot));
    }
    return op;
}

static bool is_bounded(const struct est_buffer *b, const struct est_buffer_stream *s, size_t count)
{
    uint64_t largest = est_buffer_largest(b, s);

    return largest > 0 && largest <= EST_BUFFER_READ_BYTES / count;
}

static est_err read_plain(struct est_buffer_op *op, struct est_view lease, struct est_view stream,
                          struct est_view from, struct est_view count)
{
    const struct est_view get[] = {EST_VIEW_LIT("GET"), lease};
    const struct est_view range[] = {EST_VIEW_LIT("XRANGE"), stream, from, EST_VIEW_LIT("+"),
                                     EST_VIEW_LIT("COUNT"),  count};
    const struct est_redis_words words[] = {{2, get}, {6, range}};

    return est_redis_multi(op->b->redis, 2, words, on_plain, op);
}

static est_err read_script_of(struct est_buffer_op *op, const struct est_buffer_stream *s,
                              struct est_view lease, struct est_view stream, struct est_view from,
                              struct est_view count)
{
    struct est_buffer_key sizes = est_buffer_key(op->b, s->boot, "bytes", "");
    char max[24], field[EST_BUFFER_TYPE_MAX + 2];

    (void)snprintf(max, sizeof(max), "%d", EST_BUFFER_READ_BYTES);
    (void)snprintf(field, sizeof(field), ":%s", s->type);
    const struct est_view args[] = {
        lease, stream, est_buffer_key_view(&sizes), est_view_str(op->b->token),
        from,  count,  est_view_str(max),           est_view_str(field)};
    return est_redis_script(op->b->redis, &read_script, 3, 8, args, on_flat, op);
}

est_err est_buffer_read(struct est_buffer *b, const struct est_buffer_stream *s, const char *after,
                        size_t count, est_buffer_read_fn *fn, void *arg)
{
    struct est_buffer_key lease, stream;
    struct est_buffer_op *op;
    char from[EST_BUFFER_ID_MAX + 2] = "-", text[24];
    est_err err;

    if (count == 0 || count > EST_BUFFER_ENTRIES_MAX || !est_buffer_is_stream(s) ||
        (after != NULL && strlen(after) > EST_BUFFER_ID_MAX))
        return EST_ERR_INVALID;
    op = read_op(b, s, count, fn, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    lease = est_buffer_key(b, s->boot, "lease", "");
    stream = est_buffer_key(b, s->boot, s->type, "");
    if (after != NULL)
        (void)snprintf(from, sizeof(from), "(%s", after);
    (void)snprintf(text, sizeof(text), "%zu", count);
    if (is_bounded(b, s, count))
        err = read_plain(op, est_buffer_key_view(&lease), est_buffer_key_view(&stream),
                         est_view_str(from), est_view_str(text));
    else
        err = read_script_of(op, s, est_buffer_key_view(&lease), est_buffer_key_view(&stream),
                             est_view_str(from), est_view_str(text));
    return est_buffer_op_sent(op, err);
}

est_err est_buffer_peek(struct est_buffer *b, const struct est_buffer_stream *s, bool refused,
                        const char *after, size_t count, est_buffer_read_fn *fn, void *arg)
{
    struct est_buffer_key stream;
    struct est_buffer_op *op;
    char from[EST_BUFFER_ID_MAX + 2] = "-", text[24], max[24];

    if (count == 0 || count > EST_BUFFER_ENTRIES_MAX || !est_buffer_is_stream(s) ||
        (after != NULL && strlen(after) > EST_BUFFER_ID_MAX))
        return EST_ERR_INVALID;
    op = read_op(b, s, count, fn, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    stream = est_buffer_key(b, s->boot, s->type, refused ? ":refused" : "");
    if (after != NULL)
        (void)snprintf(from, sizeof(from), "(%s", after);
    (void)snprintf(text, sizeof(text), "%zu", count);
    (void)snprintf(max, sizeof(max), "%d", EST_BUFFER_READ_BYTES);
    const struct est_view args[] = {est_buffer_key_view(&stream), est_view_str(from),
                                    est_view_str(text), est_view_str(max)};
    return est_buffer_op_sent(op,
                              est_redis_script(b->redis, &peek_script, 1, 4, args, on_flat, op));
}
