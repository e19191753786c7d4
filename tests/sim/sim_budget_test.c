/* Replicas that share a request budget through a place like the one in Redis, with a fake clock:
 * sim_budget_test [--seed N]. Answers take their time, the place is lost and frozen, its clock
 * jumps, the receiver says 429. At every start of a request: no window of the limit's length holds
 * more than the limit, and none starts while the budget is closed, but for what is on its way in
 * the first 250 ms; and nearly all of the budget is used, whatever happens to the place. */
#include "core/budget.h"
#include "core/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICAS = 3, LIMIT = 100, MINUTES = 20, SEEDS = 60, STARTS = 16384 };
static const est_us WINDOW = 60 * EST_SECOND, ROUND_TRIP = 40 * EST_MS, LATE = 250 * EST_MS;

/* What lies in Redis, by its own clock. */
struct place {
    est_us skew; /* its clock beside ours */
    est_us next, gate_at, gate_for;
    uint64_t epoch;
    bool lost, frozen;
};

struct replica {
    struct est_budget budget;
    est_us answer_at; /* 0 = none is on its way */
    struct est_budget_answer answer;
    est_us tell_at, tell_for, tell_from; /* news of a closed budget, on its way to the place */
};

struct world {
    struct place place;
    struct replica replicas[REPLICAS];
    struct est_rng rng;
    est_us now, fault_at, closed_at, closed_until;
    bool heard[REPLICAS]; /* reached the place all the time since the budget was closed */
    est_us starts[STARTS];
    size_t n, from;
    unsigned closes, faults;
};

static uint64_t seed;

static void check(bool ok, const struct world *w, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s at %.3f s\nrepeat with: sim_budget_test --seed %" PRIu64 "\n", what,
            (double)w->now / 1e6, seed);
    exit(1);
}

/* --- the place: as lib/io/turnstile.c has it --- */

static est_us larger(est_us a, est_us b)
{
    return a > b ? a : b;
}

static struct est_budget_answer answer_of(struct place *p, est_us clock, est_us close_for,
                                          const struct est_budget_question *q)
{
    struct est_budget_answer a = {.slot = -1};
    est_us now = clock + p->skew, wait;

    if (p->gate_at > now)
        p->gate_at = now;
    a.gate = larger(p->gate_at + p->gate_for - now, 0);
    if (p->next > now + a.gate + 17 * q->pace.every + q->pace.slack)
        p->next = now;
    if (close_for > a.gate) {
        a.gate = p->gate_for = close_for;
        p->gate_at = now;
        p->next = now + close_for;
        p->epoch++;
    }
    wait = larger(larger(p->next, now - q->pace.slack) - now, 0);
    if (q->wants_slot && a.gate == 0 && wait <= 16 * q->pace.every) {
        a.slot = wait;
        p->next = larger(p->next, now - q->pace.slack) + q->pace.every;
    } else if (q->wants_slot && a.gate == 0)
        a.again = wait - 16 * q->pace.every;
    a.epoch = p->epoch;
    return a;
}

/* --- one replica --- */

static bool is_reached(const struct world *w)
{
    return !w->place.lost && !w->place.frozen;
}

static void hear(struct world *w, struct replica *r)
{
    static const struct est_budget_question nothing = {0};

    if (r->answer_at != 0 && w->now >= r->answer_at && is_reached(w)) {
        r->answer_at = 0;
        est_budget_hear(&r->budget, &r->answer, w->now);
    }
    if (r->tell_at != 0 && w->now >= r->tell_at && is_reached(w)) {
        r->tell_at = 0;
        (void)answer_of(&w->place, w->now, r->tell_for - (w->now - r->tell_from), &nothing);
    }
}

static void ask(struct world *w, struct replica *r)
{
    struct est_budget_question q;

    if (!est_budget_ask(&r->budget, w->now, false, &q))
        return;
    if (w->place.frozen)
        return; /* no answer, and no word that none comes */
    r->answer = answer_of(&w->place, w->now, 0, &q);
    r->answer_at = w->now + 1 + (est_us)est_rng_below(&w->rng, (uint64_t)ROUND_TRIP);
}

static void close_for_all(struct world *w, struct replica *r, est_us wait)
{
    est_budget_close(&r->budget, wait, w->now);
    r->tell_at = w->now + 1 + (est_us)est_rng_below(&w->rng, (uint64_t)ROUND_TRIP);
    r->tell_from = w->now;
    r->tell_for = wait;
    w->closed_at = w->now;
    w->closed_until = w->now + wait;
    for (size_t i = 0; i < REPLICAS; i++)
        w->heard[i] = is_reached(w) && !est_budget_is_alone(&w->replicas[i].budget, w->now);
    w->closes++;
}

static void start(struct world *w, size_t i)
{
    est_us calm = w->now - w->fault_at;

    check(w->n < STARTS, w, "far too many requests");
    w->starts[w->n++] = w->now;
    while (w->starts[w->from] <= w->now - WINDOW)
        w->from++;
    /* Two windows after the last fault the limit holds exactly; before, each may spend its part. */
    check(w->n - w->from <= (calm > 2 * WINDOW ? LIMIT : LIMIT * 2), w, "more than the limit");
    check(!w->heard[i] || w->now <= w->closed_at + LATE || w->now >= w->closed_until, w,
          "started while the budget was closed");
    if (est_rng_below(&w->rng, 700) == 0 && w->now >= w->closed_until)
        close_for_all(w, &w->replicas[i], (est_us)(1 + est_rng_below(&w->rng, 20)) * EST_SECOND);
}

/* --- the world --- */

static void set_reached(struct world *w, bool lost, bool frozen)
{
    for (size_t i = 0; i < REPLICAS; i++) {
        struct replica *r = &w->replicas[i];
        if (lost != w->place.lost)
            est_budget_set_shared(&r->budget, !lost);
        if (lost || frozen)
            r->answer_at = r->tell_at = 0;
        w->heard[i] = w->heard[i] && !lost && !frozen;
    }
    w->place.lost = lost;
    w->place.frozen = frozen;
}

static void fault(struct world *w)
{
    switch (est_rng_below(&w->rng, 5)) {
    case 0: set_reached(w, true, false); break;
    case 1: set_reached(w, false, true); break;
    case 2: w->place.skew += 3600 * EST_SECOND; break;
    case 3: w->place.skew -= 3600 * EST_SECOND; break;
    default: set_reached(w, false, false); break;
    }
    w->fault_at = w->now;
    w->faults++;
    for (size_t i = 0; i < REPLICAS; i++)
        w->heard[i] = false;
}

static void step(struct world *w, bool faulty)
{
    w->now += (est_us)(1 + est_rng_below(&w->rng, 8)) * EST_MS;
    if (faulty && est_rng_below(&w->rng, 40000) == 0)
        fault(w);
    for (size_t i = 0; i < REPLICAS; i++) {
        struct replica *r = &w->replicas[i];
        hear(w, r);
        if (est_budget_allow(&r->budget, w->now))
            start(w, i);
        else
            ask(w, r);
    }
}

static void run(bool faulty)
{
    static struct world w;
    est_us end = MINUTES * WINDOW, closed = 0, before = 0;

    w = (struct world){.now = EST_SECOND, .fault_at = -3 * WINDOW, .place.skew = 1000 * WINDOW};
    est_rng_seed(&w.rng, seed);
    for (size_t i = 0; i < REPLICAS; i++) {
        est_budget_init(&w.replicas[i].budget, LIMIT, WINDOW);
        est_budget_set_share(&w.replicas[i].budget, 1, REPLICAS);
        est_budget_set_shared(&w.replicas[i].budget, true);
    }
    while (w.now < end) {
        before = w.closed_until > w.now ? w.now : 0;
        step(&w, faulty);
        closed += before != 0 ? w.now - before : 0;
    }
    check((double)w.n > (faulty ? 0.8 : 0.9) * LIMIT * (double)(end - closed) / (double)WINDOW, &w,
          "too little of the budget was used");
    printf("seed %" PRIu64 ": %zu requests in %d min, closed %u times, %u faults\n", seed, w.n,
           MINUTES, w.closes, w.faults);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        seed = strtoull(argv[2], NULL, 10);
        run(seed % 2 == 1);
        return 0;
    }
    for (seed = 1; seed <= SEEDS; seed++)
        run(seed % 2 == 1);
    return 0;
}
