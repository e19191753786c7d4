/* One SQLite file: opening it, running the statements of statements.def, reading rows. Only this
 * pair names sqlite3.h. Errors: EST_ERR_FULL (disk or quota full), EST_ERR_NOMEM, EST_ERR_AGAIN
 * (another process holds the file), EST_ERR_IO for all else. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct database;
struct database_row;

enum statement {
#define STATEMENT(name, sql) STATEMENT_##name,
#include "statements.def"
#undef STATEMENT
    STATEMENT__N
};

/* migrations[i] is what makes a file of version i one of version i + 1; those that the file lacks
 * are run. EST_ERR_UNSUPPORTED when the file has more: it is then left as it is. */
est_err database_open(const char *path, const char *const *migrations, int n_migrations,
                      struct database **ret, struct est_why *reterr);
void database_close(struct database *db); /* NULL is a no-op */
/* What went wrong last, for the log: SQLite's words, without data. */
const char *database_error(const struct database *db);

/* One value to bind; a list of them ends with an empty one. The texts are borrowed for the call. */
struct database_arg {
    enum { DATABASE_END, DATABASE_TEXT, DATABASE_INT } kind;
    struct est_view text;
    int64_t n;
};

/* Run a statement to its end; rows that it gives are passed to fn (may be NULL). */
typedef void database_row_fn(void *arg, const struct database_row *row);
est_err database_run(struct database *db, enum statement which, const struct database_arg *args,
                     database_row_fn *fn, void *arg);
int database_columns(const struct database_row *row);
int64_t database_int(const struct database_row *row, int column);
struct est_view database_text(const struct database_row *row,
                              int column); /* lives as long as the row */

/* Rowid of the row that the last INSERT made; 0 when it made none. */
int64_t database_inserted(const struct database *db);
bool database_in_transaction(const struct database *db);
/* Copy the log into the file as far as that goes without waiting. */
void database_checkpoint(struct database *db);
