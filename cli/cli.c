#include "cli.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "config/nearest.h"
#include "io/kafka_pub.h"

#include <stdio.h>

enum { REPORT_MAX = 1024 * 1024 };

static void put_problem(struct est_buf *b, const struct est_config_problem *p)
{
    est_buf_putc(b, '{');
    est_json_put_name(b, "code");
    est_json_put_str(b, est_err_code(p->code));
    est_json_put_name(b, p->line > 0 ? "file" : "source");
    est_json_put_str(b, p->place);
    if (p->line > 0)
        est_buf_printf(b, ",\"line\":%u,\"column\":%u", p->line, p->column);
    est_json_put_name(b, "key");
    est_json_put_str(b, p->key);
    est_json_put_name(b, "message");
    est_json_put_str(b, p->text[EST_LANG_EN]);
    est_buf_putc(b, '}');
}

static void report_json(struct out *o, const struct est_config_report *rp, int code)
{
    struct est_buf *b = out_json_begin(o, "config_errors");

    est_json_put_name(b, "ok");
    est_buf_puts(b, "false");
    est_json_put_name(b, "exit");
    est_buf_put_i64(b, code);
    est_json_put_name(b, "errors");
    est_buf_putc(b, '[');
    for (size_t i = 0; i < rp->n; i++) {
        est_buf_puts(b, i > 0 ? "," : "");
        put_problem(b, &rp->items[i]);
    }
    est_buf_putc(b, ']');
    out_json_end(o);
}

static void report_text(struct out *o, const struct est_config_report *rp)
{
    struct est_buf b, count;

    est_buf_init(&b, REPORT_MAX);
    est_buf_init(&count, 32);
    est_report_write(rp, o->lang, &b);
    (void)fwrite(est_buf_view(&b).data, 1, b.len, stderr);
    lang_put_number(&count, o->lang, rp->n + rp->dropped);
    est_buf_putc(&count, '\0');
    out_talk(o, rp->n + rp->dropped == 1 ? TEXT_ONE_ERROR : TEXT_ERRORS,
             OUT_ARGS(count.data ? count.data : ""));
    est_buf_fini(&b);
    est_buf_fini(&count);
}

int cli_exit_at_open(est_err err)
{
    return err == EST_ERR_NOMEM || err == EST_ERR_IO ? EXIT_IO : est_err_exit(err);
}

static int exit_of(est_err err)
{
    return err == EST_ERR_NOTFOUND ? EXIT_NO_INPUT : cli_exit_at_open(err);
}

struct est_config *cli_config(struct cli *cli, int *ret_code)
{
    struct est_config_report report;
    struct est_config *cfg = NULL;
    est_err err;

    est_report_init(&report);
    err = est_config_load(cli->args.config, &cfg, &report);
    if (err) {
        *ret_code = exit_of(err);
        if (cli->out.json)
            report_json(&cli->out, &report, *ret_code);
        else
            report_text(&cli->out, &report);
    }
    est_report_fini(&report);
    return err ? NULL : cfg;
}

struct est_kafka_option *cli_kafka_options(const struct est_config *cfg)
{
    size_t n = cfg->kafka_options.n;
    struct est_kafka_option *options = n > 0 ? est_calloc(n, sizeof(*options)) : NULL;

    for (size_t i = 0; options != NULL && i < n; i++)
        options[i] = (struct est_kafka_option){cfg->kafka_options.items[i].name,
                                               cfg->kafka_options.items[i].value};
    return options;
}

static int unknown(struct cli *cli, const char *name, const struct est_nearest *near,
                   enum text alone, enum text with_near)
{
    char best[80];

    (void)snprintf(best, sizeof(best), "%.*s", (int)near->best.len,
                   near->best.data ? near->best.data : "");
    out_error_text(&cli->out, best[0] != '\0' ? with_near : alone, OUT_ARGS(name, best), NULL,
                   EXIT_USAGE);
    return EXIT_USAGE;
}

int cli_unknown_type(struct cli *cli, const struct est_config *cfg, const char *name)
{
    struct est_nearest near;

    est_nearest_init(&near, est_view_str(name));
    for (size_t i = 0; i < cfg->n_types; i++)
        est_nearest_offer(&near, est_view_str(cfg->types[i].name));
    return unknown(cli, name, &near, TEXT_NO_TYPE, TEXT_NO_TYPE_NEAR);
}

int cli_unknown_destination(struct cli *cli, const struct est_config *cfg, const char *name)
{
    struct est_nearest near;

    est_nearest_init(&near, est_view_str(name));
    for (size_t i = 0; i < cfg->n_destinations; i++)
        est_nearest_offer(&near, est_view_str(cfg->destinations[i].name));
    return unknown(cli, name, &near, TEXT_NO_DESTINATION, TEXT_NO_DESTINATION_NEAR);
}
