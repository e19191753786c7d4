/* What the files of the fake shim share: buffer_shim.c (its life, Kafka's side, its clients),
 * buffer_pump.c (what the machine says) and buffer_store.c (Redis' side). */
#pragma once

#include "buffer_shim.h"

static inline bool buf_chance(struct buf_shim *s, unsigned percent)
{
    return est_rng_chance(s->w->rng, percent);
}

static inline struct buf_stamp *buf_stamp_of(struct buf_shim *s, uint32_t stamp)
{
    return &s->w->judge->stamps[stamp];
}

/* The i-th of the queue. */
static inline uint32_t *buf_queued(struct buf_shim *s, uint32_t i)
{
    return &s->queue[(s->q_head + i) & (BUF_QUEUE - 1)];
}

/* The event's next number. */
uint32_t buf_stamp_event(struct buf_shim *s, uint32_t event, uint8_t part);
/* Of the first `n` of the queue some are answered 503, and all that Kafka refuses if `bad`; what
 * stands behind them is stamped anew. Returns how many. */
uint32_t buf_refuse(struct buf_shim *s, uint32_t n, unsigned percent, bool bad);

/* id: of the stream's entry; 0 = a direct record. */
void buf_produce(struct buf_shim *s, uint32_t stamp, uint32_t id);
/* A flying entry has been acknowledged, or buried. */
void buf_settle_flying(struct buf_shim *s, uint32_t stamp, uint32_t id);

/* The list of older streams has got longer, or shorter. */
void buf_set_older(struct buf_shim *s, uint32_t n);
void buf_drop_first_older(struct buf_shim *s);
