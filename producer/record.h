/* One event on its way. It stands in one place at a time:
 *
 *   direct   librdkafka holds it, somebody waits for its outcome
 *   queue    it waits to be appended to the buffer; its bytes are here
 *   flying   read from a stream and held by librdkafka
 *   undeleted  Kafka has it, its stream still has it, too
 *
 * While librdkafka holds the bytes there is no second copy of them: when it gives a record back
 * they are taken from its report. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/view.h"
#include "core/chain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_entry;
struct way;

enum { RECORD_STREAM_ID_MAX = 42 }; /* two 64-bit numbers and a dash */

struct record {
    struct est_node node;
    struct way *way;
    void *ticket; /* whom the outcome is told, with `index`; NULL = nobody waits for it */
    size_t index;
    size_t bytes;         /* what it takes of the bounds */
    est_us since;         /* when it was accepted, or read from its stream; monotonic */
    int64_t timestamp_ms; /* Kafka's; a report of a failure does not tell it */
    int32_t partition;
    uint64_t epoch, n; /* its number in our own chain of that partition */
    est_err failed;    /* direct: librdkafka has given it back, or did not take it */
    char *data;        /* id, then the entry's bytes; NULL while librdkafka holds them */
    uint32_t id_len, entry_len;
    char stream_id[RECORD_STREAM_ID_MAX]; /* "" = not from a stream */
};

/* Records are pooled: the usual way of an event allocates nothing. */
struct record_pool {
    struct est_node free;
    size_t n_free, max;
};

void record_pool_init(struct record_pool *pool, size_t max);
void record_pool_fini(struct record_pool *pool);
/* A blank record in no list; NULL without memory. */
struct record *record_take(struct record_pool *pool);
/* It must be in no list. */
void record_give(struct record_pool *pool, struct record *rec);

/* Keep the bytes: `id` is the event's id. EST_ERR_NOMEM. */
est_err record_hold(struct record *rec, struct est_view id, const struct est_entry *e);
struct est_view record_id(const struct record *rec);
struct est_view record_entry(const struct record *rec);
static inline bool record_is_drained(const struct record *rec)
{
    return rec->stream_id[0] != '\0';
}
