/* Outages without number over the buffer's state machine, with a fake Kafka, a fake Redis and three
 * fake shims: sim_buffer_test [--seed N] [--outages N]. An outage is one fault that was injected.
 * Without a seed it takes seeds 1, 2, 3 … until that many outages have been. Each seed is one run:
 * faults, then everything heals while events keep coming, then silence. */
#include "buffer_shim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_OUTAGES = 100000, FAULTS_A_RUN = 250, STEPS_TO_HEAL = 30000 };

static uint64_t seed;

void sim_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nrepeat with: sim_buffer_test --seed %" PRIu64 "\n", seed);
    exit(1);
}

struct sim {
    struct buf_world w;
    struct buf_shim shims[BUF_SHIMS];
    est_us kafka_until, redis_until, full_until, readonly_until;
    unsigned load;        /* a shim gets an event in so many of a hundred of its steps */
    unsigned fault_every; /* steps between faults, about */
    bool wipes;           /* Redis may lose its data */
    bool fails_over;      /* … or its last changes */
    uint64_t outages, steps, longest; /* longest: steps until everything was direct again */
    uint64_t transitions[3][3];
};

static struct buf_judge judge;
static struct buf_kafka kafka;
static struct buf_redis redis;
static struct est_rng rng;
static struct sim sim;

static est_us some_time(uint64_t ms)
{
    return sim.w.now + (est_us)est_rng_below(&rng, ms) * EST_MS;
}

/* ---------- faults; each returns whether it made a difference ---------- */

static bool kill_kafka(void)
{
    if (kafka.state == BUF_KAFKA_DOWN)
        return false;
    buf_kafka_kill(&kafka);
    sim.kafka_until = some_time(400);
    return true;
}

static bool freeze_kafka(void)
{
    if (kafka.state != BUF_KAFKA_UP)
        return false;
    kafka.state = BUF_KAFKA_FROZEN;
    sim.kafka_until = some_time(400);
    return true;
}

static void cut(struct buf_shim *s)
{
    if (s->life == BUF_LIVES)
        buf_shim_cut(s);
    else if (s->life == BUF_STANDS_STILL)
        buf_redis_cut(&redis, s->pipe, sim.w.now);
}

static void cut_all(void)
{
    for (size_t i = 0; i < BUF_SHIMS; i++)
        cut(&sim.shims[i]);
}

static bool stop_redis(void)
{
    if (!redis.up)
        return false;
    cut_all();
    redis.up = redis.frozen = false;
    redis.n_late = 0;
    sim.redis_until = some_time(300);
    return true;
}

static bool wipe_redis(void)
{
    if (!sim.wipes || !stop_redis())
        return false;
    buf_redis_wipe(&redis);
    return true;
}

static bool fail_over_redis(void)
{
    if (!sim.fails_over || !stop_redis())
        return false;
    buf_redis_failover(&redis);
    return true;
}

static bool freeze_redis(void)
{
    if (!redis.up || redis.frozen)
        return false;
    redis.frozen = true;
    sim.redis_until = some_time(200);
    return true;
}

static bool fill_redis(void)
{
    redis.full = true;
    sim.full_until = some_time(300);
    return true;
}

static bool lock_redis(void)
{
    redis.readonly = true;
    sim.readonly_until = some_time(200);
    return true;
}

static struct buf_shim *any_shim(void)
{
    return &sim.shims[est_rng_below(&rng, BUF_SHIMS)];
}

static bool cut_one(void)
{
    struct buf_shim *s = any_shim();
    bool up = s->pipe->up;

    cut(s);
    return up;
}

static void count_transitions(const struct buf_shim *s)
{
    for (size_t from = 0; from < 3; from++)
        for (size_t to = 0; to < 3; to++)
            sim.transitions[from][to] += s->sw.transitions[from][to];
}

static bool kill_shim(void)
{
    struct buf_shim *s = any_shim();

    if (s->life == BUF_DEAD)
        return false;
    count_transitions(s);
    buf_shim_die(s, some_time(700));
    return true;
}

static bool freeze_shim(void)
{
    struct buf_shim *s = any_shim();

    if (s->life != BUF_LIVES)
        return false;
    buf_shim_freeze(s, some_time(700));
    return true;
}

/* Kafka is well, and too slow for the shim's patience; or one record failed. */
static bool lose_patience(void)
{
    struct buf_shim *s = any_shim();

    if (s->life != BUF_LIVES || s->client->n == 0)
        return false;
    buf_shim_lose_kafka(s);
    return true;
}

static bool (*const faults[])(void) = {
    kill_kafka, kill_kafka, freeze_kafka, freeze_kafka, lose_patience,   lose_patience,
    cut_one,    cut_one,    stop_redis,   wipe_redis,   fail_over_redis, freeze_redis,
    fill_redis, lock_redis, kill_shim,    freeze_shim,
};

static void inject(void)
{
    sim.outages += faults[est_rng_below(&rng, sizeof(faults) / sizeof(faults[0]))]();
}

/* ---------- what gets well ---------- */

static void heal_things(void)
{
    if (kafka.state != BUF_KAFKA_UP && sim.w.now >= sim.kafka_until)
        kafka.state = BUF_KAFKA_UP;
    if ((!redis.up || redis.frozen) && sim.w.now >= sim.redis_until) {
        redis.up = true;
        redis.frozen = false;
    }
    redis.full = redis.full && sim.w.now < sim.full_until;
    redis.readonly = redis.readonly && sim.w.now < sim.readonly_until;
}

static bool is_awake(struct buf_shim *s)
{
    if (s->life == BUF_DEAD && sim.w.now >= s->until)
        buf_shim_boot(s);
    else if (s->life == BUF_STANDS_STILL && sim.w.now >= s->until)
        buf_shim_wake(s);
    return s->life == BUF_LIVES;
}

/* ---------- steps ---------- */

static void take_events(struct buf_shim *s)
{
    uint32_t n = 1 + (uint32_t)est_rng_below(&rng, 4);

    if (est_rng_below(&rng, 4000) == 0)
        n = 700;
    buf_shim_take(s, (uint8_t)est_rng_below(&rng, BUF_KEYS), n, est_rng_below(&rng, 300) == 0);
}

/* Is the broker's silence noticed? A broken connection soon, a frozen broker by a timer. */
static void notice(struct buf_shim *s)
{
    if (s->client->n > 0 && ((kafka.state == BUF_KAFKA_DOWN && est_rng_chance(&rng, 20)) ||
                             (kafka.state == BUF_KAFKA_FROZEN && est_rng_chance(&rng, 3))))
        buf_shim_lose_kafka(s);
}

static void idle_things(struct buf_shim *s)
{
    switch (est_rng_below(&rng, 16)) {
    case 0: buf_shim_look(s); break;
    case 1:
    case 2: buf_shim_connect(s); break;
    case 3:
        if (kafka.state == BUF_KAFKA_UP || est_rng_chance(&rng, 2))
            buf_shim_evidence(s);
        break;
    case 4:
        if (!s->pipe->up && est_rng_chance(&rng, 5))
            buf_shim_give_up(s);
        break;
    case 5:
        if (redis.frozen && est_rng_chance(&rng, 20))
            buf_shim_cut(s);
        break;
    default: buf_shim_pump(s);
    }
}

static void step(void)
{
    uint64_t dice = est_rng_next(&rng);
    struct buf_shim *s = &sim.shims[(dice >> 8) % BUF_SHIMS];

    sim.steps++;
    sim.w.now += (est_us)(dice & 3) * EST_MS / 2;
    heal_things();
    buf_redis_work(&redis, s->pipe, sim.w.now);
    buf_kafka_work(&kafka, s->client);
    if (!is_awake(s))
        return;
    if ((dice >> 16) % 100 < sim.load)
        take_events(s);
    if ((dice >> 24 & 3) != 0)
        buf_shim_answer(s);
    if ((dice >> 26 & 3) != 0 && s->life == BUF_LIVES)
        buf_shim_ack(s);
    notice(s);
    if ((dice >> 28 & 1) != 0)
        idle_things(s);
}

/* ---------- a run ---------- */

static void begin(void)
{
    est_rng_seed(&rng, seed);
    buf_judge_reset(&judge);
    buf_redis_reset(&redis);
    kafka.judge = redis.judge = &judge;
    kafka.rng = redis.rng = &rng;
    buf_kafka_reset(&kafka);
    redis.waits = est_rng_chance(&rng, 25);
    sim.wipes = !redis.waits && est_rng_chance(&rng, 30);
    sim.fails_over = redis.waits || est_rng_chance(&rng, 50);
    sim.load = 5 + (unsigned)est_rng_below(&rng, 60);
    sim.fault_every = 4U << est_rng_below(&rng, 8);
    sim.w = (struct buf_world){.judge = &judge, .kafka = &kafka, .redis = &redis, .rng = &rng};
    sim.w.options = (struct est_switch_options){.window_max = est_rng_chance(&rng, 30)
                                                                  ? 1 + est_rng_below(&rng, 8)
                                                                  : 128 + est_rng_below(&rng, 1000),
                                                .probe_first = 5 * EST_MS,
                                                .probe_max = 60 * EST_MS};
    for (uint8_t i = 0; i < BUF_SHIMS; i++) {
        buf_shim_init(&sim.shims[i], &sim.w, i);
        buf_shim_boot(&sim.shims[i]);
    }
}

static void heal_kafka(void)
{
    kafka.state = BUF_KAFKA_UP;
    kafka.healed = true;
    for (size_t i = 0; i < BUF_SHIMS; i++)
        sim.shims[i].until = sim.w.now;
}

static bool is_direct_without_redis(void)
{
    for (size_t i = 0; i < BUF_SHIMS; i++) {
        const struct est_switch *sw = &sim.shims[i].sw;
        if (!sw->used && sw->older == 0 && sw->state != EST_DIRECT)
            return false;
    }
    return true;
}

static bool is_all_direct(void)
{
    for (size_t i = 0; i < BUF_SHIMS; i++)
        if (sim.shims[i].life != BUF_LIVES || sim.shims[i].sw.state != EST_DIRECT)
            return false;
    for (uint16_t i = 0; i < redis.n_homes; i++) {
        bool own = false;
        for (size_t k = 0; k < BUF_SHIMS; k++)
            own |= sim.shims[k].boot == i;
        if (!own && redis.homes[i].listed)
            return false;
    }
    return true;
}

static bool is_all_idle(void)
{
    for (size_t i = 0; i < BUF_SHIMS; i++)
        if (!buf_shim_is_idle(&sim.shims[i]))
            return false;
    return true;
}

static void until_true(bool (*is_true)(void), const char *what)
{
    uint64_t most = sim.steps + STEPS_TO_HEAL + (uint64_t)judge.n_events * 100;

    uint64_t from = sim.steps;

    while (!is_true()) {
        SIM_CHECK(sim.steps < most, "%s", what);
        step();
    }
    if (sim.load > 0 && sim.steps - from > sim.longest)
        sim.longest = sim.steps - from;
}

/* With Kafka back and Redis away: what never reached Redis needs no Redis (rule 10). */
static void live_without_redis(void)
{
    stop_redis();
    sim.redis_until = EST_NEVER;
    until_true(is_direct_without_redis, "a type needs Redis and has nothing there");
}

static void finish(void)
{
    heal_kafka();
    if (est_rng_chance(&rng, 20))
        live_without_redis();
    if (sim.w.options.window_max < 128) /* it cannot drain as fast as events come */
        sim.load = 0;
    else if (est_rng_chance(&rng, 50)) /* an append is always under way */
        sim.load = 100;
    sim.redis_until = sim.readonly_until = sim.w.now;
    sim.full_until = est_rng_chance(&rng, 20) ? EST_NEVER : sim.w.now;
    until_true(is_all_direct, "everything is well, events keep coming, and a type is not direct");
    sim.load = 0;
    until_true(is_all_idle, "nothing comes any more and something is still under way");
    buf_judge_end(&judge);
    for (size_t i = 0; i < BUF_SHIMS; i++)
        SIM_CHECK(buf_redis_is_empty(&redis, sim.shims[i].boot),
                  "direct, and something is left in the stream of boot %u", sim.shims[i].boot);
    buf_consume(&judge, &rng);
}

static void run(void)
{
    uint64_t stop = sim.outages + FAULTS_A_RUN, destroyed = judge.destroyed;

    begin();
    while (sim.outages < stop && !buf_judge_is_full(&judge)) {
        step();
        if (est_rng_below(&rng, sim.fault_every) == 0)
            inject();
    }
    finish();
    SIM_CHECK(sim.wipes || (sim.fails_over && !redis.waits) || judge.destroyed == destroyed,
              "nothing may lose data, and something was lost");
    for (size_t i = 0; i < BUF_SHIMS; i++)
        count_transitions(&sim.shims[i]);
}

static void say(void)
{
    uint64_t(*t)[3] = sim.transitions;

    printf("seeds up to %" PRIu64 ": %" PRIu64 " outages, %" PRIu64 " steps; accepted %" PRIu64
           ", refused %" PRIu64 ", repeats in the log %" PRIu64 ", destroyed and named %" PRIu64
           ", buried %" PRIu64 ", lost 0\n",
           seed, sim.outages, sim.steps, judge.accepted, judge.refused, judge.repeats,
           judge.destroyed, judge.dead);
    printf("direct > buffering %" PRIu64 ", buffering > draining %" PRIu64
           ", draining > buffering %" PRIu64 ", draining > direct %" PRIu64
           ", buffering > direct %" PRIu64 "; boots fenced %" PRIu64 ", streams adopted %" PRIu64
           "; direct again under load after %" PRIu64 " steps at most\n",
           t[EST_DIRECT][EST_BUFFERING], t[EST_BUFFERING][EST_DRAINING],
           t[EST_DRAINING][EST_BUFFERING], t[EST_DRAINING][EST_DIRECT],
           t[EST_BUFFERING][EST_DIRECT], judge.fenced, judge.adopted, sim.longest);
}

int main(int argc, char **argv)
{
    uint64_t outages = DEFAULT_OUTAGES;
    bool one = false;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[i + 1], NULL, 10);
            one = true;
        } else if (strcmp(argv[i], "--outages") == 0) {
            outages = strtoull(argv[i + 1], NULL, 10);
        }
    }
    if (one) {
        run();
        say();
        return 0;
    }
    while (sim.outages < outages) {
        seed++;
        run();
    }
    say();
    return 0;
}
