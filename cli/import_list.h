/* The list of the old service in Redis, taken batch by batch so that a crash at any moment neither
 * loses an entry nor gives it another id:
 *
 *   LIST             the old service's; its bots may go on adding to it
 *   LIST:importing   the batch under way, moved there in one step, oldest first
 *   LIST:import      hash: run (32 hex), seq (number of the batch's first entry), pushed
 *   LIST:import-lock who imports, with an expiry
 *
 * An entry's id comes from run and seq: as long as its batch is not done, it gets the same again.
 * */
#pragma once

#include "store.h"

#include "base/buf.h"
#include "base/id.h"

enum { IMPORT_BATCH = 100, IMPORT_BATCH_BYTES = 1024 * 1024 };

enum import_pushed { IMPORT_PUSHED_UNKNOWN, IMPORT_PUSHED_LEFT, IMPORT_PUSHED_RIGHT };

struct import_batch {
    char run[EST_BOOT_LEN + 1];
    enum import_pushed pushed;
    uint64_t seq;  /* of the first */
    uint64_t left; /* in the list behind them */
    size_t n;
    struct est_buf text; /* the entries, one behind the other */
    size_t ends[IMPORT_BATCH];
};

struct import_list {
    struct store *store;
    const char *name;
    est_us patience; /* how long Redis may be away */
    char token[EST_BOOT_LEN + 1], run[EST_BOOT_LEN + 1];
    enum import_pushed pushed; /* what is proposed; what a run began with holds */
    struct import_batch batch;
    enum import_pushed look_pushed; /* what import_list_look saw */
    uint64_t look_left;
    bool done; /* the answer under way has come */
    est_err err;
    char fault[160]; /* what Redis answered */
    bool flag;       /* the answer of a yes or no */
};

void import_list_init(struct import_list *l, struct store *store, const char *name,
                      est_us patience);
void import_list_fini(struct import_list *l);

/* How many wait, and which end is older by the times that the entries at both ends carry (UNKNOWN
 * when they carry none): look_left, look_pushed. Changes nothing. */
est_err import_list_look(struct import_list *l, struct est_why *why);
/* The batch under way, or a new one: l->batch; n == 0: nothing is there. EST_ERR_FENCED: somebody
 * else imports this list. Comes back to it after a loss of Redis. */
est_err import_list_take(struct import_list *l, struct est_why *why);
/* The batch is where it belongs: it is removed. */
est_err import_list_done(struct import_list *l, struct est_why *why);
/* The lock is given back; with nothing left, everything of ours goes. */
void import_list_end(struct import_list *l);

struct est_view import_batch_entry(const struct import_batch *b, size_t i);
/* UUIDv8 (RFC 9562 §5.8): 74 bits of the run, 48 bits of the number. */
void import_batch_id(const struct import_batch *b, size_t i, char out[EST_UUID_LEN + 1]);
