/* One history of a partition: its log, who writes it, who reads it, and the judge of all. */
#pragma once

#include "sim.h"

#include "core/account.h"
#include "core/rng.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    HISTORY_LOG = 160,
    HISTORY_EVENTS = 200,
    HISTORY_BOOTS = 3,
    HISTORY_HEADER = 80,
    HISTORY_PARTITION = 3
};

/* What the judge knows of an event. */
struct history_event {
    bool settled;  /* delivered or dead-lettered, by whomever */
    bool in_log;   /* a record of it can be read */
    bool promised; /* it was stamped, and is lost if it is not in the log */
    uint8_t boot;
    uint16_t epoch;
    uint64_t n;
};

struct history_record {
    int64_t offset;
    int event; /* -1: a mark, or a replay for others */
    enum est_account_kind kind;
    char header[HISTORY_HEADER]; /* "" = none */
    char claim[HISTORY_HEADER];  /* the header that its value says it has; "" = it says nothing */
};

struct history_log {
    struct history_record records[HISTORY_LOG];
    size_t n, start; /* start: retention has taken what lies below */
    int64_t next;
    struct history_event events[HISTORY_EVENTS];
    size_t n_events;
    struct {
        uint16_t epoch;
        uint64_t next;
    } boots[HISTORY_BOOTS];
    struct history_record late; /* stamped, and appended behind others */
    bool has_late;
    bool was_cut;  /* an event that was read may be gone from the log */
    bool is_plain; /* nobody copies values */
    bool holey;    /* so much is lost that a chain has no room for its holes */
    bool restless; /* chains break so often that a note cannot name them all */
};

struct history_sum {
    uint64_t read, owners, commits, repeats, ahead, again;
};

void history_log_init(struct history_log *log);
/* One more record, or none, with the faults of those who write. False: the log is full. */
bool history_append(struct history_log *log, struct est_rng *rng);
/* The log loses what lies at `from` and above, and goes on there with other records. */
void history_cut(struct history_log *log, size_t from);

/* From the first record to the end of everything. */
void history_run(uint64_t seed, struct history_sum *sum);
