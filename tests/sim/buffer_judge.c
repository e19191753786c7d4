#include "buffer_judge.h"

#include <string.h>

void buf_judge_reset(struct buf_judge *j)
{
    memset(j->boots, 0, j->n_boots * sizeof(j->boots[0]));
    memset(j->n_log, 0, sizeof(j->n_log));
    j->n_events = j->n_stamps = j->n_boots = 0;
}

bool buf_judge_is_full(const struct buf_judge *j)
{
    bool full = j->n_events >= BUF_EVENTS / 8 || j->n_stamps >= BUF_STAMPS / 8 ||
                j->n_boots >= BUF_BOOTS / 2;

    for (size_t p = 0; p < BUF_PARTITIONS; p++)
        full |= j->n_log[p] >= BUF_LOG / 8;
    return full;
}

uint16_t buf_judge_boot(struct buf_judge *j)
{
    SIM_CHECK(j->n_boots < BUF_BOOTS, "the simulator has no room for another boot");
    return (uint16_t)j->n_boots++;
}

uint32_t buf_judge_event(struct buf_judge *j, uint16_t boot, uint8_t key, bool bad)
{
    SIM_CHECK(j->n_events < BUF_EVENTS, "the simulator has no room for another event");
    j->events[j->n_events] = (struct buf_event){.boot = boot, .key = key, .bad = bad};
    return j->n_events++;
}

uint32_t buf_judge_stamp(struct buf_judge *j, uint32_t event, uint16_t boot, uint8_t part,
                         uint64_t epoch, uint64_t n)
{
    struct buf_chain *chain = &j->boots[boot].chains[part];

    SIM_CHECK(j->n_stamps < BUF_STAMPS, "the simulator has no room for another stamp");
    j->stamps[j->n_stamps] = (struct buf_stamp){.event = event,
                                                .before = chain->last,
                                                .epoch = (uint32_t)epoch,
                                                .n = (uint32_t)n,
                                                .boot = boot,
                                                .part = part};
    j->events[event].boot = boot;
    chain->last = ++j->n_stamps;
    return j->n_stamps - 1;
}

static struct buf_event *event_of(struct buf_judge *j, uint32_t stamp)
{
    return &j->events[j->stamps[stamp].event];
}

static bool is_kept(const struct buf_event *ev)
{
    return ev->logged || ev->copies > 0 || ev->dead;
}

static void check_order(const struct buf_judge *j, const struct buf_event *ev)
{
    SIM_CHECK(!(ev->accepted && ev->inverted), "event %td of key %u and boot %u is out of order",
              ev - j->events, ev->key, ev->boot);
}

void buf_judge_accept(struct buf_judge *j, uint32_t stamp)
{
    struct buf_event *ev = event_of(j, stamp);

    SIM_CHECK(!ev->accepted && !ev->refused, "event %td is answered twice", ev - j->events);
    SIM_CHECK(is_kept(ev), "event %td is accepted and kept nowhere", ev - j->events);
    ev->accepted = true;
    j->accepted++;
    check_order(j, ev);
}

void buf_judge_refuse(struct buf_judge *j, uint32_t stamp)
{
    struct buf_event *ev = event_of(j, stamp);

    SIM_CHECK(!ev->accepted && !ev->refused, "event %td is answered twice", ev - j->events);
    ev->refused = true;
    j->refused++;
}

/* Numbers of the stamp's chain between the last one in the log and this one. */
static void check_gap(const struct buf_judge *j, const struct buf_stamp *st, uint32_t from)
{
    for (uint32_t at = st->before; at > 0; at = j->stamps[at - 1].before) {
        const struct buf_stamp *gap = &j->stamps[at - 1];
        const struct buf_event *ev = &j->events[gap->event];
        if (gap->epoch != st->epoch || gap->n < from)
            return;
        SIM_CHECK(gap->destroyed || ev->dead,
                  "number %u of boot %u, partition %u, epoch %u is a hole: event %u, and %u is in "
                  "the log",
                  gap->n, gap->boot, gap->part, gap->epoch, gap->event, st->n);
    }
}

static void follow_chain(struct buf_judge *j, const struct buf_stamp *st)
{
    struct buf_chain *chain = &j->boots[st->boot].chains[st->part];

    if (st->epoch < chain->epoch || (st->epoch == chain->epoch && st->n < chain->next))
        return;
    check_gap(j, st, st->epoch == chain->epoch ? chain->next : 0);
    chain->epoch = st->epoch;
    chain->next = st->n + 1;
}

static void first_logged(struct buf_judge *j, const struct buf_stamp *st, struct buf_event *ev)
{
    uint32_t *last = &j->boots[st->boot].last[ev->key];

    ev->logged = true;
    if (ev->destroyed) { /* but it was on its way to Kafka, in any order now */
        ev->destroyed = false;
        j->destroyed--;
        j->boots[ev->boot].unreported -= !ev->reported;
        return;
    }
    if (st->event + 1 > *last)
        *last = st->event + 1;
    else if (ev->boot == st->boot)
        ev->inverted = true;
    check_order(j, ev);
}

void buf_judge_logged(struct buf_judge *j, uint32_t stamp)
{
    struct buf_stamp *st = &j->stamps[stamp];
    struct buf_event *ev = &j->events[st->event];

    SIM_CHECK(j->n_log[st->part] < BUF_LOG, "the simulator's log is full");
    j->log[st->part][j->n_log[st->part]++] = stamp;
    j->repeats += ev->logged;
    if (!st->logged)
        follow_chain(j, st);
    st->logged = true;
    if (!ev->logged)
        first_logged(j, st, ev);
}

void buf_judge_copied(struct buf_judge *j, uint32_t stamp)
{
    event_of(j, stamp)->copies++;
    j->stamps[stamp].copies++;
    j->stamps[stamp].destroyed = false;
}

void buf_judge_deleted(struct buf_judge *j, uint32_t stamp)
{
    struct buf_event *ev = event_of(j, stamp);

    SIM_CHECK(ev->acked || ev->dead, "event %td is deleted and Kafka did not acknowledge it",
              ev - j->events);
    ev->copies--;
    j->stamps[stamp].copies--;
    SIM_CHECK(!ev->accepted || is_kept(ev), "the last copy of event %td is deleted",
              ev - j->events);
}

void buf_judge_lost(struct buf_judge *j, uint32_t stamp)
{
    struct buf_event *ev = event_of(j, stamp);

    ev->copies--;
    j->stamps[stamp].copies--;
    j->stamps[stamp].destroyed = ev->accepted && j->stamps[stamp].copies == 0;
    if (!ev->accepted || is_kept(ev))
        return;
    ev->destroyed = true;
    j->destroyed++;
    j->boots[ev->boot].unreported += !ev->reported;
}

void buf_judge_buried(struct buf_judge *j, uint32_t stamp)
{
    struct buf_event *ev = event_of(j, stamp);

    SIM_CHECK(ev->bad, "event %td is buried without fault", ev - j->events);
    j->dead += !ev->dead;
    ev->dead = true;
}

void buf_judge_reported(struct buf_judge *j, uint32_t stamp)
{
    struct buf_event *ev = event_of(j, stamp);
    uint32_t *unreported = &j->boots[ev->boot].unreported;

    SIM_CHECK(j->stamps[stamp].copies == 0, "event %td is reported missing and is in a stream",
              ev - j->events);
    SIM_CHECK(!ev->reported, "event %td is reported missing twice", ev - j->events);
    ev->reported = true;
    if (ev->destroyed) {
        (*unreported)--;
    } else {
        SIM_CHECK(is_kept(ev), "event %td is reported missing and nothing destroyed it",
                  ev - j->events);
    }
}

void buf_judge_read_out(const struct buf_judge *j, uint16_t boot)
{
    SIM_CHECK(j->boots[boot].unreported == 0, "%u events of boot %u are missing in silence",
              j->boots[boot].unreported, boot);
}

void buf_judge_end(const struct buf_judge *j)
{
    for (uint32_t i = 0; i < j->n_events; i++) {
        const struct buf_event *ev = &j->events[i];
        SIM_CHECK(!ev->accepted || ev->logged || ev->dead || ev->destroyed,
                  "event %u of boot %u was accepted and is not in the log", i, ev->boot);
    }
}
