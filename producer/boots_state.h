/* The inside of boots.h, for boots*.c: who holds which lease (boots_lease.c), what other boots left
 * and whose turn it is to take it (boots_look.c), and the connection to Redis beneath (boots.c). */
#pragma once

#include "base/list.h"
#include "boots.h"
#include "io/loop.h"

struct boot {
    struct est_node node; /* in boots.others; the own one is in none */
    struct boots *boots;
    char id[EST_BOOT_LEN + 1];
    bool ours, claiming, releasing;
    bool announced;    /* the ways know it */
    bool seen;         /* in the last look */
    bool leave;        /* what is left there is of types that we do not know */
    bool mine;         /* an earlier life of this instance */
    est_us held_until; /* monotonic: the lease cannot have run out before */
    est_us claimed_at; /* when the last claim or renewal was sent */
    est_us free_since; /* nobody held it in any look since; 0 = somebody did */
    size_t open;       /* ways that drain it */
};

struct boots {
    struct boots_options opt;
    struct est_redis *redis;
    struct est_buffer *buffer;
    char instance[EST_BUFFER_INSTANCE_MAX + 1];
    struct boot *own; /* in no list */
    struct est_node others;
    struct est_timer tick;
    bool up, usable, looked, looking, closely, partitions_read;
    est_us next_look, trouble_until;
};

static inline est_us boots_now(const struct boots *b)
{
    return est_loop_now(b->opt.loop);
}

/* boots.c: a boot in no list yet; NULL without memory. */
struct boot *boots_make(struct boots *b, const char *id, bool mine);

/* boots_lease.c: each does nothing while an answer about that lease is due. */
void boots_set_held(struct boot *boot, bool ours);
void boots_claim(struct boots *b, struct boot *boot);
void boots_renew(struct boots *b, struct boot *boot);
void boots_release(struct boots *b, struct boot *boot);

/* boots_look.c: look if it is time. */
void boots_look(struct boots *b);
/* Whoever was told of it is told that it is not ours to drain. */
void boots_announce_gone(struct boots *b, struct boot *boot);
