/* The fake Redis of the buffer simulator: one stream and one lease a boot, and a connection for
 * each shim, on which commands are executed in order and answered in order. Stream ids are as small
 * as can be, so that after a loss of data new entries bear the ids of lost ones. */
#pragma once

#include "buffer_judge.h"

#include "base/clock.h"

enum { BUF_BATCH = 512, BUF_PIPE = 8, BUF_JOURNAL = 16, BUF_LATE = 2 };

struct buf_entry {
    uint32_t stamp;
    bool deleted;
    bool stray; /* came late or came back: at the end it may still be there */
};

struct buf_stream {
    struct buf_entry *entries; /* an id is an index + 1 */
    uint32_t n, cap;
    uint32_t head; /* nothing before it is left */
};

enum { BUF_NOBODY = UINT16_MAX };

struct buf_home {
    struct buf_stream stream;
    uint16_t holder; /* the boot whose token the lease bears */
    est_us until;
    uint32_t turn;       /* counts the changes of the holder */
    uint32_t drain_turn; /* in which turn it was read last, and by whom */
    uint16_t drainer;
    bool listed;
    uint8_t instance;
};

enum buf_cmd_kind { BUF_APPEND, BUF_READ, BUF_DELETE };
enum buf_answer {
    BUF_OK,
    BUF_FULL,
    BUF_READONLY,
    BUF_REPLICAS,
    BUF_FENCED_ABSENT,
    BUF_FENCED_OTHER
};

struct buf_cmd {
    enum buf_cmd_kind kind;
    uint16_t home, token;
    uint32_t n, after;
    bool done, void_; /* void: its shim does not want the answer */
    enum buf_answer answer;
    uint32_t ids[BUF_BATCH], stamps[BUF_BATCH];
};

struct buf_pipe {
    struct buf_cmd cmds[BUF_PIPE]; /* ring */
    uint32_t head, n, done;
    bool up;
};

struct buf_undo {
    enum buf_cmd_kind kind;
    uint16_t home;
    uint32_t from, n; /* indices of entries; a delete has one */
};

struct buf_redis {
    struct buf_judge *judge;
    struct est_rng *rng;
    struct buf_home homes[BUF_BOOTS];
    uint32_t n_homes;
    struct buf_pipe pipes[BUF_SHIMS];
    bool up, frozen, full, readonly;
    bool waits; /* WAIT 1: what was answered is on a replica */
    struct buf_undo journal[BUF_JOURNAL];
    uint32_t n_journal; /* ever; the last BUF_JOURNAL can be undone */
    struct buf_cmd late[BUF_LATE];
    uint32_t n_late;
};

void buf_redis_reset(struct buf_redis *r);
struct buf_home *buf_redis_home(struct buf_redis *r, uint16_t boot);

struct buf_cmd *buf_redis_send(struct buf_pipe *pipe);
/* Execute the next command of a connection, or one that a lost connection had left in a socket. */
void buf_redis_work(struct buf_redis *r, struct buf_pipe *pipe, est_us now);
/* The next answer that has come back; NULL = none. It is gone with the next call. */
struct buf_cmd *buf_redis_answer(struct buf_pipe *pipe);
/* The connection is gone: of what was not executed a prefix is now, or later, or never. */
void buf_redis_cut(struct buf_redis *r, struct buf_pipe *pipe, est_us now);

/* Scripts that are executed at once. Take a lease that is free or one's own; true: it is ours. */
bool buf_redis_claim(struct buf_redis *r, uint16_t boot, uint16_t token, est_us now, est_us lease);
/* A process has begun: leases that its instance still holds are those of the one before it. */
void buf_redis_inherit(struct buf_redis *r, uint8_t instance);
void buf_redis_renew(struct buf_redis *r, uint16_t token, est_us now, est_us lease);
bool buf_redis_holds(const struct buf_redis *r, uint16_t boot, uint16_t token, est_us now);
/* The boot is drained: true if its stream was empty, then it is not listed any more. */
bool buf_redis_release(struct buf_redis *r, uint16_t boot, uint16_t token, est_us now);
/* Move an entry to the stream of refused ones. */
bool buf_redis_bury(struct buf_redis *r, uint16_t boot, uint16_t token, uint32_t id, est_us now);

/* Faults. All cut every connection first. */
void buf_redis_wipe(struct buf_redis *r);
void buf_redis_failover(struct buf_redis *r);
/* Nothing is left in the stream but strays. */
bool buf_redis_is_empty(const struct buf_redis *r, uint16_t boot);
