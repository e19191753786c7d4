#include "tables.h"

#include "database.h"

/* What each schema version adds to the one before it; PRAGMA user_version says how many were run.
 * A statement that was released is never edited. */
static const char *const migrations[] = {
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, dedup_id TEXT NOT NULL,"
    " id TEXT /* NULL = the dedup_id */, event TEXT NOT NULL, type TEXT NOT NULL,"
    " source TEXT NOT NULL, occurred_ms INTEGER NOT NULL, stored_ms INTEGER NOT NULL,"
    " detail TEXT NOT NULL, rest TEXT NOT NULL, UNIQUE (tenant, dedup_id)) STRICT;"
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

#define TEXT(v) ((struct database_arg){.kind = DATABASE_TEXT, .text = (v)})
#define INT(i) ((struct database_arg){.kind = DATABASE_INT, .n = (i)})
#define ARGS(...) ((const struct database_arg[]){__VA_ARGS__, {0}})
#define NO_ARGS ((const struct database_arg[]){{0}})

est_err tables_open(const char *path, struct database **ret, struct est_why *reterr)
{
    return database_open(path, migrations, sizeof(migrations) / sizeof(migrations[0]), ret, reterr);
}

static est_err run(struct database *db, enum statement which, const struct database_arg *args)
{
    return database_run(db, which, args, NULL, NULL);
}

/* The integer columns of at most one row. */
struct integers {
    int64_t *ret;
    bool found;
};

static void take_integers(void *arg, const struct database_row *row)
{
    struct integers *n = arg;

    n->found = true;
    for (int i = 0; i < database_columns(row); i++)
        n->ret[i] = database_int(row, i);
}

static est_err get(struct database *db, enum statement which, const struct database_arg *args,
                   int64_t *ret, bool *ret_found)
{
    struct integers n = {.ret = ret};
    est_err err = database_run(db, which, args, take_integers, &n);

    *ret_found = n.found;
    return err;
}

struct numbers {
    tables_number_fn *fn;
    void *arg;
};

static void give_number(void *arg, const struct database_row *row)
{
    struct numbers *n = arg;

    n->fn(n->arg, database_text(row, 0), database_int(row, 1));
}

static est_err numbers(struct database *db, enum statement which, const struct database_arg *args,
                       tables_number_fn *fn, void *arg)
{
    return database_run(db, which, args, give_number, &(struct numbers){fn, arg});
}

/* --- transactions --- */

est_err tables_begin(struct database *db)
{
    return run(db, STATEMENT_BEGIN, NO_ARGS);
}

est_err tables_commit(struct database *db)
{
    return run(db, STATEMENT_COMMIT, NO_ARGS);
}

/* A failed write may have rolled back already. */
void tables_rollback(struct database *db)
{
    if (database_in_transaction(db))
        (void)run(db, STATEMENT_ROLLBACK, NO_ARGS);
}

/* --- rows --- */

est_err tables_event_insert(struct database *db, const struct entry *e, int64_t stored_ms,
                            int64_t *ret_seq)
{
    est_err err = run(db, STATEMENT_EVENT_INSERT,
                      ARGS(TEXT(e->tenant), TEXT(e->dedup_id), TEXT(e->id), TEXT(e->event),
                           TEXT(e->type), TEXT(e->source), INT(e->occurred_ms), INT(stored_ms),
                           TEXT(e->detail), TEXT(e->rest)));

    if (!err)
        *ret_seq = database_inserted(db);
    return err;
}

est_err tables_contact_get(struct database *db, struct est_view tenant, struct est_view id,
                           struct contact *ret)
{
    int64_t n[2] = {0};
    bool known;
    est_err err = get(db, STATEMENT_CONTACT_GET, ARGS(TEXT(tenant), TEXT(id)), n, &known);

    if (!err)
        *ret = (struct contact){.known = known, .first_ms = n[0], .last_ms = n[1]};
    return err;
}

est_err tables_contact_put(struct database *db, struct est_view tenant, struct est_view id,
                           const struct contact *c)
{
    return run(db, STATEMENT_CONTACT_PUT,
               ARGS(TEXT(tenant), TEXT(id), INT(c->first_ms), INT(c->last_ms)));
}

est_err tables_message_get(struct database *db, struct est_view tenant, struct est_view id,
                           struct message *ret)
{
    int64_t n[3] = {0};
    bool known;
    est_err err = get(db, STATEMENT_MESSAGE_GET, ARGS(TEXT(tenant), TEXT(id)), n, &known);

    if (!err)
        *ret = (struct message){.known = known,
                                .first_ms = n[0],
                                .direction = (unsigned)n[1],
                                .rank = (enum fact_rank)n[2]};
    return err;
}

est_err tables_message_put(struct database *db, struct est_view tenant, struct est_view id,
                           const struct message *m)
{
    return run(
        db, STATEMENT_MESSAGE_PUT,
        ARGS(TEXT(tenant), TEXT(id), INT(m->first_ms), INT(m->direction), INT((int64_t)m->rank)));
}

est_err tables_order_get(struct database *db, struct est_view tenant, struct est_view id,
                         struct order *ret)
{
    int64_t n[5] = {0};
    bool known;
    est_err err = get(db, STATEMENT_ORDER_GET, ARGS(TEXT(tenant), TEXT(id)), n, &known);

    if (!err)
        *ret = (struct order){.known = known,
                              .first_ms = n[0],
                              .flags = (unsigned)n[1],
                              .paid_ms = n[2],
                              .total_minor = n[3],
                              .total_ms = n[4]};
    return err;
}

est_err tables_order_put(struct database *db, struct est_view tenant, struct est_view id,
                         const struct order *o)
{
    return run(db, STATEMENT_ORDER_PUT,
               ARGS(TEXT(tenant), TEXT(id), INT(o->first_ms), INT(o->flags), INT(o->paid_ms),
                    INT(o->total_minor), INT(o->total_ms)));
}

est_err tables_daily_add(struct database *db, int64_t day, struct est_view name, int64_t n)
{
    return run(db, STATEMENT_DAILY_ADD, ARGS(INT(day), TEXT(name), INT(n)));
}

est_err tables_daily_sums(struct database *db, tables_number_fn *fn, void *arg)
{
    return numbers(db, STATEMENT_DAILY_SUMS, NO_ARGS, fn, arg);
}

est_err tables_daily_of(struct database *db, int64_t day, tables_number_fn *fn, void *arg)
{
    return numbers(db, STATEMENT_DAILY_OF, ARGS(INT(day)), fn, arg);
}

est_err tables_recount(struct database *db, tables_number_fn *fn, void *arg)
{
    return numbers(db, STATEMENT_RECOUNT, NO_ARGS, fn, arg);
}

est_err tables_last_seen(struct database *db, int64_t after_ms, tables_number_fn *fn, void *arg)
{
    return numbers(db, STATEMENT_LAST_SEEN, ARGS(INT(after_ms)), fn, arg);
}

est_err tables_newest(struct database *db, int64_t *ret_seq, int64_t *ret_stored_ms)
{
    int64_t n[2] = {0};
    bool found;
    est_err err = get(db, STATEMENT_NEWEST, NO_ARGS, n, &found);

    if (!err) {
        *ret_seq = n[0];
        *ret_stored_ms = n[1];
    }
    return err;
}

struct rows {
    tables_row_fn *fn;
    void *arg;
};

static void give_row(void *arg, const struct database_row *row)
{
    struct rows *r = arg;

    r->fn(r->arg, &(struct tables_row){.seq = database_int(row, 0),
                                       .occurred_ms = database_int(row, 1),
                                       .id = database_text(row, 2),
                                       .event = database_text(row, 3),
                                       .type = database_text(row, 4),
                                       .detail = database_text(row, 5)});
}

est_err tables_recent(struct database *db, int64_t after, unsigned limit, tables_row_fn *fn,
                      void *arg)
{
    return database_run(db, STATEMENT_RECENT, ARGS(INT(after), INT(limit)), give_row,
                        &(struct rows){fn, arg});
}
