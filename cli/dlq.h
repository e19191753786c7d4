/* Dead letters for the commands: the DLQ topics that the options name, read from their beginning to
 * their end of now, each record with what its headers say and whether it was replayed.
 *
 * What was replayed stands in the compacted topic replays.<destination>: bits per block of records
 * (core/dlq_done.h). A dead letter is open, or replayed, or parked: put back as often as
 * --max-replays allows and dead again. A parked one stays where it is, in the DLQ; only a higher
 * --max-replays moves it. */
#pragma once

#include "cli.h"

#include "codec/deadletter.h"
#include "core/dlq_done.h"
#include "io/kafka_msg.h"

enum { DLQ_TOPIC_MAX = 300, DLQ_MAX_REPLAYS = 3, DLQ_NUMBER = 40 };

enum dlq_state { DLQ_OPEN, DLQ_PARKED, DLQ_REPLAYED, DLQ_STATES };

struct dlq_source {
    const struct est_destination_config *dest;
    const struct est_type_config *type; /* NULL: a topic that --topic names */
    char topic[DLQ_TOPIC_MAX];
    struct est_dlq_done *done;
};

struct dlq_entry {
    struct dlq_source *source;
    struct est_kafka_msg *msg;
    struct est_deadletter letter;
    const char *type; /* by its name, or "" */
    enum dlq_state state;
    bool fits; /* the filters say yes */
};

struct dlq {
    struct cli *cli;
    const struct est_config *cfg;
    struct est_kafka_option *extra; /* kafka.options */
    struct dlq_source *sources;
    size_t n, at; /* at: the one that is being read */
    struct est_kafka_read *reader;
    unsigned max_replays;
    unsigned states;  /* bits of those that fit */
    uint64_t read;    /* records so far */
    int64_t since_ms; /* records of this time and later, set behind dlq_open; 0 = all */
    int exit_down;    /* how to exit when Kafka goes while it is read; EXIT_UNAVAILABLE at first */
};

/* The filters and topics of the command line, and what was replayed. `states`: bits of those that
 * fit unless --state says otherwise. False: it was told why, *ret_code is how to exit; closed. */
bool dlq_open(struct dlq *d, struct cli *cli, const struct est_config *cfg, unsigned states,
              int *ret_code);
void dlq_close(struct dlq *d);
/* The next record of all topics, whether it fits or not; e->msg is the caller's. EST_ERR_AGAIN:
 * none came within `wait`. EST_ERR_CLOSED: the end. Else it has been told, and *ret_code is how to
 * exit. */
est_err dlq_next(struct dlq *d, est_us wait, struct dlq_entry *ret, int *ret_code);
/* As dlq_next, but waits for it, with --timeout. */
est_err dlq_await(struct dlq *d, struct dlq_entry *ret, int *ret_code);
/* Records in the topics at most, for a progress bar; 0 = unknown. */
uint64_t dlq_count(struct dlq *d);

/* How Kafka is reached, for readers, producers and admins of these commands. */
const char *dlq_client_id(void);
/* "replays.<destination>" */
void dlq_replays_topic(const struct est_destination_config *dest, char out[DLQ_TOPIC_MAX]);
/* Reads what was replayed into every source. EST_OK also when there is no such topic yet. */
est_err dlq_load_done(struct dlq *d, struct est_why *why);

/* The filters: type, class, status, key, time, id, and the states of d. */
bool dlq_fits(const struct dlq *d, const struct dlq_entry *e);
/* True when `name` is the event's id, or the place: "order#0:12" or "<topic>#0:12". */
bool dlq_is_named(const struct dlq_entry *e, const char *name);
/* "order#0:12": type or DLQ topic, partition and offset in the DLQ. */
void dlq_place(const struct dlq_entry *e, char *out, size_t size);
est_us dlq_time(const struct dlq_entry *e);       /* wall clock: when it failed, or was written */
const char *dlq_state_name(enum dlq_state state); /* as --state and --json have it */
enum text dlq_state_text(enum dlq_state state);   /* as people read it */
/* For a terminal: what others wrote may hold bytes that steer it; those are `?`. */
void dlq_text(struct est_view v, char *out, size_t size);
/* 12.480 or 12,480 */
void dlq_number(const struct out *o, uint64_t n, char out[DLQ_NUMBER]);
/* False: --state is none of them. */
bool dlq_states_of(const char *text, unsigned *ret);
/* The members of a dead letter in JSON: ids, types, classes, counts, no value of the event. */
void dlq_put_json(struct est_buf *b, const struct dlq_entry *e);
