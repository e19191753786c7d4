#include "buffer_parts.h"

#include <string.h>

static struct buf_cmd *command(struct buf_shim *s, enum buf_cmd_kind kind, uint16_t home, size_t n)
{
    struct buf_cmd *cmd = buf_redis_send(s->pipe);

    SIM_CHECK(n > 0 && n <= BUF_BATCH, "a command of %zu entries", n);
    cmd->kind = kind;
    cmd->home = home;
    cmd->token = s->boot;
    cmd->n = (uint32_t)n;
    return cmd;
}

static void check_pause(const struct buf_shim *s)
{
    SIM_CHECK(s->w->now >= s->lost_at + s->w->options.probe_first, "no pause behind a loss");
}

static void do_append(struct buf_shim *s, const struct est_switch_step *step)
{
    struct buf_cmd *cmd = command(s, BUF_APPEND, s->boot, step->n);

    SIM_CHECK(step->n <= s->q_n, "append %zu of %u", step->n, s->q_n);
    for (uint32_t i = 0; i < step->n; i++)
        cmd->stamps[i] = *buf_queued(s, i);
}

static uint16_t home_read(const struct buf_shim *s)
{
    return s->n_older > 0 ? s->older[0] : s->boot;
}

static void do_read(struct buf_shim *s, const struct est_switch_step *step)
{
    struct buf_cmd *cmd = command(s, BUF_READ, home_read(s), step->n);

    SIM_CHECK(s->flying + step->n <= s->w->options.window_max, "the window is passed");
    check_pause(s);
    if (step->from_head) {
        SIM_CHECK(s->flying == 0 && s->u_n == 0, "a read from the head does not wait");
        s->cursor = 0;
        s->reading++;
    }
    cmd->after = s->cursor;
}

static void do_delete(struct buf_shim *s, const struct est_switch_step *step)
{
    struct buf_cmd *cmd =
        command(s, BUF_DELETE, s->undeleted[s->u_head & (BUF_QUEUE - 1)].home, step->n);

    SIM_CHECK(step->n <= s->u_n, "delete %zu of %u", step->n, s->u_n);
    for (uint32_t i = 0; i < step->n; i++) {
        SIM_CHECK(s->undeleted[(s->u_head + i) & (BUF_QUEUE - 1)].home == cmd->home,
                  "a delete over two streams");
        cmd->ids[i] = s->undeleted[(s->u_head + i) & (BUF_QUEUE - 1)].id;
        cmd->stamps[i] = s->undeleted[(s->u_head + i) & (BUF_QUEUE - 1)].stamp;
    }
}

static void do_release(struct buf_shim *s, const struct est_switch_step *step)
{
    SIM_CHECK(step->n == s->q_n, "release %zu of %u", step->n, s->q_n);
    check_pause(s);
    SIM_CHECK(s->n_older == 0, "direct, and an older stream is left");
    SIM_CHECK(s->evidence, "direct, and nothing shows that Kafka takes records");
    for (uint32_t i = 0; i < s->q_n; i++)
        buf_produce(s, *buf_queued(s, i), 0);
    s->direct += s->q_n;
    s->q_n = 0;
}

static bool do_next(struct buf_shim *s)
{
    static void (*const acts[])(struct buf_shim *, const struct est_switch_step *) = {
        [EST_ACT_APPEND] = do_append,
        [EST_ACT_READ] = do_read,
        [EST_ACT_DELETE] = do_delete,
        [EST_ACT_RELEASE] = do_release,
    };
    struct est_switch_step step = est_switch_next(&s->sw, s->w->now);

    if (step.act != EST_ACT_NONE)
        acts[step.act](s, &step);
    return step.act != EST_ACT_NONE;
}

void buf_set_older(struct buf_shim *s, uint32_t n)
{
    if (n < s->n_older)
        s->u_n = 0;
    for (uint32_t i = 0; n < s->n_older && i < s->pipe->n; i++) {
        struct buf_cmd *cmd = &s->pipe->cmds[(s->pipe->head + i) % BUF_PIPE];
        cmd->void_ |= cmd->kind != BUF_APPEND;
    }
    s->n_older = n;
    est_switch_older(&s->sw, n, s->w->now);
}

void buf_drop_first_older(struct buf_shim *s)
{
    memmove(s->older, s->older + 1, (s->n_older - 1) * sizeof(s->older[0]));
    buf_set_older(s, s->n_older - 1);
}

/* The present older stream is drained, if Redis agrees. */
static bool finish_older(struct buf_shim *s)
{
    if (s->n_older == 0 || !s->sw.older_end || s->flying > 0 || s->u_n > 0 || !s->pipe->up)
        return false;
    if (!buf_redis_release(s->w->redis, s->older[0], s->boot, s->w->now)) {
        buf_drop_first_older(s);
        return true;
    }
    memmove(s->older, s->older + 1, (s->n_older - 1) * sizeof(s->older[0]));
    s->n_older--;
    est_switch_older_done(&s->sw);
    return true;
}

static void check_counts(const struct buf_shim *s)
{
    const struct est_switch *sw = &s->sw;

    SIM_CHECK(
        sw->queue == s->q_n && sw->direct == s->direct && sw->flying == s->flying &&
            sw->undeleted == s->u_n && sw->older == s->n_older,
        "the machine counts queue %zu, direct %zu, flying %zu, undeleted %zu, older %zu; there "
        "are %u, %u, %u, %u, %u",
        sw->queue, sw->direct, sw->flying, sw->undeleted, sw->older, s->q_n, s->direct, s->flying,
        s->u_n, s->n_older);
    SIM_CHECK(sw->appending <= sw->queue && sw->deleting <= sw->undeleted &&
                  sw->flying <= sw->opt.window_max,
              "the machine's counts contradict each other");
    SIM_CHECK(sw->state != EST_DIRECT || sw->queue + sw->older == 0,
              "direct, and something is queued or older");
}

/* What the machine would do by itself later is what est_switch_due() tells. */
static void check_due(const struct buf_shim *s)
{
    est_us due = est_switch_due(&s->sw);
    struct est_switch later = s->sw, then = s->sw, before = s->sw;

    SIM_CHECK((est_switch_next(&later, EST_NEVER).act == EST_ACT_NONE) == (due == 0),
              "the machine is due at %lld, and says otherwise", (long long)due);
    SIM_CHECK(due == 0 || (due > s->w->now && est_switch_next(&then, due).act != EST_ACT_NONE &&
                           est_switch_next(&before, due - 1).act == EST_ACT_NONE),
              "the machine is not due at %lld", (long long)due);
}

void buf_shim_pump(struct buf_shim *s)
{
    while (do_next(s) || finish_older(s))
        continue;
    check_counts(s);
    check_due(s);
}

bool buf_shim_is_idle(const struct buf_shim *s)
{
    return s->life == BUF_LIVES && s->pipe->up && s->sw.state == EST_DIRECT &&
           s->q_n + s->direct + s->flying + s->u_n + s->pipe->n + s->n_older == 0 &&
           (!s->sw.used || (s->sw.tail && s->sw.own == 0));
}
