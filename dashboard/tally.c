#include "tally.h"

#include "base/assert.h"
#include "zone.h"

void tally_init(struct tally *t, struct summary *su)
{
    t->su = su;
    t->n = 0;
}

static struct counts *counts_of(struct tally *t, int64_t day)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->days[i].day == day)
            return &t->days[i].counts;
    EST_ASSERT(t->n < TALLY_DAYS);
    t->days[t->n] = (struct tally_day){.day = day};
    return &t->days[t->n++].counts;
}

void tally_add(struct tally *t, int64_t ms, size_t which, int64_t n)
{
    int64_t day = zone_day(ms);

    if (n == 0)
        return;
    counts_of(t, day)->n[which] += n;
    summary_add(t->su, day, which, n);
}

bool tally_is_full(const struct tally *t)
{
    return t->n + TALLY_DAYS_PER_EVENT > TALLY_DAYS;
}

void tally_clear(struct tally *t)
{
    t->n = 0;
}
