#include "database.h"

#include "base/assert.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>

#define APPLICATION_ID "1163088977" /* "ESTQ", by which file(1) knows what it sees */

/* locking_mode: the numbers are kept in memory, so nobody else may write. Large pages make a batch
 * a few long writes; a log of 16 MiB lets many commits share one copying into the file. */
static const char pragmas[] =
    "PRAGMA page_size = 16384; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864;"
    "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;";

enum { BUSY_MS = 5000 }; /* at opening only: a predecessor may still be draining */

static const char *const sql_of[STATEMENT__N] = {
#define STATEMENT(name, sql) sql,
#include "statements.def"
#undef STATEMENT
};

struct database {
    sqlite3 *db;
    sqlite3_stmt *stmts[STATEMENT__N];
};

struct database_row {
    sqlite3_stmt *stmt;
};

static est_err translate(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return EST_OK;
    case SQLITE_FULL: return EST_ERR_FULL;
    case SQLITE_NOMEM: return EST_ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return EST_ERR_AGAIN;
    default: return EST_ERR_IO;
    }
}

const char *database_error(const struct database *db)
{
    return sqlite3_errmsg(db->db);
}

/* --- opening --- */

static est_err fail(struct database *db, const char *doing, struct est_why *reterr)
{
    est_err err = translate(sqlite3_errcode(db->db));

    return est_why_set(reterr, err ? err : EST_ERR_IO, "%s: %s", doing, sqlite3_errmsg(db->db));
}

static int64_t pragma_number(struct database *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t n = -1;

    if (sqlite3_prepare_v2(db->db, sql, -1, &stmt, NULL) == SQLITE_OK)
        if (sqlite3_step(stmt) == SQLITE_ROW)
            n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

static est_err migrate(struct database *db, const char *const *migrations, int n,
                       struct est_why *reterr)
{
    int64_t version = pragma_number(db, "PRAGMA user_version");
    char stamp[96];

    if (version > n)
        return est_why_set(reterr, EST_ERR_UNSUPPORTED,
                           "the database has schema %lld, this program knows up to %d: it was "
                           "written by a newer version",
                           (long long)version, n);
    if (version < 0 || sqlite3_exec(db->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, "cannot use the database", reterr);
    for (int64_t i = version; i < n; i++)
        if (sqlite3_exec(db->db, migrations[i], NULL, NULL, NULL) != SQLITE_OK)
            return fail(db, "cannot create the tables", reterr);
    (void)snprintf(stamp, sizeof(stamp),
                   "PRAGMA user_version = %d; PRAGMA application_id = " APPLICATION_ID "; COMMIT",
                   n);
    if (sqlite3_exec(db->db, stamp, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, "cannot create the tables", reterr);
    return EST_OK;
}

static est_err prepare(struct database *db, struct est_why *reterr)
{
    for (size_t i = 0; i < STATEMENT__N; i++)
        if (sqlite3_prepare_v3(db->db, sql_of[i], -1, SQLITE_PREPARE_PERSISTENT, &db->stmts[i],
                               NULL) != SQLITE_OK)
            return fail(db, "the tables are not as they should be", reterr);
    return EST_OK;
}

est_err database_open(const char *path, const char *const *migrations, int n_migrations,
                      struct database **ret, struct est_why *reterr)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    struct database *db = est_calloc(1, sizeof(*db));
    est_err err;

    if (db == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the database");
    if (sqlite3_open_v2(path, &db->db, flags, NULL) != SQLITE_OK) {
        err = fail(db, "cannot open the database", reterr);
        goto fail;
    }
    (void)sqlite3_busy_timeout(db->db, BUSY_MS);
    if (sqlite3_exec(db->db, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
        err = fail(db, "cannot use the database", reterr);
        goto fail;
    }
    err = migrate(db, migrations, n_migrations, reterr);
    if (!err)
        err = prepare(db, reterr);
    if (err)
        goto fail;
    *ret = db;
    return EST_OK;
fail:
    database_close(db);
    return err;
}

void database_close(struct database *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < STATEMENT__N; i++)
        (void)sqlite3_finalize(db->stmts[i]);
    (void)sqlite3_close(db->db);
    est_free(db);
}

/* --- running --- */

static sqlite3_stmt *bound(struct database *db, enum statement which,
                           const struct database_arg *args)
{
    sqlite3_stmt *stmt = db->stmts[which];

    for (int i = 1; args->kind != DATABASE_END; i++, args++) {
        const char *text = args->text.data ? args->text.data : "";
        int rc = args->kind == DATABASE_INT ? sqlite3_bind_int64(stmt, i, args->n)
                                            : sqlite3_bind_text64(stmt, i, text, args->text.len,
                                                                  SQLITE_STATIC, SQLITE_UTF8);
        EST_ASSERT(rc == SQLITE_OK);
    }
    return stmt;
}

est_err database_run(struct database *db, enum statement which, const struct database_arg *args,
                     database_row_fn *fn, void *arg)
{
    struct database_row row = {bound(db, which, args)};

    while (sqlite3_step(row.stmt) == SQLITE_ROW)
        if (fn != NULL)
            fn(arg, &row);
    return translate(sqlite3_reset(row.stmt));
}

int database_columns(const struct database_row *row)
{
    return sqlite3_column_count(row->stmt);
}

int64_t database_int(const struct database_row *row, int column)
{
    return sqlite3_column_int64(row->stmt, column);
}

struct est_view database_text(const struct database_row *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row->stmt, column);

    return est_view(text, text ? (size_t)sqlite3_column_bytes(row->stmt, column) : 0);
}

int64_t database_inserted(const struct database *db)
{
    return sqlite3_changes(db->db) ? sqlite3_last_insert_rowid(db->db) : 0;
}

bool database_in_transaction(const struct database *db)
{
    return !sqlite3_get_autocommit(db->db);
}

void database_checkpoint(struct database *db)
{
    (void)sqlite3_wal_checkpoint_v2(db->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}
