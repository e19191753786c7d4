#include "buffer_parts.h"

#include <stdio.h>

/* ---------- numbers ---------- */

uint32_t buf_stamp_event(struct buf_shim *s, uint32_t event, uint8_t part)
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
        struct buf_stamp *st = buf_stamp_of(s, *buf_queued(s, i));
        if (st->event > first[st->part])
            *buf_queued(s, i) = buf_stamp_event(s, st->event, st->part);
    }
}

uint32_t buf_refuse(struct buf_shim *s, uint32_t n, unsigned percent, bool bad)
{
    uint32_t first[BUF_PARTITIONS] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    uint32_t left = 0, refused;

    for (uint32_t i = 0; i < s->q_n; i++) {
        uint32_t stamp = *buf_queued(s, i);
        struct buf_stamp *st = buf_stamp_of(s, stamp);
        if (i >= n || !((bad && s->w->judge->events[st->event].bad) ||
                        (percent > 0 && buf_chance(s, percent)))) {
            *buf_queued(s, left++) = stamp;
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
    s->fresh = true;
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
    s->lost_at = INT64_MIN / 2;
}

void buf_shim_die(struct buf_shim *s, est_us until)
{
    buf_redis_cut(s->w->redis, s->pipe, s->w->now);
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

void buf_produce(struct buf_shim *s, uint32_t stamp, uint32_t id)
{
    buf_kafka_produce(s->w->kafka, s->client, (struct buf_record){.stamp = stamp, .id = id});
}

void buf_settle_flying(struct buf_shim *s, uint32_t stamp, uint32_t id)
{
    buf_stamp_of(s, stamp)->kept &= buf_stamp_of(s, stamp)->boot != s->boot;
    s->flying--;
    s->evidence = true;
    if (!est_switch_acked(&s->sw))
        return;
    SIM_CHECK(s->u_n < BUF_QUEUE, "too much waits for its deletion");
    s->undeleted[(s->u_head + s->u_n) & (BUF_QUEUE - 1)].home = buf_stamp_of(s, stamp)->boot;
    s->undeleted[(s->u_head + s->u_n) & (BUF_QUEUE - 1)].stamp = stamp;
    s->undeleted[(s->u_head + s->u_n++) & (BUF_QUEUE - 1)].id = id;
}

void buf_shim_ack(struct buf_shim *s)
{
    struct buf_record record;

    while (buf_kafka_acked(s->w->kafka, s->client, &record)) {
        s->w->judge->events[buf_stamp_of(s, record.stamp)->event].acked = true;
        if (record.id > 0) {
            buf_settle_flying(s, record.stamp, record.id);
        } else {
            s->direct--;
            s->evidence = true;
            buf_judge_accept(s->w->judge, record.stamp);
            est_switch_acked_direct(&s->sw);
        }
        if (buf_chance(s, 12))
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
    *buf_queued(s, 0) = stamp;
}

/* Of the direct records that came back some end: Kafka refuses them, or their time is over. */
static void take_back(struct buf_shim *s, const struct buf_record *records, size_t n)
{
    size_t back = s->direct;

    for (size_t i = n; i > 0; i--)
        if (records[i - 1].id == 0)
            push_front(s, records[i - 1].stamp);
    back -= buf_refuse(s, s->direct, buf_chance(s, 30) ? 20 : 0, true);
    if (n > 0 || s->sw.state != EST_BUFFERING)
        s->lost_at = s->w->now;
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

/* ---------- clients ---------- */

void buf_shim_take(struct buf_shim *s, uint8_t key, uint32_t n, bool bad)
{
    for (; n > 0; n--) {
        enum est_switch_route route = est_switch_route(&s->sw);
        uint32_t stamp;
        if (route == EST_TO_NOBODY || s->q_n + s->direct >= BUF_ROOM)
            return;
        stamp = buf_stamp_event(s, buf_judge_event(s->w->judge, s->boot, key, bad),
                                key % BUF_PARTITIONS);
        est_switch_sent(&s->sw, route);
        if (route == EST_TO_KAFKA) {
            buf_produce(s, stamp, 0);
            s->direct++;
        } else {
            *buf_queued(s, s->q_n++) = stamp;
        }
    }
    buf_shim_pump(s);
}

void buf_shim_give_up(struct buf_shim *s)
{
    if (s->sw.append_sent)
        return;
    est_switch_dropped(&s->sw, buf_refuse(s, s->q_n, 50, false));
    buf_shim_pump(s);
}
