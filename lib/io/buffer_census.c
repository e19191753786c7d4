/* What waits in Redis, and what it remembers of Kafka's topics. */
#include "io/buffer.h"

#include "base/mem.h"
#include "io/buffer_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Holder, milliseconds left, adopt, then length, bytes and age of each stream (KEYS from 4 on;
 * their types are ARGV). */
static struct est_redis_script status_script = {
    .text = "local t = redis.call('TIME')\n"
            "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
            "local out = {redis.call('GET', KEYS[1]) or '', redis.call('PTTL', KEYS[1]),\n"
            "             redis.call('EXISTS', KEYS[3])}\n"
            "for i = 4, #KEYS do\n"
            "  local first, age = redis.call('XRANGE', KEYS[i], '-', '+', 'COUNT', 1), 0\n"
            "  if first[1] then\n"
            "    age = math.max(1, now - tonumber(string.match(first[1][1], '^%d+')))\n"
            "  end\n"
            "  out[#out + 1] = redis.call('XLEN', KEYS[i])\n"
            "  out[#out + 1] = redis.call('HGET', KEYS[2], ARGV[i - 3]) or '0'\n"
            "  out[#out + 1] = age\n"
            "end\n"
            "return out\n"};

enum { STATUS_HEAD = 3, STATUS_EACH = 3 };

struct census;

/* One boot's question. */
struct place {
    struct census *c;
    size_t at;
};

/* The list, then the types of each boot, then the status of each boot. Belongs to its operation. */
struct census {
    struct est_buffer_op *op;
    est_buffer_boots_fn *fn;
    struct est_buffer_boot *boots;
    struct place *places;
    size_t n, due; /* due: answers to come, of both questions */
    est_err err;   /* the first */
};

static void drop_census(void *extra)
{
    struct census *c = extra;

    for (size_t i = 0; i < c->n; i++) {
        for (size_t t = 0; t < c->boots[i].n_types; t++)
            est_free((void *)(uintptr_t)c->boots[i].types[t].type);
        est_free(c->boots[i].types);
    }
    est_free(c->boots);
    est_free(c->places);
    est_free(c);
}

static void finish(struct census *c)
{
    if (c->err == EST_OK)
        c->fn(c->op->arg, EST_OK, c->boots, c->n);
    else
        c->fn(c->op->arg, c->err, NULL, 0);
    est_buffer_op_end(c->op);
}

/* One answer less to come, with an error or not. */
static void answered(struct census *c, est_err err)
{
    if (c->err == EST_OK)
        c->err = err;
    if (--c->due == 0)
        finish(c);
}

/* --- the status of a boot --- */

static uint64_t number_of(const struct est_redis_reply *r)
{
    unsigned long long n = 0;

    if (est_redis_kind(r) == EST_REDIS_TEXT)
        (void)est_view_u64(est_redis_text(r), INT64_MAX, &n);
    else if (est_redis_integer(r) > 0)
        n = (unsigned long long)est_redis_integer(r);
    return n;
}

static void on_status(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct place *place = arg;
    struct est_buffer_boot *boot = &place->c->boots[place->at];
    struct est_view holder = est_redis_text(est_redis_item(r, 0));

    if (err == EST_OK && est_redis_n(r) != STATUS_HEAD + STATUS_EACH * boot->n_types)
        err = EST_ERR_REDIS;
    if (err == EST_OK && holder.len > 0)
        (void)snprintf(boot->holder, sizeof(boot->holder), "%.*s", (int)holder.len, holder.data);
    if (err == EST_OK) {
        boot->lease_left = (est_us)number_of(est_redis_item(r, 1)) * EST_MS;
        boot->adopt = est_redis_integer(est_redis_item(r, 2)) == 1;
    }
    for (size_t t = 0; err == EST_OK && t < boot->n_types; t++) {
        size_t at = STATUS_HEAD + STATUS_EACH * t;
        boot->types[t].entries = number_of(est_redis_item(r, at));
        boot->types[t].bytes = number_of(est_redis_item(r, at + 1));
        boot->types[t].oldest_age = (est_us)number_of(est_redis_item(r, at + 2)) * EST_MS;
    }
    answered(place->c, err);
}

static est_err ask_status(struct place *place)
{
    struct est_buffer *b = place->c->op->b;
    const struct est_buffer_boot *boot = &place->c->boots[place->at];
    struct est_buffer_key keys[STATUS_HEAD + EST_BUFFER_TYPES_MAX];
    struct est_view args[STATUS_HEAD + 2 * EST_BUFFER_TYPES_MAX];
    size_t n = STATUS_HEAD + boot->n_types;

    keys[0] = est_buffer_key(b, boot->boot, "lease", "");
    keys[1] = est_buffer_key(b, boot->boot, "bytes", "");
    keys[2] = est_buffer_key(b, boot->boot, "adopt", "");
    for (size_t t = 0; t < boot->n_types; t++)
        keys[STATUS_HEAD + t] = est_buffer_key(b, boot->boot, boot->types[t].type, "");
    for (size_t i = 0; i < n; i++)
        args[i] = est_buffer_key_view(&keys[i]);
    for (size_t t = 0; t < boot->n_types; t++)
        args[n + t] = est_view_str(boot->types[t].type);
    return est_redis_script(b->redis, &status_script, n, n + boot->n_types, args, on_status, place);
}

/* --- the types of a boot --- */

static int by_name(const void *a, const void *b)
{
    const struct est_buffer_type *x = a, *y = b;

    return strcmp(x->type, y->type);
}

static est_err take_types(struct est_buffer_boot *boot, const struct est_redis_reply *r)
{
    size_t n = est_redis_n(r) < EST_BUFFER_TYPES_MAX ? est_redis_n(r) : EST_BUFFER_TYPES_MAX;

    boot->types = est_calloc(n > 0 ? n : 1, sizeof(*boot->types));
    if (boot->types == NULL)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct est_view v = est_redis_text(est_redis_item(r, i));
        char *type = est_strndup(v.data != NULL ? v.data : "", v.len);
        if (type == NULL)
            return EST_ERR_NOMEM;
        if (est_buffer_is_type(type))
            boot->types[boot->n_types++].type = type;
        else
            est_free(type);
    }
    qsort(boot->types, boot->n_types, sizeof(*boot->types), by_name);
    return EST_OK;
}

static void on_types(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct place *place = arg;

    if (err == EST_OK)
        err = take_types(&place->c->boots[place->at], r);
    if (err == EST_OK)
        err = ask_status(place);
    if (err != EST_OK)
        answered(place->c, err);
}

static est_err ask_types(struct place *place)
{
    struct est_buffer *b = place->c->op->b;
    struct est_buffer_key types = est_buffer_key(b, place->c->boots[place->at].boot, "types", "");
    const struct est_view args[] = {EST_VIEW_LIT("SMEMBERS"), est_buffer_key_view(&types)};

    return est_redis_command(b->redis, 2, args, on_types, place);
}

/* --- the list --- */

/* "INSTANCE/BOOT"; what is none is passed over. */
static bool take_boot(struct est_view v, struct est_buffer_boot *boot)
{
    const char *slash = v.len > 0 ? memrchr(v.data, '/', v.len) : NULL;
    size_t n = slash ? (size_t)(slash - v.data) : 0;

    if (slash == NULL || n > EST_BUFFER_INSTANCE_MAX || v.len - n - 1 != EST_BOOT_LEN)
        return false;
    memcpy(boot->instance, v.data, n);
    memcpy(boot->boot, slash + 1, EST_BOOT_LEN);
    if (est_buffer_is_boot(boot->boot))
        return true;
    memset(boot, 0, sizeof(*boot));
    return false;
}

static est_err take_boots(struct census *c, const struct est_redis_reply *r)
{
    size_t max = est_redis_n(r) > 0 ? est_redis_n(r) : 1;

    c->boots = est_calloc(max, sizeof(*c->boots));
    c->places = est_calloc(max, sizeof(*c->places));
    if (c->boots == NULL || c->places == NULL)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < est_redis_n(r); i++)
        if (take_boot(est_redis_text(est_redis_item(r, i)), &c->boots[c->n])) {
            c->places[c->n] = (struct place){c, c->n};
            c->n++;
        }
    return EST_OK;
}

static void on_list(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct census *c = arg;

    if (err == EST_OK)
        err = take_boots(c, r);
    c->due = 1; /* this answer itself, until all questions are out */
    for (size_t i = 0; err == EST_OK && i < c->n; i++) {
        err = ask_types(&c->places[i]);
        if (err == EST_OK)
            c->due++;
    }
    answered(c, err);
}

est_err est_buffer_boots(struct est_buffer *b, est_buffer_boots_fn *fn, void *arg)
{
    struct est_buffer_key boots = est_buffer_global(b, "boots");
    const struct est_view args[] = {EST_VIEW_LIT("LRANGE"), est_buffer_key_view(&boots),
                                    EST_VIEW_LIT("0"), EST_VIEW_LIT("255")};
    struct census *c = est_calloc(1, sizeof(*c));
    struct est_buffer_op *op = c != NULL ? est_buffer_op_new(b, arg) : NULL;

    if (op == NULL) {
        est_free(c);
        return EST_ERR_NOMEM;
    }
    c->op = op;
    c->fn = fn;
    op->extra = c;
    op->drop = drop_census;
    return est_buffer_op_sent(op, est_redis_command(b->redis, 4, args, on_list, c));
}

/* --- partitions --- */

static void each_count(struct est_buffer_op *op, const struct est_redis_reply *r)
{
    for (size_t i = 0; i + 1 < est_redis_n(r); i += 2) {
        struct est_view type = est_redis_text(est_redis_item(r, i));
        uint64_t n = number_of(est_redis_item(r, i + 1));
        char name[EST_BUFFER_TYPE_MAX + 1];
        if (type.len == 0 || type.len > EST_BUFFER_TYPE_MAX || n == 0 || n > INT32_MAX)
            continue;
        (void)snprintf(name, sizeof(name), "%.*s", (int)type.len, type.data);
        op->each(op->arg, name, (uint32_t)n);
    }
}

static void on_counts(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_buffer_op *op = arg;

    if (err == EST_OK && op->each != NULL)
        each_count(op, r);
    op->fn.done(op->arg, err);
    est_buffer_op_end(op);
}

est_err est_buffer_partitions_get(struct est_buffer *b, est_buffer_partition_fn *each,
                                  est_buffer_done *done, void *arg)
{
    struct est_buffer_key key = est_buffer_global(b, "partitions");
    const struct est_view args[] = {EST_VIEW_LIT("HGETALL"), est_buffer_key_view(&key)};
    struct est_buffer_op *op = est_buffer_op_new(b, arg);

    if (op == NULL)
        return EST_ERR_NOMEM;
    op->fn.done = done;
    op->each = each;
    return est_buffer_op_sent(op, est_redis_command(b->redis, 2, args, on_counts, op));
}

est_err est_buffer_partitions_put(struct est_buffer *b, const char *type, uint32_t count,
                                  est_buffer_done *fn, void *arg)
{
    struct est_buffer_key key = est_buffer_global(b, "partitions");
    struct est_buffer_op *op;
    char text[16];

    if (!est_buffer_is_type(type))
        return EST_ERR_INVALID;
    op = est_buffer_op_new(b, arg);
    if (op == NULL)
        return EST_ERR_NOMEM;
    op->fn.done = fn;
    (void)snprintf(text, sizeof(text), "%u", count);
    const struct est_view args[] = {EST_VIEW_LIT("HSET"), est_buffer_key_view(&key),
                                    est_view_str(type), est_view_str(text)};
    return est_buffer_op_sent(op, est_redis_command(b->redis, 4, args, on_counts, op));
}
