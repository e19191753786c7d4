#include "things.h"

enum { MINUTE_MS = 60000 };

static int64_t earlier(bool known, int64_t a, int64_t b)
{
    return known && a < b ? a : b;
}

static int64_t later(bool known, int64_t a, int64_t b)
{
    return known && a > b ? a : b;
}

bool contact_learn(struct contact *c, int64_t ms)
{
    struct contact was = *c;

    c->first_ms = earlier(c->known, c->first_ms, ms);
    c->last_ms = later(c->known, c->last_ms, ms - ms % MINUTE_MS);
    c->known = true;
    return !was.known || c->first_ms != was.first_ms || c->last_ms != was.last_ms;
}

void contact_count(const struct contact *c, struct tally *t, int sign)
{
    if (!c->known)
        return;
    tally_add(t, c->first_ms, COUNT_USERS, sign);
    summary_seen(t->su, c->last_ms, sign);
}

bool message_learn(struct message *m, const struct facts *f, int64_t ms)
{
    struct message was = *m;

    m->first_ms = earlier(m->known, m->first_ms, ms);
    m->direction |= f->direction;
    if (f->rank > m->rank)
        m->rank = f->rank;
    m->known = true;
    return !was.known || m->first_ms != was.first_ms || m->direction != was.direction ||
           m->rank != was.rank;
}

/* A status may come before its message and then stands for one that the bot sent. */
void message_count(const struct message *m, struct tally *t, int sign)
{
    if (!m->known)
        return;
    if (m->direction & FACT_IN) {
        tally_add(t, m->first_ms, COUNT_RECEIVED, sign);
        return;
    }
    tally_add(t, m->first_ms, COUNT_SENT, sign);
    if (m->rank >= FACT_RANK_DELIVERED)
        tally_add(t, m->first_ms, COUNT_DELIVERED, sign);
    if (m->rank >= FACT_RANK_READ)
        tally_add(t, m->first_ms, COUNT_READ, sign);
    if (m->rank == FACT_RANK_FAILED)
        tally_add(t, m->first_ms, COUNT_FAILED, sign);
}

/* The newest total counts; of two stated at one moment the larger, so that order does not matter.
 */
static void learn_total(struct order *o, int64_t minor, int64_t ms)
{
    if (ms < o->total_ms || (ms == o->total_ms && minor <= o->total_minor))
        return;
    o->total_ms = ms;
    o->total_minor = minor;
}

bool order_learn(struct order *o, const struct facts *f, int64_t ms)
{
    struct order was = *o;

    o->first_ms = earlier(o->known, o->first_ms, ms);
    if (f->has_total)
        learn_total(o, f->total_minor, f->is_payment ? 0 : ms);
    if (f->order_flags & FACT_PAID)
        o->paid_ms = earlier((o->flags & FACT_PAID) != 0, o->paid_ms, ms);
    o->flags |= f->order_flags;
    o->known = true;
    return !was.known || o->first_ms != was.first_ms || o->flags != was.flags ||
           o->paid_ms != was.paid_ms || o->total_minor != was.total_minor ||
           o->total_ms != was.total_ms;
}

void order_count(const struct order *o, struct tally *t, int sign)
{
    if (!o->known)
        return;
    tally_add(t, o->first_ms, COUNT_ORDERS, sign);
    if ((o->flags & (FACT_PAID | FACT_CANCELLED)) != FACT_PAID)
        return;
    tally_add(t, o->paid_ms, COUNT_PAID, sign);
    tally_add(t, o->paid_ms, COUNT_REVENUE, sign * o->total_minor);
}
