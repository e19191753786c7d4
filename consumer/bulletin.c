#include "bulletin.h"

#include "base/buf.h"
#include "base/jsonw.h"
#include "config/config.h"
#include "core/lanes.h"
#include "deliver_state.h"
#include "io/redis.h"

#include <stdio.h>

enum { KEY_MAX = 400, TEXT_MAX = 8192, KEPT_MS = 6 * 1000, FORGET_MS = 10 * 60 * 1000 };
static const est_us LOOK_EVERY = 500 * EST_MS, EVERY = 2 * EST_SECOND;
static const est_us ENLIST_EVERY = 10 * EST_SECOND;

/* --- what is told --- */

static const char *state_of(const struct endpoint *ep, est_us now)
{
    if (ep->paused != EST_CLASS_NONE)
        return "paused";
    if (ep->breaker.state != EST_BREAKER_CLOSED)
        return "down";
    return ep->accord.budget.gate > now || endpoint_short_of(ep) > 0 ? "limited" : "delivering";
}

static void put_number(struct est_buf *out, const char *name, int64_t n)
{
    est_json_put_name(out, name);
    est_buf_put_i64(out, n);
}

static void put_text(struct est_buf *out, const char *name, const char *text)
{
    est_json_put_name(out, name);
    est_json_put_str(out, text);
}

static void put_types(const struct deliver *dv, struct est_buf *out)
{
    est_json_put_name(out, "types");
    est_buf_putc(out, '{');
    for (size_t i = 0; i < dv->n_lines; i++) {
        const struct line *ln = &dv->lines[i];
        if (ln->is_paused)
            put_text(out, ln->type->name, "paused");
        else if (ln->breaker.state != EST_BREAKER_CLOSED)
            put_text(out, ln->type->name, "slow");
    }
    est_buf_putc(out, '}');
}

static void put(const struct bulletin *b, struct est_buf *out)
{
    const struct deliver *dv = b->dv;
    const struct endpoint *ep = &dv->endpoint;
    est_us now = est_loop_now(dv->w->loop), ready = endpoint_ready_at(ep);
    uint32_t left = est_budget_left(&ep->accord.budget, now);
    bool paused = ep->paused != EST_CLASS_NONE;

    est_buf_puts(out, "{\"v\":1");
    put_number(out, "at", est_clock_wall() / EST_MS);
    put_text(out, "state", state_of(ep, now));
    put_text(out, "reason", paused ? est_verdict_class_name(ep->paused) : "");
    put_text(out, "code", paused ? est_err_code(est_verdict_class_err(ep->paused)) : "");
    put_number(out, "next_ms", ready > now && ready != EST_NEVER ? (ready - now) / EST_MS : 0);
    put_number(out, "in_flight", (int64_t)deliver_in_flight(dv));
    put_number(out, "waiting", (int64_t)est_lanes_stats(dv->w->lanes).records);
    put_number(out, "budget_left", left == UINT32_MAX ? -1 : (int64_t)left);
    put_number(out, "partitions", (int64_t)dv->w->parts.n);
    put_types(dv, out);
    est_buf_putc(out, '}');
}

/* --- telling --- */

static void line_key(const struct bulletin *b, char out[KEY_MAX])
{
    (void)snprintf(out, KEY_MAX, "%sconsumer:%s:%s", b->dv->w->cfg->redis_prefix,
                   b->dv->w->dest->name, b->boot);
}

static void set_key(const struct bulletin *b, char out[KEY_MAX])
{
    (void)snprintf(out, KEY_MAX, "%sconsumers:%s", b->dv->w->cfg->redis_prefix,
                   b->dv->w->dest->name);
}

static void tell(const struct bulletin *b, struct est_redis *redis, struct est_view line)
{
    char key[KEY_MAX], kept[16];

    line_key(b, key);
    (void)snprintf(kept, sizeof(kept), "%d", KEPT_MS);
    const struct est_view args[] = {EST_VIEW_LIT("SET"), est_view_str(key), line,
                                    EST_VIEW_LIT("PX"), est_view_str(kept)};
    (void)est_redis_command(redis, 5, args, NULL, NULL); /* the next one comes soon */
}

/* Where the line is found. The others have the list of those that told something of late. */
static void enlist(const struct bulletin *b, struct est_redis *redis)
{
    long long now = (long long)(est_clock_wall() / EST_MS);
    char set[KEY_MAX], at[24], old[24], forget[16];

    set_key(b, set);
    (void)snprintf(at, sizeof(at), "%lld", now);
    (void)snprintf(old, sizeof(old), "%lld", now - FORGET_MS);
    (void)snprintf(forget, sizeof(forget), "%d", FORGET_MS);
    const struct est_view add[] = {EST_VIEW_LIT("ZADD"), est_view_str(set), est_view_str(at),
                                   est_view_str(b->boot)};
    const struct est_view prune[] = {EST_VIEW_LIT("ZREMRANGEBYSCORE"), est_view_str(set),
                                     EST_VIEW_LIT("-inf"), est_view_str(old)};
    const struct est_view expire[] = {EST_VIEW_LIT("PEXPIRE"), est_view_str(set),
                                      est_view_str(forget)};
    const struct est_redis_words words[] = {{4, add}, {4, prune}, {3, expire}};
    (void)est_redis_multi(redis, 3, words, NULL, NULL);
}

static void renew(struct bulletin *b, struct est_redis *redis)
{
    struct est_buf line;

    est_buf_init(&line, TEXT_MAX);
    put(b, &line);
    if (est_buf_err(&line) == EST_OK)
        tell(b, redis, est_buf_view(&line));
    est_buf_fini(&line);
}

/* Another state is told soon, the same one now and then. */
static void on_timer(void *arg)
{
    struct bulletin *b = arg;
    struct est_redis *redis = b->dv->endpoint.accord.redis;
    est_us now = est_loop_now(b->dv->w->loop);
    const char *state = state_of(&b->dv->endpoint, now);
    bool up = est_redis_is_up(redis);

    if (!up) /* it may come back empty */
        b->enlist_at = 0;
    if (up && now >= b->enlist_at) {
        enlist(b, redis);
        b->enlist_at = now + ENLIST_EVERY;
    }
    if (up && (state != b->told || now >= b->renew_at)) {
        renew(b, redis);
        b->told = state;
        b->renew_at = now + EVERY;
    }
    est_loop_timer_at(b->dv->w->loop, &b->timer, now + LOOK_EVERY);
}

void bulletin_init(struct bulletin *b, struct deliver *dv)
{
    *b = (struct bulletin){.dv = dv, .timer = {.fn = on_timer, .arg = b}};
    est_boot_id(b->boot);
    if (dv->endpoint.accord.redis != NULL)
        est_loop_timer_at(dv->w->loop, &b->timer, 0);
}

void bulletin_fini(struct bulletin *b)
{
    if (b->dv != NULL)
        est_loop_timer_off(b->dv->w->loop, &b->timer);
}
