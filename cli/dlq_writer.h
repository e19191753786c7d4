/* Putting dead letters back: each to the topic and partition that it came from, with the key, the
 * value and the headers that it had there, stamped with a chain of this program's own, and marked
 * with the destination that it is for and how often it was put back. What Kafka has acknowledged is
 * noted in replays.<destination>, a few records behind: a replay that is killed repeats at most
 * what was not noted yet, under the same ids. */
#pragma once

#include "dlq.h"
#include "fetch.h"

struct dlq_target;
struct est_kafka_admin;
struct est_kafka_pub;
struct est_stamp;

enum { DLQ_WINDOW = 400, DLQ_NOTE_EVERY = 200 };

/* A record that Kafka has not acknowledged. */
struct dlq_flight {
    struct dlq_source *source;
    struct dlq_target *target;
    int32_t partition; /* in the DLQ */
    int64_t offset;
    int32_t to; /* partition of the target */
    struct dlq_flight *next;
};

struct dlq_writer {
    struct dlq *dlq;
    struct fetch fetch; /* its loop, and Ctrl-C */
    struct est_kafka_pub *kp;
    struct est_kafka_admin *ka;
    struct est_stamp *stamp;
    struct dlq_target *targets;
    size_t n_targets, cap_targets;
    struct dlq_flight flights[DLQ_WINDOW];
    struct dlq_flight *free;
    size_t in_flight, notes; /* notes: on their way */
    size_t unnoted;          /* acknowledged, not noted */
    est_us noted_at;
    uint64_t done;
    est_err err; /* why nothing more can be put back; EST_OK while it goes on */
    char detail[256];
};

/* Why a dead letter stays where it is. */
enum dlq_refusal {
    DLQ_FINE,
    DLQ_NO_SOURCE, /* nothing says where it came from */
    DLQ_LOOP,      /* it came from a DLQ */
    DLQ_FOREIGN,   /* the topic it came from is no type's */
    DLQ_GONE,      /* … or is not there any more */
    DLQ_KAFKA,     /* Kafka will not take it: too large */
    DLQ_REFUSALS
};

/* False: it was told why, *ret_code is how to exit; closed. `act` false: only to ask
 * dlq_writer_judge. */
bool dlq_writer_open(struct dlq_writer *w, struct dlq *d, bool act, int *ret_code);
void dlq_writer_close(struct dlq_writer *w);
/* Where it would go. *ret NULL with any refusal. EST_ERR_KAFKA_DOWN and the like: `why` says. */
est_err dlq_writer_judge(struct dlq_writer *w, const struct dlq_entry *e, struct dlq_target **ret,
                         enum dlq_refusal *ret_refusal, struct est_why *why);
/* There is room in the window. */
bool dlq_writer_has_room(const struct dlq_writer *w);
/* Puts it on its way; there must be room. */
void dlq_writer_put(struct dlq_writer *w, const struct dlq_entry *e, struct dlq_target *target,
                    enum dlq_refusal *ret_refusal);
/* One turn of the loop, at most so long; notes what is due. */
void dlq_writer_turn(struct dlq_writer *w, est_us wait);
/* The records of that partition below `offset` are deleted: what was noted of them goes too. */
void dlq_writer_forget(struct dlq_writer *w, struct dlq_source *s, int32_t partition,
                       int64_t offset);
/* Waits for all that is on its way, at most as long as --timeout, and notes it. */
void dlq_writer_finish(struct dlq_writer *w);
const char *dlq_target_topic(const struct dlq_target *t);
