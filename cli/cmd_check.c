#include "cli.h"
#include "looks.h"
#include "table.h"

#include "base/jsonw.h"
#include "config/field.h"
#include "config/line.h"
#include "config/nearest.h"
#include "config/slot.h"

enum { SHOW_MAX = 64 * 1024, ORIGIN_MAX = 512 };

static void put_origin(const struct est_config *cfg, const struct est_origin *o, enum est_lang lang,
                       char out[ORIGIN_MAX])
{
    if (o->from == EST_FROM_DEFAULT)
        est_line_copy(out, ORIGIN_MAX, est_view_str(lang_text(lang, TEXT_DEFAULT)));
    else if (o->from == EST_FROM_ENV)
        est_line_copy(out, ORIGIN_MAX, est_view_str(o->env != NULL ? o->env : "?"));
    else
        est_line_printf(out, ORIGIN_MAX, "%s:%u:%u", cfg->path, o->line, o->column);
}

/* --- all values --- */

/* The value stands last: some are long, and none is cut. */
static void print_values(struct out *o, struct est_config *cfg)
{
    struct table *t = table_new(3, 0);
    struct est_slot_iter it = {0};
    struct est_slot slot;
    struct est_buf value;
    char origin[ORIGIN_MAX];

    est_buf_init(&value, SHOW_MAX);
    while (est_slot_next(cfg, &it, &slot)) {
        est_buf_clear(&value);
        est_field_show(slot.key, slot.base, &value);
        est_buf_putc(&value, '\0');
        put_origin(cfg, slot.origin, o->lang, origin);
        table_cell(t, slot.path);
        table_cell(t, origin);
        table_cell(t, est_buf_err(&value) ? "" : value.data);
    }
    table_print(t, o,
                OUT_ARGS(lang_text(o->lang, TEXT_HEAD_KEY), lang_text(o->lang, TEXT_HEAD_FROM),
                         lang_text(o->lang, TEXT_HEAD_VALUE)));
    table_free(t);
    est_buf_fini(&value);
}

/* As members of the object that is being written. */
static void put_value_json(const struct est_config *cfg, const struct est_slot *slot,
                           struct est_buf *b)
{
    static const char *const from[] = {
        [EST_FROM_DEFAULT] = "default", [EST_FROM_FILE] = "file", [EST_FROM_ENV] = "environment"};
    struct est_buf value;

    est_buf_init(&value, SHOW_MAX);
    est_field_show(slot->key, slot->base, &value);
    est_json_put_name(b, "key");
    est_json_put_str(b, slot->path);
    est_json_put_name(b, "value");
    est_json_put_string(b, est_buf_view(&value));
    est_json_put_name(b, "from");
    est_json_put_str(b, from[slot->origin->from]);
    if (slot->origin->from == EST_FROM_FILE) {
        est_json_put_name(b, "file");
        est_json_put_str(b, cfg->path);
        est_buf_printf(b, ",\"line\":%u,\"column\":%u", slot->origin->line, slot->origin->column);
    } else if (slot->origin->env != NULL) {
        est_json_put_name(b, "variable");
        est_json_put_str(b, slot->origin->env);
    }
    est_buf_fini(&value);
}

static void print_json(struct out *o, struct est_config *cfg, const struct looks *ls)
{
    struct est_buf *b = out_json_begin(o, "check");
    struct est_slot_iter it = {0};
    struct est_slot slot;
    const char *comma = "";

    est_json_put_name(b, "ok");
    est_buf_puts(b, ls->exit == EXIT_FINE ? "true" : "false");
    est_json_put_name(b, "file");
    est_json_put_str(b, cfg->path);
    est_json_put_name(b, "values");
    est_buf_putc(b, '[');
    while (est_slot_next(cfg, &it, &slot)) {
        est_buf_puts(b, comma);
        est_buf_putc(b, '{');
        put_value_json(cfg, &slot, b);
        est_buf_putc(b, '}');
        comma = ",";
    }
    est_buf_putc(b, ']');
    looks_put_json(ls, b);
    out_json_end(o);
}

/* --- one key --- */

static int unknown_key(struct cli *cli, struct est_config *cfg, const char *path)
{
    struct est_slot_iter it = {0};
    struct est_nearest near;
    struct est_slot slot;
    char best[EST_SLOT_PATH] = "";

    est_nearest_init(&near, est_view_str(path));
    while (est_slot_next(cfg, &it, &slot)) {
        size_t before = near.distance;
        est_nearest_offer(&near, est_view_str(slot.path));
        if (near.distance < before)
            est_line_copy(best, sizeof(best), est_view_str(slot.path));
    }
    out_error_text(&cli->out, best[0] != '\0' ? TEXT_NO_KEY_NEAR : TEXT_NO_KEY,
                   OUT_ARGS(path, best), est_err_code(EST_ERR_CONF_UNKNOWN), EXIT_USAGE);
    return EXIT_USAGE;
}

static void explain_bounds(struct out *o, const struct est_key *key)
{
    char unit[64];

    est_line_printf(unit, sizeof(unit), "%s%s", key->unit[0] != '\0' ? " " : "", key->unit);
    if (key->kind == EST_KIND_CHOICE || key->kind == EST_KIND_URL)
        out_say(o, TEXT_KEY_ONE_OF, OUT_ARGS(key->unit));
    else if (key->min[0] != '\0')
        out_say(o, TEXT_KEY_BOUNDS, OUT_ARGS(key->min, key->max, unit));
}

static int explain_key(struct cli *cli, struct est_config *cfg, const char *path)
{
    struct out *o = &cli->out;
    char origin[ORIGIN_MAX], env[2 * EST_SLOT_ENV];
    struct est_slot slot;
    struct est_buf value;

    if (!est_slot_find(cfg, path, &slot))
        return unknown_key(cli, cfg, path);
    if (o->json) {
        put_value_json(cfg, &slot, out_json_begin(o, "key"));
        out_json_end(o);
        return EXIT_FINE;
    }
    est_buf_init(&value, SHOW_MAX);
    est_field_show(slot.key, slot.base, &value);
    est_buf_putc(&value, '\0');
    put_origin(cfg, slot.origin, o->lang, origin);
    est_line_printf(env, sizeof(env), "%s%s%s", slot.env, slot.old_env[0] != '\0' ? ", " : "",
                    slot.old_env);
    out_say(o, TEXT_KEY_DOC, OUT_ARGS(slot.path, slot.key->doc));
    out_say(o, TEXT_KEY_VALUE, OUT_ARGS(est_buf_err(&value) ? "" : value.data, origin));
    out_say(o, TEXT_KEY_KIND, OUT_ARGS(est_keys_expected(slot.key->kind, o->lang), slot.key->def));
    explain_bounds(o, slot.key);
    out_say(o, TEXT_KEY_ENV, OUT_ARGS(env));
    est_buf_fini(&value);
    return EXIT_FINE;
}

/* --- the command --- */

static int check_all(struct cli *cli, struct est_config *cfg)
{
    struct out *o = &cli->out;
    struct looks ls;
    int code;

    if (!o->json && !o->quiet)
        print_values(o, cfg);
    looks_init(&ls);
    looks_at_schemas(&ls, o, cfg);
    looks_at_secrets(&ls, o, cfg);
    looks_at_redis(&ls, o, cfg, cli->args.timeout, cli->args.offline);
    if (!cli->args.offline) {
        looks_at_kafka(&ls, o, cfg, cli->args.timeout);
        looks_at_http(&ls, o, cfg, cli->args.timeout);
    }
    if (o->json) {
        print_json(o, cfg, &ls);
    } else {
        if (!o->quiet)
            out_put(o, EST_VIEW_LIT("\n"));
        out_mark(o, MARK_OK, cfg->path[0] != '\0' ? TEXT_CONFIG_FINE : TEXT_CONFIG_NO_FILE,
                 OUT_ARGS(cfg->path));
        looks_print(&ls, o);
    }
    code = ls.exit;
    looks_fini(&ls);
    return code;
}

int cmd_check(struct cli *cli)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    code =
        cli->args.explain != NULL ? explain_key(cli, cfg, cli->args.explain) : check_all(cli, cfg);
    est_config_free(cfg);
    return code;
}
