#include "buffer_parts.h"

#include <stdlib.h>

void buf_shim_cut(struct buf_shim *s)
{
    buf_redis_cut(s->w->redis, s->pipe, s->w->now);
    s->u_n = 0;
    est_switch_store(&s->sw, false);
    buf_shim_pump(s);
}

/* Our lease is another's: everything un-answered ends or goes on in the next boot, under its
 * numbers. */
static void begin_new_boot(struct buf_shim *s)
{
    static uint32_t events[BUF_QUEUE];
    uint32_t n = 0;

    s->w->judge->fenced++;
    buf_shim_cut(s);
    buf_shim_lose_kafka(s);
    for (uint32_t i = 0; i < s->q_n; i++)
        events[n++] = *buf_queued(s, i);
    buf_shim_boot(s);
    s->fresh = false;
    if (buf_chance(s, 50)) {
        while (n > 0)
            buf_judge_refuse(s->w->judge, events[--n]);
        return;
    }
    s->pipe->up = buf_redis_claim(s->w->redis, s->boot, s->boot, s->w->now, BUF_LEASE);
    est_switch_store(&s->sw, true);
    for (uint32_t i = 0; i < n; i++) {
        struct buf_stamp *st = buf_stamp_of(s, events[i]);
        est_switch_sent(&s->sw, est_switch_route(&s->sw));
        *buf_queued(s, s->q_n++) = buf_stamp_event(s, st->event, st->part);
    }
    buf_shim_pump(s);
}

void buf_shim_look(struct buf_shim *s)
{
    struct buf_redis *r = s->w->redis;
    uint32_t n = s->n_older;

    if (!s->pipe->up || r->frozen)
        return;
    buf_redis_renew(r, s->boot, s->w->now, BUF_LEASE);
    for (uint16_t i = 0; i < r->n_homes && n < BUF_OLDER; i++) {
        bool known = i == s->boot || !r->homes[i].listed;
        for (uint32_t k = 0; k < n; k++)
            known |= s->older[k] == i;
        if (known || !buf_redis_claim(r, i, s->boot, s->w->now, BUF_LEASE))
            continue;
        s->w->judge->adopted += r->homes[i].instance != s->instance;
        s->older[n++] = i;
    }
    if (n != s->n_older)
        buf_set_older(s, n);
    buf_shim_pump(s);
}

void buf_shim_connect(struct buf_shim *s)
{
    struct buf_redis *r = s->w->redis;

    if (s->pipe->up || !r->up || r->frozen || r->readonly)
        return;
    if (s->fresh)
        buf_redis_inherit(r, s->instance);
    s->fresh = false;
    if (!buf_redis_claim(r, s->boot, s->boot, s->w->now, BUF_LEASE)) {
        begin_new_boot(s);
        return;
    }
    s->pipe->up = true;
    buf_shim_look(s);
    est_switch_store(&s->sw, true);
    buf_shim_pump(s);
}

static void keep(struct buf_shim *s, uint32_t stamp)
{
    if (s->n_kept == s->cap_kept) {
        s->cap_kept = s->cap_kept == 0 ? 256 : s->cap_kept * 2;
        s->kept = realloc(s->kept, s->cap_kept * sizeof(*s->kept));
        SIM_CHECK(s->kept != NULL, "no memory");
    }
    buf_stamp_of(s, stamp)->kept = true;
    buf_stamp_of(s, stamp)->seen = 0;
    s->kept[s->n_kept++] = stamp;
}

/* `n` of the queue's front have ended. */
static void appended(struct buf_shim *s, const struct buf_cmd *cmd)
{
    uint32_t refused = 0;

    if (cmd->answer == BUF_OK) {
        for (uint32_t i = 0; i < cmd->n; i++) {
            SIM_CHECK(*buf_queued(s, i) == cmd->stamps[i], "the queue's front has changed");
            buf_judge_accept(s->w->judge, cmd->stamps[i]);
            keep(s, cmd->stamps[i]);
        }
        s->q_head += cmd->n;
        s->q_n -= cmd->n;
    } else {
        refused = buf_refuse(s, (uint32_t)est_rng_below(s->w->rng, cmd->n + 1), 100, false);
    }
    est_switch_appended(&s->sw, cmd->answer == BUF_OK, refused);
}

/* The own stream was read to its end: what we appended and did not see in it is not there. */
static void report_missing(struct buf_shim *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_kept; i++) {
        struct buf_stamp *st = buf_stamp_of(s, s->kept[i]);
        if (!st->kept)
            continue;
        if (st->seen == s->reading) {
            s->kept[n++] = s->kept[i];
        } else {
            st->kept = false;
            buf_judge_reported(s->w->judge, s->kept[i]);
        }
    }
    s->n_kept = n;
    buf_judge_read_out(s->w->judge, s->boot);
}

/* A record that Kafka refuses is moved away, and counts as acknowledged: its deletion finds nothing
 * any more. */
static bool bury(struct buf_shim *s, uint16_t home, uint32_t stamp, uint32_t id)
{
    return s->w->judge->events[buf_stamp_of(s, stamp)->event].bad && s->pipe->up &&
           buf_redis_bury(s->w->redis, home, s->boot, id, s->w->now);
}

static void came(struct buf_shim *s, const struct buf_cmd *cmd, uint32_t asked)
{
    bool own = cmd->home == s->boot;

    if (!est_switch_takes_read(&s->sw)) {
        est_switch_read(&s->sw, 0, false, own);
        return;
    }
    s->flying += cmd->n;
    est_switch_read(&s->sw, cmd->n, cmd->n < asked, own);
    for (uint32_t i = 0; i < cmd->n; i++) {
        if (own)
            buf_stamp_of(s, cmd->stamps[i])->seen = s->reading;
        s->cursor = cmd->ids[i];
        if (bury(s, cmd->home, cmd->stamps[i], cmd->ids[i]))
            buf_settle_flying(s, cmd->stamps[i], cmd->ids[i]);
        else
            buf_produce(s, cmd->stamps[i], cmd->ids[i]);
    }
    if (own && cmd->n < asked)
        report_missing(s);
}

static void deleted(struct buf_shim *s, const struct buf_cmd *cmd)
{
    s->u_head += cmd->n;
    s->u_n -= cmd->n;
    est_switch_deleted(&s->sw);
}

/* True when the answer says that something is wrong beyond this command. */
static bool is_trouble(struct buf_shim *s, const struct buf_cmd *cmd)
{
    if (cmd->answer == BUF_FENCED_OTHER && cmd->home == s->boot)
        begin_new_boot(s);
    else if (cmd->answer >= BUF_FENCED_ABSENT && cmd->home != s->boot && s->n_older > 0 &&
             s->older[0] == cmd->home)
        buf_drop_first_older(s);
    else if (cmd->answer == BUF_READONLY || cmd->answer >= BUF_FENCED_ABSENT)
        buf_shim_cut(s);
    else
        return false;
    return true;
}

void buf_shim_answer(struct buf_shim *s)
{
    struct buf_cmd *cmd = buf_redis_answer(s->pipe);

    if (cmd == NULL || cmd->void_)
        return;
    if (is_trouble(s, cmd)) {
        buf_shim_pump(s);
        return;
    }
    if (cmd->kind == BUF_APPEND)
        appended(s, cmd);
    else if (cmd->kind == BUF_READ)
        came(s, cmd, (uint32_t)s->sw.asked);
    else
        deleted(s, cmd);
    buf_shim_pump(s);
}
