/* A record as Kafka handed it over. Key, value and headers lie where librdkafka has put them, in
 * the response that brought them, until est_kafka_msg_own copies them: what goes out at once is
 * never copied, and what has to wait must be, for one record of it would keep megabytes alive. */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "io/kafka_pub.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_kafka_msg;

/* With memory of its own: copies key, value and headers of `rec`; rec->topic is kept as the pointer
 * it is and outlives the message. EST_ERR_NOMEM. */
est_err est_kafka_msg_new(const struct est_record *rec, int64_t offset, struct est_kafka_msg **ret);
void est_kafka_msg_free(struct est_kafka_msg *m);

/* From here on the message has memory of its own; views that were taken from it are void. A second
 * call changes nothing. EST_ERR_NOMEM: all is as it was. */
est_err est_kafka_msg_own(struct est_kafka_msg *m);
bool est_kafka_msg_is_own(const struct est_kafka_msg *m);

struct est_view est_kafka_msg_key(const struct est_kafka_msg *m);   /* absent = none */
struct est_view est_kafka_msg_value(const struct est_kafka_msg *m); /* absent = tombstone */
const char *est_kafka_msg_topic(const struct est_kafka_msg *m);
int32_t est_kafka_msg_partition(const struct est_kafka_msg *m);
int64_t est_kafka_msg_offset(const struct est_kafka_msg *m);
int64_t est_kafka_msg_timestamp_ms(const struct est_kafka_msg *m); /* 0 = unknown */
/* The topic has message.timestamp.type=LogAppendTime: the writer's own time is not kept. */
bool est_kafka_msg_is_timed_by_broker(const struct est_kafka_msg *m);
/* The last header of that name; absent when there is none. */
struct est_view est_kafka_msg_header(const struct est_kafka_msg *m, const char *name);
/* Copy that header's value to `out` and return its length; 0 when there is none, or when it is
 * longer than max. For what is asked of every record: of a borrowed message nothing is kept behind,
 * where est_kafka_msg_header() leaves a dozen pieces of memory with it. Which headers there are is
 * remembered: to ask for another that is not there costs next to nothing from then on. */
size_t est_kafka_msg_copy_header(struct est_kafka_msg *m, const char *name, char *out, size_t max);
/* It is known from elsewhere that there is no header `traceparent`: to ask for it costs next to
 * nothing from then on. */
void est_kafka_msg_set_untraced(struct est_kafka_msg *m);
/* All of them, in order; borrowed from the message, which must have memory of its own. */
const struct est_record_header *est_kafka_msg_headers(const struct est_kafka_msg *m, size_t *ret_n);
/* Bytes of memory that the message holds; of a borrowed one those that it would keep if it were
 * alone in its response, headers aside. */
size_t est_kafka_msg_size(const struct est_kafka_msg *m);
