#include "pauses.h"

#include "base/log.h"
#include "config/config.h"
#include "deliver_state.h"
#include "io/redis.h"
#include "metrics/metrics.h"

#include <stdio.h>

enum { KEY_MAX = 400 };
static const est_us EVERY = EST_SECOND, FIRST = 20 * EST_MS;

static void set_paused(const struct pauses *p, struct line *ln, bool paused)
{
    const struct worker *w = p->dv->w;

    if (ln->is_paused == paused)
        return;
    ln->is_paused = paused;
    est_metrics_gauge(w->metrics, EST_METRIC_TYPE_PAUSED, w->dest->name, ln->type->name, paused);
    EST_LOG(EST_WARN, paused ? "type_paused" : "type_resumed", EST_S("destination", w->dest->name),
            EST_S("type", ln->type->name));
}

/* Before it is known every line stands still, and nobody is told of it. */
static void set_known(struct pauses *p)
{
    if (p->known)
        return;
    p->known = true;
    for (size_t i = 0; i < p->dv->n_lines; i++)
        p->dv->lines[i].is_paused = false;
}

static bool names(const struct est_redis_reply *r, const char *type)
{
    for (size_t i = 0; i < est_redis_n(r); i++)
        if (est_view_is(est_redis_text(est_redis_item(r, i)), type))
            return true;
    return false;
}

static void on_fields(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct pauses *p = arg;

    p->asking = false;
    if (err == EST_OK)
        set_known(p);
    for (size_t i = 0; err == EST_OK && i < p->dv->n_lines; i++)
        set_paused(p, &p->dv->lines[i], names(r, p->dv->lines[i].type->name));
}

/* As soon as there is a connection, then once a second; the first look comes soon. */
static void on_timer(void *arg)
{
    struct pauses *p = arg;
    const struct worker *w = p->dv->w;
    struct est_redis *redis = p->dv->endpoint.accord.redis;
    est_us again = p->known ? EVERY : FIRST;
    char key[KEY_MAX];

    (void)snprintf(key, sizeof(key), "%spaused:%s", w->cfg->redis_prefix, w->dest->name);
    const struct est_view words[] = {EST_VIEW_LIT("HKEYS"), est_view_str(key)};
    if (est_redis_is_up(redis) && !p->asking)
        p->asking = est_redis_command(redis, 2, words, on_fields, p) == EST_OK;
    if (est_loop_now(w->loop) - p->begun >= w->cfg->redis_timeout)
        set_known(p);
    est_loop_timer_at(w->loop, &p->timer, est_loop_now(w->loop) + again);
}

void pauses_init(struct pauses *p, struct deliver *dv)
{
    *p = (struct pauses){
        .dv = dv, .timer = {.fn = on_timer, .arg = p}, .begun = est_loop_now(dv->w->loop)};
    if (dv->endpoint.accord.redis == NULL)
        return;
    for (size_t i = 0; i < dv->n_lines; i++)
        dv->lines[i].is_paused = true;
    est_loop_timer_at(dv->w->loop, &p->timer, 0);
}

void pauses_fini(struct pauses *p)
{
    if (p->dv != NULL)
        est_loop_timer_off(p->dv->w->loop, &p->timer);
}
