/* esteira trace: where an event is, and every attempt that it had. */
#include "span.h"
#include "table.h"
#include "trace.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "config/line.h"

#include <stdlib.h>
#include <string.h>

enum { CELL = 400, SMALL = 32 };
/* A bot's clock may be ahead of the shims'; an id without a time is looked for so far back. */
static const int64_t EARLY_MS = 5 * 60 * 1000, DEFAULT_MS = 24 * 3600 * 1000LL;

/* --- the line of each destination --- */

static const struct trace_attempt *delivery(const struct trace_destination *d)
{
    for (size_t i = 0; i < d->n_attempts; i++)
        if (d->attempts[i].copy == d->copy && trace_attempt_delivered(&d->attempts[i]))
            return &d->attempts[i];
    return NULL;
}

/* From being accepted, or put back, to the answer. */
static void say_delivered(const struct trace *t, const struct trace_destination *d)
{
    const struct trace_attempt *a = delivery(d);
    struct out *o = &t->cli->out;
    char after[SPAN_TEXT];

    if (a == NULL) {
        out_mark(o, MARK_OK, TEXT_TRACE_DELIVERED_SOME, OUT_ARGS(d->dest->name));
        return;
    }
    span_text(o->lang, (a->at_ms - t->copies[d->copy].at_ms) * EST_MS + a->us, after);
    out_mark(o, MARK_OK, TEXT_TRACE_DELIVERED, OUT_ARGS(d->dest->name, after));
}

static void say_state(const struct trace *t, const struct trace_destination *d)
{
    static const struct {
        enum mark mark;
        enum text text;
    } rows[TRACE_STATES] = {[TRACE_NOWHERE] = {MARK_WARN, TEXT_TRACE_NOWHERE},
                            [TRACE_BUFFERED] = {MARK_WARN, TEXT_TRACE_BUFFERED},
                            [TRACE_QUEUED] = {MARK_WARN, TEXT_TRACE_QUEUED},
                            [TRACE_RETRYING] = {MARK_WARN, TEXT_TRACE_RETRYING},
                            [TRACE_DEAD] = {MARK_BAD, TEXT_TRACE_DEAD},
                            [TRACE_PARKED] = {MARK_BAD, TEXT_TRACE_PARKED},
                            [TRACE_UNKNOWN] = {MARK_WARN, TEXT_TRACE_UNKNOWN}};
    char behind[DLQ_NUMBER], tries[DLQ_NUMBER];

    if (d->state == TRACE_DELIVERED) {
        say_delivered(t, d);
        return;
    }
    dlq_number(&t->cli->out, d->behind[d->copy] > 0 ? (uint64_t)d->behind[d->copy] : 0, behind);
    dlq_number(&t->cli->out, d->n_attempts, tries);
    out_mark(&t->cli->out, rows[d->state].mark, rows[d->state].text,
             OUT_ARGS(d->dest->name, d->state == TRACE_RETRYING ? tries : behind, t->id));
}

/* --- the rows below it --- */

struct row {
    int64_t ms;
    size_t order; /* of equals */
    char what[64], destination[TRACE_NAME], detail[CELL];
};

struct rows {
    const struct trace *t;
    struct row *items;
    size_t n, cap;
};

static struct row *add_row(struct rows *rs, int64_t ms, enum text what, const char *arg,
                           const char *destination)
{
    struct row *r;
    struct est_buf b;

    if (rs->n == rs->cap)
        return NULL;
    r = &rs->items[rs->n];
    *r = (struct row){.ms = ms, .order = rs->n++};
    est_buf_init(&b, sizeof(r->what));
    lang_put(&b, rs->t->cli->out.lang, what, OUT_ARGS(arg));
    est_line_copy(r->what, sizeof(r->what), est_buf_view(&b));
    est_buf_fini(&b);
    est_line_printf(r->destination, sizeof(r->destination), "%s", destination);
    return r;
}

static void add_copies(struct rows *rs)
{
    const struct trace *t = rs->t;

    for (size_t i = 0; i < t->n_copies; i++) {
        const struct trace_copy *c = &t->copies[i];
        enum text what = c->put_back_for[0] != '\0' ? TEXT_TRACE_PUT_BACK
                         : i == 0                   ? TEXT_TRACE_ACCEPTED
                                                    : TEXT_TRACE_AGAIN;
        struct row *r = add_row(rs, c->at_ms, what, "", c->put_back_for);
        if (r != NULL)
            est_line_printf(r->detail, sizeof(r->detail), "%s#%d:%lld", c->type->name,
                            (int)c->partition, (long long)c->offset);
    }
    for (size_t i = 0; i < t->n_waiting; i++) {
        const struct trace_waiting *w = &t->waiting[i];
        struct row *r = add_row(rs, w->at_ms, TEXT_TRACE_STORED, "", "");
        if (r != NULL)
            est_line_printf(r->detail, sizeof(r->detail), "%s  %s  %.12s",
                            w->type != NULL ? w->type->name : "?", w->instance, w->boot);
    }
}

static void put_attempt(const struct trace *t, const struct trace_attempt *a, char out[CELL])
{
    char status[SMALL], took[SPAN_TEXT], more[SMALL] = "";

    est_line_printf(status, sizeof(status), "%d ", a->status);
    span_text(t->cli->out.lang, a->us, took);
    if (a->events > 1)
        est_line_printf(more, sizeof(more), "  1/%lld", (long long)a->events);
    est_line_printf(out, CELL, "%s%s%s%s%s", a->status > 0 ? status : "", took,
                    a->class[0] != '\0' ? "  " : "", a->class, more);
}

static void add_attempts(struct rows *rs, const struct trace_destination *d)
{
    char number[SMALL];

    for (size_t i = 0; i < d->n_attempts; i++) {
        const struct trace_attempt *a = &d->attempts[i];
        enum text what = trace_attempt_delivered(a) ? TEXT_TRACE_TAKEN
                         : trace_attempt_refused(a) ? TEXT_TRACE_REFUSED
                                                    : TEXT_TRACE_ATTEMPT;
        struct row *r;
        est_line_printf(number, sizeof(number), "%zu", i + 1);
        r = add_row(rs, a->at_ms, what, number, d->dest->name);
        if (r != NULL)
            put_attempt(rs->t, a, r->detail);
    }
}

static void add_letters(struct rows *rs, const struct trace_destination *d)
{
    for (size_t i = 0; i < d->n_letters; i++) {
        const struct trace_letter *l = &d->letters[i];
        struct row *r = add_row(rs, l->failed_at / EST_MS, TEXT_TRACE_LETTER, "", d->dest->name);
        if (r != NULL)
            est_line_printf(r->detail, sizeof(r->detail), "%s#%d:%lld  %s  %s", l->topic,
                            (int)l->partition, (long long)l->offset, l->class,
                            lang_text(rs->t->cli->out.lang, dlq_state_text(l->state)));
    }
}

static int by_time(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void print_rows(struct rows *rs)
{
    struct out *o = &rs->t->cli->out;
    bool several = rs->t->n_dests > 1;
    struct table *table = table_new(several ? 4 : 3, 0);
    int64_t now = est_clock_wall() / EST_MS;
    char at[SPAN_TEXT], cell[SPAN_TEXT + 2];

    qsort(rs->items, rs->n, sizeof(*rs->items), by_time);
    for (size_t i = 0; i < rs->n; i++) {
        span_time(o->lang, rs->items[i].ms, now, at);
        est_line_printf(cell, sizeof(cell), "  %s", at);
        table_cell(table, cell);
        table_cell(table, rs->items[i].what);
        if (several)
            table_cell(table, rs->items[i].destination);
        table_cell(table, rs->items[i].detail);
    }
    table_print(table, o, NULL);
    table_free(table);
}

static void print_history(const struct trace *t)
{
    struct rows rs = {.t = t, .cap = t->n_copies + t->n_waiting};

    for (size_t i = 0; i < t->n_dests; i++)
        rs.cap += t->dests[i].n_attempts + t->dests[i].n_letters;
    rs.items = est_calloc(rs.cap + 1, sizeof(*rs.items));
    if (rs.items == NULL)
        return;
    add_copies(&rs);
    for (size_t i = 0; i < t->n_dests; i++) {
        add_attempts(&rs, &t->dests[i]);
        add_letters(&rs, &t->dests[i]);
    }
    print_rows(&rs);
    est_free(rs.items);
}

static void print(const struct trace *t)
{
    struct out *o = &t->cli->out;
    const char *type = t->n_copies > 0 ? t->copies[0].type->name : "";

    for (size_t i = 0; i < t->n_dests; i++)
        say_state(t, &t->dests[i]);
    if (t->name[0] != '\0')
        out_say(o, TEXT_TRACE_EVENT, OUT_ARGS(t->name, type, t->source));
    print_history(t);
    for (size_t i = 0; i < t->n_dests; i++)
        if (!t->dests[i].has_log && t->n_copies > 0)
            out_talk(o, TEXT_TRACE_NO_LOG, OUT_ARGS(t->dests[i].dest->name));
}

/* --- JSON --- */

static void put_text(struct est_buf *b, const char *name, const char *text)
{
    est_json_put_name(b, name);
    est_json_put_str(b, text);
}

static void put_number(struct est_buf *b, const char *name, int64_t n)
{
    est_json_put_name(b, name);
    est_buf_put_i64(b, n);
}

static void put_time(struct est_buf *b, const char *name, int64_t ms)
{
    char at[EST_RFC3339_LEN + 1];

    est_rfc3339_format(ms * EST_MS, at);
    put_text(b, name, at);
}

static void put_copies(const struct trace *t, struct est_buf *b)
{
    est_json_put_name(b, "records");
    for (size_t i = 0; i < t->n_copies; i++) {
        const struct trace_copy *c = &t->copies[i];
        est_buf_puts(b, i > 0 ? ",{" : "[{");
        put_text(b, "topic", c->type->topic);
        put_number(b, "partition", c->partition);
        put_number(b, "offset", c->offset);
        put_time(b, "at", c->at_ms);
        if (c->put_back_for[0] != '\0')
            put_text(b, "put_back_for", c->put_back_for);
        est_buf_putc(b, '}');
    }
    est_buf_puts(b, t->n_copies > 0 ? "]" : "[]");
}

static void put_waiting(const struct trace *t, struct est_buf *b)
{
    est_json_put_name(b, "waiting");
    for (size_t i = 0; i < t->n_waiting; i++) {
        const struct trace_waiting *w = &t->waiting[i];
        est_buf_puts(b, i > 0 ? ",{" : "[{");
        put_text(b, "boot", w->boot);
        put_text(b, "instance", w->instance);
        put_text(b, "type", w->type != NULL ? w->type->name : "");
        put_time(b, "at", w->at_ms);
        est_buf_putc(b, '}');
    }
    est_buf_puts(b, t->n_waiting > 0 ? "]" : "[]");
}

static void put_attempts(const struct trace_destination *d, struct est_buf *b)
{
    est_json_put_name(b, "attempts");
    for (size_t i = 0; i < d->n_attempts; i++) {
        const struct trace_attempt *a = &d->attempts[i];
        est_buf_puts(b, i > 0 ? ",{" : "[{");
        put_time(b, "at", a->at_ms);
        put_number(b, "us", a->us);
        put_number(b, "status", a->status);
        put_text(b, "outcome",
                 trace_attempt_delivered(a) ? "delivered"
                 : trace_attempt_refused(a) ? "refused"
                                            : "failed");
        put_text(b, "verdict", a->verdict);
        put_text(b, "class", a->class);
        put_number(b, "events", a->events);
        put_number(b, "record", (int64_t)a->copy);
        est_buf_putc(b, '}');
    }
    est_buf_puts(b, d->n_attempts > 0 ? "]" : "[]");
}

static void put_letters(const struct trace *t, const struct trace_destination *d, struct est_buf *b)
{
    est_json_put_name(b, "dead_letters");
    for (size_t i = 0; i < d->n_letters; i++) {
        const struct trace_letter *l = &d->letters[i];
        est_buf_puts(b, i > 0 ? ",{" : "[{");
        put_text(b, "topic", l->topic);
        put_number(b, "partition", l->partition);
        put_number(b, "offset", l->offset);
        put_time(b, "failed_at", l->failed_at / EST_MS);
        put_text(b, "class", l->class);
        put_number(b, "http_status", l->status);
        put_number(b, "attempts", (int64_t)l->attempts);
        put_number(b, "replays", (int64_t)l->replays);
        put_text(b, "state", dlq_state_name(l->state));
        if (l->copy < t->n_copies)
            put_number(b, "record", (int64_t)l->copy);
        est_buf_putc(b, '}');
    }
    est_buf_puts(b, d->n_letters > 0 ? "]" : "[]");
}

static void print_json(const struct trace *t, bool found)
{
    struct est_buf *b = out_json_begin(&t->cli->out, "trace");

    put_text(b, "id", t->id);
    est_json_put_name(b, "found");
    est_buf_puts(b, found ? "true" : "false");
    put_time(b, "searched_from", t->since_ms);
    put_text(b, "event", t->name);
    put_text(b, "source", t->source);
    put_text(b, "type", t->n_copies > 0 ? t->copies[0].type->name : "");
    put_copies(t, b);
    put_waiting(t, b);
    est_json_put_name(b, "destinations");
    est_buf_putc(b, '[');
    for (size_t i = 0; i < t->n_dests; i++) {
        const struct trace_destination *d = &t->dests[i];
        est_buf_puts(b, i > 0 ? ",{" : "{");
        put_text(b, "destination", d->dest->name);
        put_text(b, "state", trace_state_name(d->state));
        put_number(b, "behind", d->behind[d->copy]);
        est_json_put_name(b, "has_log");
        est_buf_puts(b, d->has_log ? "true" : "false");
        put_attempts(d, b);
        put_letters(t, d, b);
        est_buf_putc(b, '}');
    }
    est_buf_putc(b, ']');
    out_json_end(&t->cli->out);
}

/* --- the command --- */

static int64_t begin_of(const struct trace *t)
{
    const struct args *a = &t->cli->args;
    int64_t now = est_clock_wall() / EST_MS, ms = trace_time_of_id(t->id);

    if (a->given & ARGS_BIT(SINCE))
        ms = now - a->since / EST_MS;
    else if (ms >= 0)
        ms -= EARLY_MS;
    else
        ms = now - DEFAULT_MS;
    return ms > 0 ? ms : 1;
}

static bool is_found(const struct trace *t)
{
    bool found = t->n_copies > 0 || t->n_waiting > 0;

    for (size_t i = 0; i < t->n_dests; i++)
        found |= t->dests[i].n_letters > 0;
    return found;
}

static int not_found(const struct trace *t)
{
    bool no_time = trace_time_of_id(t->id) < 0 && !(t->cli->args.given & ARGS_BIT(SINCE));
    char read[DLQ_NUMBER], from[SPAN_TEXT];

    if (t->cli->out.json) {
        print_json(t, false);
        return EXIT_NO;
    }
    dlq_number(&t->cli->out, t->read, read);
    span_time(t->cli->out.lang, t->since_ms, est_clock_wall() / EST_MS, from);
    out_mark(&t->cli->out, MARK_BAD, TEXT_TRACE_NOT_FOUND, OUT_ARGS(t->id, read, from));
    if (no_time)
        out_talk(&t->cli->out, TEXT_TRACE_NO_TIME, OUT_ARGS(""));
    if (!t->has_buffer && t->cfg->redis_url[0] != '\0')
        out_talk(&t->cli->out, TEXT_TRACE_NO_BUFFER, OUT_ARGS(""));
    return EXIT_NO;
}

static int answer(struct trace *t)
{
    if (!is_found(t))
        return not_found(t);
    trace_judge(t);
    if (t->cli->out.json)
        print_json(t, true);
    else
        print(t);
    return EXIT_FINE;
}

/* While Kafka is away an event may still be seen in the buffer. */
static int search(struct trace *t)
{
    struct est_why why = {.code = EST_OK};
    int code = EXIT_FINE;
    est_err err = trace_find_copies(t, &why);

    if (err == EST_OK)
        err = trace_find_marks(t, &why);
    if (err == EST_OK && trace_find_letters(t, &code) != EST_OK)
        return code;
    if (err == EST_OK)
        err = trace_find_attempts(t, &why);
    if (err != EST_OK || t->n_copies == 0)
        trace_find_waiting(t);
    if (err == EST_OK || t->n_waiting > 0)
        return answer(t);
    code = cli_exit_at_open(err);
    out_failure(&t->cli->out, err, &why, code);
    return code;
}

static int run(struct trace *t)
{
    const struct args *a = &t->cli->args;
    int code;

    if (a->type != NULL && est_config_type(t->cfg, a->type) == NULL)
        return cli_unknown_type(t->cli, t->cfg, a->type);
    if (a->destination != NULL && est_config_destination(t->cfg, a->destination) == NULL)
        return cli_unknown_destination(t->cli, t->cfg, a->destination);
    t->dests = est_calloc(t->cfg->n_destinations, sizeof(*t->dests));
    if (t->dests == NULL) {
        out_failure(&t->cli->out, EST_ERR_NOMEM, NULL, EXIT_IO);
        return EXIT_IO;
    }
    for (size_t i = 0; i < t->cfg->n_destinations; i++)
        if (a->destination == NULL || strcmp(a->destination, t->cfg->destinations[i].name) == 0)
            t->dests[t->n_dests++].dest = &t->cfg->destinations[i];
    t->since_ms = begin_of(t);
    t->extra = cli_kafka_options(t->cfg);
    code = search(t);
    est_free(t->extra);
    est_free(t->dests);
    return code;
}

int cmd_trace(struct cli *cli)
{
    struct trace *t = est_calloc(1, sizeof(*t));
    int code = EXIT_IO;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg != NULL && t != NULL) {
        t->cli = cli;
        t->cfg = cfg;
        t->id = cli->words[0];
        code = run(t);
    }
    est_config_free(cfg);
    est_free(t);
    return code;
}
