/* Which dead letters were replayed: one bit for each record of a DLQ partition, in blocks, so that
 * what has changed is written as a few small records to a compacted topic, and a replay that was
 * killed goes on from there whatever its filters were. A bit that is lost costs a duplicate, never
 * an event. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EST_DLQ_BLOCK_RECORDS = 4096, EST_DLQ_BLOCK_BYTES = EST_DLQ_BLOCK_RECORDS / 8 };
enum { EST_DLQ_KEY_MAX = 249 + 1 + 10 + 1 + 20 }; /* Kafka's longest topic, partition, block */

struct est_dlq_done;

struct est_dlq_block {
    int32_t partition;
    int64_t first; /* offset of its first bit; a multiple of EST_DLQ_BLOCK_RECORDS */
    unsigned char bits[EST_DLQ_BLOCK_BYTES];
};

/* Of one DLQ topic. EST_ERR_NOMEM. */
est_err est_dlq_done_new(struct est_dlq_done **ret);
void est_dlq_done_free(struct est_dlq_done *d);

bool est_dlq_done_has(const struct est_dlq_done *d, int32_t partition, int64_t offset);
/* EST_ERR_NOMEM; EST_ERR_INVALID: a negative place. */
est_err est_dlq_done_add(struct est_dlq_done *d, int32_t partition, int64_t offset);
/* The next block that was changed and not yet taken; NULL when there is none. Borrowed, until the
 * next call that changes something. */
const struct est_dlq_block *est_dlq_done_take(struct est_dlq_done *d);
/* The blocks whose records are all below `offset` go; `gone` is called for each. */
void est_dlq_done_forget(struct est_dlq_done *d, int32_t partition, int64_t offset,
                         void (*gone)(void *arg, const struct est_dlq_block *b), void *arg);

/* The key of a block's record: "<topic>/<partition>/<first>". */
size_t est_dlq_done_key(const char *topic, const struct est_dlq_block *b,
                        char out[EST_DLQ_KEY_MAX + 1]);
/* A record as it was read. Of another topic, or malformed: nothing happens (a doubt costs a
 * duplicate). An absent value forgets the block. EST_ERR_NOMEM. */
est_err est_dlq_done_load(struct est_dlq_done *d, const char *topic, struct est_view key,
                          struct est_view value);
