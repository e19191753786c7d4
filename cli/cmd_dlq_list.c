/* esteira dlq list: by reason first, then one by one. */
#include "dlq.h"
#include "table.h"

#include "base/mem.h"
#include "config/line.h"
#include "config/unit.h"

#include <string.h>

enum { SHOWN_DEFAULT = 20, GROUPS_MAX = 200, CELL = 128 };

/* Dead letters of one type, class, status and state. */
struct group {
    char type[65], class[CELL];
    unsigned status;
    enum dlq_state state;
    uint64_t n;
};

struct list {
    struct dlq dlq;
    struct table *rows;
    struct group groups[GROUPS_MAX];
    size_t n_groups;
    uint64_t shown, found, of_state[DLQ_STATES];
};

/* --- groups --- */

static bool is_of(const struct group *g, const struct dlq_entry *e)
{
    return g->state == e->state && g->status == e->letter.status && strcmp(g->type, e->type) == 0 &&
           strncmp(g->class, e->letter.class.data != NULL ? e->letter.class.data : "",
                   e->letter.class.len) == 0 &&
           strlen(g->class) == e->letter.class.len;
}

/* Beyond the last group all is counted in it. */
static void count(struct list *l, const struct dlq_entry *e)
{
    struct group *g = l->groups;

    l->found++;
    l->of_state[e->state]++;
    while (g < l->groups + l->n_groups && !is_of(g, e))
        g++;
    if (g == l->groups + GROUPS_MAX) {
        g--;
    } else if (g == l->groups + l->n_groups) {
        l->n_groups++;
        *g = (struct group){.status = e->letter.status, .state = e->state};
        est_line_copy(g->type, sizeof(g->type), est_view_str(e->type));
        est_line_copy(g->class, sizeof(g->class), e->letter.class);
    }
    g->n++;
}

/* --- cells --- */

static void number_cell(struct table *t, struct out *o, uint64_t n)
{
    char cell[DLQ_NUMBER];

    dlq_number(o, n, cell);
    table_cell(t, cell);
}

static void view_cell(struct table *t, struct est_view v)
{
    char cell[CELL];

    dlq_text(v.len > 0 ? v : EST_VIEW_LIT("-"), cell, sizeof(cell));
    table_cell(t, cell);
}

static void status_cell(struct table *t, unsigned status)
{
    char cell[CELL];

    est_line_printf(cell, sizeof(cell), "%u", status);
    table_cell(t, status != 0 ? cell : "-");
}

/* How long ago, by its largest unit. */
static void age_cell(struct table *t, est_us at)
{
    static const est_us units[] = {86400 * EST_SECOND, 3600 * EST_SECOND, 60 * EST_SECOND,
                                   EST_SECOND};
    est_us age = est_clock_wall() - at;
    struct est_buf b;
    size_t i = 0;

    while (i < 3 && age < units[i])
        i++;
    est_buf_init(&b, CELL);
    est_unit_put_duration(&b, age < EST_SECOND ? EST_SECOND : age - age % units[i]);
    est_buf_putc(&b, '\0');
    table_cell(t, est_buf_err(&b) == EST_OK ? b.data : "");
    est_buf_fini(&b);
}

/* --- showing --- */

static void show(struct list *l, const struct dlq_entry *e)
{
    struct out *o = &l->dlq.cli->out;
    char place[DLQ_TOPIC_MAX + 40];

    l->shown++;
    if (o->json) {
        dlq_put_json(out_json_begin(o, "dlq_entry"), e);
        out_json_end(o);
        return;
    }
    dlq_place(e, place, sizeof(place));
    table_cell(l->rows, place);
    view_cell(l->rows, e->letter.id);
    view_cell(l->rows, e->letter.class);
    status_cell(l->rows, e->letter.status);
    number_cell(l->rows, o, e->letter.attempts);
    age_cell(l->rows, dlq_time(e));
    number_cell(l->rows, o, e->letter.replays);
    table_cell(l->rows, lang_text(o->lang, dlq_state_text(e->state)));
}

static void print_groups(struct list *l)
{
    struct out *o = &l->dlq.cli->out;
    struct table *t = table_new(5, 1U << 2 | 1U << 4);

    for (size_t i = 0; i < l->n_groups; i++) {
        const struct group *g = &l->groups[i];
        view_cell(t, est_view_str(g->type));
        view_cell(t, est_view_str(g->class));
        status_cell(t, g->status);
        table_cell(t, lang_text(o->lang, dlq_state_text(g->state)));
        number_cell(t, o, g->n);
    }
    table_print(t, o,
                OUT_ARGS(lang_text(o->lang, TEXT_HEAD_TYPE), lang_text(o->lang, TEXT_HEAD_CLASS),
                         lang_text(o->lang, TEXT_HEAD_HTTP), lang_text(o->lang, TEXT_HEAD_STATE),
                         lang_text(o->lang, TEXT_HEAD_ENTRIES)));
    table_free(t);
}

static void print_rows(struct list *l)
{
    struct out *o = &l->dlq.cli->out;

    out_put(o, EST_VIEW_LIT("\n"));
    table_print(l->rows, o,
                OUT_ARGS(lang_text(o->lang, TEXT_HEAD_PLACE), "ID",
                         lang_text(o->lang, TEXT_HEAD_CLASS), lang_text(o->lang, TEXT_HEAD_HTTP),
                         lang_text(o->lang, TEXT_HEAD_ATTEMPTS), lang_text(o->lang, TEXT_HEAD_AGO),
                         lang_text(o->lang, TEXT_HEAD_REPLAYS),
                         lang_text(o->lang, TEXT_HEAD_STATE)));
}

static void sum_up(struct list *l)
{
    struct out *o = &l->dlq.cli->out;
    char n[DLQ_STATES + 1][DLQ_NUMBER];

    if (l->found == 0) {
        out_mark(o, MARK_OK, TEXT_DLQ_NONE, OUT_ARGS(""));
        return;
    }
    print_groups(l);
    print_rows(l);
    dlq_number(o, l->found, n[0]);
    for (size_t i = 0; i < DLQ_STATES; i++)
        dlq_number(o, l->of_state[i], n[i + 1]);
    out_talk(o, TEXT_DLQ_SUM, OUT_ARGS(n[0], n[1], n[2], n[3]));
    dlq_number(o, l->found - l->shown, n[1]);
    if (l->found > l->shown)
        out_talk(o, TEXT_DLQ_MORE, OUT_ARGS(n[1]));
}

static int list(struct list *l)
{
    const struct args *a = &l->dlq.cli->args;
    uint64_t max = a->count > 0 ? a->count : a->json ? UINT64_MAX : SHOWN_DEFAULT;
    struct dlq_entry e;
    int code = EXIT_FINE;
    est_err err;

    while ((err = dlq_await(&l->dlq, &e, &code)) == EST_OK) {
        if (e.fits)
            count(l, &e);
        if (e.fits && l->shown < max)
            show(l, &e);
        est_kafka_msg_free(e.msg);
    }
    if (err == EST_ERR_CLOSED && !a->json)
        sum_up(l);
    return code;
}

int cmd_dlq_list(struct cli *cli)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);
    struct list *l = cfg != NULL ? est_calloc(1, sizeof(*l)) : NULL;

    if (cfg == NULL)
        return code;
    if (l == NULL) {
        code = EXIT_IO;
        out_failure(&cli->out, EST_ERR_NOMEM, NULL, code);
    } else if (dlq_open(&l->dlq, cli, cfg, 1U << DLQ_OPEN | 1U << DLQ_PARKED, &code)) {
        l->rows = table_new(8, 1U << 3 | 1U << 4 | 1U << 5 | 1U << 6);
        code = list(l);
        table_free(l->rows);
        dlq_close(&l->dlq);
    }
    est_free(l);
    est_config_free(cfg);
    return code;
}
