/* The partitions that this member holds: for each, its account (what is settled and may be
 * committed), and the parcels that are not settled. A partition lives from `assigned` to the end of
 * `revoked`. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "core/account.h"
#include "io/kafka_sub.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_config;
struct est_schema;
struct est_type_config;

/* Records of one partition that may be read behind an unsettled one; and how many it must be able
 * to take before it is read on once it was full. */
enum { PART_UNCOMMITTED_MAX = 200000, PART_ROOM_AGAIN = 20000 };

struct part {
    const struct est_type_config *type;
    int32_t partition;
    struct est_account *account;
    bool started;                    /* the account has a beginning */
    bool reads;                      /* a record was read */
    int64_t cut_at;                  /* the log was cut while it was read; -1 = it was not */
    int64_t committed;               /* acknowledged by the group; -1 = none yet */
    uint64_t noted;                  /* est_account_settled() of the last acknowledged note */
    int64_t sent;                    /* in the commit under way; -1 = it is not in it */
    uint64_t sent_noted;             /* likewise */
    struct est_buf note;             /* the metadata of the commit that is made */
    int64_t high;                    /* the highest offset that was handed out; -1 = none */
    const struct est_schema *schema; /* the writer's of the latest record; NULL = none yet */
    struct est_node parcels;
    size_t waiting, waiting_bytes;
    size_t gone;          /* of them, since the intake last looked: intake_room.c */
    struct est_node held; /* records that wait for a schema or for room: struct held */
    bool paused, full;    /* full: the account has no room for what is held */
};

struct parts {
    struct part *items;
    size_t n;
    struct part *last; /* records come in runs of one partition */
    size_t note_max;   /* characters; less once a broker has refused more */
};

/* Replaces what was held; parcels must be gone. */
est_err parts_assign(struct parts *ps, const struct est_config *cfg,
                     const struct est_kafka_position *pos, size_t n, struct est_why *reterr);
void parts_clear(struct parts *ps);
/* NULL when it is not held. */
struct part *parts_find(struct parts *ps, const char *topic, int32_t partition);
/* A record was handed out, to a request or to the DLQ. A planned stop finishes what lies below it,
 * for the commit must pass it. */
void part_handed_out(struct part *p, int64_t offset);
/* A record came that stands below one that was read, with the chain of its header. False: it was
 * read before, too. True: it is another, so the log was cut and written anew while we read it. */
bool part_is_cut(struct part *p, int64_t offset, struct est_view chain);
/* Nothing is in flight any more: partitions whose log was cut are committed from there. */
void parts_rewind(struct parts *ps);
/* A record was read. As est_account_read(); the first one of a group that has committed nothing is
 * where it begins; one that is not where the group had come to shows that the log has lost what was
 * between. */
est_err part_read(struct part *p, int64_t offset, struct est_view chain, enum est_account_kind kind,
                  struct est_account_answer *ret);
/* After EST_ERR_AGAIN, with the chain that the record's header has. */
void part_confirm(struct part *p, int64_t offset, struct est_view chain,
                  struct est_account_answer *ret);
/* Fills `pos` (room for ps->n) with what may be committed and has not been, with its notes, which
 * stay until the next call: returns how many. A partition without memory for its note is left
 * out. */
size_t parts_to_commit(struct parts *ps, struct est_kafka_position *pos);
void parts_committed(struct parts *ps, bool ok);
/* The broker takes no notes of that length: shorter ones from now on. False: it cannot be that. */
bool parts_shorten_notes(struct parts *ps);
