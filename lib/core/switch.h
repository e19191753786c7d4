/* Where the events of one type go: to Kafka, or into the buffer because Kafka is unreachable.
 *
 *   direct ──Kafka lost, or older streams found──► buffering ──due──► draining ──cut-over──► direct
 *                                                      ▲                  │
 *                                                      └──Kafka lost──────┘
 *
 * The machine decides and counts; it holds no event, does no I/O and reads no clock. The caller
 * asks est_switch_next() what is to be done now, does it, and reports how it went. Records are in
 * one of these places, and each report moves a number of them:
 *
 *   new ─► queue ─append─► stream (Redis) ─read─► flying (to Kafka) ─ack─► undeleted ─delete─► gone
 *     └─────────────────── direct (to Kafka) ─ack─► gone
 *
 * Rules, each held by the simulator (tests/sim):
 *   1. Not direct: a new event goes behind the queue, never around it.
 *   2. Nothing is appended while a direct record is un-acknowledged: it is older. When Kafka is
 *      lost the direct ones are taken back and stand in front of the queue, in order.
 *   3. One append, one read and one delete are under way at most.
 *   4. Only what Kafka acknowledged is deleted.
 *   5. A read from the head waits until nothing is flying, undeleted or being deleted. Every loss
 *      of Kafka and every new connection to Redis sets the cursor back to the head. A new
 *      connection also makes the stream ids worthless (after a fail-over another entry may bear one
 *      of them): what was read before it is never deleted, it is read again.
 *   6. Streams of older boots are read to their end before the own one.
 *   7. Cut-over to direct in the very step in which a read of the own stream came short, no append
 *      is under way and no older stream is left. What the queue still holds then goes to Kafka in
 *      its order. Once a read has come short while an append was under way, no further append is
 *      begun, so that the cut-over comes under steady load, too.
 *   8. An append whose outcome is unknown is sent again, first, before anything else is appended.
 *   9. Without evidence that Kafka takes records a type with nothing buffered stays buffering.
 *  10. With evidence, and with nothing that may be in a stream, it goes direct without asking
 *      Redis; after a loss when the pause is over, because the evidence may be another topic's. */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EST_SWITCH_APPEND_MAX = 512, EST_SWITCH_READ_MAX = 512, EST_SWITCH_DELETE_MAX = 512 };

enum est_switch_state { EST_DIRECT, EST_BUFFERING, EST_DRAINING };
enum est_switch_route { EST_TO_KAFKA, EST_TO_BUFFER, EST_TO_NOBODY };
enum est_switch_act {
    EST_ACT_NONE,
    EST_ACT_APPEND, /* the first `n` of the queue, in one script */
    EST_ACT_READ,   /* `n` entries at most behind the cursor, of the present older stream or else of
                     * the own one; from_head: first forget the cursor */
    EST_ACT_DELETE, /* `n` acknowledged entries */
    EST_ACT_RELEASE /* the state is direct now: hand the whole queue (`n`, perhaps 0) to Kafka in
                     * order; each was counted as direct by this call */
};

struct est_switch_step {
    enum est_switch_act act;
    size_t n;
    bool from_head;
};

struct est_switch_options {
    size_t window_max;             /* entries flying at most while draining; at least 1 */
    est_us probe_first, probe_max; /* pause between a loss and the next try: doubling up to max */
};

/* Only for reading from outside. */
struct est_switch {
    struct est_switch_options opt;
    enum est_switch_state state;
    size_t queue;     /* waiting to be appended; includes `appending` */
    size_t appending; /* in the script under way, or of unknown outcome (then `append_unknown`) */
    size_t direct;    /* un-acknowledged direct records */
    size_t flying;    /* read from a stream, un-acknowledged */
    size_t undeleted; /* acknowledged, not deleted; includes `deleting` */
    size_t deleting;
    size_t asked; /* of the read under way; 0 = none */
    size_t older; /* older streams of this type that are not yet at their end */
    size_t own;   /* entries that may be in the own stream, never too few: see lib/core/DESIGN.md */
    size_t window;
    size_t allowance; /* entries that the next read may ask for at most; the caller's to set */
    bool append_sent, append_unknown, delete_sent;
    bool used;         /* an append was ever begun */
    bool at_head;      /* the next read begins at the head; one that is under way is void */
    bool tail;         /* the own stream was read to its end and no append has ended since */
    bool closing;      /* a read came short while an append was under way: rule 7 */
    bool stale;        /* what is flying was read over an earlier connection: rule 5 */
    bool older_end;    /* the present older stream was read to its end */
    bool store;        /* Redis is up and our lease holds */
    bool evidence;     /* Kafka has taken something since the last loss */
    est_us due, pause; /* next try, while buffering */
    uint64_t transitions[3][3]; /* from, to */
};

/* Begins in buffering with evidence = false and store = false: the first look decides. */
void est_switch_init(struct est_switch *sw, const struct est_switch_options *opt);

/* Where a new event goes now. Nobody: not direct, and the store is away. Room in the buffer is the
 * caller's to check. */
enum est_switch_route est_switch_route(const struct est_switch *sw);
/* A new event went there. */
void est_switch_sent(struct est_switch *sw, enum est_switch_route route);

/* A direct record was acknowledged. (One that failed: est_switch_lost.) */
void est_switch_acked_direct(struct est_switch *sw);
/* Kafka has been lost, or its client had to give back what it held: `back` direct records stand in
 * front of the queue now, the others of `direct` have ended (refused). Flying entries are
 * forgotten: they are still in their stream. */
void est_switch_lost(struct est_switch *sw, size_t back, est_us now);
/* Something shows that Kafka takes records: metadata answered, another type's acknowledgement. */
void est_switch_evidence(struct est_switch *sw);

/* Redis is up and the lease is ours (true), or one of both is not (false): then what was under way
 * has an unknown outcome, is not reported any more if it should still come, and the entries that
 * wait for their deletion are forgotten. A read or delete that failed is such a case, too. */
void est_switch_store(struct est_switch *sw, bool up);
/* Number of older streams that this shim has to drain for this type. More than 0 takes a direct
 * type to buffering. Fewer than before: one was taken from us; a read or delete that is under way
 * is not reported any more, and entries that wait for their deletion are forgotten. */
void est_switch_older(struct est_switch *sw, size_t n, est_us now);

/* What is to be done now; call again until NONE, after every report. A RELEASE is complete when the
 * call returns. Calls that return APPEND, READ or DELETE count it as under way. In direct,
 * too, there are deletes, and reads behind a new connection (of repeats; hand them to Kafka). */
struct est_switch_step est_switch_next(struct est_switch *sw, est_us now);
/* When to ask again although nothing was reported; 0 = no need. */
est_us est_switch_due(const struct est_switch *sw);

/* Outcomes of what was under way. An unknown one is reported by est_switch_store(false). */
/* ok: the `n` of the step are in the stream. Otherwise they are not promised to be (fenced, full,
 * too few replicas) and the first `refused` of them have ended; what is left is tried again, at
 * once: against a store that stays full, refuse all or report it as away. */
void est_switch_appended(struct est_switch *sw, bool ok, size_t refused);
/* Are the entries that a read brought still wanted? To be asked before they are handed to Kafka. If
 * not (Kafka was lost meanwhile, or other streams came): hand over none and report n = 0, end =
 * false. */
bool est_switch_takes_read(const struct est_switch *sw);
/* `n` entries came and were all handed to Kafka; `end`: fewer than asked. own: of the own stream;
 * an older one at its end is counted down when all its entries are deleted: est_switch_older_done.
 */
void est_switch_read(struct est_switch *sw, size_t n, bool end, bool own);
/* A flying entry was acknowledged, or moved away because Kafka refuses it. True: it waits for its
 * deletion now. False: its stream id is worthless (rule 5), forget it. */
bool est_switch_acked(struct est_switch *sw);
void est_switch_deleted(struct est_switch *sw);
/* Queue records that ended without being appended (refused because the store stays away): `n` from
 * anywhere in the queue, no append being under way. */
void est_switch_dropped(struct est_switch *sw, size_t n);
/* The present older stream is at its end (older_end) and empty: nothing flying, nothing undeleted.
 */
void est_switch_older_done(struct est_switch *sw);

/* The state as people are told it: a type that reads its stream only to find out whether Kafka is
 * there is still buffering. */
enum est_switch_state est_switch_shown(const struct est_switch *sw);
const char *est_switch_state_name(enum est_switch_state state);
