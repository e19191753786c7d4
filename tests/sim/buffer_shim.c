#include "buffer_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool chance(struct buf_shim *s, unsigned percent)
{
    return est_rng_chance(s->w->rng, percent);
}

static struct buf_stamp *stamp_of(struct buf_shim *s, uint32_t stamp)
{
    return &s->w->judge->stamps[stamp];
}

static uint32_t *queued(struct buf_shim *s, uint32_t i)
{
    return &s->queue[(s->q_head + i) & (BUF_QUEUE - 1)];
}

/* ---------- numbers ---------- */

static uint32_t stamp_event(struct buf_shim *s, uint32_t event, uint8_t part)
{
    struct est_chain chain;

    SIM_CHECK(est_stamp_next(s->stamp, 0, part, &chain) == EST_OK, "no number");
    return buf_judge_stamp(s->w->judge, event, s->boot, part, chain.epoch, chain.n);
}

/* What stands behind the first refused event of its partition gets numbers of a new epoch. */
static void stamp_anew(struct buf_shim *s, const uint32_t first[BUF_PARTITIONS])
{
    for (uint8_t p = 0; p < BUF_PARTITIONS; p++)
        if (first[p] != UINT32_MAX)
            est_stamp_break(s->stamp, 0, p);
    for (uint32_t i = 0; i < s->q_n; i++) {
        struct buf_stamp *st = stamp_of(s, *queued(s, i));
        if (st->event > first[st->part])
            *queued(s, i) = stamp_event(s, st->event, st->part);
    }
}

/* Of the first `n` of the queue some are answered 503, and all that Kafka refuses if `bad`. Returns
 * how many. */
static uint32_t refuse(struct buf_shim *s, uint32_t n, unsigned percent, bool bad)
{
    uint32_t first[BUF_PARTITIONS] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    uint32_t left = 0, refused;

    for (uint32_t i = 0; i < s->q_n; i++) {
        uint32_t stamp = *queued(s, i);
        struct buf_stamp *st = stamp_of(s, stamp);
        if (i >= n ||
            !((bad && s->w->judge->events[st->event].bad) || (percent > 0 && chance(s, percent)))) {
            *queued(s, left++) = stamp;
            continue;
        }
        if (first[st->part] == UINT32_MAX)
            first[st->part] = st->event;
        buf_judge_refuse(s->w->judge, stamp);
    }
    refused = s->q_n - left;
    s->q_n = left;
    if (refused > 0)
        stamp_anew(s, first);
    return refused;
}

/* ---------- life ---------- */

void buf_shim_init(struct buf_shim *s, struct buf_world *w, uint8_t instance)
{
    est_stamp_free(s->stamp);
    *s = (struct buf_shim){.w = w,
                           .client = &w->kafka->clients[instance],
                           .pipe = &w->redis->pipes[instance],
                           .instance = instance,
                           .kept = s->kept,
                           .cap_kept = s->cap_kept};
}

void buf_shim_boot(struct buf_shim *s)
{
    char boot[EST_BOOT_LEN + 1];
    size_t type;

    s->life = BUF_LIVES;
    s->boot = buf_judge_boot(s->w->judge);
    buf_redis_home(s->w->redis, s->boot)->instance = s->instance;
    snprintf(boot, sizeof(boot), "%032x", s->boot);
    est_stamp_free(s->stamp);
    SIM_CHECK(est_stamp_new(boot, &s->stamp) == EST_OK &&
                  est_stamp_add(s->stamp, "order", BUF_PARTITIONS, &type) == EST_OK,
              "no memory");
    est_switch_init(&s->sw, &s->w->options);
    s->q_n = s->direct = s->flying = s->u_n = s->n_older = s->n_kept = 0;
    s->cursor = s->reading = 0;
    s->evidence = false;
}

static void close_pipe(struct buf_shim *s)
{
    buf_redis_cut(s->w->redis, s->pipe, s->w->now);
}

void buf_shim_die(struct buf_shim *s, est_us until)
{
    close_pipe(s);
    buf_kafka_orphan(s->w->kafka, s->client);
    s->life = BUF_DEAD;
    s->until = until;
}

void buf_shim_freeze(struct buf_shim *s, est_us until)
{
    s->life = BUF_STANDS_STILL;
    s->since = s->w->now;
    s->until = until;
    buf_kafka_still(s->w->kafka, s->client, true);
}

/* What was not sent when it stopped has timed out, if it stood for so long: then it never goes. */
void buf_shim_wake(struct buf_shim *s)
{
    s->life = BUF_LIVES;
    buf_kafka_still(s->w->kafka, s->client, false);
    if (!s->pipe->up)
        buf_shim_cut(s);
    if (s->w->now - s->since > BUF_MESSAGE_TIMEOUT && s->client->n > 0)
        buf_shim_lose_kafka(s);
}

/* ---------- Kafka ---------- */

static void produce(struct buf_shim *s, uint32_t stamp, uint32_t id)
{
    buf_kafka_produce(s->w->kafka, s->client, (struct buf_record){.stamp = stamp, .id = id});
}

static uint16_t home_read(const struct buf_shim *s)
{
    return s->n_older > 0 ? s->older[0] : s->boot;
}

static void settle_flying(struct buf_shim *s, uint32_t stamp, uint32_t id)
{
    stamp_of(s, stamp)->kept &= stamp_of(s, stamp)->boot != s->boot;
    s->flying--;
    s->evidence = true;
    if (!est_switch_acked(&s->sw))
        return;
    SIM_CHECK(s->u_n < BUF_QUEUE, "too much waits for its deletion");
    s->undeleted[(s->u_head + s->u_n) & (BUF_QUEUE - 1)].home = stamp_of(s, stamp)->boot;
    s->undeleted[(s->u_head + s->u_n) & (BUF_QUEUE - 1)].stamp = stamp;
    s->undeleted[(s->u_head + s->u_n++) & (BUF_QUEUE - 1)].id = id;
}

void buf_shim_ack(struct buf_shim *s)
{
    struct buf_record record;

    while (buf_kafka_acked(s->w->kafka, s->client, &record)) {
        s->w->judge->events[stamp_of(s, record.stamp)->event].acked = true;
        if (record.id > 0) {
            settle_flying(s, record.stamp, record.id);
        } else {
            s->direct--;
            s->evidence = true;
            buf_judge_accept(s->w->judge, record.stamp);
            est_switch_acked_direct(&s->sw);
        }
        if (chance(s, 12))
            break;
    }
    buf_shim_pump(s);
    if (s->client->refused)
        buf_shim_lose_kafka(s);
}

static void push_front(struct buf_shim *s, uint32_t stamp)
{
    SIM_CHECK(s->q_n < BUF_QUEUE, "the queue is full");
    s->q_head--;
    s->q_n++;
    *queued(s, 0) = stamp;
}

/* Of the direct records that came back some end: Kafka refuses them, or their time is over. */
static void take_back(struct buf_shim *s, const struct buf_record *records, size_t n)
{
    size_t back = s->direct;

    for (size_t i = n; i > 0; i--)
        if (records[i - 1].id == 0)
            push_front(s, records[i - 1].stamp);
    back -= refuse(s, s->direct, chance(s, 30) ? 20 : 0, true);
    s->direct = s->flying = 0;
    s->evidence = false;
    est_switch_lost(&s->sw, back, s->w->now);
}

void buf_shim_lose_kafka(struct buf_shim *s)
{
    static struct buf_record records[BUF_FIFO];
    size_t n = buf_kafka_purge(s->w->kafka, s->client, records, BUF_FIFO);

    SIM_CHECK(n == (size_t)s->direct + s->flying, "%zu records come back, not %u + %u", n,
              s->direct, s->flying);
    take_back(s, records, n);
    buf_shim_pump(s);
}

void buf_shim_evidence(struct buf_shim *s)
{
    s->evidence = true;
    est_switch_evidence(&s->sw);
    buf_shim_pump(s);
}

/* ---------- what the machine says ---------- */

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

static void do_append(struct buf_shim *s, const struct est_switch_step *step)
{
    struct buf_cmd *cmd = command(s, BUF_APPEND, s->boot, step->n);

    SIM_CHECK(step->n <= s->q_n, "append %zu of %u", step->n, s->q_n);
    for (uint32_t i = 0; i < step->n; i++)
        cmd->stamps[i] = *queued(s, i);
}

static void do_read(struct buf_shim *s, const struct est_switch_step *step)
{
    struct buf_cmd *cmd = command(s, BUF_READ, home_read(s), step->n);

    SIM_CHECK(s->flying + step->n <= s->w->options.window_max, "the window is passed");
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
    SIM_CHECK(s->n_older == 0, "direct, and an older stream is left");
    SIM_CHECK(s->evidence, "direct, and nothing shows that Kafka takes records");
    for (uint32_t i = 0; i < s->q_n; i++)
        produce(s, *queued(s, i), 0);
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

static void set_older(struct buf_shim *s, uint32_t n)
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

static void drop_first_older(struct buf_shim *s)
{
    memmove(s->older, s->older + 1, (s->n_older - 1) * sizeof(s->older[0]));
    set_older(s, s->n_older - 1);
}

/* The present older stream is drained, if Redis agrees. */
static bool finish_older(struct buf_shim *s)
{
    if (s->n_older == 0 || !s->sw.older_end || s->flying > 0 || s->u_n > 0 || !s->pipe->up)
        return false;
    if (!buf_redis_release(s->w->redis, s->older[0], s->boot, s->w->now)) {
        drop_first_older(s);
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
    SIM_CHECK(sw->state != EST_DIRECT || sw->queue == 0, "direct, and something is queued");
}

void buf_shim_pump(struct buf_shim *s)
{
    while (do_next(s) || finish_older(s))
        continue;
    check_counts(s);
}

bool buf_shim_is_idle(const struct buf_shim *s)
{
    return s->life == BUF_LIVES && s->sw.state == EST_DIRECT && s->q_n == 0 && s->direct == 0 &&
           s->flying == 0 && s->u_n == 0 && s->pipe->n == 0 && s->client->n == 0 && s->n_older == 0;
}

/* ---------- clients ---------- */

void buf_shim_take(struct buf_shim *s, uint8_t key, uint32_t n, bool bad)
{
    for (; n > 0; n--) {
        enum est_switch_route route = est_switch_route(&s->sw);
        uint32_t stamp;
        if (route == EST_TO_NOBODY || s->q_n + s->direct >= BUF_ROOM)
            return;
        stamp =
            stamp_event(s, buf_judge_event(s->w->judge, s->boot, key, bad), key % BUF_PARTITIONS);
        est_switch_sent(&s->sw, route);
        if (route == EST_TO_KAFKA) {
            produce(s, stamp, 0);
            s->direct++;
        } else {
            *queued(s, s->q_n++) = stamp;
        }
    }
    buf_shim_pump(s);
}

void buf_shim_give_up(struct buf_shim *s)
{
    if (s->sw.append_sent)
        return;
    est_switch_dropped(&s->sw, refuse(s, s->q_n, 50, false));
    buf_shim_pump(s);
}

/* ---------- Redis ---------- */

void buf_shim_cut(struct buf_shim *s)
{
    close_pipe(s);
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

    close_pipe(s);
    s->u_n = 0;
    est_switch_store(&s->sw, false);
    buf_shim_lose_kafka(s);
    for (uint32_t i = 0; i < s->q_n; i++)
        events[n++] = *queued(s, i);
    buf_shim_boot(s);
    if (chance(s, 50)) {
        while (n > 0)
            buf_judge_refuse(s->w->judge, events[--n]);
        return;
    }
    s->pipe->up = buf_redis_claim(s->w->redis, s->boot, s->boot, s->w->now, BUF_LEASE);
    est_switch_store(&s->sw, true);
    for (uint32_t i = 0; i < n; i++) {
        struct buf_stamp *st = stamp_of(s, events[i]);
        est_switch_sent(&s->sw, est_switch_route(&s->sw));
        *queued(s, s->q_n++) = stamp_event(s, st->event, st->part);
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
        if (!known && buf_redis_claim(r, i, s->boot, s->w->now, BUF_LEASE))
            s->older[n++] = i;
    }
    if (n != s->n_older)
        set_older(s, n);
    buf_shim_pump(s);
}

void buf_shim_connect(struct buf_shim *s)
{
    struct buf_redis *r = s->w->redis;

    if (s->pipe->up || !r->up || r->frozen || r->readonly)
        return;
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
    stamp_of(s, stamp)->kept = true;
    stamp_of(s, stamp)->seen = 0;
    s->kept[s->n_kept++] = stamp;
}

/* `n` of the queue's front have ended. */
static void appended(struct buf_shim *s, const struct buf_cmd *cmd)
{
    uint32_t refused = 0;

    if (cmd->answer == BUF_OK) {
        for (uint32_t i = 0; i < cmd->n; i++) {
            SIM_CHECK(*queued(s, i) == cmd->stamps[i], "the queue's front has changed");
            buf_judge_accept(s->w->judge, cmd->stamps[i]);
            keep(s, cmd->stamps[i]);
        }
        s->q_head += cmd->n;
        s->q_n -= cmd->n;
    } else {
        refused = refuse(s, (uint32_t)est_rng_below(s->w->rng, cmd->n + 1), 100, false);
    }
    est_switch_appended(&s->sw, cmd->answer == BUF_OK, refused);
}

/* The own stream was read to its end: what we appended and did not see in it is not there. */
static void report_missing(struct buf_shim *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_kept; i++) {
        struct buf_stamp *st = stamp_of(s, s->kept[i]);
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

/* A record that Kafka refuses is moved away, and counts as acknowledged: its deletion finds nothing. */
static bool bury(struct buf_shim *s, uint16_t home, uint32_t stamp, uint32_t id)
{
    return s->w->judge->events[stamp_of(s, stamp)->event].bad && s->pipe->up &&
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
            stamp_of(s, cmd->stamps[i])->seen = s->reading;
        s->cursor = cmd->ids[i];
        if (bury(s, cmd->home, cmd->stamps[i], cmd->ids[i]))
            settle_flying(s, cmd->stamps[i], cmd->ids[i]);
        else
            produce(s, cmd->stamps[i], cmd->ids[i]);
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
        drop_first_older(s);
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
