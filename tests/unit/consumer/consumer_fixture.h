/* What the consumer's tests share: a worker over the shipped configuration, records of its types,
 * and a stand-in for lib/io/kafka_msg. A message begins borrowed, and takes OWNED_MORE bytes more
 * once it owns its memory. */
#pragma once

#include "worker.h"

#include "config/config.h"
#include "io/kafka_msg.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { OWNED_MORE = 1000, BORROWED_SIZE = 200 };

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* Lanes, pools, metrics and n partitions of the type "order"; no loop. */
struct worker *fixture_worker(size_t n_parts);
void fixture_worker_free(struct worker *w);

/* A record of the type order, framed by the shipped schema, whose payload has this note. */
struct est_kafka_msg *fixture_order(int64_t offset, const char *key, const char *note);
/* Any bytes; value NULL = a tombstone. */
struct est_kafka_msg *fixture_msg(int64_t offset, const char *key, const void *value, size_t len);
/* The message, with the header of a replay that is for that destination; the name is borrowed. */
struct est_kafka_msg *fixture_replayed_for(struct est_kafka_msg *m, const char *destination);
struct est_kafka_msg *fixture_timed(struct est_kafka_msg *m, int64_t ms, bool by_broker);
/* The message, as the n-th of a chain of partition 0; and with the header of a mark. */
struct est_kafka_msg *fixture_chained(struct est_kafka_msg *m, unsigned boot, unsigned n);
struct est_kafka_msg *fixture_mark(struct est_kafka_msg *m);
/* The message, of the type order, that says inside its value to be the n-th, at that time. */
struct est_kafka_msg *fixture_chained_inside(struct est_kafka_msg *m, unsigned boot, unsigned n,
                                             int64_t at);
bool fixture_is_untraced(const struct est_kafka_msg *m);
/* Messages that were made and not freed. */
extern int fixture_messages;
extern int fixture_headers_asked;
