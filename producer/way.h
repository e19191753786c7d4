/* The way of one type's events: straight to Kafka, or through its stream in the buffer. What is
 * to be done is decided by lib/core/switch; here it is done, and every record stands in one
 * list:
 *
 *   accept ─► direct ─────────────ack─► settled               (way.c)
 *      └────► queue ─append─► settled, and in the stream      (spill.c)
 *             stream ─read─► flying ─ack─► undeleted ─► gone  (drain.c)
 *      ▲ marks, which say how far a chain goes                (mark.c)
 * / */
#pragma once

#include "base/err.h"
#include "base/list.h"
#include "core/chain.h"
#include "core/switch.h"
#include "io/buffer.h"
#include "record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admit;
struct admit_item;
struct boot;
struct boots;
struct broker;
struct catalog_type;
struct est_config;
struct est_entry;
struct est_extents;
struct est_loop;
struct est_metrics;
struct est_series;
struct est_stamp;

/* What the ways of one shim share. */
struct ways {
    struct est_loop *loop;
    const struct est_config *config;
    struct est_metrics *metrics;
    struct est_stamp *stamp;
    struct broker *broker;
    struct boots *boots;
    struct est_buffer *buffer; /* NULL without one: then nothing can be buffered */
    struct record_pool pool;
    size_t pending, pending_bytes; /* records that somebody waits for */
    uint64_t buffered_bytes;       /* in the streams that this shim appended to or adopted */
    size_t flown;                  /* entries sent to Kafka that redis.drain_rate has not counted */
    /* Kafka is to be taken for lost at the end of this turn, for this reason; NULL = it is not. */
    const char *lost;
    bool fenced;     /* another shim has our lease: this turn ends with a new boot */
    est_err refusal; /* why the buffer takes nothing now, until `refusal_until` */
    est_us refusal_until;
    char (*chains)[EST_CHAIN_TEXT_MAX + 1]; /* EST_SWITCH_APPEND_MAX of them: of one append */
    /* The outcome of item `index` of `ticket`; buffered: it is in Redis. */
    void (*settled)(void *arg, void *ticket, size_t index, est_err err, bool buffered);
    void *arg;
};

/* A stream of an older boot that has to be drained before the own one. */
struct older {
    struct est_node node;
    struct boot *boot;
};

struct way {
    struct ways *ways;
    struct catalog_type *type;
    struct est_switch sw;
    enum est_switch_state told; /* the state as it was last logged */
    bool at_fault;              /* this type's topic failed, not the broker */
    est_us acked_at;            /* when Kafka last acknowledged something; 0 = not yet */
    struct est_node direct, queue, flying, undeleted;
    struct est_node older;
    struct boot *source; /* whose stream was read last; NULL = it is not ours any more */
    bool reading_own;
    bool read_waits; /* a read is due, and the lease for it is not ours yet */
    /* Commands under way; `ignored`: as many answers will still come and mean nothing any more. */
    struct way_command {
        size_t n;
        bool sent;
        unsigned ignored;
    } append, read, delete;
    char cursor[EST_BUFFER_ID_MAX + 1]; /* "" = the head */
    struct est_extents *extents;        /* of our own stream */
    unsigned char *touched;             /* by partition, see mark.c */
    size_t n_touched;
    struct est_series *accepted, *buffered, *drained, *not_promised, *missing;
};

est_err way_init(struct way *w, struct ways *ways, struct catalog_type *type);
/* What is still here ends as not promised. */
void way_fini(struct way *w);

/* EST_OK: events may come. EST_ERR_KAFKA_DOWN: neither Kafka nor Redis takes them, or why the
 * buffer refuses. */
est_err way_ready(const struct way *w);
/* Stamp and send, or queue. The outcome comes through `settled`, later. */
void way_accept(struct way *w, const struct admit *ad, const struct admit_item *it, void *ticket,
                size_t index);
/* Do all that can be done now. */
void way_pump(struct way *w);
/* Kafka reports a record of this way. */
void way_delivered(struct way *w, struct record *rec, est_err err);
/* After a purge: what can be saved goes to the queue, or (not at fault) to Kafka again. */
void way_lost(struct way *w, bool at_fault);
/* When the oldest record began to wait for Kafka, or for the buffer; 0 = none does. */
est_us way_waits_for_kafka(const struct way *w);
est_us way_waits_for_buffer(const struct way *w);
/* Nobody will take what is queued: it ends as not promised. Not while an append is under way. */
void way_refuse_queue(struct way *w, est_err err);

/* Redis can be used, or not. */
void way_store(struct way *w, bool up);
/* Our boot is another shim's: nothing of it is ours any more. After a purge. */
void way_abandon(struct way *w);
/* An older stream of this type has been found, or is no longer ours to drain. */
est_err way_older_found(struct way *w, struct boot *boot);
void way_older_gone(struct way *w, const struct boot *boot);

/* --- for the parts of a way --- */

/* The outcome of a record that somebody waits for; it is in no list any more and goes. */
void way_settle(struct way *w, struct record *rec, est_err err, bool buffered);
/* A number that was promised to nobody is behind: stamp those of the queue anew that follow it. */
void way_restamp(struct way *w, size_t skip);
size_t way_chain(const struct way *w, const struct record *rec, char out[EST_CHAIN_TEXT_MAX + 1]);

/* An answer has come: true when it means something. */
static inline bool way_answered(struct way_command *c)
{
    if (c->ignored > 0) {
        c->ignored--;
        return false;
    }
    c->sent = false;
    return true;
}
static inline void way_ignore(struct way_command *c)
{
    c->ignored += c->sent;
    c->sent = false;
}

/* A record with its number set out for the log: sent, queued, or not promised. Takes rec. */
void way_put(struct way *w, struct record *rec, const struct est_entry *e, struct est_view id);

/* A number was stamped for that partition; it is the stream's now. */
void mark_stamped(struct way *w, int32_t partition);
void mark_buffered(struct way *w, int32_t partition);
/* Write a mark behind what the stream has held of our chains; or, at the end of this boot, behind
 * all that it has stamped. */
void mark_drained(struct way *w);
void mark_all(struct way *w);
/* Another boot begins: its chains are none of ours. */
void mark_forget(struct way *w);

void spill_append(struct way *w, size_t n);
void drain_read(struct way *w, size_t n, bool from_head);
/* A read that waited for a lease. */
void drain_go_on(struct way *w);
void drain_delete(struct way *w, size_t n);
/* The older stream at its end, if it is. */
void drain_end_older(struct way *w);
void drain_delivered(struct way *w, struct record *rec, est_err err);
/* Forget what flies: it is in its stream. After a purge. */
void drain_forget_flying(struct way *w);
/* Forget what waits for its deletion: it will be read again. */
void drain_forget_undeleted(struct way *w);
