/* The account of one partition for one destination: what was read and how it ended, up to where it
 * may be committed, which chain numbers are missing and which came again. It answers for each
 * record whether it is to be delivered, and writes the note (note.h) that goes with each commit.
 *
 * Two states are kept. The committed one covers exactly the records below the commit point and is
 * what the note says; the one in memory also covers what was read beyond it and classifies. A new
 * assignment replaces memory by what was committed, so an event that was read but never delivered
 * is delivered after a crash; what a note says to be settled beyond the commit point is settled
 * when it is read again, without a request.
 *
 * In doubt (no header, another partition's header, a forgotten chain, below a chain's base) a
 * record is never called a repeat: a doubt costs a duplicate, never an event. What a record's value
 * says of its chain is believed as long as it makes the record one to be delivered; for anything
 * else its header is asked, for values are copied without headers. */
#pragma once

#include "core/chain.h"
#include "core/note.h"

struct est_account;

/* What the caller sees in a record, apart from its chain. */
enum est_account_kind {
    EST_ACCOUNT_EVENT,
    EST_ACCOUNT_CLAIMED,  /* an event of which only its value says that chain */
    EST_ACCOUNT_MARK,     /* no event: it says that its chain goes this far */
    EST_ACCOUNT_PUT_BACK, /* a dead letter put back for this destination */
    EST_ACCOUNT_FOREIGN   /* a dead letter put back for another destination */
};

enum est_account_class {
    EST_ACCOUNT_NEW,
    EST_ACCOUNT_REPEAT,
    EST_ACCOUNT_UNCHAINED, /* no header that belongs here: counted apart */
    EST_ACCOUNT_MARKED,
    EST_ACCOUNT_REPLAY,
    EST_ACCOUNT_SKIPPED,
    EST_ACCOUNT__CLASSES
};

struct est_account_answer {
    enum est_account_class class;
    /* EST_END_OPEN: it is to be delivered, and est_account_settle() will say how it ended. Anything
     * else: it is settled already, by this very call. */
    enum est_end end;
};

/* `type` is copied; `max` bounds the records between the commit point and the newest one read.
 * EST_ERR_INVALID: a type that no chain can carry; EST_ERR_NOMEM. */
est_err est_account_new(struct est_view type, uint32_t partition, size_t max,
                        struct est_account **ret);
void est_account_free(struct est_account *acc);

/* A new assignment that begins at `offset` (≥ 0), with the metadata of that commit (absent or
 * empty: nothing). EST_ERR_INVALID: no note for this place, taken as nothing, which is safe;
 * EST_ERR_NOMEM: likewise. */
est_err est_account_start(struct est_account *acc, int64_t offset, struct est_view metadata);
/* Records between the commit point and the next one read are gone from the log. */
void est_account_jump(struct est_account *acc);
/* The log was cut, and goes on from `offset` (≥ 0), below what was read: the commit point goes
 * there. What was committed before is still known by its chains; what was written since is new.
 * Records that had not ended are forgotten; nobody may settle them any more. */
void est_account_rewind(struct est_account *acc, int64_t offset);
/* Was a record with that header read in this assignment or before? One without a chain: not known,
 * which counts as yes. */
bool est_account_has_read(struct est_account *acc, struct est_view header);
/* A record was read: `header` is the value of its EST_CHAIN_HEADER (absent: none). EST_ERR_RANGE:
 * not above the one read before. EST_ERR_FULL: too many lie beyond the commit point; EST_ERR_NOMEM:
 * nothing has changed, read no further for now, and this one again later. EST_ERR_AGAIN: what is
 * claimed would settle the record; est_account_confirm() must follow, before anything else. */
est_err est_account_read(struct est_account *acc, int64_t offset, struct est_view header,
                         enum est_account_kind kind, struct est_account_answer *ret);
/* The same record with the header that it has (absent: none), which decides. */
void est_account_confirm(struct est_account *acc, int64_t offset, struct est_view header,
                         struct est_account_answer *ret);
/* Records that can be read before EST_ERR_FULL, whatever their chains are. */
size_t est_account_room(struct est_account *acc);
/* A record that was to be delivered has ended, delivered or dead. EST_ERR_NOTFOUND when it is not
 * waited for, as happens to a late answer of an earlier assignment. */
est_err est_account_settle(struct est_account *acc, int64_t offset, enum est_end end);

/* What to commit: the next offset to read after a restart. Never decreases in an assignment, but by
 * est_account_rewind(), and never passes a record that has not ended. */
int64_t est_account_commit_point(const struct est_account *acc);
/* Records not yet settled; records settled at or beyond the commit point. */
size_t est_account_pending(const struct est_account *acc);
size_t est_account_beyond(const struct est_account *acc);
/* Counts up with each record that is settled: unchanged = the note would say what it said. */
uint64_t est_account_settled(const struct est_account *acc);

/* Append the note for a commit at the commit point, at most `max` characters (note.h). */
est_err est_account_note(struct est_account *acc, size_t max, struct est_buf *out);
/* What the note says, brought to the commit point; borrowed. What is ahead is as it was at the last
 * est_account_note(). */
const struct est_note *est_account_now(struct est_account *acc);
