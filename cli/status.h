/* How the belt stands: of each destination and type what was accepted, and what has become of it,
 * from the notes that the groups' commits carry (core/note.h), the ends of the topics and the
 * buffer; and why it stands still, from what the consumers tell (consumer/bulletin.h).
 * status_find.c collects, status_judge.c adds up and judges, cmd_status.c prints. */
#pragma once

#include "cli.h"

#include "io/kafka_look.h"

struct est_value;

enum { STATUS_WORD = 48 };

/* One type at one destination; sums over its partitions. */
struct status_row {
    const struct est_type_config *type;
    uint64_t delivered, dead, missing, expired;
    uint64_t waiting;  /* in the topic, not settled */
    uint64_t buffered; /* in Redis, not in the topic yet */
    uint64_t repeated, replayed, unchained;
    uint64_t lag;        /* records behind the commits */
    int64_t oldest_ms;   /* age of the oldest that waits, in topic or buffer; -1 = none, unknown */
    unsigned unreadable; /* partitions whose commit carries no note: nothing is known of what lies
                             before it */
    bool partial;        /* an account began in the middle, or has forgotten chains */
    char state[STATUS_WORD]; /* paused, slow: it stands still by itself; "" = no, or unknown */
    bool broken;             /* a note does not add up */
};

/* What the consumers of a destination tell of themselves. */
struct status_state {
    size_t told; /* consumers that tell something */
    char state[STATUS_WORD], reason[STATUS_WORD], code[STATUS_WORD]; /* "" = nobody tells */
    int64_t next_ms;     /* the next request in so long */
    int64_t budget_left; /* -1 = no limit; -2 = nobody tells */
};

struct status_destination {
    const struct est_destination_config *dest;
    struct est_kafka_look *look;
    struct status_row *rows; /* as cfg->types */
    struct status_row sum;   /* type NULL */
    bool has_members;
    size_t members; /* of the group, if known */
    struct status_state state;
};

struct status_buffer {
    bool configured, known;
    uint64_t entries, bytes;
    est_us oldest;
};

/* What is to be said first, the worst of it. */
enum status_verdict {
    STATUS_FINE,
    STATUS_EMPTY,    /* nothing was ever accepted */
    STATUS_BUFFERED, /* something waits in the buffer */
    STATUS_BEHIND,   /* something waits for more than a minute */
    STATUS_LIMITED,  /* the destination's limit holds it up */
    STATUS_DOWN,     /* the destination does not answer */
    STATUS_NOBODY,   /* something waits, and no consumer runs */
    STATUS_PAUSED,   /* a person must mend it */
    STATUS_EXPIRED,  /* events outlived the topic's retention */
    STATUS_MISSING,  /* events are missing */
    STATUS_BROKEN,   /* a note does not add up: a defect of ours */
    STATUS_VERDICTS
};

struct status {
    struct cli *cli;
    const struct est_config *cfg;
    struct est_kafka_option *extra;
    const char **topics; /* of cfg->types */
    struct status_destination *dests;
    size_t n_dests;
    struct status_buffer buffer;
    est_us at; /* wall clock */
};

/* --- status_find.c --- */

/* Fills everything anew; the first time it connects. EST_ERR_KAFKA_DOWN, EST_ERR_NOMEM. Redis may
 * be away: buffer.known says so. */
est_err status_look(struct status *s, struct est_why *why);
void status_close(struct status *s);

/* --- status_judge.c: pure --- */

/* One partition of the row's type, at the wall clock's `now_ms`. */
void status_add_part(struct status_row *row, const struct est_kafka_look_part *part,
                     int64_t now_ms);
/* A consumer's line; what cannot be read says nothing. The worst state of several counts. */
void status_add_line(struct status_state *st, const struct est_value *line);
/* What it says of a row's type. */
void status_add_type(struct status_row *row, const struct est_value *line);
void status_add_up(struct status_destination *d, size_t n_types);
uint64_t status_pending(const struct status_row *row);
uint64_t status_accepted(const struct status_row *row);
enum status_verdict status_judge(const struct status_destination *d);
/* The promise holds: nothing is missing, and the sums are right. */
bool status_is_kept(enum status_verdict v);
/* As --strict wants it: kept, nothing is late or stands still, and that is known. When something
 * waits and the group did not say whether it has members, nobody may be there. */
bool status_is_well(const struct status_destination *d);
/* "fine", "paused", … as --json has it. */
const char *status_verdict_name(enum status_verdict v);
