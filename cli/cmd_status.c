/* esteira status: is everything there, what waits, and why. */
#include "span.h"
#include "status.h"
#include "table.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "config/line.h"
#include "config/unit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER = 40, EVERY_MS = 2000, COLUMNS = 9 };

static volatile sig_atomic_t stop_asked;

static void on_signal(int signo)
{
    (void)signo;
    stop_asked = 1;
}

/* Redis' loop takes the signals and gives them back as they were before any. */
static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};

    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
}

/* --- for people --- */

static void number_text(const struct out *o, uint64_t n, char out[NUMBER])
{
    struct est_buf b;

    est_buf_init(&b, NUMBER);
    lang_put_number(&b, o->lang, n);
    est_line_copy(out, NUMBER, est_buf_view(&b));
    est_buf_fini(&b);
}

static void number_cell(struct table *t, const struct out *o, uint64_t n)
{
    char cell[NUMBER];

    number_text(o, n, cell);
    table_cell(t, cell);
}

static void age_cell(struct table *t, const struct out *o, const struct status_row *row)
{
    char cell[SPAN_TEXT] = "-";

    if (row->oldest_ms >= 0)
        span_text(o->lang, row->oldest_ms * EST_MS, cell);
    else if (status_pending(row) > 0)
        est_line_printf(cell, sizeof(cell), "?");
    table_cell(t, cell);
}

static void row_cells(struct table *t, const struct out *o, const struct status_row *row)
{
    table_cell(t, row->type->name);
    number_cell(t, o, status_accepted(row));
    number_cell(t, o, row->delivered);
    number_cell(t, o, row->dead);
    number_cell(t, o, status_pending(row));
    age_cell(t, o, row);
    number_cell(t, o, row->missing);
    number_cell(t, o, row->expired);
    number_cell(t, o, row->repeated);
}

/* Types that nothing has happened to are left out. */
static void print_rows(const struct status *s, const struct status_destination *d)
{
    struct out *o = &s->cli->out;
    struct table *t = table_new(COLUMNS, 0x1fe);

    for (size_t i = 0; i < s->cfg->n_types; i++)
        if (status_accepted(&d->rows[i]) > 0 || d->rows[i].unreadable > 0 || d->rows[i].repeated)
            row_cells(t, o, &d->rows[i]);
    table_print(
        t, o,
        OUT_ARGS(lang_text(o->lang, TEXT_HEAD_TYPE), lang_text(o->lang, TEXT_HEAD_ACCEPTED),
                 lang_text(o->lang, TEXT_HEAD_DELIVERED), lang_text(o->lang, TEXT_HEAD_DLQ),
                 lang_text(o->lang, TEXT_HEAD_PENDING), lang_text(o->lang, TEXT_HEAD_OLDEST),
                 lang_text(o->lang, TEXT_HEAD_MISSING), lang_text(o->lang, TEXT_HEAD_EXPIRED),
                 lang_text(o->lang, TEXT_HEAD_REPEATED)));
    table_free(t);
}

/* The words of a verdict: {1} its number, {2} a time, {3} the reason, {4} the destination. */
static void print_verdict(const struct status *s, const struct status_destination *d,
                          enum status_verdict v)
{
    static const struct {
        enum mark mark;
        enum text text;
    } rows[STATUS_VERDICTS] = {[STATUS_FINE] = {MARK_OK, TEXT_STATUS_FINE},
                               [STATUS_EMPTY] = {MARK_OK, TEXT_STATUS_EMPTY},
                               [STATUS_BUFFERED] = {MARK_WARN, TEXT_STATUS_BUFFERED},
                               [STATUS_BEHIND] = {MARK_WARN, TEXT_STATUS_BEHIND},
                               [STATUS_LIMITED] = {MARK_WARN, TEXT_STATUS_LIMITED},
                               [STATUS_DOWN] = {MARK_WARN, TEXT_STATUS_DOWN},
                               [STATUS_NOBODY] = {MARK_WARN, TEXT_STATUS_NOBODY},
                               [STATUS_PAUSED] = {MARK_WARN, TEXT_STATUS_PAUSED},
                               [STATUS_EXPIRED] = {MARK_BAD, TEXT_STATUS_EXPIRED},
                               [STATUS_MISSING] = {MARK_BAD, TEXT_STATUS_MISSING},
                               [STATUS_BROKEN] = {MARK_BAD, TEXT_STATUS_BROKEN}};
    const struct status_row *sum = &d->sum;
    uint64_t n = v == STATUS_MISSING    ? sum->missing
                 : v == STATUS_EXPIRED  ? sum->expired
                 : v == STATUS_BUFFERED ? sum->buffered
                                        : status_pending(sum);
    char number[NUMBER], since[SPAN_TEXT];

    number_text(&s->cli->out, n, number);
    span_text(s->cli->out.lang, sum->oldest_ms > 0 ? sum->oldest_ms * EST_MS : 0, since);
    out_mark(&s->cli->out, rows[v].mark, rows[v].text,
             OUT_ARGS(number, since, d->state.code, d->dest->name));
}

static void print_sum(const struct status *s, const struct status_row *sum)
{
    char accepted[NUMBER], delivered[NUMBER], dead[NUMBER], pending[NUMBER];
    struct out *o = &s->cli->out;

    number_text(o, status_accepted(sum), accepted);
    number_text(o, sum->delivered, delivered);
    number_text(o, sum->dead, dead);
    number_text(o, status_pending(sum), pending);
    out_say(o, TEXT_STATUS_SUM, OUT_ARGS(accepted, delivered, dead, pending));
    if (sum->missing + sum->expired == 0)
        return;
    number_text(o, sum->missing, accepted);
    number_text(o, sum->expired, delivered);
    out_say(o, TEXT_STATUS_SUM_LOST, OUT_ARGS(accepted, delivered));
}

static void print_consumers(const struct status *s, const struct status_destination *d)
{
    struct out *o = &s->cli->out;
    char members[NUMBER] = "?", budget[NUMBER], next[SPAN_TEXT];

    if (d->has_members)
        number_text(o, d->members, members);
    out_say(o, TEXT_STATUS_CONSUMERS,
            OUT_ARGS(members, d->state.told > 0 ? d->state.state : lang_text(o->lang, TEXT_UNKNOWN),
                     d->state.reason));
    if (d->state.budget_left >= 0) {
        number_text(o, (uint64_t)d->state.budget_left, budget);
        span_text(o->lang, d->state.next_ms * EST_MS, next);
        out_say(o, TEXT_STATUS_BUDGET, OUT_ARGS(budget, next));
    }
}

static void print_buffer(const struct status *s)
{
    struct out *o = &s->cli->out;
    char entries[NUMBER], oldest[SPAN_TEXT];
    struct est_buf size;

    if (!s->buffer.configured)
        return;
    if (!s->buffer.known) {
        out_say(o, TEXT_STATUS_NO_BUFFER, OUT_ARGS(""));
        return;
    }
    if (s->buffer.entries == 0) {
        out_say(o, TEXT_STATUS_BUFFER_EMPTY, OUT_ARGS(""));
        return;
    }
    est_buf_init(&size, NUMBER);
    est_unit_put_size(&size, (size_t)s->buffer.bytes);
    est_buf_putc(&size, '\0');
    number_text(o, s->buffer.entries, entries);
    span_text(o->lang, s->buffer.oldest, oldest);
    out_say(o, TEXT_STATUS_BUFFER, OUT_ARGS(entries, est_buf_err(&size) ? "?" : size.data, oldest));
    est_buf_fini(&size);
}

static void print_notes(const struct status *s, const struct status_destination *d)
{
    struct out *o = &s->cli->out;
    char number[NUMBER];

    for (size_t i = 0; i < s->cfg->n_types; i++)
        if (d->rows[i].state[0] != '\0')
            out_mark(o, MARK_WARN,
                     strcmp(d->rows[i].state, "paused") == 0 ? TEXT_STATUS_TYPE_PAUSED
                                                             : TEXT_STATUS_TYPE_SLOW,
                     OUT_ARGS(d->rows[i].type->name));
    if (d->sum.dead > 0) {
        number_text(o, d->sum.dead, number);
        out_mark(o, MARK_WARN, TEXT_STATUS_DEAD, OUT_ARGS(number, d->dest->name));
    }
    if (d->sum.unreadable > 0) {
        number_text(o, d->sum.unreadable, number);
        out_talk(o, TEXT_STATUS_UNREADABLE, OUT_ARGS(number));
    }
}

static void print(const struct status *s)
{
    struct out *o = &s->cli->out;

    for (size_t i = 0; i < s->n_dests; i++) {
        const struct status_destination *d = &s->dests[i];
        if (s->n_dests > 1)
            out_say(o, TEXT_STATUS_DESTINATION, OUT_ARGS(d->dest->name));
        print_verdict(s, d, status_judge(d));
        print_sum(s, &d->sum);
        print_rows(s, d);
        print_consumers(s, d);
        print_notes(s, d);
    }
    print_buffer(s);
}

/* --- JSON --- */

static void put_n(struct est_buf *b, const char *name, uint64_t n)
{
    est_json_put_name(b, name);
    est_buf_put_u64(b, n);
}

static void put_i(struct est_buf *b, const char *name, int64_t n)
{
    est_json_put_name(b, name);
    est_buf_put_i64(b, n);
}

static void put_text(struct est_buf *b, const char *name, const char *text)
{
    est_json_put_name(b, name);
    est_json_put_str(b, text);
}

static void put_flag(struct est_buf *b, const char *name, bool value)
{
    est_json_put_name(b, name);
    est_buf_puts(b, value ? "true" : "false");
}

static void put_row(struct est_buf *b, const struct status_row *row)
{
    put_n(b, "accepted", status_accepted(row));
    put_n(b, "delivered", row->delivered);
    put_n(b, "dlq", row->dead);
    put_n(b, "pending", status_pending(row));
    put_n(b, "buffered", row->buffered);
    put_n(b, "missing", row->missing);
    put_n(b, "expired", row->expired);
    put_n(b, "repeated", row->repeated);
    put_n(b, "replayed", row->replayed);
    put_n(b, "unchained", row->unchained);
    put_n(b, "lag", row->lag);
    put_i(b, "oldest_ms", row->oldest_ms);
    put_n(b, "unknown_partitions", row->unreadable);
    put_flag(b, "partial", row->partial);
}

static void put_destination(const struct status *s, struct est_buf *b,
                            const struct status_destination *d)
{
    enum status_verdict v = status_judge(d);

    put_text(b, "destination", d->dest->name);
    put_flag(b, "ok", status_is_kept(v));
    put_text(b, "verdict", status_verdict_name(v));
    put_row(b, &d->sum);
    put_i(b, "consumers", d->has_members ? (int64_t)d->members : -1);
    put_text(b, "state", d->state.told > 0 ? d->state.state : "unknown");
    put_text(b, "reason", d->state.reason);
    put_text(b, "code", d->state.code);
    put_i(b, "budget_left", d->state.budget_left >= 0 ? d->state.budget_left : -1);
    est_json_put_name(b, "types");
    est_buf_putc(b, '[');
    for (size_t i = 0; i < s->cfg->n_types; i++) {
        est_buf_puts(b, i > 0 ? ",{" : "{");
        put_text(b, "type", d->rows[i].type->name);
        put_row(b, &d->rows[i]);
        put_text(b, "state", d->rows[i].state);
        est_buf_putc(b, '}');
    }
    est_buf_putc(b, ']');
}

static void print_json(const struct status *s)
{
    struct est_buf *b = out_json_begin(&s->cli->out, "status");
    char at[EST_RFC3339_LEN + 1];
    bool kept = true;

    for (size_t i = 0; i < s->n_dests; i++)
        kept &= status_is_kept(status_judge(&s->dests[i]));
    est_rfc3339_format(s->at, at);
    put_flag(b, "ok", kept);
    put_text(b, "at", at);
    est_json_put_name(b, "buffer");
    est_buf_putc(b, '{');
    put_flag(b, "known", s->buffer.known);
    put_n(b, "entries", s->buffer.entries);
    put_n(b, "bytes", s->buffer.bytes);
    put_i(b, "oldest_ms", s->buffer.oldest / EST_MS);
    est_buf_putc(b, '}');
    est_json_put_name(b, "destinations");
    est_buf_putc(b, '[');
    for (size_t i = 0; i < s->n_dests; i++) {
        est_buf_puts(b, i > 0 ? ",{" : "{");
        put_destination(s, b, &s->dests[i]);
        est_buf_putc(b, '}');
    }
    est_buf_putc(b, ']');
    out_json_end(&s->cli->out);
}

/* --- the command --- */

static int exit_of(const struct status *s)
{
    int code = EXIT_FINE;

    for (size_t i = 0; i < s->n_dests; i++) {
        const struct status_destination *d = &s->dests[i];
        if (s->cli->args.strict ? !status_is_well(d) : !status_is_kept(status_judge(d)))
            code = EXIT_NO;
    }
    return code;
}

static int once(struct status *s)
{
    struct est_why why = {.code = EST_OK};
    est_err err = status_look(s, &why);
    int code = err != EST_OK ? cli_exit_at_open(err) : EXIT_FINE;

    catch_signals();
    if (err != EST_OK) {
        out_failure(&s->cli->out, err, &why, code);
        return code;
    }
    if (s->cli->args.watch && s->cli->out.tty_out && !s->cli->out.json)
        out_put(&s->cli->out, EST_VIEW_LIT("\033[H\033[2J"));
    if (s->cli->out.json)
        print_json(s);
    else
        print(s);
    (void)fflush(stdout);
    return exit_of(s);
}

/* The last look decides how it ends; one that fails is told, and the next is tried. */
static int watch(struct status *s)
{
    unsigned left = s->cli->args.count;
    int code;

    do {
        code = once(s);
        if (left == 1 || stop_asked || ferror(stdout))
            break;
        left -= left > 0;
        (void)poll(NULL, 0, EVERY_MS);
    } while (!stop_asked);
    return stop_asked && left == 0 ? EXIT_INTERRUPTED : code;
}

static bool prepare(struct status *s)
{
    const struct est_config *cfg = s->cfg;
    const struct args *a = &s->cli->args;

    s->topics = est_calloc(cfg->n_types, sizeof(*s->topics));
    s->dests = est_calloc(cfg->n_destinations, sizeof(*s->dests));
    if (s->topics == NULL || s->dests == NULL)
        return false;
    for (size_t i = 0; i < cfg->n_types; i++)
        s->topics[i] = cfg->types[i].topic;
    for (size_t i = 0; i < cfg->n_destinations; i++) {
        struct status_destination *d = &s->dests[s->n_dests];
        if (a->destination != NULL && strcmp(a->destination, cfg->destinations[i].name) != 0)
            continue;
        d->dest = &cfg->destinations[i];
        d->rows = est_calloc(cfg->n_types, sizeof(*d->rows));
        s->n_dests++;
        if (d->rows == NULL)
            return false;
    }
    s->extra = cli_kafka_options(cfg);
    return true;
}

static int run(struct status *s)
{
    const struct args *a = &s->cli->args;
    int code = EXIT_IO;

    if (a->destination != NULL && est_config_destination(s->cfg, a->destination) == NULL)
        return cli_unknown_destination(s->cli, s->cfg, a->destination);
    catch_signals();
    if (!prepare(s))
        out_failure(&s->cli->out, EST_ERR_NOMEM, NULL, code);
    else
        code = a->watch ? watch(s) : once(s);
    status_close(s);
    return code;
}

int cmd_status(struct cli *cli)
{
    struct status s = {.cli = cli};
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    s.cfg = cfg;
    code = run(&s);
    est_config_free(cfg);
    return code;
}
