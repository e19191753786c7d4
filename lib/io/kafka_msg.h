/* A record as Kafka handed it over, in memory of its own. librdkafka's messages point into the
 * whole response that brought them, so one record that waits for hours would keep megabytes alive;
 * a copy costs a tenth of a microsecond and makes what is held as large as what is counted. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "io/kafka_pub.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_kafka_msg;

/* Copies key, value and headers of `rec`; rec->topic is kept as the pointer it is and outlives the
 * message. EST_ERR_NOMEM. */
est_err est_kafka_msg_new(const struct est_record *rec, int64_t offset, struct est_kafka_msg **ret);
void est_kafka_msg_free(struct est_kafka_msg *m);

struct est_view est_kafka_msg_key(const struct est_kafka_msg *m);   /* absent = none */
struct est_view est_kafka_msg_value(const struct est_kafka_msg *m); /* absent = tombstone */
const char *est_kafka_msg_topic(const struct est_kafka_msg *m);
int32_t est_kafka_msg_partition(const struct est_kafka_msg *m);
int64_t est_kafka_msg_offset(const struct est_kafka_msg *m);
int64_t est_kafka_msg_timestamp_ms(const struct est_kafka_msg *m); /* 0 = unknown */
/* The last header of that name; absent when there is none. */
struct est_view est_kafka_msg_header(const struct est_kafka_msg *m, const char *name);
/* All of them, in order; borrowed from the message. */
const struct est_record_header *est_kafka_msg_headers(const struct est_kafka_msg *m, size_t *ret_n);
/* Bytes of memory that the message holds. */
size_t est_kafka_msg_size(const struct est_kafka_msg *m);
