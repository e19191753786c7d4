#include "turns.h"

#include "base/assert.h"

void est_turns_init(struct est_turns *t, size_t n)
{
    EST_ASSERT(n <= EST_TURNS_MAX);
    *t = (struct est_turns){.n = n};
    for (size_t i = 0; i < n; i++)
        t->all[i].cost = 1;
}

void est_turns_set(struct est_turns *t, size_t i, unsigned priority)
{
    EST_ASSERT(i < t->n && priority >= 1 && priority <= EST_TURNS_PRIORITIES);
    t->all[i].cost = UINT64_C(1) << (priority - 1);
}

/* Where it stands among the others: rest saves nothing up. */
static uint64_t place(const struct est_turns *t, size_t i)
{
    return t->all[i].spent > t->now ? t->all[i].spent : t->now;
}

static bool is_before(const struct est_turns *t, size_t a, size_t b)
{
    bool starved_a = t->all[a].passed_over >= EST_TURNS_STARVED;
    bool starved_b = t->all[b].passed_over >= EST_TURNS_STARVED;

    if (starved_a || starved_b)
        return t->all[a].passed_over > t->all[b].passed_over;
    if (place(t, a) != place(t, b))
        return place(t, a) < place(t, b);
    return t->all[a].cost < t->all[b].cost;
}

size_t est_turns_next(const struct est_turns *t, const bool *waits)
{
    size_t best = t->n;

    for (size_t i = 0; i < t->n; i++)
        if (waits[i] && (best == t->n || is_before(t, i, best)))
            best = i;
    return best;
}

void est_turns_take(struct est_turns *t, size_t i, const bool *waits)
{
    uint64_t at = place(t, i);

    if (t->all[i].passed_over < EST_TURNS_STARVED) /* a turn that starvation gave is no measure */
        t->now = at;
    t->all[i].spent = at + t->all[i].cost;
    for (size_t k = 0; k < t->n; k++)
        t->all[k].passed_over = k != i && waits[k] ? t->all[k].passed_over + 1 : 0;
}
