/* How records ended, and what a partition's records below its commit point amount to. */
#pragma once

#include <stdint.h>

enum est_end {
    EST_END_OPEN,      /* not settled */
    EST_END_DELIVERED, /* the destination has it */
    EST_END_DEAD,      /* the dead letter queue has it */
    EST_END_PASSED     /* nothing was to be done: a repeat, a mark, another destination's replay */
};

/* Each record below the commit point is one of the first six, and fresh + unchained + replays =
 * delivered + dead. A replay is a dead letter that was put back, so accepted = fresh + unchained +
 * missing + expired = delivered + dead - replays + missing + expired, where missing and expired are
 * what the chains tell (ledger.h). */
struct est_tally {
    uint64_t fresh;     /* events read for the first time */
    uint64_t repeats;   /* read again, settled without a request */
    uint64_t marks;     /* a program's word that a chain goes this far */
    uint64_t replays;   /* dead letters put back for this destination */
    uint64_t skipped;   /* dead letters put back for other destinations */
    uint64_t unchained; /* records that belong to no chain of this partition */
    uint64_t delivered, dead;
};
