#include "buffer_redis.h"

#include <stdlib.h>
#include <string.h>

void buf_redis_reset(struct buf_redis *r)
{
    for (uint32_t i = 0; i < r->n_homes; i++) {
        struct buf_stream kept = r->homes[i].stream;
        r->homes[i] = (struct buf_home){.stream = {.entries = kept.entries, .cap = kept.cap}};
    }
    for (size_t i = 0; i < BUF_SHIMS; i++)
        r->pipes[i].head = r->pipes[i].n = r->pipes[i].done = r->pipes[i].up = 0;
    r->n_homes = r->n_journal = r->n_late = 0;
    r->up = true;
    r->frozen = r->full = r->readonly = r->waits = false;
}

struct buf_home *buf_redis_home(struct buf_redis *r, uint16_t boot)
{
    for (; r->n_homes <= boot; r->n_homes++)
        r->homes[r->n_homes].holder = r->homes[r->n_homes].drainer = BUF_NOBODY;
    return &r->homes[boot];
}

/* ---------- streams ---------- */

static void note(struct buf_redis *r, struct buf_undo undo)
{
    r->journal[r->n_journal++ % BUF_JOURNAL] = undo;
}

static void add(struct buf_redis *r, struct buf_home *home, uint32_t stamp, bool stray)
{
    struct buf_stream *s = &home->stream;

    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 64 : s->cap * 2;
        s->entries = realloc(s->entries, s->cap * sizeof(*s->entries));
        SIM_CHECK(s->entries != NULL, "no memory");
    }
    s->entries[s->n++] = (struct buf_entry){.stamp = stamp, .stray = stray};
    buf_judge_copied(r->judge, stamp);
}

static void append(struct buf_redis *r, struct buf_cmd *cmd, bool stray)
{
    struct buf_home *home = &r->homes[cmd->home];

    note(r, (struct buf_undo){BUF_APPEND, cmd->home, home->stream.n, cmd->n});
    for (uint32_t i = 0; i < cmd->n; i++)
        add(r, home, cmd->stamps[i], stray);
    if (r->waits && est_rng_chance(r->rng, 4))
        cmd->answer = BUF_REPLICAS;
    else if (r->waits)
        r->n_journal = 0; /* all of it is on a replica */
}

static void skip_deleted(struct buf_stream *s)
{
    while (s->head < s->n && s->entries[s->head].deleted)
        s->head++;
}

static void delete_one(struct buf_redis *r, uint16_t boot, uint32_t id)
{
    struct buf_stream *s = &r->homes[boot].stream;

    if (id == 0 || id > s->n || s->entries[id - 1].deleted)
        return;
    s->entries[id - 1].deleted = true;
    note(r, (struct buf_undo){BUF_DELETE, boot, id - 1, 1});
    buf_judge_deleted(r->judge, s->entries[id - 1].stamp);
    skip_deleted(s);
}

/* Two never drain one stream: another reader means that the lease has changed hands. */
static void check_drainer(struct buf_home *home, const struct buf_cmd *cmd)
{
    SIM_CHECK(home->drainer == BUF_NOBODY || home->drainer == cmd->token ||
                  home->drain_turn != home->turn,
              "boots %u and %u drain the stream of boot %u under one lease", home->drainer,
              cmd->token, cmd->home);
    home->drainer = cmd->token;
    home->drain_turn = home->turn;
}

static void read(struct buf_redis *r, struct buf_cmd *cmd)
{
    struct buf_stream *s = &r->homes[cmd->home].stream;
    uint32_t most = cmd->n;

    cmd->n = 0;
    check_drainer(&r->homes[cmd->home], cmd);
    for (uint32_t i = cmd->after > s->head ? cmd->after : s->head; i < s->n && cmd->n < most; i++) {
        if (s->entries[i].deleted)
            continue;
        cmd->ids[cmd->n] = i + 1;
        cmd->stamps[cmd->n++] = s->entries[i].stamp;
    }
}

static enum buf_answer gate(const struct buf_redis *r, const struct buf_cmd *cmd, est_us now)
{
    const struct buf_home *home = &r->homes[cmd->home];

    if (r->readonly && cmd->kind != BUF_READ)
        return BUF_READONLY;
    if (home->holder == BUF_NOBODY || now >= home->until)
        return BUF_FENCED_ABSENT;
    if (home->holder != cmd->token)
        return BUF_FENCED_OTHER;
    return r->full && cmd->kind == BUF_APPEND ? BUF_FULL : BUF_OK;
}

static void execute(struct buf_redis *r, struct buf_cmd *cmd, est_us now, bool stray)
{
    cmd->done = true;
    cmd->answer = gate(r, cmd, now);
    if (cmd->answer != BUF_OK)
        return;
    if (cmd->kind == BUF_APPEND)
        append(r, cmd, stray);
    else if (cmd->kind == BUF_READ)
        read(r, cmd);
    else
        for (uint32_t i = 0; i < cmd->n; i++)
            delete_one(r, cmd->home, cmd->ids[i]);
}

/* ---------- connections ---------- */

static struct buf_cmd *cmd_at(struct buf_pipe *pipe, uint32_t i)
{
    return &pipe->cmds[(pipe->head + i) % BUF_PIPE];
}

struct buf_cmd *buf_redis_send(struct buf_pipe *pipe)
{
    struct buf_cmd *cmd;

    SIM_CHECK(pipe->up, "a command without a connection");
    SIM_CHECK(pipe->n < BUF_PIPE - 1, "too many commands are under way");
    cmd = cmd_at(pipe, pipe->n++);
    cmd->done = cmd->void_ = false;
    return cmd;
}

void buf_redis_work(struct buf_redis *r, struct buf_pipe *pipe, est_us now)
{
    if (!r->up || r->frozen)
        return;
    if (r->n_late > 0 && est_rng_chance(r->rng, 20))
        execute(r, &r->late[--r->n_late], now, true);
    if (pipe->done < pipe->n)
        execute(r, cmd_at(pipe, pipe->done++), now, false);
}

struct buf_cmd *buf_redis_answer(struct buf_pipe *pipe)
{
    struct buf_cmd *cmd = cmd_at(pipe, 0);

    if (pipe->done == 0)
        return NULL;
    pipe->head = (pipe->head + 1) % BUF_PIPE;
    pipe->n--;
    pipe->done--;
    return cmd;
}

void buf_redis_cut(struct buf_redis *r, struct buf_pipe *pipe, est_us now)
{
    if (!pipe->up)
        return;
    while (pipe->done < pipe->n && est_rng_chance(r->rng, 50)) {
        struct buf_cmd *cmd = cmd_at(pipe, pipe->done++);
        if (r->up && !r->frozen)
            execute(r, cmd, now, false);
        else if (r->up && r->n_late < BUF_LATE)
            r->late[r->n_late++] = *cmd;
    }
    pipe->n = pipe->done = 0;
    pipe->up = false;
}

/* ---------- leases ---------- */

static void free_lease(struct buf_home *home)
{
    home->holder = BUF_NOBODY;
    home->turn++;
}

static bool is_free(const struct buf_home *home, est_us now)
{
    return home->holder == BUF_NOBODY || now >= home->until;
}

bool buf_redis_holds(const struct buf_redis *r, uint16_t boot, uint16_t token, est_us now)
{
    return r->homes[boot].holder == token && now < r->homes[boot].until;
}

bool buf_redis_claim(struct buf_redis *r, uint16_t boot, uint16_t token, est_us now, est_us lease)
{
    struct buf_home *home = buf_redis_home(r, boot);

    if (!is_free(home, now) && home->holder != token)
        return false;
    home->turn += home->holder != token;
    home->holder = token;
    home->until = now + lease;
    home->listed |= boot == token;
    return true;
}

void buf_redis_renew(struct buf_redis *r, uint16_t token, est_us now, est_us lease)
{
    for (uint16_t i = 0; i < r->n_homes; i++)
        if (r->homes[i].listed && buf_redis_holds(r, i, token, now))
            r->homes[i].until = now + lease;
}

void buf_redis_inherit(struct buf_redis *r, uint8_t instance)
{
    for (uint16_t i = 0; i < r->n_homes; i++)
        if (r->homes[i].holder != BUF_NOBODY && r->homes[r->homes[i].holder].instance == instance)
            free_lease(&r->homes[i]);
}

bool buf_redis_release(struct buf_redis *r, uint16_t boot, uint16_t token, est_us now)
{
    struct buf_home *home = &r->homes[boot];

    if (!buf_redis_holds(r, boot, token, now) || home->stream.head < home->stream.n)
        return false;
    home->listed = false;
    home->holder = BUF_NOBODY;
    return true;
}

bool buf_redis_bury(struct buf_redis *r, uint16_t boot, uint16_t token, uint32_t id, est_us now)
{
    struct buf_stream *s = &r->homes[boot].stream;

    if (!buf_redis_holds(r, boot, token, now))
        return false;
    if (id <= s->n && !s->entries[id - 1].deleted) {
        buf_judge_buried(r->judge, s->entries[id - 1].stamp);
        delete_one(r, boot, id);
    }
    return true;
}

/* ---------- faults ---------- */

static void drop_tail(struct buf_redis *r, struct buf_stream *s, uint32_t from)
{
    while (s->n > from) {
        struct buf_entry *last = &s->entries[--s->n];
        if (!last->deleted)
            buf_judge_lost(r->judge, last->stamp);
    }
    s->head = s->head > s->n ? s->n : s->head;
}

void buf_redis_wipe(struct buf_redis *r)
{
    for (uint16_t i = 0; i < r->n_homes; i++) {
        drop_tail(r, &r->homes[i].stream, 0);
        free_lease(&r->homes[i]);
        r->homes[i].listed = false;
    }
    r->n_journal = r->n_late = 0;
}

static void undo(struct buf_redis *r, const struct buf_undo *u)
{
    struct buf_stream *s = &r->homes[u->home].stream;

    if (u->kind == BUF_APPEND) {
        drop_tail(r, s, u->from);
        return;
    }
    s->entries[u->from].deleted = false;
    s->entries[u->from].stray = true;
    buf_judge_copied(r->judge, s->entries[u->from].stamp);
    s->head = s->head > u->from ? u->from : s->head;
    r->homes[u->home].listed = true;
}

/* The replica lacks the last changes, and perhaps leases. */
void buf_redis_failover(struct buf_redis *r)
{
    uint32_t most = r->n_journal < BUF_JOURNAL ? r->n_journal : BUF_JOURNAL;

    for (uint64_t n = est_rng_below(r->rng, most + 1); n > 0; n--)
        undo(r, &r->journal[--r->n_journal % BUF_JOURNAL]);
    r->n_journal = r->n_late = 0;
    for (uint16_t i = 0; i < r->n_homes; i++)
        if (est_rng_chance(r->rng, 20))
            free_lease(&r->homes[i]);
}

bool buf_redis_is_empty(const struct buf_redis *r, uint16_t boot)
{
    const struct buf_stream *s = &r->homes[boot].stream;

    for (uint32_t i = s->head; i < s->n; i++)
        if (!s->entries[i].deleted && !s->entries[i].stray)
            return false;
    return true;
}
