#include "import_list.h"

#include "base/clock.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

#define LOCK_MS "10000"
enum { NAME_MAX_LEN = 512, BATCH_TEXT_MAX = 256 * 1024 * 1024 };

/* --- scripts --- */

#define LOCKED                                  \
    "local held = redis.call('GET', KEYS[1])\n" \
    "if held and held ~= ARGV[1] then return redis.error_reply('FENCED other') end\n"

/* KEYS: lock, list, importing, import. ARGV: token, lock ms, run, pushed, count, bytes. */
static struct est_redis_script take_script = {
    .text = LOCKED "local r = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
                   "if type(r) == 'table' and r.err then return r end\n"
                   "if redis.call('EXISTS', KEYS[4]) == 0 then\n"
                   "  redis.call('HSET', KEYS[4], 'run', ARGV[3], 'seq', '0', 'pushed', ARGV[4])\n"
                   "end\n"
                   "local state = redis.call('HMGET', KEYS[4], 'run', 'seq', 'pushed')\n"
                   "local batch, size = redis.call('LRANGE', KEYS[3], 0, -1), 0\n"
                   "local pop = state[3] == 'left' and 'RPOP' or 'LPOP'\n"
                   "if #batch == 0 then\n"
                   "  while #batch < tonumber(ARGV[5]) and size < tonumber(ARGV[6]) do\n"
                   "    local entry = redis.call(pop, KEYS[2])\n"
                   "    if not entry then break end\n"
                   "    redis.call('RPUSH', KEYS[3], entry)\n"
                   "    batch[#batch + 1] = entry\n"
                   "    size = size + #entry\n"
                   "  end\n"
                   "end\n"
                   "return {state[1], state[2], state[3], redis.call('LLEN', KEYS[2]), batch}\n"};

/* KEYS: lock, importing, import. ARGV: token, seq of the batch, entries. Done before: no change. */
static struct est_redis_script done_script = {
    .text = LOCKED "if redis.call('HGET', KEYS[3], 'seq') ~= ARGV[2] then return 0 end\n"
                   "redis.call('DEL', KEYS[2])\n"
                   "redis.call('HINCRBY', KEYS[3], 'seq', ARGV[3])\n"
                   "return 1\n"};

/* KEYS: lock, list, importing, import. ARGV: token. */
static struct est_redis_script end_script = {
    .text = LOCKED "redis.call('DEL', KEYS[1])\n"
                   "if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return 0 end\n"
                   "return redis.call('DEL', KEYS[4])\n"};

static const char *const pushed_names[] = {[IMPORT_PUSHED_UNKNOWN] = "left",
                                           [IMPORT_PUSHED_LEFT] = "left",
                                           [IMPORT_PUSHED_RIGHT] = "right"};

void import_list_init(struct import_list *l, struct store *store, const char *name, est_us patience)
{
    *l = (struct import_list){.store = store, .name = name, .patience = patience};
    est_boot_id(l->token);
    est_boot_id(l->run);
    est_buf_init(&l->batch.text, BATCH_TEXT_MAX);
}

void import_list_fini(struct import_list *l)
{
    est_buf_fini(&l->batch.text);
}

/* --- asking --- */

static void answered(struct import_list *l, est_err err, const struct est_redis_reply *r)
{
    struct est_view text = est_redis_text(r);

    l->done = true;
    l->err = err;
    (void)snprintf(l->fault, sizeof(l->fault), "%.*s", (int)(text.len < 100 ? text.len : 100),
                   text.data != NULL ? text.data : "");
}

/* The server comes back, or is not there for it right now: worth another try. */
static bool is_passing(est_err err)
{
    return err == EST_ERR_REDIS_LOST || err == EST_ERR_REDIS_DOWN || err == EST_ERR_REDIS_LOADING ||
           err == EST_ERR_REDIS_READONLY;
}

/* Every script may be run twice: so it is, until it is known to have run. */
static est_err run(struct import_list *l, struct est_redis_script *s, size_t n_keys, size_t n,
                   const struct est_view *args, est_redis_fn *fn, struct est_why *why)
{
    est_us until = est_clock_mono() + l->patience;

    for (;;) {
        est_err err;
        l->done = false;
        err = est_redis_script(l->store->redis, s, n_keys, n, args, fn, l);
        if (err != EST_OK)
            return est_why_set(why, err, "%s", est_err_text(err));
        store_await(l->store, &l->done);
        if (!is_passing(l->err) || est_clock_mono() >= until || l->store->f->interrupted)
            break;
        fetch_wait(l->store->f, 50 * EST_MS);
        err = store_wait_up(l->store, l->patience, why);
        if (err != EST_OK)
            return err;
    }
    return l->err == EST_OK ? EST_OK
                            : est_why_set(why, l->err, "%s: %s", l->name,
                                          l->fault[0] != '\0' ? l->fault : est_err_text(l->err));
}

struct names {
    char lock[NAME_MAX_LEN], importing[NAME_MAX_LEN], import[NAME_MAX_LEN];
};

static void name_keys(const struct import_list *l, struct names *n)
{
    (void)snprintf(n->lock, sizeof(n->lock), "%.480s:import-lock", l->name);
    (void)snprintf(n->importing, sizeof(n->importing), "%.480s:importing", l->name);
    (void)snprintf(n->import, sizeof(n->import), "%.480s:import", l->name);
}

/* --- take --- */

static bool take_batch(struct import_batch *b, const struct est_redis_reply *r)
{
    const struct est_redis_reply *entries = est_redis_item(r, 4);
    struct est_view run = est_redis_text(est_redis_item(r, 0));
    unsigned long long seq;

    if (run.len != EST_BOOT_LEN || est_redis_n(entries) > IMPORT_BATCH ||
        !est_view_u64(est_redis_text(est_redis_item(r, 1)), UINT64_MAX >> 16, &seq))
        return false;
    memcpy(b->run, run.data, run.len);
    b->run[run.len] = '\0';
    b->seq = seq;
    b->pushed = est_view_is(est_redis_text(est_redis_item(r, 2)), "right") ? IMPORT_PUSHED_RIGHT
                                                                           : IMPORT_PUSHED_LEFT;
    b->left = (uint64_t)est_redis_integer(est_redis_item(r, 3));
    b->n = est_redis_n(entries);
    est_buf_clear(&b->text);
    for (size_t i = 0; i < b->n; i++) {
        est_buf_put_view(&b->text, est_redis_text(est_redis_item(entries, i)));
        b->ends[i] = b->text.len;
    }
    return est_buf_err(&b->text) == EST_OK;
}

static void on_taken(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct import_list *l = arg;

    if (err == EST_OK && !take_batch(&l->batch, r))
        err = EST_ERR_REDIS;
    answered(l, err, r);
}

est_err import_list_take(struct import_list *l, struct est_why *why)
{
    struct names n;
    char count[16], bytes[16];

    name_keys(l, &n);
    l->batch.n = 0;
    (void)snprintf(count, sizeof(count), "%d", IMPORT_BATCH);
    (void)snprintf(bytes, sizeof(bytes), "%d", IMPORT_BATCH_BYTES);
    const struct est_view args[] = {
        est_view_str(n.lock),      est_view_str(l->name),
        est_view_str(n.importing), est_view_str(n.import),
        est_view_str(l->token),    EST_VIEW_LIT(LOCK_MS),
        est_view_str(l->run),      est_view_str(pushed_names[l->pushed]),
        est_view_str(count),       est_view_str(bytes)};
    return run(l, &take_script, 4, 10, args, on_taken, why);
}

struct est_view import_batch_entry(const struct import_batch *b, size_t i)
{
    size_t from = i > 0 ? b->ends[i - 1] : 0;

    return est_view(b->text.data != NULL ? b->text.data + from : "", b->ends[i] - from);
}

void import_batch_id(const struct import_batch *b, size_t i, char out[EST_UUID_LEN + 1])
{
    static const char variant[] = "89ab";
    const char *r = b->run;
    size_t nibble = (size_t)(strchr("0123456789abcdef", r[15]) - "0123456789abcdef") % 4;

    (void)snprintf(out, EST_UUID_LEN + 1, "%.8s-%.4s-8%.3s-%c%.3s-%012llx", r, r + 8, r + 12,
                   variant[nibble], r + 16, ((unsigned long long)b->seq + i) & 0xFFFFFFFFFFFFULL);
}

/* --- done, end --- */

static void on_flag(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct import_list *l = arg;

    l->flag = est_redis_integer(r) == 1;
    answered(l, err, r);
}

est_err import_list_done(struct import_list *l, struct est_why *why)
{
    struct names n;
    char seq[24], count[16];

    name_keys(l, &n);
    (void)snprintf(seq, sizeof(seq), "%llu", (unsigned long long)l->batch.seq);
    (void)snprintf(count, sizeof(count), "%zu", l->batch.n);
    const struct est_view args[] = {est_view_str(n.lock),   est_view_str(n.importing),
                                    est_view_str(n.import), est_view_str(l->token),
                                    est_view_str(seq),      est_view_str(count)};
    return run(l, &done_script, 3, 6, args, on_flag, why);
}

void import_list_end(struct import_list *l)
{
    struct names n;

    name_keys(l, &n);
    const struct est_view args[] = {est_view_str(n.lock), est_view_str(l->name),
                                    est_view_str(n.importing), est_view_str(n.import),
                                    est_view_str(l->token)};
    (void)run(l, &end_script, 4, 5, args, on_flag, NULL);
}

/* --- which end is older --- */

/* KEYS: list. Both ends and the length. */
static struct est_redis_script look_script = {
    .text =
        "return {redis.call('LINDEX', KEYS[1], 0) or '', redis.call('LINDEX', KEYS[1], -1) or '',\n"
        "        redis.call('LLEN', KEYS[1])}\n"};

/* Milliseconds; 0 = none. Numbers below 10^11 are seconds. */
static int64_t time_of(const struct est_value *v)
{
    int64_t n;
    est_us wall;

    if (est_json_i64(v, &n) && n > 0)
        return n < 100000000000 ? n * 1000 : n;
    if (est_json_type(v) == EST_JSON_STRING && est_rfc3339_parse(est_json_string(v), &wall))
        return wall / EST_MS;
    return 0;
}

static int64_t time_in(struct est_json *js, struct est_view entry)
{
    static const char *const names[] = {"occurred_at", "timestamp", "created_at",
                                        "createdAt",   "queued_at", "queuedAt"};
    const struct est_value *v = NULL;
    int64_t at = 0;

    if (est_json_parse(js, entry, &v, NULL) != EST_OK)
        return 0;
    for (size_t i = 0; at == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        at = time_of(est_json_get(v, names[i]));
        if (at == 0)
            at = time_of(est_json_get(est_json_get(v, "payload"), names[i]));
    }
    return at;
}

static void compare_ends(struct import_list *l, const struct est_redis_reply *r)
{
    struct est_json *js = NULL;
    int64_t first, last;

    l->look_pushed = IMPORT_PUSHED_UNKNOWN;
    l->look_left = (uint64_t)est_redis_integer(est_redis_item(r, 2));
    if (est_json_new(NULL, &js) != EST_OK)
        return;
    first = time_in(js, est_redis_text(est_redis_item(r, 0)));
    last = time_in(js, est_redis_text(est_redis_item(r, 1)));
    if (first > 0 && last > 0 && first != last)
        l->look_pushed = first < last ? IMPORT_PUSHED_RIGHT : IMPORT_PUSHED_LEFT;
    est_json_free(js);
}

static void on_looked(void *arg, est_err err, const struct est_redis_reply *r)
{
    if (err == EST_OK)
        compare_ends(arg, r);
    answered(arg, err, r);
}

est_err import_list_look(struct import_list *l, struct est_why *why)
{
    const struct est_view args[] = {est_view_str(l->name)};

    return run(l, &look_script, 1, 1, args, on_looked, why);
}
