/* Thousands of outages, kills and reassignments over the delivery decisions of lib/core, with a
 * fake clock: sim_delivery_test [--seed N | --seeds N] [--events N]. Without a seed it runs a
 * fixed list, of N if that is said. At
 * every step: the order per key of what first reaches the dashboard, commits that pass nothing
 * unsettled and never go back, bounded memory; at rest: nothing lost, nothing condemned without
 * fault, accounts that balance. */
#include "belt.h"
#include "board.h"
#include "worker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_EVENTS = 8000, DEFAULT_SEEDS = 40, MOST_STEPS = 2000000 };

static uint64_t seed;
static size_t events = DEFAULT_EVENTS;

void sim_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nrepeat with: sim_delivery_test --seed %" PRIu64 " --events %zu\n", seed,
            events);
    exit(1);
}

struct world {
    struct belt belt;
    struct board board;
    struct worker *workers[SIM_WORKERS]; /* NULL = not running */
    struct est_rng rng;
    est_us now;
    est_us rebalance_at; /* EST_NEVER = none is due */
    unsigned kills, rebalances;
};

static void start_worker(struct world *w, size_t i)
{
    if (w->workers[i] == NULL)
        w->workers[i] = worker_new(&w->belt, &w->board, est_rng_next(&w->rng));
}

static void rebalance_soon(struct world *w, est_us after)
{
    if (w->rebalance_at > w->now + after)
        w->rebalance_at = w->now + after;
}

/* Eager: everybody gives up everything, then each partition goes to somebody who lives. */
static void rebalance(struct world *w)
{
    w->rebalance_at = EST_NEVER;
    w->rebalances++;
    start_worker(w, est_rng_below(&w->rng, SIM_WORKERS));
    for (size_t i = 0; i < SIM_WORKERS; i++)
        if (w->workers[i] != NULL)
            worker_revoke(w->workers[i]);
    for (uint32_t p = 0; p < SIM_PARTITIONS; p++) {
        size_t i = est_rng_below(&w->rng, SIM_WORKERS);
        while (w->workers[i] == NULL)
            i = (i + 1) % SIM_WORKERS;
        worker_assign(w->workers[i], p);
    }
}

static void faults(struct world *w)
{
    size_t i = est_rng_below(&w->rng, SIM_WORKERS);

    if (est_rng_below(&w->rng, 300) == 0 && w->workers[i] != NULL) {
        worker_kill(w->workers[i], w->now);
        w->workers[i] = NULL;
        w->kills++;
        rebalance_soon(w, (est_us)est_rng_below(&w->rng, 100) * EST_MS);
    }
    if (est_rng_below(&w->rng, 200) == 0)
        start_worker(w, i);
    if (est_rng_below(&w->rng, 500) == 0)
        rebalance_soon(w, 0);
}

static void step(struct world *w, bool producing)
{
    w->now += (est_us)est_rng_below(&w->rng, 3) * EST_MS;
    for (uint64_t n = producing ? est_rng_below(&w->rng, 3) : 0; n > 0; n--)
        belt_produce(&w->belt);
    if (producing)
        faults(w);
    if (w->now >= w->rebalance_at)
        rebalance(w);
    for (size_t i = 0; i < SIM_WORKERS; i++)
        if (w->workers[i] != NULL)
            worker_step(w->workers[i], w->now);
}

static void finish(struct world *w)
{
    w->board.healed = true;
    while (belt_produce(&w->belt))
        continue;
    rebalance(w);
    for (unsigned i = 0; !belt_is_at_rest(&w->belt); i++) {
        SIM_CHECK(i < MOST_STEPS, "it does not come to rest");
        step(w, false);
    }
    belt_check_rest(&w->belt);
}

static void run(void)
{
    static struct world w;

    w = (struct world){.rebalance_at = 0};
    est_rng_seed(&w.rng, seed);
    belt_init(&w.belt, events, est_rng_next(&w.rng));
    board_init(&w.board, est_rng_next(&w.rng));
    w.belt.lose_meta = est_rng_chance(&w.rng, 30);
    while (w.belt.n < w.belt.max)
        step(&w, true);
    finish(&w);
    printf("seed %" PRIu64 ": %zu events, %" PRIu64 " requests, %u kills, %u rebalances, %" PRIu64
           " duplicates, %" PRIu64 " dead letters, lost 0\n",
           seed, events, w.board.requests, w.kills, w.rebalances, w.belt.duplicates, w.belt.buried);
    for (size_t i = 0; i < SIM_WORKERS; i++)
        if (w.workers[i] != NULL)
            worker_kill(w.workers[i], w.now);
    belt_fini(&w.belt);
}

int main(int argc, char **argv)
{
    uint64_t seeds = DEFAULT_SEEDS;
    bool one = false;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[i + 1], NULL, 10);
            one = true;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            seeds = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--events") == 0) {
            events = strtoull(argv[i + 1], NULL, 10);
        }
    }
    if (one) {
        run();
        return 0;
    }
    for (seed = 1; seed <= seeds; seed++)
        run();
    return 0;
}
