/* The fake shim of the buffer simulator: it owns the lists and does what est_switch_next() says, as
 * the producer does. One event type. */
#pragma once

#include "buffer_kafka.h"
#include "buffer_redis.h"

#include "core/stamp.h"
#include "core/switch.h"

enum {
    BUF_QUEUE = 1 << 12,
    BUF_OLDER = 64,
    BUF_ROOM = 2000 /* events held at most */
};
#define BUF_LEASE (300 * EST_MS)
#define BUF_MESSAGE_TIMEOUT (200 * EST_MS)

enum buf_life { BUF_DEAD, BUF_LIVES, BUF_STANDS_STILL };

struct buf_world {
    struct buf_judge *judge;
    struct buf_kafka *kafka;
    struct buf_redis *redis;
    struct est_rng *rng;
    est_us now;
    struct est_switch_options options;
};

struct buf_shim {
    struct buf_world *w;
    struct buf_client *client;
    struct buf_pipe *pipe;
    uint8_t instance;
    enum buf_life life;
    est_us until; /* dead, or standing still, till then */
    est_us since; /* standing still since */
    uint16_t boot;
    struct est_stamp *stamp;
    struct est_switch sw;
    uint32_t queue[BUF_QUEUE]; /* ring of stamps */
    uint32_t q_head, q_n;
    uint32_t direct, flying;
    struct {
        uint16_t home;
        uint32_t id, stamp;
    } undeleted[BUF_QUEUE]; /* ring */
    uint32_t u_head, u_n;
    uint16_t older[BUF_OLDER]; /* claimed, in their order */
    uint32_t n_older;
    uint32_t cursor;
    uint32_t reading; /* readings of the own stream from its head, ever */
    uint32_t *kept;   /* stamps appended and not acknowledged, some of them ended */
    uint32_t n_kept, cap_kept;
    bool fresh;    /* this process has not looked into Redis yet */
    bool evidence; /* what the machine must know, too */
    est_us lost_at;
};

void buf_shim_init(struct buf_shim *s, struct buf_world *w, uint8_t instance);
/* A process begins. */
void buf_shim_boot(struct buf_shim *s);
void buf_shim_die(struct buf_shim *s, est_us until);
void buf_shim_freeze(struct buf_shim *s, est_us until);
void buf_shim_wake(struct buf_shim *s);

/* A client sends n events of that key; without room they are refused before they are stamped. */
void buf_shim_take(struct buf_shim *s, uint8_t key, uint32_t n, bool bad);
/* What comes back from Redis and Kafka; leases, connections, timers. */
void buf_shim_answer(struct buf_shim *s);
void buf_shim_ack(struct buf_shim *s);
void buf_shim_connect(struct buf_shim *s);
void buf_shim_look(struct buf_shim *s);
void buf_shim_evidence(struct buf_shim *s);
void buf_shim_lose_kafka(struct buf_shim *s);
void buf_shim_cut(struct buf_shim *s);
/* The store stays away: some of the queue are answered 503. */
void buf_shim_give_up(struct buf_shim *s);
/* Do what is to be done. Checks: the machine's counts. */
void buf_shim_pump(struct buf_shim *s);
bool buf_shim_is_idle(const struct buf_shim *s);
