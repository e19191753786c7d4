/* Private to lib/io/kafka_*.c: a message around what librdkafka has fetched, without a copy. */
#pragma once

#include "io/kafka_msg.h"

#include <librdkafka/rdkafka.h>

/* Takes ev on success: `msg` is the message in it, and lives as long. `topic` outlives it.
 * EST_ERR_NOMEM. */
est_err est_kafka_msg_borrow(rd_kafka_event_t *ev, const rd_kafka_message_t *msg, const char *topic,
                             struct est_kafka_msg **ret);
