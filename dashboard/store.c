#include "store.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "tables.h"
#include "tally.h"
#include "things.h"

struct store {
    struct database *db;
    bool in_transaction;
    int64_t now_ms; /* of the transaction */
    int64_t newest;
    struct summary summary;
    struct tally tally;
    int64_t newest_before; /* both as they were when the transaction began */
    struct summary before;
};

enum { NAME_MAX_LEN = 64 };

/* --- the kept numbers --- */

struct place {
    struct summary *su;
    struct counts *counts;
};

static void set_number(void *arg, struct est_view name, int64_t n)
{
    struct place *p = arg;
    size_t which = summary_place(p->su, name);

    if (which < COUNT__MAX)
        p->counts->n[which] = n;
}

static void see_contact(void *arg, struct est_view name, int64_t last_ms)
{
    (void)name;
    summary_seen(arg, last_ms, 1);
}

/* Old minutes fall out; at midnight `today` becomes what the table already has of the new day (a
 * clock that was set back and runs into the same day again finds its numbers there). */
static est_err advance(struct store *st, int64_t now_ms)
{
    struct summary *su = &st->summary;

    if (!summary_advance(su, now_ms))
        return EST_OK;
    return tables_daily_of(st->db, su->day, set_number, &(struct place){su, &su->today});
}

static est_err load(struct store *st)
{
    struct summary *su = &st->summary;
    int64_t now_ms = est_clock_wall() / EST_MS;
    est_err err = tables_newest(st->db, &st->newest, &su->last_event_ms);

    if (!err)
        err = tables_daily_sums(st->db, set_number, &(struct place){su, &su->all});
    if (!err)
        err = advance(st, now_ms);
    if (!err)
        err = tables_last_seen(st->db, now_ms - (int64_t)SUMMARY_ACTIVE_MINUTES * 60000,
                               see_contact, su);
    return err;
}

est_err store_open(const char *path, struct store **ret, struct est_why *reterr)
{
    struct store *st = est_calloc(1, sizeof(*st));
    est_err err;

    if (st == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the store");
    err = tables_open(path, &st->db, reterr);
    if (err)
        goto fail;
    tally_init(&st->tally, &st->summary);
    err = load(st);
    if (err) {
        (void)est_why_set(reterr, err, "cannot read the database: %s", database_error(st->db));
        goto fail;
    }
    *ret = st;
    return EST_OK;
fail:
    store_close(st);
    return err;
}

void store_close(struct store *st)
{
    if (st == NULL)
        return;
    database_close(st->db);
    est_free(st);
}

const char *store_error(const struct store *st)
{
    return database_error(st->db);
}

/* --- writing --- */

static est_err write_day(struct store *st, const struct tally_day *day)
{
    char text[NAME_MAX_LEN + EST_BUF_SLACK];
    est_err err = EST_OK;

    for (size_t i = 0; i < COUNT__MAX && !err; i++) {
        struct est_buf name = {.data = text, .cap = NAME_MAX_LEN, .max = NAME_MAX_LEN};
        if (day->counts.n[i] == 0)
            continue;
        summary_name(&st->summary, i, &name);
        err = tables_daily_add(st->db, day->day, est_buf_view(&name), day->counts.n[i]);
    }
    return err;
}

static est_err write_tally(struct store *st)
{
    est_err err = EST_OK;

    for (size_t i = 0; i < st->tally.n && !err; i++)
        err = write_day(st, &st->tally.days[i]);
    tally_clear(&st->tally);
    return err;
}

est_err store_begin(struct store *st, int64_t now_ms)
{
    est_err err;

    EST_ASSERT(!st->in_transaction);
    err = advance(st, now_ms);
    if (!err)
        err = tables_begin(st->db);
    if (err)
        return err;
    st->in_transaction = true;
    st->now_ms = now_ms;
    st->before = st->summary;
    st->newest_before = st->newest;
    return EST_OK;
}

est_err store_commit(struct store *st)
{
    est_err err;

    EST_ASSERT(st->in_transaction);
    err = write_tally(st);
    if (!err)
        err = tables_commit(st->db);
    if (!err)
        st->in_transaction = false;
    return err;
}

void store_rollback(struct store *st)
{
    EST_ASSERT(st->in_transaction);
    st->in_transaction = false;
    tables_rollback(st->db);
    tally_clear(&st->tally);
    st->summary = st->before;
    st->newest = st->newest_before;
}

static est_err put_contact(struct store *st, const struct entry *e)
{
    struct contact was, c;
    est_err err = tables_contact_get(st->db, e->tenant, e->facts.contact, &was);

    if (err)
        return err;
    c = was;
    if (!contact_learn(&c, e->occurred_ms))
        return EST_OK;
    contact_count(&was, &st->tally, -1);
    contact_count(&c, &st->tally, 1);
    return tables_contact_put(st->db, e->tenant, e->facts.contact, &c);
}

static est_err put_message(struct store *st, const struct entry *e)
{
    struct message was, m;
    est_err err = tables_message_get(st->db, e->tenant, e->facts.message, &was);

    if (err)
        return err;
    m = was;
    if (!message_learn(&m, &e->facts, e->occurred_ms))
        return EST_OK;
    message_count(&was, &st->tally, -1);
    message_count(&m, &st->tally, 1);
    return tables_message_put(st->db, e->tenant, e->facts.message, &m);
}

static est_err put_order(struct store *st, const struct entry *e)
{
    struct order was, o;
    est_err err = tables_order_get(st->db, e->tenant, e->facts.order, &was);

    if (err)
        return err;
    o = was;
    if (!order_learn(&o, &e->facts, e->occurred_ms))
        return EST_OK;
    order_count(&was, &st->tally, -1);
    order_count(&o, &st->tally, 1);
    return tables_order_put(st->db, e->tenant, e->facts.order, &o);
}

static est_err put_things(struct store *st, const struct entry *e)
{
    est_err err = EST_OK;

    if (e->facts.contact.data != NULL)
        err = put_contact(st, e);
    if (!err && e->facts.message.data != NULL)
        err = put_message(st, e);
    if (!err && e->facts.order.data != NULL)
        err = put_order(st, e);
    return err;
}

est_err store_put(struct store *st, const struct entry *e, int64_t *ret_seq)
{
    int64_t seq = 0;
    est_err err = EST_OK;

    EST_ASSERT(st->in_transaction);
    if (tally_is_full(&st->tally))
        err = write_tally(st);
    if (!err)
        err = tables_event_insert(st->db, e, st->now_ms, &seq);
    if (!err && seq != 0) {
        tally_add(&st->tally, e->occurred_ms, COUNT_EVENTS, 1);
        tally_add(&st->tally, e->occurred_ms, summary_type(&st->summary, e->type), 1);
        tally_add(&st->tally, e->occurred_ms, COUNT_ERRORS, e->facts.is_error);
        st->summary.last_event_ms = st->now_ms;
        st->newest = seq;
        err = put_things(st, e);
    }
    if (!err)
        *ret_seq = seq;
    return err;
}

/* --- reading --- */

const struct summary *store_summary(struct store *st, int64_t now_ms)
{
    /* Should the table of days not be readable just now, `today` starts from zero and is right
     * again at the next start: better a number for later than no page. */
    (void)advance(st, now_ms);
    return &st->summary;
}

int64_t store_newest(const struct store *st)
{
    return st->newest;
}

static void print_row(struct est_buf *out, const struct tables_row *row)
{
    char at[EST_RFC3339_LEN + 1];

    est_rfc3339_format(row->occurred_ms * EST_MS, at);
    est_buf_puts(out, "{\"seq\":");
    est_buf_put_i64(out, row->seq);
    est_json_put_name(out, "id");
    est_json_put_string(out, row->id);
    est_json_put_name(out, "event");
    est_json_put_string(out, row->event);
    est_json_put_name(out, "type");
    est_json_put_string(out, row->type);
    est_json_put_name(out, "at");
    est_json_put_str(out, at);
    est_json_put_name(out, "detail");
    est_buf_put_view(out, row->detail);
    est_buf_putc(out, '}');
}

static void append_row(void *arg, const struct tables_row *row)
{
    struct est_buf *out = arg;

    if (out->data[out->len - 1] != '[')
        est_buf_putc(out, ',');
    print_row(out, row);
}

est_err store_recent(struct store *st, int64_t after, unsigned limit, struct est_buf *out)
{
    est_err err;

    est_buf_putc(out, '[');
    if (out->failed)
        return EST_ERR_FULL;
    err = tables_recent(st->db, after, limit, append_row, out);
    est_buf_putc(out, ']');
    return err ? err : est_buf_err(out);
}

est_err store_audit(struct store *st, bool *ret_holds)
{
    struct counts recounted = {0};
    struct summary *su = &st->summary;
    bool holds = true;
    est_err err = tables_recount(st->db, set_number, &(struct place){su, &recounted});

    for (size_t i = 0; i < COUNT__FIXED; i++)
        holds = holds && recounted.n[i] == su->all.n[i];
    if (!err)
        *ret_holds = holds;
    return err;
}

void store_tidy(struct store *st)
{
    database_checkpoint(st->db);
}
