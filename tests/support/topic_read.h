/* Every record of topics, read past our own libraries, which must not be their own witness.
 * Whatever goes wrong ends the program with exit code 69: these are tests' tools. */
#pragma once

#include "base/view.h"

#include <librdkafka/rdkafka.h>

#include <stdbool.h>

enum { TOPIC_READ_WAIT_MS = 20000 };

_Noreturn void topic_read_die(const char *what, const char *why);
void topic_read_check(const char *what, rd_kafka_resp_err_t err);
rd_kafka_t *topic_read_open(const char *brokers);
void topic_read_close(rd_kafka_t *rk);
/* All partitions of the topic of that name, or of all whose names begin so, from their first record
 * to what is their end now; of one partition in its order. */
void topic_read_all(rd_kafka_t *rk, const char *name, bool prefix,
                    void (*take)(const rd_kafka_message_t *msg, void *arg), void *arg);
/* The last header of that name, or absent. */
struct est_view topic_read_header(const rd_kafka_message_t *msg, const char *name);
