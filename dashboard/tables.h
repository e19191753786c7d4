/* The tables and what is read from and written to them, without knowing why. Errors are those of
 * database.h. */
#pragma once

#include "base/err.h"
#include "database.h"
#include "entry.h"
#include "things.h"

#include <stdbool.h>
#include <stdint.h>

est_err tables_open(const char *path, struct database **ret, struct est_why *reterr);

est_err tables_begin(struct database *db);
est_err tables_commit(struct database *db);
void tables_rollback(struct database *db);

/* *ret_seq = 0 when (tenant, dedup_id) is there already. */
est_err tables_event_insert(struct database *db, const struct entry *e, int64_t stored_ms,
                            int64_t *ret_seq);

/* A thing that is not there leaves *ret all zero (known = false). */
est_err tables_contact_get(struct database *db, struct est_view tenant, struct est_view id,
                           struct contact *ret);
est_err tables_contact_put(struct database *db, struct est_view tenant, struct est_view id,
                           const struct contact *c);
est_err tables_message_get(struct database *db, struct est_view tenant, struct est_view id,
                           struct message *ret);
est_err tables_message_put(struct database *db, struct est_view tenant, struct est_view id,
                           const struct message *m);
est_err tables_order_get(struct database *db, struct est_view tenant, struct est_view id,
                         struct order *ret);
est_err tables_order_put(struct database *db, struct est_view tenant, struct est_view id,
                         const struct order *o);

/* Add n to the number `name` of a day. */
est_err tables_daily_add(struct database *db, int64_t day, struct est_view name, int64_t n);

/* Rows are handed to fn one by one. */
typedef void tables_number_fn(void *arg, struct est_view name, int64_t n);
est_err tables_daily_sums(struct database *db, tables_number_fn *fn, void *arg);
est_err tables_daily_of(struct database *db, int64_t day, tables_number_fn *fn, void *arg);
/* The numbers of all time, recounted from the things themselves. */
est_err tables_recount(struct database *db, tables_number_fn *fn, void *arg);
/* Contacts by minute of last_ms (in `n`, the name is absent), once for each contact. */
est_err tables_last_seen(struct database *db, int64_t after_ms, tables_number_fn *fn, void *arg);
/* Seq and storing time of the newest event; zeros when there is none. */
est_err tables_newest(struct database *db, int64_t *ret_seq, int64_t *ret_stored_ms);

struct tables_row {
    int64_t seq, occurred_ms;
    struct est_view id, event, type, detail;
};
typedef void tables_row_fn(void *arg, const struct tables_row *row);
/* The newest `limit` events behind `after`, newest first. */
est_err tables_recent(struct database *db, int64_t after, unsigned limit, tables_row_fn *fn,
                      void *arg);
