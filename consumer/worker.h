/* The consumer: owns everything that one esteira-consumer process has, and its life in the group.
 *
 *   consuming ──revoked──► giving back ──nothing in flight, or the bound──► consuming again
 *       └──────SIGTERM──────────┴──────────────────► closed
 *
 * Giving back: nothing new is taken, and of what waits only that is still delivered which lies
 * below something handed out before: the commit must pass both, so a planned stop delivers nothing
 * twice. It ends when that is done, when the dashboard is away, or at a bound; what is settled is
 * committed, the rest is dropped (its next owner reads it again), and only then do the partitions
 * go. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/pool.h"
#include "core/health.h"
#include "core/rng.h"
#include "loans.h"
#include "part.h"

#include <stdbool.h>

struct deadletter;
struct deliver;
struct est_config;
struct est_destination_config;
struct est_http_client;
struct est_kafka_sub;
struct est_lanes;
struct est_loop;
struct est_metrics;
struct est_secret;
struct intake;
struct parcel;

struct worker {
    const struct est_config *cfg;
    const struct est_destination_config *dest;
    struct est_loop *loop;
    struct est_metrics *metrics;
    struct est_health health;
    struct est_lanes *lanes;
    struct parts parts;
    struct loans loans;
    struct est_pool parcels;
    struct est_rng rng;
    struct est_kafka_sub *sub;
    struct intake *intake;
    struct deliver *deliver;
    struct deadletter *deadletter;
    bool kafka_up;
    bool giving_back, lost, stopping;
    bool draining; /* stopping, and still a member: what is in flight ends */
    bool failed;   /* it ends because it must, not because it was told to */
};

/* cfg is borrowed; destination NULL = the first one. */
est_err worker_new(const struct est_config *cfg, const char *destination, struct worker **ret,
                   struct est_why *reterr);
/* Until SIGTERM or SIGINT; then finishes what is in flight, commits and leaves the group. False: it
 * ended of itself, and is to be started again. */
bool worker_run(struct worker *w);
void worker_free(struct worker *w);

/* The parcel has ended, delivered or dead: its offset may be committed, and it is gone. It has left
 * the lanes before. */
void worker_settle(struct worker *w, struct parcel *pc, enum est_end end);
/* A record was settled as it was read: there is something to commit. */
void worker_settled(struct worker *w);
/* Something ended: the end of a revoke may have come. */
void worker_progress(struct worker *w);
/* What is held is no longer true: what is in flight ends, as at a planned stop, and the process
 * begins anew. */
void worker_start_over(struct worker *w, const char *why);
/* There is no way on that loses nothing: the process ends, and others take over. */
void worker_give_up(struct worker *w, const char *why);
