/* Lives of shims, and who may touch what they left in Redis. A boot is one life; its streams are
 * guarded by a lease, which its own process holds while it buffers. Streams of a dead boot are
 * taken over by its restarted self at once, by another shim when the lease has been free for one
 * lease time more (a hand-over), and drained before what came later.
 *
 * Also here: the connection to Redis, and whether it can be used. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "io/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boot;
struct boots;
struct est_config;
struct est_loop;
struct est_metrics;

struct boots_options {
    struct est_loop *loop;
    const struct est_config *config;
    struct est_metrics *metrics;
    const char *boot; /* our own id */
    /* Redis can be used, or not; err and detail say why not. */
    void (*store)(void *arg, bool up, est_err err, const char *detail);
    /* A stream of an older boot that has to be drained first. Not ours yet perhaps: boots_has. */
    void (*found)(void *arg, struct boot *boot, const char *type, uint64_t entries);
    /* An older boot is not ours to drain any more. */
    void (*gone)(void *arg, struct boot *boot);
    /* Somebody else holds the lease of our own boot: this process was dead to the others. */
    void (*fenced)(void *arg);
    /* What Redis says of a stream that is ours, own or adopted; after each look, all types of all
     * boots, then once with type NULL. */
    void (*told)(void *arg, const struct est_buffer_type *type);
    /* The last partition count that any shim was told by Kafka. */
    void (*partitions)(void *arg, const char *type, uint32_t count);
    void *arg;
};

est_err boots_new(const struct boots_options *opt, struct boots **ret, struct est_why *reterr);
void boots_free(struct boots *b);

struct est_buffer *boots_buffer(const struct boots *b);
struct boot *boots_own(struct boots *b);
const char *boots_id(const struct boot *boot);
void boots_stream(const struct boot *boot, const char *type, struct est_buffer_stream *ret);
/* It has been looked at least once in this life what older boots left behind. */
bool boots_looked(const struct boots *b);
/* A look each second, not each five: something is going on. */
void boots_watch(struct boots *b, bool closely);

/* Before anything is written to our own streams: a claim goes ahead of it on the same
 * connection. */
void boots_need(struct boots *b);
/* Our own streams are empty: the lease is given back. */
void boots_rest(struct boots *b);
/* Begin a new life under that id. */
est_err boots_reborn(struct boots *b, const char *boot);

/* Give back every lease, so that a successor need not wait for it to run out; done when left. */
void boots_leave(struct boots *b);
bool boots_left(const struct boots *b);

/* The lease was ours when last told. */
bool boots_has(const struct boot *boot);
/* And it cannot have run out by now, whatever this process slept through. */
bool boots_hold(const struct boots *b, const struct boot *boot);
/* A script answered FENCED. */
void boots_fenced(struct boots *b, struct boot *boot);
/* Redis answers, but not as it should: it counts as down for a second. */
void boots_trouble(struct boots *b, est_err err);

/* One more way drains that boot; one less: at none the boot is done with. */
void boots_open(struct boot *boot);
void boots_close(struct boots *b, struct boot *boot);
/* One less, though it is not drained: it is not ours. */
void boots_unlink(struct boot *boot);
void boots_put_partitions(struct boots *b, const char *type, uint32_t count);
