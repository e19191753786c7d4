/* Private to lib/io/buffer*.c: an operation under way, and how scripts are called. */
#pragma once

#include "base/list.h"
#include "io/buffer.h"

/* Own streams (EST_BUFFER_TYPES_MAX) and as many of others. */
enum { EST_BUFFER_LARGEST_MAX = 2 * EST_BUFFER_TYPES_MAX };
enum { EST_BUFFER_KEY_MAX = 384, EST_BUFFER_PREFIX_MAX = 128, EST_BUFFER_TYPE_MAX = 64 };

/* No entry of the stream is larger; `known` once Redis has told about those of before. */
struct est_buffer_largest {
    char boot[EST_BOOT_LEN + 1], type[EST_BUFFER_TYPE_MAX + 1];
    uint64_t bytes;
    bool known;
};

struct est_buffer {
    struct est_redis *redis;
    char prefix[EST_BUFFER_PREFIX_MAX + 1], token[EST_BOOT_LEN + 1];
    char instance[EST_BUFFER_INSTANCE_MAX + 1];
    char lease_ms[24], replicas_text[16], wait_ms[24];
    unsigned replicas;
    enum est_buffer_fence fence;
    struct est_node ops; /* under way; freed with the buffer */
    struct est_buffer_largest largest[EST_BUFFER_LARGEST_MAX];
    size_t largest_next; /* the place that is given to the next stream */
};

/* From the call until its callback. What the callback is depends on the operation. */
struct est_buffer_op {
    struct est_node node;
    struct est_buffer *b;
    union {
        est_buffer_n_fn *n;
        est_buffer_read_fn *read;
        est_buffer_done *done;
        est_buffer_claim_fn *claim;
        est_buffer_release_fn *release;
        est_buffer_adopt_fn *adopt;
    } fn;
    void *arg;
    size_t n;
    est_err err; /* of an append, once `appended`; `waits`: WAIT's answer is still to come */
    bool appended, waits;
    char boot[EST_BOOT_LEN + 1], type[EST_BUFFER_TYPE_MAX + 1];
    est_buffer_partition_fn *each;
    void *extra; /* freed by drop when the operation ends */
    void (*drop)(void *extra);
};

/* A key of a boot: "{PREFIXbuf:BOOT}:WHAT" with `more` behind it. */
struct est_buffer_key {
    char text[EST_BUFFER_KEY_MAX];
    size_t len;
};
struct est_buffer_key est_buffer_key(const struct est_buffer *b, const char *boot, const char *what,
                                     const char *more);
/* "PREFIXNAME". */
struct est_buffer_key est_buffer_global(const struct est_buffer *b, const char *name);

static inline struct est_view est_buffer_key_view(const struct est_buffer_key *k)
{
    return est_view(k->text, k->len);
}

bool est_buffer_is_boot(const char *text);
bool est_buffer_is_type(const char *text);
bool est_buffer_is_stream(const struct est_buffer_stream *s);

/* buffer_largest.c: how large the entries of a stream can be, so that a read may be bounded by
 * their number. An entry of that size is about to be appended: */
void est_buffer_largest_add(struct est_buffer *b, const struct est_buffer_stream *s,
                            uint64_t bytes);
/* Redis has told: no entry that it holds is larger. */
void est_buffer_largest_told(struct est_buffer *b, const struct est_buffer_stream *s,
                             uint64_t bytes);
/* 0 = not known. */
uint64_t est_buffer_largest(const struct est_buffer *b, const struct est_buffer_stream *s);

/* NULL: no memory. */
struct est_buffer_op *est_buffer_op_new(struct est_buffer *b, void *arg);
void est_buffer_op_end(struct est_buffer_op *op);
/* Passes `err` through; ends the operation, whose callback will not come, when it is one. */
est_err est_buffer_op_sent(struct est_buffer_op *op, est_err err);
/* Remembers who holds the lease when the answer was FENCED. */
void est_buffer_see_fence(struct est_buffer *b, est_err err, const struct est_redis_reply *r);

/* What a script begins with: KEYS[1] is the lease, ARGV[1] the token. */
#define EST_BUFFER_FENCE                                                       \
    "local held = redis.call('GET', KEYS[1])\n"                                \
    "if held ~= ARGV[1] then\n"                                                \
    "  return redis.error_reply(held and 'FENCED other' or 'FENCED absent')\n" \
    "end\n"
