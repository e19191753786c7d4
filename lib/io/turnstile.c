#include "turnstile.h"

#include "base/assert.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

enum { KEY_MAX = 256, ARGS = 6, NUMBER_MAX = 24, ANSWERS = 6 };

struct est_turnstile {
    struct est_redis *redis;
    est_turnstile_fn *fn;
    void *arg;
    char key[KEY_MAX];
    unsigned out,
        forgotten; /* questions without an answer; the first of them that fn is not told */
};

/* Times are in us of Redis' clock, 16 digits, which Lua's numbers hold and its tostring() does not.
 * What lies in the future of the clock was written before the clock went back. Sixteen slots are
 * given away in advance at most. */
static struct est_redis_script script = {
    .text =
        "local t = redis.call('TIME')\n"
        "local now = t[1] * 1000000 + t[2]\n"
        "local every, slack, close = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])\n"
        "local tell, probe_for = tonumber(ARGV[5]), tonumber(ARGV[6])\n"
        "local f = redis.call('HMGET', KEYS[1], 'next', 'gate_at', 'gate_for', 'epoch',\n"
        "                     'down_at', 'down_for')\n"
        "for i = 1, 6 do f[i] = tonumber(f[i] or 0) or 0 end\n"
        "local next, gate_at, gate_for, epoch, down_at, down_for = unpack(f)\n"
        "local changed = false\n"
        "if gate_at > now then gate_at = now; changed = true end\n"
        "if down_at > now then down_at = now; changed = true end\n"
        "local gate = math.max(gate_at + gate_for - now, 0)\n"
        "if next > now + gate + 17 * every + slack then next = now; changed = true end\n"
        "if close > gate then\n"
        "  gate, gate_at, gate_for, next = close, now, close, now + close\n"
        "  epoch = epoch + 1\n"
        "  changed = true\n"
        "end\n"
        "local down = down_for > 0 and math.max(down_at + down_for - now, 0) or -1\n"
        "if tell < 0 and down >= 0 then\n"
        "  down, down_at, down_for = -1, 0, 0\n"
        "  changed = true\n"
        "elseif tell > 0 and tell > down then\n"
        "  down, down_at, down_for = tell, now, tell\n"
        "  changed = true\n"
        "end\n"
        "local mine = 0\n"
        "if down == 0 and probe_for > 0 and gate == 0 then\n"
        "  mine, down, down_at, down_for = 1, probe_for, now, probe_for\n"
        "  changed = true\n"
        "end\n"
        "local slot, again = -1, 0\n"
        "if ARGV[3] == '1' and every > 0 and gate == 0 and (down < 0 or mine == 1) then\n"
        "  local start = math.max(next, now - slack)\n"
        "  local wait = math.max(start - now, 0)\n"
        "  if wait <= 16 * every then\n"
        "    slot, next = wait, start + every\n"
        "    changed = true\n"
        "  else\n"
        "    again = wait - 16 * every\n"
        "  end\n"
        "end\n"
        "if changed then\n"
        "  local function text(n) return string.format('%.0f', n) end\n"
        "  local r = redis.pcall('HSET', KEYS[1], 'next', text(next), 'gate_at', text(gate_at),\n"
        "                        'gate_for', text(gate_for), 'epoch', text(epoch),\n"
        "                        'down_at', text(down_at), 'down_for', text(down_for))\n"
        "  if type(r) == 'table' and r.err then return r end\n"
        "  redis.call('PEXPIRE', KEYS[1],\n"
        "             text(120000 + math.max(gate, down, next - now, 0) / 1000))\n"
        "end\n"
        "return {slot, again, gate, down, mine, epoch}\n"};

est_err est_turnstile_new(struct est_redis *redis, est_turnstile_fn *fn, void *arg,
                          struct est_turnstile **ret)
{
    struct est_turnstile *t = est_calloc(1, sizeof(*t));

    if (t == NULL)
        return EST_ERR_NOMEM;
    *t = (struct est_turnstile){.redis = redis, .fn = fn, .arg = arg};
    *ret = t;
    return EST_OK;
}

void est_turnstile_free(struct est_turnstile *t)
{
    est_free(t);
}

void est_turnstile_set(struct est_turnstile *t, const char *prefix, const char *name)
{
    (void)snprintf(t->key, sizeof(t->key), "%.190sbudget:%.50s", prefix, name);
    t->forgotten = t->out;
}

/* --- asking --- */

static void on_answer(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct est_turnstile *t = arg;
    struct est_turnstile_answer a;

    EST_ASSERT(t->out > 0);
    t->out--;
    if (t->forgotten > 0) {
        t->forgotten--;
        return;
    }
    if (err == EST_OK && est_redis_n(r) != ANSWERS)
        err = EST_ERR_REDIS;
    if (err != EST_OK) {
        t->fn(t->arg, err, NULL);
        return;
    }
    a = (struct est_turnstile_answer){.slot = est_redis_integer(est_redis_item(r, 0)),
                                      .again = est_redis_integer(est_redis_item(r, 1)),
                                      .gate = est_redis_integer(est_redis_item(r, 2)),
                                      .down = est_redis_integer(est_redis_item(r, 3)),
                                      .probe = est_redis_integer(est_redis_item(r, 4)) == 1,
                                      .epoch = (uint64_t)est_redis_integer(est_redis_item(r, 5))};
    t->fn(t->arg, EST_OK, &a);
}

static est_err send(struct est_turnstile *t, const struct est_turnstile_question *q,
                    est_redis_fn *fn)
{
    const est_us numbers[ARGS] = {q->every,     q->slack,    q->wants_slot,
                                  q->close_for, q->down_for, q->probe_for};
    struct est_view args[1 + ARGS] = {est_view_str(t->key)};
    char texts[ARGS][NUMBER_MAX];

    for (size_t i = 0; i < ARGS; i++) {
        (void)snprintf(texts[i], NUMBER_MAX, "%" PRId64, (int64_t)numbers[i]);
        args[1 + i] = est_view_str(texts[i]);
    }
    return est_redis_script(t->redis, &script, 1, 1 + ARGS, args, fn, t);
}

est_err est_turnstile_ask(struct est_turnstile *t, const struct est_turnstile_question *q)
{
    est_err err = send(t, q, on_answer);

    if (err == EST_OK)
        t->out++;
    return err;
}

est_err est_turnstile_tell(struct est_turnstile *t, const struct est_turnstile_question *q)
{
    return send(t, q, NULL);
}
