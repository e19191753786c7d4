/* The fake Kafka of the buffer simulator, with one client a shim: per partition a queue whose front
 * is persisted, then acknowledged. What was taken back while the broker was frozen may still lie in
 * its socket: a prefix of it may be persisted later, before anything newer of the same client. */
#pragma once

#include "buffer_judge.h"

enum { BUF_FIFO = 1 << 12, BUF_ORPHANS = 4 };

struct buf_record {
    uint32_t stamp;
    uint32_t id; /* of the stream's entry; 0 = a direct record */
};

struct buf_fifo {
    struct buf_record records[BUF_FIFO]; /* ring */
    uint32_t head, n;
    uint32_t persisted; /* at the front, un-acknowledged */
};

struct buf_client {
    struct buf_fifo parts[BUF_PARTITIONS];
    struct buf_fifo ghosts[BUF_PARTITIONS];
    size_t n;            /* un-acknowledged in all */
    uint32_t sent_until; /* while the process stands still: so many a partition are in the socket */
    bool still;
    bool refused; /* the front of `refused_part` was refused, and all behind it */
    uint8_t refused_part;
};

enum buf_kafka_state { BUF_KAFKA_UP, BUF_KAFKA_FROZEN, BUF_KAFKA_DOWN };

struct buf_kafka {
    struct buf_judge *judge;
    struct est_rng *rng;
    enum buf_kafka_state state;
    struct buf_client clients[BUF_SHIMS];
    struct buf_fifo orphans[BUF_ORPHANS]; /* of dead clients, one partition each */
    bool healed;                          /* no more moods */
};

void buf_kafka_reset(struct buf_kafka *k);
void buf_kafka_produce(struct buf_kafka *k, struct buf_client *c, struct buf_record record);
/* The broker does something for that client, or for a dead one. */
void buf_kafka_work(struct buf_kafka *k, struct buf_client *c);
/* The next acknowledgement that has come back. */
bool buf_kafka_acked(struct buf_kafka *k, struct buf_client *c, struct buf_record *ret);
/* The client gives everything back (rd_kafka_purge): records in the order of their events, at most
 * `max`; some of them are persisted, or will be. */
size_t buf_kafka_purge(struct buf_kafka *k, struct buf_client *c, struct buf_record *ret,
                       size_t max);
void buf_kafka_kill(struct buf_kafka *k);
/* The process of the client stands still, goes on, or has died. */
void buf_kafka_still(struct buf_kafka *k, struct buf_client *c, bool still);
void buf_kafka_orphan(struct buf_kafka *k, struct buf_client *c);
