/* Private to lib/io/kafka_*.c: a message around what librdkafka has fetched, without a copy. */
#pragma once

#include "base/pool.h"
#include "io/kafka_msg.h"

#include <librdkafka/rdkafka.h>

/* The size of the blocks that the pool must hold. */
size_t est_kafka_msg_block(void);
/* Takes ev on success: `msg` is the message in it, and lives as long. `topic` outlives it, and so
 * does `pool` while it is borrowed. EST_ERR_NOMEM. */
est_err est_kafka_msg_borrow(rd_kafka_event_t *ev, const rd_kafka_message_t *msg, const char *topic,
                             struct est_pool *pool, struct est_kafka_msg **ret);
