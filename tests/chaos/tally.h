/* The promises as arithmetic, for experiments too large for a list of ids: what load (load.c) says
 * was answered 202, against every record that lies in Kafka.
 *
 * Events are named TAG-LANE-N: lane LANE sent them as N = 0, 1, 2 …, over `keys` ordering keys in
 * turn (key of event N: N modulo keys), none before the one in front of it was accepted. So what
 * was accepted is a prefix of each lane.
 *
 * Pure: no I/O. Counters are never reset. */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "base/view.h"
#include "core/chain.h"

#include <stddef.h>
#include <stdint.h>

enum { TALLY_TAG_MAX = 31, TALLY_BOOTS_MAX = 4096 };

struct tally_sum {
    uint64_t records, foreign;                /* foreign: an id that no load has sent */
    uint64_t sent, accepted, delivered, lost; /* distinct ids; delivered + lost = accepted */
    uint64_t unpromised;                      /* delivered though never answered 202 */
    uint64_t duplicates;                      /* an id that came again */
    uint64_t inversions;      /* first arrivals of a key behind a later one of that key */
    uint64_t boot_inversions; /* the same, counting only what one boot stamped */
    uint64_t boots;
    uint64_t holes; /* numbers of a chain that are not there though later ones of its epoch are */
};

struct tally {
    struct tally_load *loads; /* list */
    struct est_map chains;    /* chain without its last number -> struct tally_chain */
    char boot[TALLY_BOOTS_MAX][EST_BOOT_LEN + 1];
    size_t last_boot;
    struct tally_sum sum;
};

void tally_init(struct tally *t);
void tally_fini(struct tally *t);
/* One load with its lanes; tally_lane for each of them follows. EST_ERR_NOMEM, EST_ERR_INVALID. */
est_err tally_add(struct tally *t, const char *tag, uint32_t lanes, uint32_t keys);
/* accepted <= sent; of the load added last. */
est_err tally_lane(struct tally *t, uint32_t lane, uint64_t accepted, uint64_t sent);
/* A record, in the order of its partition. chain: its header; absent = only the id counts. */
est_err tally_take(struct tally *t, struct est_view id, struct est_view chain);
/* A mark, which is no event: its chain goes so far. It may come before all events of its chain; one
 * that no event is taken of counts for nothing. */
est_err tally_mark(struct tally *t, struct est_view chain);
/* After the last one: fills the sums that need all records. */
const struct tally_sum *tally_end(struct tally *t);
