/* The note that every commit carries as its metadata: what became of a partition's records below
 * the committed offset (tally), which chain numbers were seen there (ledger), and what is settled
 * beyond it (ahead). Whoever is assigned the partition goes on from it; `esteira status` adds notes
 * up.
 *
 * The text is base64 of: a version, a checksum, the tally, the ledger, and what is ahead as far as
 * there is room; at most EST_NOTE_MAX characters, which is what a broker takes by default
 * (offset.metadata.max.bytes). The checksum covers the type, the partition and the offset as well:
 * a note says something only at the very commit that it was written for, so that neither another
 * program's metadata, nor a note that a tool has copied to another offset, partition or topic can
 * make an event look settled that is not. */
#pragma once

#include "base/buf.h"
#include "core/ahead.h"
#include "core/ledger.h"
#include "core/tally.h"

enum { EST_NOTE_MAX = 4096, EST_NOTE_MIN = 512 };

/* Where a note belongs. */
struct est_note_place {
    struct est_view type; /* the event type, as chains name it; not the topic */
    uint32_t partition;
    int64_t offset; /* the committed one: the next record to read */
};

struct est_note {
    struct est_tally tally;
    struct est_ledger ledger;
    struct est_ahead ahead;
};

void est_note_init(struct est_note *note);
void est_note_fini(struct est_note *note);

/* Append the note to `out`, at most `max` characters (EST_NOTE_MIN to EST_NOTE_MAX). When it is too
 * long, what is ahead goes first, then the ledger gives up chains and holes. EST_ERR_FULL,
 * EST_ERR_NOMEM: `out` has failed. */
est_err est_note_write(struct est_note *note, struct est_note_place at, size_t max,
                       struct est_buf *out);
/* EST_ERR_INVALID: no note, of another version, or for another place; EST_ERR_NOMEM. The note is
 * empty and partial then, as that of a reader that begins in the middle. */
est_err est_note_read(struct est_note *note, struct est_note_place at, struct est_view text);

/* What a note amounts to. At rest accepted = delivered + dead - replays + missing + expired, and
 * missing is 0; while events move, what is accepted and not settled lies beyond the offset. */
struct est_note_sum {
    uint64_t accepted; /* fresh + unchained + missing + expired */
    uint64_t delivered;
    uint64_t dead; /* dead-lettered and not put back; never below 0 */
    uint64_t missing, expired;
    uint64_t ahead; /* events settled beyond the offset, as far as there was room to note them */
    bool partial;   /* the account began in the middle, or has forgotten chains */
};
struct est_note_sum est_note_sum(const struct est_note *note);
