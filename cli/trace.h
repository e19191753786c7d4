/* What is known about one event: the places in its topic that hold it, whether each destination
 * has settled them, every request that carried them, its dead letters, and where it waits in the
 * buffer. trace_find*.c collect it, trace_judge.c judges what it amounts to, cmd_trace.c prints
 * it. */
#pragma once

#include "cli.h"
#include "dlq.h"

#include "core/chain.h"

enum {
    TRACE_COPIES_MAX = 32,
    TRACE_ATTEMPTS_MAX = 200,
    TRACE_LETTERS_MAX = 64,
    TRACE_WAITING_MAX = 8,
    TRACE_NAME = 130,
    TRACE_WORD = 48
};

/* A record that holds the event. The first is the oldest. */
struct trace_copy {
    const struct est_type_config *type;
    int32_t partition;
    int64_t offset;
    int64_t at_ms; /* when a shim accepted it; of a replay: when it was put back */
    char chain[EST_CHAIN_TEXT_MAX + 1]; /* "" = none */
    char put_back_for[TRACE_NAME];      /* a replay for this destination; "" = none */
};

struct trace_attempt {
    size_t copy;
    int64_t at_ms, us, events;
    int status;  /* 0 = no answer */
    bool is_own; /* the answer had one for this event */
    char verdict[TRACE_WORD], class[TRACE_WORD];
};

struct trace_letter {
    size_t copy; /* n_copies: of a record that is not there any more */
    char topic[DLQ_TOPIC_MAX];
    int32_t partition;
    int64_t offset;
    est_us failed_at;
    char class[TRACE_WORD];
    unsigned status;
    uint64_t attempts, replays;
    enum dlq_state state;
};

/* What the group's commit says about a copy. */
enum trace_mark {
    TRACE_MARK_UNKNOWN,
    TRACE_MARK_OPEN,
    TRACE_MARK_SETTLED,
    TRACE_MARK_DELIVERED,
    TRACE_MARK_DEAD
};

enum trace_state {
    TRACE_NOWHERE, /* not found */
    TRACE_BUFFERED,
    TRACE_QUEUED,   /* in the topic, not sent yet */
    TRACE_RETRYING, /* sent, not taken yet */
    TRACE_DELIVERED,
    TRACE_DEAD,
    TRACE_PARKED,
    TRACE_UNKNOWN, /* it is there, and the group's offsets are not known */
    TRACE_STATES
};

struct trace_destination {
    const struct est_destination_config *dest;
    enum trace_mark marks[TRACE_COPIES_MAX];
    int64_t behind[TRACE_COPIES_MAX]; /* records in front of an open copy */
    struct trace_attempt attempts[TRACE_ATTEMPTS_MAX];
    size_t n_attempts;
    struct trace_letter letters[TRACE_LETTERS_MAX];
    size_t n_letters;
    bool has_log; /* the attempt log could be read */
    enum trace_state state;
    size_t copy; /* the copy that the state is about */
};

struct trace_waiting {
    char boot[EST_BOOT_LEN + 1], instance[TRACE_NAME];
    const struct est_type_config *type;
    int64_t at_ms; /* when it was put there; 0 = unknown */
};

struct trace {
    struct cli *cli;
    const struct est_config *cfg;
    const char *id;
    int64_t since_ms; /* where the search began */
    struct est_kafka_option *extra;
    char name[TRACE_NAME], source[TRACE_NAME]; /* of the event */
    struct trace_copy copies[TRACE_COPIES_MAX];
    size_t n_copies;
    struct trace_waiting waiting[TRACE_WAITING_MAX];
    size_t n_waiting;
    bool has_buffer; /* the buffer could be searched */
    struct trace_destination *dests;
    size_t n_dests;
    uint64_t read; /* records looked at */
    bool interrupted;
};

/* Unix ms of a UUIDv7; -1: the id is none. */
int64_t trace_time_of_id(const char *id);

/* --- trace_find.c, trace_find_log.c: each adds what it finds; `why` says what went wrong --- */

est_err trace_find_copies(struct trace *t, struct est_why *why);
/* The groups' commits. */
est_err trace_find_marks(struct trace *t, struct est_why *why);
est_err trace_find_letters(struct trace *t, int *ret_code);
est_err trace_find_attempts(struct trace *t, struct est_why *why);
/* Without Redis t->has_buffer stays false. */
void trace_find_waiting(struct trace *t);

/* --- trace_judge.c --- */

/* Fills state and copy of each destination. */
void trace_judge(struct trace *t);
/* It ended there: the event was taken, or refused for good, by this very request. */
bool trace_attempt_delivered(const struct trace_attempt *a);
bool trace_attempt_refused(const struct trace_attempt *a);
const char *trace_state_name(enum trace_state state);
