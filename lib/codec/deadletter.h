/* What the headers of a dead letter say: who refused which record, when and why. Ours (the names of
 * KIP-1191, and esteira-*), and those of Kafka Connect, Kafka Streams and Spring Kafka, so that one
 * tool reads all of them. Headers are given one by one, in their order; of a header that stands
 * twice the last one counts, as everywhere in Kafka. */
#pragma once

#include "base/clock.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

/* On a record that a replay has put back: the destination that it is for (others pass it over), and
 * how often it has been put back. */
#define EST_REPLAY_FOR_HEADER "esteira-replay-for"
#define EST_REPLAY_COUNT_HEADER "esteira-replay-count"

/* A record that is put back has a time that is a multiple of this. To take a record's headers apart
 * costs half as much again as to deliver it, so whoever looks for a replay looks there first. */
enum { EST_REPLAY_TIME_STEP_MS = 1000 };

enum est_deadletter_writer {
    EST_DEADLETTER_UNKNOWN, /* nothing says where it comes from */
    EST_DEADLETTER_ESTEIRA, /* also whatever else writes the names of KIP-1191 */
    EST_DEADLETTER_CONNECT,
    EST_DEADLETTER_STREAMS,
    EST_DEADLETTER_SPRING,
};

/* The views borrow from the headers; absent when the header is. */
struct est_deadletter {
    enum est_deadletter_writer writer;
    struct est_view topic; /* where the record came from */
    int32_t partition;     /* -1 = unknown */
    int64_t offset;        /* -1 = unknown */
    struct est_view group; /* consumer group, or connector */
    struct est_view class; /* ours, or the name of an exception */
    struct est_view message;
    struct est_view id; /* of the event: ce_id */
    unsigned status;    /* of HTTP; 0 = none */
    uint64_t attempts, replays;
    est_us first_failed_at, failed_at; /* wall clock; 0 = unknown */
};

void est_deadletter_init(struct est_deadletter *dl);
/* A value that does not fit its header's meaning is as none. */
void est_deadletter_read(struct est_deadletter *dl, const char *name, struct est_view value);
/* True for the headers that a dead letter has beyond its record's own, and for those of an earlier
 * replay: what a replay leaves out, so that no record grows from hop to hop. */
bool est_deadletter_is_added(const char *name);
/* "esteira", "connect", …; "unknown". */
const char *est_deadletter_writer_name(enum est_deadletter_writer writer);
