#include "buffer_kafka.h"

static struct buf_record *at(struct buf_fifo *f, uint32_t i)
{
    return &f->records[(f->head + i) & (BUF_FIFO - 1)];
}

static void clear(struct buf_fifo *f)
{
    f->head = f->n = f->persisted = 0;
}

static void push(struct buf_fifo *f, struct buf_record record)
{
    SIM_CHECK(f->n < BUF_FIFO, "a queue of the fake Kafka is full");
    *at(f, f->n++) = record;
}

static struct buf_record pop(struct buf_fifo *f)
{
    struct buf_record record = *at(f, 0);

    f->head++;
    f->n--;
    return record;
}

static uint32_t some(struct buf_kafka *k, uint32_t most)
{
    return most == 0 ? 0 : (uint32_t)est_rng_below(k->rng, most + 1);
}

static void empty_client(struct buf_client *c)
{
    for (size_t p = 0; p < BUF_PARTITIONS; p++)
        clear(&c->parts[p]);
    c->n = 0;
    c->refused = false;
    c->still = false;
}

void buf_kafka_reset(struct buf_kafka *k)
{
    for (size_t i = 0; i < BUF_SHIMS; i++) {
        empty_client(&k->clients[i]);
        for (size_t p = 0; p < BUF_PARTITIONS; p++)
            clear(&k->clients[i].ghosts[p]);
    }
    for (size_t i = 0; i < BUF_ORPHANS; i++)
        clear(&k->orphans[i]);
    k->state = BUF_KAFKA_UP;
    k->healed = false;
}

static uint8_t part_of(const struct buf_kafka *k, struct buf_record record)
{
    return k->judge->stamps[record.stamp].part;
}

static bool is_bad(const struct buf_kafka *k, struct buf_record record)
{
    return k->judge->events[k->judge->stamps[record.stamp].event].bad;
}

void buf_kafka_produce(struct buf_kafka *k, struct buf_client *c, struct buf_record record)
{
    push(&c->parts[part_of(k, record)], record);
    c->n++;
}

/* What lay in the socket is taken, or the rest of it was never there. */
static void haunt(struct buf_kafka *k, struct buf_fifo *ghosts)
{
    if (est_rng_chance(k->rng, 20) || is_bad(k, *at(ghosts, 0)))
        clear(ghosts);
    else
        buf_judge_logged(k->judge, pop(ghosts).stamp);
}

static void persist(struct buf_kafka *k, struct buf_client *c, uint8_t part)
{
    struct buf_fifo *f = &c->parts[part];

    if (f->persisted == f->n || (c->still && f->persisted >= c->sent_until) ||
        (c->refused && c->refused_part == part))
        return;
    if (is_bad(k, *at(f, f->persisted))) {
        /* Told when all in front of it are acknowledged. */
        c->refused |= f->persisted == 0 && !c->still;
        c->refused_part = part;
        return;
    }
    buf_judge_logged(k->judge, at(f, f->persisted)->stamp);
    f->persisted++;
}

void buf_kafka_work(struct buf_kafka *k, struct buf_client *c)
{
    uint8_t part = (uint8_t)est_rng_below(k->rng, BUF_PARTITIONS);
    struct buf_fifo *orphans = &k->orphans[est_rng_below(k->rng, BUF_ORPHANS)];
    uint32_t most = 1 + some(k, 30);

    if (k->state != BUF_KAFKA_UP)
        return;
    if (orphans->n > 0)
        haunt(k, orphans);
    if (c->ghosts[part].n > 0) {
        haunt(k, &c->ghosts[part]);
        return;
    }
    for (uint32_t i = 0; i < most; i++)
        persist(k, c, part);
}

bool buf_kafka_acked(struct buf_kafka *k, struct buf_client *c, struct buf_record *ret)
{
    size_t part = est_rng_below(k->rng, BUF_PARTITIONS);
    struct buf_fifo *f = &c->parts[part];

    for (size_t i = 0; f->persisted == 0 && i < BUF_PARTITIONS; i++)
        f = &c->parts[i];
    if (k->state == BUF_KAFKA_FROZEN || f->persisted == 0)
        return false;
    *ret = pop(f);
    f->persisted--;
    c->n--;
    return true;
}

/* The one of the oldest event in front of a partition; events are numbered as they come. */
static bool oldest(struct buf_kafka *k, struct buf_client *c, struct buf_record *ret)
{
    struct buf_fifo *best = NULL;
    uint32_t event = UINT32_MAX;

    for (size_t p = 0; p < BUF_PARTITIONS; p++) {
        struct buf_fifo *f = &c->parts[p];
        if (f->n > 0 && k->judge->stamps[at(f, 0)->stamp].event < event) {
            best = f;
            event = k->judge->stamps[at(f, 0)->stamp].event;
        }
    }
    if (best != NULL)
        *ret = pop(best);
    return best != NULL;
}

/* A prefix of what is in flight is in the socket of a frozen broker; a living one takes it now. */
static void leave_behind(struct buf_kafka *k, struct buf_fifo *f, struct buf_fifo *ghosts)
{
    uint32_t end = f->persisted + some(k, f->n - f->persisted);

    if (k->state == BUF_KAFKA_DOWN || f->n == f->persisted)
        return;
    for (uint32_t i = f->persisted; i < end && !is_bad(k, *at(f, i)); i++) {
        if (k->state == BUF_KAFKA_FROZEN || ghosts->n > 0)
            push(ghosts, *at(f, i));
        else
            buf_judge_logged(k->judge, at(f, i)->stamp);
    }
}

size_t buf_kafka_purge(struct buf_kafka *k, struct buf_client *c, struct buf_record *ret,
                       size_t max)
{
    size_t n = 0;

    for (size_t p = 0; p < BUF_PARTITIONS; p++)
        leave_behind(k, &c->parts[p], &c->ghosts[p]);
    while (n < max && oldest(k, c, &ret[n]))
        n++;
    SIM_CHECK(n < max, "too many records come back");
    empty_client(c);
    return n;
}

void buf_kafka_kill(struct buf_kafka *k)
{
    for (size_t i = 0; i < BUF_SHIMS; i++) {
        struct buf_client *c = &k->clients[i];
        for (uint8_t p = 0; p < BUF_PARTITIONS; p++) {
            uint32_t n = some(k, c->parts[p].n - c->parts[p].persisted);
            if (c->ghosts[p].n > 0 && est_rng_chance(k->rng, 50))
                haunt(k, &c->ghosts[p]);
            else
                clear(&c->ghosts[p]);
            for (; n > 0 && c->ghosts[p].n == 0; n--)
                persist(k, c, p);
            clear(&c->ghosts[p]);
        }
    }
    for (size_t i = 0; i < BUF_ORPHANS; i++)
        clear(&k->orphans[i]);
    k->state = BUF_KAFKA_DOWN;
}

void buf_kafka_still(struct buf_kafka *k, struct buf_client *c, bool still)
{
    c->still = still;
    c->sent_until = some(k, 8);
}

void buf_kafka_orphan(struct buf_kafka *k, struct buf_client *c)
{
    for (size_t p = 0; p < BUF_PARTITIONS; p++) {
        struct buf_fifo *orphans = &k->orphans[est_rng_below(k->rng, BUF_ORPHANS)];
        if (c->ghosts[p].n > 0)
            clear(&c->parts[p]); /* it never got into the socket */
        while (orphans->n == 0 && c->ghosts[p].n > 0)
            push(orphans, pop(&c->ghosts[p]));
        clear(&c->ghosts[p]);
        if (orphans->n == 0)
            leave_behind(k, &c->parts[p], orphans);
    }
    empty_client(c);
}
