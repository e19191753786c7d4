/* The judge of the buffer simulator: it knows every event, every number that was stamped on it and
 * every copy of it, and checks each move the moment it happens. */
#pragma once

#include "core/rng.h"
#include "sim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUF_PARTITIONS = 3,
    BUF_KEYS = 6,
    BUF_SHIMS = 3,
    BUF_EVENTS = 1 << 16,
    BUF_STAMPS = 1 << 18,
    BUF_LOG = 1 << 18,
    BUF_BOOTS = 1 << 10
};

struct buf_event {
    uint32_t copies; /* entries of streams that carry it */
    uint16_t boot;   /* that stamped it last */
    uint8_t key;
    bool accepted, refused; /* answered 202, 503; neither: its client never heard */
    bool logged, acked;
    bool inverted;  /* first stood in the log behind a later one of its key and boot */
    bool destroyed; /* accepted, and its last copy fell to a fault that loses data */
    bool reported;  /* its shim has named it as missing */
    bool bad, dead; /* Kafka refuses it; it is in the stream of refused entries */
};

struct buf_stamp {
    uint32_t event;
    uint32_t before; /* the one before it of the same boot and partition, + 1; 0 = none */
    uint32_t epoch, n;
    uint16_t boot;
    uint16_t copies;
    uint8_t part;
    bool logged;
    bool destroyed; /* its entry was, and it was promised */
    bool kept;      /* the living boot appended it and has seen no acknowledgement of it */
    uint32_t seen;  /* in which reading of the stream from its head it was seen last */
};

struct buf_chain {
    uint32_t epoch, next; /* of what stood in the log first */
    uint32_t last;        /* stamp + 1 */
};

struct buf_boot {
    uint32_t last[BUF_KEYS]; /* the latest event in the log, + 1 */
    struct buf_chain chains[BUF_PARTITIONS];
    uint32_t unreported; /* destroyed events that its shim has not named yet */
};

struct buf_judge {
    struct buf_event events[BUF_EVENTS];
    struct buf_stamp stamps[BUF_STAMPS];
    struct buf_boot boots[BUF_BOOTS];
    uint32_t log[BUF_PARTITIONS][BUF_LOG];
    uint32_t n_log[BUF_PARTITIONS];
    uint32_t n_events, n_stamps, n_boots;
    uint64_t accepted, refused, destroyed, dead, repeats;
    uint64_t fenced, adopted; /* boots that another took over in their life; streams of others */
};

void buf_judge_reset(struct buf_judge *j);
/* Enough for one run; the rest is for getting well. */
bool buf_judge_is_full(const struct buf_judge *j);
uint16_t buf_judge_boot(struct buf_judge *j);
/* An event has happened. */
uint32_t buf_judge_event(struct buf_judge *j, uint16_t boot, uint8_t key, bool bad);
/* It was stamped, perhaps anew. */
uint32_t buf_judge_stamp(struct buf_judge *j, uint32_t event, uint16_t boot, uint8_t part,
                         uint64_t epoch, uint64_t n);

/* Answers. Checks: a 202 is kept somewhere; nobody is answered twice. */
void buf_judge_accept(struct buf_judge *j, uint32_t stamp);
void buf_judge_refuse(struct buf_judge *j, uint32_t stamp);
/* It is in Kafka's log. Checks: the order of first occurrences per key and boot, and that a number
 * that is missing was destroyed. */
void buf_judge_logged(struct buf_judge *j, uint32_t stamp);
/* A copy has come to a stream. */
void buf_judge_copied(struct buf_judge *j, uint32_t stamp);
/* A copy was deleted by a shim. Checks: Kafka has acknowledged the event, or it is dead. */
void buf_judge_deleted(struct buf_judge *j, uint32_t stamp);
/* A copy fell to a fault. */
void buf_judge_lost(struct buf_judge *j, uint32_t stamp);
/* It was moved to the stream of refused entries. */
void buf_judge_buried(struct buf_judge *j, uint32_t stamp);
/* Its shim says that what it appended is not in the stream any more. Checks: so it is. */
void buf_judge_reported(struct buf_judge *j, uint32_t stamp);
/* The shim has read its stream to the end: it has named everything of its boot that was destroyed.
 */
void buf_judge_read_out(const struct buf_judge *j, uint16_t boot);
/* Everything is over. Checks: what was accepted is in the log, or dead, or was destroyed. */
void buf_judge_end(const struct buf_judge *j);

/* A consumer over the log that is killed again and again, with lib/core/account. Checks: nothing is
 * settled as a repeat that was not delivered. */
void buf_consume(const struct buf_judge *j, struct est_rng *rng);
