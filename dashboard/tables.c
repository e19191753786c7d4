#include "tables.h"

#include "base/assert.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>

/* What each schema version adds to the one before it; PRAGMA user_version says how many were run.
 * A statement that was released is never edited. */
static const char *const migrations[] = {
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, dedup_id TEXT NOT NULL,"
    " id TEXT NOT NULL, event TEXT NOT NULL, type TEXT NOT NULL, source TEXT NOT NULL,"
    " occurred_ms INTEGER NOT NULL, stored_ms INTEGER NOT NULL, detail TEXT NOT NULL,"
    " body TEXT NOT NULL, UNIQUE (tenant, dedup_id)) STRICT;"
    "CREATE TABLE contact (tenant TEXT, id TEXT, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " PRIMARY KEY (tenant, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE message (tenant TEXT, id TEXT, first_ms INTEGER NOT NULL,"
    " direction INTEGER NOT NULL, rank INTEGER NOT NULL, PRIMARY KEY (tenant, id))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE orders (tenant TEXT, id TEXT, first_ms INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " paid_ms INTEGER NOT NULL, total_minor INTEGER NOT NULL, total_ms INTEGER NOT NULL,"
    " PRIMARY KEY (tenant, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE daily (day INTEGER, name TEXT, n INTEGER NOT NULL, PRIMARY KEY (day, name))"
    " STRICT, WITHOUT ROWID;",
};
enum { VERSION = sizeof(migrations) / sizeof(migrations[0]) };

#define APPLICATION_ID "1163088977" /* "ESTQ": tells our files from those of other programs */

/* locking_mode: the numbers are kept in memory, so nobody else may write. Large pages make a batch a
 * few long writes; a log of 16 MiB lets many commits share one copying into the file. */
static const char pragmas[] =
    "PRAGMA page_size = 16384; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864;"
    "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;";

enum { BUSY_MS = 5000 }; /* at opening only: a predecessor may still be draining */

#define STATEMENTS(X)                                                                              \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(EVENT_INSERT, "INSERT INTO event (tenant, dedup_id, id, event, type, source, occurred_ms,"   \
                    " stored_ms, detail, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"              \
                    " ON CONFLICT (tenant, dedup_id) DO NOTHING")                                  \
    X(CONTACT_GET, "SELECT first_ms, last_ms FROM contact WHERE tenant = ? AND id = ?")            \
    X(CONTACT_PUT, "INSERT INTO contact VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"             \
                   " SET first_ms = ?3, last_ms = ?4")                                             \
    X(MESSAGE_GET, "SELECT first_ms, direction, rank FROM message WHERE tenant = ? AND id = ?")    \
    X(MESSAGE_PUT, "INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE"         \
                   " SET first_ms = ?3, direction = ?4, rank = ?5")                                \
    X(ORDER_GET, "SELECT first_ms, flags, paid_ms, total_minor, total_ms FROM orders"              \
                 " WHERE tenant = ? AND id = ?")                                                   \
    X(ORDER_PUT, "INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE"    \
                 " SET first_ms = ?3, flags = ?4, paid_ms = ?5, total_minor = ?6, total_ms = ?7")  \
    X(DAILY_ADD, "INSERT INTO daily VALUES (?, ?, ?)"                                              \
                 " ON CONFLICT (day, name) DO UPDATE SET n = n + excluded.n")                      \
    X(DAILY_SUMS, "SELECT name, sum(n) FROM daily GROUP BY name")                                  \
    X(DAILY_OF, "SELECT name, n FROM daily WHERE day = ?")                                         \
    X(LAST_SEEN, "SELECT NULL, last_ms FROM contact WHERE last_ms > ?")                            \
    X(NEWEST, "SELECT seq, stored_ms FROM event ORDER BY seq DESC LIMIT 1")                        \
    X(RECENT, "SELECT seq, occurred_ms, id, event, type, detail FROM event WHERE seq > ?"          \
              " ORDER BY seq DESC LIMIT ?")                                                        \
    X(RECOUNT, "SELECT 'events', count(*) FROM event"                                              \
               " UNION ALL SELECT 'users', count(*) FROM contact"                                  \
               " UNION ALL SELECT 'orders', count(*) FROM orders"                                  \
               " UNION ALL SELECT 'orders_paid', count(*) FROM orders WHERE flags = 1"             \
               " UNION ALL SELECT 'revenue_minor', sum(total_minor) FROM orders WHERE flags = 1"   \
               " UNION ALL SELECT 'messages_received', count(*) FROM message WHERE direction & 1"  \
               " UNION ALL SELECT 'messages_sent', count(*) FROM message WHERE NOT direction & 1"  \
               " UNION ALL SELECT 'messages_delivered', count(*) FROM message"                     \
               " WHERE NOT direction & 1 AND rank >= 3"                                            \
               " UNION ALL SELECT 'messages_read', count(*) FROM message"                          \
               " WHERE NOT direction & 1 AND rank >= 4"                                            \
               " UNION ALL SELECT 'messages_failed', count(*) FROM message"                        \
               " WHERE NOT direction & 1 AND rank = 2"                                             \
               " UNION ALL SELECT 'errors', count(*) FROM event WHERE type = 'bot_error'")

enum statement {
#define X(name, sql) S_##name,
    STATEMENTS(X)
#undef X
    S__N
};

static const char *const sql_of[S__N] = {
#define X(name, sql) sql,
    STATEMENTS(X)
#undef X
};

struct tables {
    sqlite3 *db;
    sqlite3_stmt *stmts[S__N];
};

/* One value to bind. A list of them ends with an empty one. */
struct arg {
    enum { ARG_END, ARG_TEXT, ARG_INT } kind;
    struct est_view text;
    int64_t n;
};
#define T(v) {.kind = ARG_TEXT, .text = (v)}
#define I(i) {.kind = ARG_INT, .n = (i)}
#define ARGS(...) ((const struct arg[]){__VA_ARGS__, {0}})
#define NO_ARGS ((const struct arg[]){{0}})

static est_err translate(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return EST_OK;
    case SQLITE_FULL:
        return EST_ERR_FULL;
    case SQLITE_NOMEM:
        return EST_ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EST_ERR_AGAIN;
    default:
        return EST_ERR_IO;
    }
}

const char *tables_error(const struct tables *tb)
{
    return sqlite3_errmsg(tb->db);
}

/* The texts are borrowed: they only have to live until the statement has been stepped. */
static sqlite3_stmt *bound(struct tables *tb, enum statement which, const struct arg *args)
{
    sqlite3_stmt *stmt = tb->stmts[which];

    for (int i = 1; args->kind != ARG_END; i++, args++) {
        int rc = args->kind == ARG_INT
                     ? sqlite3_bind_int64(stmt, i, args->n)
                     : sqlite3_bind_text64(stmt, i, args->text.data ? args->text.data : "",
                                           args->text.len, SQLITE_STATIC, SQLITE_UTF8);
        EST_ASSERT(rc == SQLITE_OK);
    }
    return stmt;
}

static est_err run(struct tables *tb, enum statement which, const struct arg *args)
{
    sqlite3_stmt *stmt = bound(tb, which, args);
    est_err err;

    (void)sqlite3_step(stmt);
    err = translate(sqlite3_reset(stmt));
    return err;
}

static struct est_view column(sqlite3_stmt *stmt, int i)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);

    return est_view(text, text ? (size_t)sqlite3_column_bytes(stmt, i) : 0);
}

/* The integer columns of at most one row; *ret_found says whether there was one. */
static est_err get(struct tables *tb, enum statement which, const struct arg *args, int64_t *ret,
                   bool *ret_found)
{
    sqlite3_stmt *stmt = bound(tb, which, args);

    *ret_found = sqlite3_step(stmt) == SQLITE_ROW;
    if (*ret_found)
        for (int i = 0; i < sqlite3_column_count(stmt); i++)
            ret[i] = sqlite3_column_int64(stmt, i);
    return translate(sqlite3_reset(stmt));
}

static est_err numbers(struct tables *tb, enum statement which, const struct arg *args,
                       tables_number_fn *fn, void *arg)
{
    sqlite3_stmt *stmt = bound(tb, which, args);

    while (sqlite3_step(stmt) == SQLITE_ROW)
        fn(arg, column(stmt, 0), sqlite3_column_int64(stmt, 1));
    return translate(sqlite3_reset(stmt));
}

/* --- opening --- */

static est_err fail(struct tables *tb, const char *doing, struct est_why *reterr)
{
    est_err err = translate(sqlite3_errcode(tb->db));

    return est_why_set(reterr, err ? err : EST_ERR_IO, "%s: %s", doing, sqlite3_errmsg(tb->db));
}

static int64_t pragma_number(struct tables *tb, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t n = -1;

    if (sqlite3_prepare_v2(tb->db, sql, -1, &stmt, NULL) == SQLITE_OK)
        if (sqlite3_step(stmt) == SQLITE_ROW)
            n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

static est_err migrate(struct tables *tb, struct est_why *reterr)
{
    int64_t version = pragma_number(tb, "PRAGMA user_version");
    char stamp[96];

    if (version > VERSION)
        return est_why_set(reterr, EST_ERR_UNSUPPORTED,
                           "the database has schema %lld, this program knows up to %d: it was "
                           "written by a newer version", (long long)version, VERSION);
    if (version < 0 || sqlite3_exec(tb->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return fail(tb, "cannot use the database", reterr);
    for (int64_t i = version; i < VERSION; i++)
        if (sqlite3_exec(tb->db, migrations[i], NULL, NULL, NULL) != SQLITE_OK)
            return fail(tb, "cannot create the tables", reterr);
    (void)snprintf(stamp, sizeof(stamp),
                   "PRAGMA user_version = %d; PRAGMA application_id = " APPLICATION_ID "; COMMIT", VERSION);
    if (sqlite3_exec(tb->db, stamp, NULL, NULL, NULL) != SQLITE_OK)
        return fail(tb, "cannot create the tables", reterr);
    return EST_OK;
}

static est_err prepare(struct tables *tb, struct est_why *reterr)
{
    for (size_t i = 0; i < S__N; i++)
        if (sqlite3_prepare_v3(tb->db, sql_of[i], -1, SQLITE_PREPARE_PERSISTENT, &tb->stmts[i],
                               NULL) != SQLITE_OK)
            return fail(tb, "the tables are not as they should be", reterr);
    return EST_OK;
}

est_err tables_open(const char *path, struct tables **ret, struct est_why *reterr)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_EXRESCODE;
    struct tables *tb = est_calloc(1, sizeof(*tb));
    est_err err;

    if (tb == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the database");
    if (sqlite3_open_v2(path, &tb->db, flags, NULL) != SQLITE_OK) {
        err = fail(tb, "cannot open the database", reterr);
        goto fail;
    }
    (void)sqlite3_busy_timeout(tb->db, BUSY_MS);
    if (sqlite3_exec(tb->db, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
        err = fail(tb, "cannot use the database", reterr);
        goto fail;
    }
    err = migrate(tb, reterr);
    if (!err)
        err = prepare(tb, reterr);
    if (err)
        goto fail;
    *ret = tb;
    return EST_OK;
fail:
    tables_close(tb);
    return err;
}

void tables_close(struct tables *tb)
{
    if (tb == NULL)
        return;
    for (size_t i = 0; i < S__N; i++)
        (void)sqlite3_finalize(tb->stmts[i]);
    (void)sqlite3_close(tb->db);
    est_free(tb);
}

/* --- transactions --- */

est_err tables_begin(struct tables *tb)
{
    return run(tb, S_BEGIN, NO_ARGS);
}

est_err tables_commit(struct tables *tb)
{
    return run(tb, S_COMMIT, NO_ARGS);
}

/* A failed write may have rolled back already. */
void tables_rollback(struct tables *tb)
{
    if (!sqlite3_get_autocommit(tb->db))
        (void)run(tb, S_ROLLBACK, NO_ARGS);
}

void tables_checkpoint(struct tables *tb)
{
    (void)sqlite3_wal_checkpoint_v2(tb->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* --- rows --- */

est_err tables_event_insert(struct tables *tb, const struct entry *e, int64_t stored_ms,
                            int64_t *ret_seq)
{
    est_err err = run(tb, S_EVENT_INSERT,
                      ARGS(T(e->tenant), T(e->dedup_id), T(e->id), T(e->event), T(e->type),
                           T(e->source), I(e->occurred_ms), I(stored_ms), T(e->detail), T(e->body)));

    if (!err)
        *ret_seq = sqlite3_changes(tb->db) ? sqlite3_last_insert_rowid(tb->db) : 0;
    return err;
}

est_err tables_contact_get(struct tables *tb, struct est_view tenant, struct est_view id,
                           struct contact *ret)
{
    int64_t n[2] = {0};
    bool known;
    est_err err = get(tb, S_CONTACT_GET, ARGS(T(tenant), T(id)), n, &known);

    if (!err)
        *ret = (struct contact){.known = known, .first_ms = n[0], .last_ms = n[1]};
    return err;
}

est_err tables_contact_put(struct tables *tb, struct est_view tenant, struct est_view id,
                           const struct contact *c)
{
    return run(tb, S_CONTACT_PUT, ARGS(T(tenant), T(id), I(c->first_ms), I(c->last_ms)));
}

est_err tables_message_get(struct tables *tb, struct est_view tenant, struct est_view id,
                           struct message *ret)
{
    int64_t n[3] = {0};
    bool known;
    est_err err = get(tb, S_MESSAGE_GET, ARGS(T(tenant), T(id)), n, &known);

    if (!err)
        *ret = (struct message){.known = known, .first_ms = n[0], .direction = (unsigned)n[1],
                                .rank = (enum fact_rank)n[2]};
    return err;
}

est_err tables_message_put(struct tables *tb, struct est_view tenant, struct est_view id,
                           const struct message *m)
{
    return run(tb, S_MESSAGE_PUT,
               ARGS(T(tenant), T(id), I(m->first_ms), I(m->direction), I((int64_t)m->rank)));
}

est_err tables_order_get(struct tables *tb, struct est_view tenant, struct est_view id,
                         struct order *ret)
{
    int64_t n[5] = {0};
    bool known;
    est_err err = get(tb, S_ORDER_GET, ARGS(T(tenant), T(id)), n, &known);

    if (!err)
        *ret = (struct order){.known = known, .first_ms = n[0], .flags = (unsigned)n[1],
                              .paid_ms = n[2], .total_minor = n[3], .total_ms = n[4]};
    return err;
}

est_err tables_order_put(struct tables *tb, struct est_view tenant, struct est_view id,
                         const struct order *o)
{
    return run(tb, S_ORDER_PUT, ARGS(T(tenant), T(id), I(o->first_ms), I(o->flags), I(o->paid_ms),
                                     I(o->total_minor), I(o->total_ms)));
}

est_err tables_daily_add(struct tables *tb, int64_t day, struct est_view name, int64_t n)
{
    return run(tb, S_DAILY_ADD, ARGS(I(day), T(name), I(n)));
}

est_err tables_daily_sums(struct tables *tb, tables_number_fn *fn, void *arg)
{
    return numbers(tb, S_DAILY_SUMS, NO_ARGS, fn, arg);
}

est_err tables_daily_of(struct tables *tb, int64_t day, tables_number_fn *fn, void *arg)
{
    return numbers(tb, S_DAILY_OF, ARGS(I(day)), fn, arg);
}

est_err tables_recount(struct tables *tb, tables_number_fn *fn, void *arg)
{
    return numbers(tb, S_RECOUNT, NO_ARGS, fn, arg);
}

est_err tables_last_seen(struct tables *tb, int64_t after_ms, tables_number_fn *fn, void *arg)
{
    return numbers(tb, S_LAST_SEEN, ARGS(I(after_ms)), fn, arg);
}

est_err tables_newest(struct tables *tb, int64_t *ret_seq, int64_t *ret_stored_ms)
{
    int64_t n[2] = {0};
    bool found;
    est_err err = get(tb, S_NEWEST, NO_ARGS, n, &found);

    if (!err) {
        *ret_seq = n[0];
        *ret_stored_ms = n[1];
    }
    return err;
}

est_err tables_recent(struct tables *tb, int64_t after, unsigned limit, tables_row_fn *fn, void *arg)
{
    sqlite3_stmt *stmt = bound(tb, S_RECENT, ARGS(I(after), I(limit)));

    while (sqlite3_step(stmt) == SQLITE_ROW)
        fn(arg, &(struct tables_row){.seq = sqlite3_column_int64(stmt, 0),
                                     .occurred_ms = sqlite3_column_int64(stmt, 1),
                                     .id = column(stmt, 2), .event = column(stmt, 3),
                                     .type = column(stmt, 4), .detail = column(stmt, 5)});
    return translate(sqlite3_reset(stmt));
}
