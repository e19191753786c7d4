/* The fake Kafka with the fake shim that fills it, and the judge: it knows every event, what became
 * of it, and checks each commit and each delivery the moment it happens. */
#pragma once

#include "base/view.h"
#include "core/rng.h"
#include "core/stamp.h"
#include "sim.h"

#include <stdbool.h>
#include <stddef.h>

enum { BELT_HEADER = 80, BELT_LATE = 8 };

struct belt_event {
    uint32_t key;
    uint32_t order; /* place among the events of its key, as they first stand in the log */
    bool logged;    /* it has an order */
    bool poison;    /* the dashboard will never take it */
    bool applied;   /* the dashboard has it */
    bool dead;      /* it is in the dead letter queue */
};

struct belt_record {
    int64_t offset;
    uint32_t event, part;
    char header[BELT_HEADER]; /* its chain; empty = none */
};

struct belt_partition {
    struct belt_record *records;
    size_t n, cap;
    int64_t end; /* the next offset */
    int64_t committed;
    size_t audited; /* records below `committed` */
    char meta[SIM_META];
    size_t meta_len;
};

struct belt_key {
    uint32_t *events; /* in order */
    uint32_t n, cap;
    uint32_t next; /* all before it are applied or poison */
};

struct belt {
    struct belt_partition parts[SIM_PARTITIONS];
    struct belt_key keys[SIM_KEYS];
    struct belt_event *events;
    size_t n, max;
    struct est_stamp *stamp;
    unsigned boots;
    struct est_rng rng;
    struct belt_record late[BELT_LATE]; /* stamped, but appended behind others */
    size_t n_late;
    bool lose_meta; /* some commits lose their metadata, as by another program's commit */
    uint64_t duplicates, buried; /* deliveries beyond the first; dead letters */
};

void belt_init(struct belt *b, size_t max, uint64_t seed);
void belt_fini(struct belt *b);
/* One more event happens and is appended, with the faults of a shim: appended twice, appended late,
 * a number lost, a new boot, a new epoch, a gap in the offsets, a record without a chain or with
 * another partition's. False when all `max` have happened and none is late. */
bool belt_produce(struct belt *b);

/* A member commits. Checks: not below the last commit, and everything below is settled. */
void belt_commit(struct belt *b, uint32_t part, int64_t offset, struct est_view meta);
/* The dashboard has taken the event. Checks: the order of the first occurrences of its key. */
void belt_apply(struct belt *b, uint32_t event);
/* The dead letter queue has taken the event. Checks: it deserved it. */
void belt_bury(struct belt *b, uint32_t event);

/* Everything has happened and is committed. */
bool belt_is_at_rest(const struct belt *b);
/* At rest: nothing is lost, and the accounts that were committed balance. */
void belt_check_rest(const struct belt *b);

/* The ordering key as text; returns its length. */
size_t belt_key_text(uint32_t key, char out[16]);
