/* Events that wait in Redis: what is done with their streams, each as one script. One stream per
 * boot (one life of a shim) and type; one lease per boot, whose holder's token is compared inside
 * every script that writes or reads for a drain.
 *
 *   {PREFIXbuf:BOOT}:TYPE           stream: id, chain, record (codec/entry.h)
 *   {PREFIXbuf:BOOT}:TYPE:refused   stream: what Kafka refused, with the field reason
 *   {PREFIXbuf:BOOT}:lease          the holder's token, with an expiry
 *   {PREFIXbuf:BOOT}:types          set: types that ever appended
 *   {PREFIXbuf:BOOT}:bytes          hash: type → bytes of the values in its stream
 *                                   and :type → the size that none of them exceeds
 *   {PREFIXbuf:BOOT}:adopt          there when an operator wants the boot adopted at once
 *   PREFIXboots                     list of INSTANCE/BOOT in the order of their first claim
 *   PREFIXrefused                   set of BOOT/TYPE that have a stream of refused entries
 *   PREFIXpartitions                hash: type → number of partitions that Kafka last told
 * PREFIX is redis.prefix, "esteira:".
 *
 * Every function returns EST_OK and calls fn exactly once, later; or another error and never calls
 * it: EST_ERR_FULL, EST_ERR_NOMEM (redis.h), EST_ERR_INVALID (an argument). Errors that fn may get
 * are those of redis.h. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/view.h"
#include "io/redis.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_buffer;

enum {
    EST_BUFFER_ENTRIES_MAX = 512, /* of one append, read or removal */
    EST_BUFFER_ID_MAX = 41,       /* a stream id: two numbers and a hyphen */
    EST_BUFFER_BOOTS_MAX = 256,
    EST_BUFFER_TYPES_MAX = 64,
    EST_BUFFER_INSTANCE_MAX = 128,
    EST_BUFFER_READ_BYTES = 8 * 1024 * 1024 /* a read ends behind the entry that passes it */
};

struct est_buffer_options {
    struct est_redis *redis; /* outlives the buffer */
    const char *prefix;      /* of all keys */
    const char *token;       /* 32 hex digits: the boot that this process is */
    const char *instance;    /* the name that its boots are found by */
    est_us lease;
    unsigned replicas;   /* that must confirm an append; 0 = none is waited for */
    est_us wait_timeout; /* how long they are waited for */
};

struct est_buffer_stream {
    char boot[EST_BOOT_LEN + 1];
    const char *type;
};

struct est_buffer_entry {
    char stream_id[EST_BUFFER_ID_MAX + 1];
    struct est_view id, chain, record; /* borrowed; valid during the call or callback */
    uint64_t bytes;                    /* the three together */
};

/* Who holds the lease that a FENCED answer missed; valid inside that callback. */
enum est_buffer_fence { EST_FENCE_ABSENT, EST_FENCE_OTHER };

est_err est_buffer_new(const struct est_buffer_options *opt, struct est_buffer **ret,
                       struct est_why *reterr);
/* Callbacks that are due must have come, or the est_redis must be gone. NULL is a no-op. */
void est_buffer_free(struct est_buffer *b);
/* The process begins a new boot: the token of everything that is sent from here on.
 * EST_ERR_INVALID: no boot id. */
est_err est_buffer_reboot(struct est_buffer *b, const char *token);
enum est_buffer_fence est_buffer_fence(const struct est_buffer *b);

typedef void est_buffer_done(void *arg, est_err err);
typedef void est_buffer_n_fn(void *arg, est_err err, size_t n);

/* All n or none, in order. Of the entries id, chain and record are used. EST_OK only when the
 * replicas have confirmed, too; EST_ERR_REDIS_REPLICAS: the master has them, fewer replicas than
 * wanted. */
est_err est_buffer_append(struct est_buffer *b, const struct est_buffer_stream *s,
                          const struct est_buffer_entry *entries, size_t n, est_buffer_n_fn *fn,
                          void *arg);

/* after: a stream id, exclusive; NULL = from the head. `end`: there is nothing behind these now.
 * Without end fewer than `count` may come (EST_BUFFER_READ_BYTES), but at least one. An entry that
 * is none of ours has absent views. */
typedef void est_buffer_read_fn(void *arg, est_err err, const struct est_buffer_entry *entries,
                                size_t n, bool end);
est_err est_buffer_read(struct est_buffer *b, const struct est_buffer_stream *s, const char *after,
                        size_t count, est_buffer_read_fn *fn, void *arg);

/* bytes: of all of them together. Those that are gone already are no error. */
est_err est_buffer_remove(struct est_buffer *b, const struct est_buffer_stream *s,
                          const char *const *stream_ids, size_t n, uint64_t bytes,
                          est_buffer_done *fn, void *arg);

/* Moves one entry to the refused ones, in one step. reason: a code such as "E-TOO-LARGE". */
est_err est_buffer_refuse(struct est_buffer *b, const struct est_buffer_stream *s,
                          const struct est_buffer_entry *entry, const char *reason,
                          est_buffer_done *fn, void *arg);

/* --- leases --- */

/* got: the lease is ours now (taken, or held already and extended). Own boot (== token): also
 * enters it into the list of boots. Another's: only when nobody holds it; a mark to adopt it is
 * taken away. holder: who has it, "" = we. */
typedef void est_buffer_claim_fn(void *arg, est_err err, bool got, const char *holder);
est_err est_buffer_claim(struct est_buffer *b, const char *boot, est_buffer_claim_fn *fn,
                         void *arg);
est_err est_buffer_renew(struct est_buffer *b, const char *boot, est_buffer_done *fn, void *arg);
/* Gives the lease back. gone: nothing waited any more (refused entries apart), and the boot has
 * been taken off the list; was it another's, its owner cannot take it back. FENCED when the lease
 * was not ours. */
typedef void est_buffer_release_fn(void *arg, est_err err, bool gone);
est_err est_buffer_release(struct est_buffer *b, const char *boot, est_buffer_release_fn *fn,
                           void *arg);
/* An operator's wish that any live shim takes the boot over at once. found: it is on the list. */
typedef void est_buffer_adopt_fn(void *arg, est_err err, bool found);
est_err est_buffer_adopt(struct est_buffer *b, const char *boot, est_buffer_adopt_fn *fn,
                         void *arg);

/* --- what there is --- */

struct est_buffer_type {
    const char *type;
    uint64_t entries, bytes;
    est_us oldest_age; /* by the clock of Redis; 0 = no entry */
};

struct est_buffer_boot {
    char boot[EST_BOOT_LEN + 1];
    char instance[EST_BUFFER_INSTANCE_MAX + 1];
    char holder[EST_BOOT_LEN + 1]; /* "" = nobody */
    est_us lease_left;
    bool adopt; /* an operator asked for its adoption */
    struct est_buffer_type *types;
    size_t n_types;
};

/* In the order of the list, the oldest first; at most EST_BUFFER_BOOTS_MAX. */
typedef void est_buffer_boots_fn(void *arg, est_err err, const struct est_buffer_boot *boots,
                                 size_t n);
est_err est_buffer_boots(struct est_buffer *b, est_buffer_boots_fn *fn, void *arg);

/* Without a lease, for people: entries as est_buffer_read gives them. refused: of the refused
 * ones. */
est_err est_buffer_peek(struct est_buffer *b, const struct est_buffer_stream *s, bool refused,
                        const char *after, size_t count, est_buffer_read_fn *fn, void *arg);

/* --- partition counts, for a start without Kafka --- */

typedef void est_buffer_partition_fn(void *arg, const char *type, uint32_t count);
/* each per known type, then done. */
est_err est_buffer_partitions_get(struct est_buffer *b, est_buffer_partition_fn *each,
                                  est_buffer_done *done, void *arg);
est_err est_buffer_partitions_put(struct est_buffer *b, const char *type, uint32_t count,
                                  est_buffer_done *fn, void *arg);
