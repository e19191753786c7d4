/* esteira buffer status, adopt. */
#include "buffer_view.h"
#include "table.h"

#include "base/jsonw.h"
#include "config/line.h"
#include "config/unit.h"

#include <string.h>

enum { CELL = 192, BOOT_SHOWN = 12 };

/* --- status --- */

static void number_cell(struct table *t, struct out *o, uint64_t n)
{
    struct est_buf b;

    est_buf_init(&b, CELL);
    lang_put_number(&b, o->lang, n);
    est_buf_putc(&b, '\0');
    table_cell(t, est_buf_err(&b) == EST_OK ? b.data : "");
    est_buf_fini(&b);
}

/* To the second; what is younger counts as one. */
static void age_cell(struct table *t, est_us age)
{
    struct est_buf b;
    est_us rounded = age < EST_SECOND ? EST_SECOND : age - age % EST_SECOND;

    est_buf_init(&b, CELL);
    if (age > 0)
        est_unit_put_duration(&b, rounded);
    est_buf_putc(&b, '\0');
    table_cell(t, est_buf_err(&b) == EST_OK ? b.data : "");
    est_buf_fini(&b);
}

static void print_rows(struct buffer_view *v)
{
    struct out *o = &v->cli->out;
    struct table *t = table_new(7, 1U << 4 | 1U << 5 | 1U << 6);
    char cell[CELL];

    for (size_t i = 0; i < v->n; i++) {
        const struct buffer_row *row = &v->rows[i];
        table_cell(t, row->instance);
        est_line_printf(cell, sizeof(cell), "%.*s", BOOT_SHOWN, row->boot);
        table_cell(t, cell);
        buffer_view_holder(v, row, cell, sizeof(cell));
        table_cell(t, cell);
        table_cell(t, row->type);
        number_cell(t, o, row->entries);
        number_cell(t, o, row->bytes);
        age_cell(t, row->oldest);
    }
    table_print(t, o,
                OUT_ARGS(lang_text(o->lang, TEXT_HEAD_INSTANCE), lang_text(o->lang, TEXT_HEAD_BOOT),
                         lang_text(o->lang, TEXT_HEAD_HOLDER), lang_text(o->lang, TEXT_HEAD_TYPE),
                         lang_text(o->lang, TEXT_HEAD_ENTRIES), lang_text(o->lang, TEXT_HEAD_BYTES),
                         lang_text(o->lang, TEXT_HEAD_OLDEST)));
    table_free(t);
}

static void put_row(struct out *o, const struct buffer_row *row)
{
    struct est_buf *b = out_json_begin(o, "buffered");

    est_json_put_name(b, "instance");
    est_json_put_str(b, row->instance);
    est_json_put_name(b, "boot");
    est_json_put_str(b, row->boot);
    est_json_put_name(b, "holder");
    est_json_put_str(b, row->holder);
    est_buf_printf(b, ",\"lease_ms\":%lld,\"adopt\":%s,\"type\":",
                   (long long)(row->lease_left / EST_MS), row->adopt ? "true" : "false");
    est_json_put_str(b, row->type);
    est_buf_printf(b, ",\"entries\":%llu,\"bytes\":%llu,\"oldest_ms\":%lld",
                   (unsigned long long)row->entries, (unsigned long long)row->bytes,
                   (long long)(row->oldest / EST_MS));
    out_json_end(o);
}

static int status(struct buffer_view *v)
{
    struct out *o = &v->cli->out;
    uint64_t waiting = 0;

    for (size_t i = 0; i < v->n; i++) {
        waiting += v->rows[i].entries;
        if (o->json)
            put_row(o, &v->rows[i]);
    }
    if (!o->json && v->n > 0)
        print_rows(v);
    if (!o->json && waiting == 0)
        out_mark(o, MARK_OK, TEXT_BUFFER_NONE, OUT_ARGS(""));
    return waiting > 0 ? EXIT_NO : EXIT_FINE;
}

/* --- adopt --- */

static int adopt(struct buffer_view *v)
{
    const struct buffer_row *row = buffer_view_find(v, v->cli->words[0]);
    char holder[CELL];
    est_err err;

    if (row == NULL)
        return EXIT_NO;
    buffer_view_holder(v, row, holder, sizeof(holder));
    if (row->holder[0] != '\0') {
        out_error_text(&v->cli->out, TEXT_BOOT_HELD, OUT_ARGS(row->boot, row->instance, holder),
                       NULL, EXIT_NO);
        return EXIT_NO;
    }
    err = buffer_view_await(v, est_buffer_adopt(v->buffer, row->boot, buffer_view_on_flag, v));
    if (err != EST_OK)
        return buffer_view_fail(v, err);
    out_mark(&v->cli->out, MARK_OK, TEXT_ADOPT_MARKED, OUT_ARGS(row->boot, row->instance));
    return EXIT_FINE;
}

/* --- the commands --- */

static int with_view(struct cli *cli, int (*act)(struct buffer_view *v))
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);
    struct buffer_view v;

    if (cfg == NULL)
        return code;
    if (buffer_view_open(&v, cli, cfg, &code)) {
        code = act(&v);
        buffer_view_close(&v);
    }
    est_config_free(cfg);
    return code;
}

int cmd_buffer_status(struct cli *cli)
{
    return with_view(cli, status);
}

int cmd_buffer_adopt(struct cli *cli)
{
    return with_view(cli, adopt);
}
