#include "cli.h"
#include "fetch.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "codec/registry_json.h"
#include "codec/schema.h"
#include "io/registry.h"

#include <stdio.h>

/* A schema of ours and what became of it. */
struct subject {
    const struct est_type_config *type;
    struct est_schema *schema; /* NULL = it is wrong */
    char name[300];            /* "esteira.order-value" */
};

struct run {
    struct cli *cli;
    const struct est_config *cfg;
    struct subject *subjects;
    int code;
    struct fetch fetch;
    struct est_registry *registry;
    const struct subject *current;
    bool waiting, down;
};

/* --- telling --- */

static void tell(struct run *r, const struct subject *s, const char *state, enum mark m,
                 enum text id, const char *detail)
{
    struct out *o = &r->cli->out;

    if (!o->json) {
        out_mark(o, m, id, OUT_ARGS(s->type->name, s->type->schema_path, s->name, detail));
        return;
    }
    struct est_buf *b = out_json_begin(o, "schema");
    est_json_put_name(b, "type");
    est_json_put_str(b, s->type->name);
    est_json_put_name(b, "file");
    est_json_put_str(b, s->type->schema_path);
    est_json_put_name(b, "state");
    est_json_put_str(b, state);
    if (s->schema != NULL)
        est_buf_printf(b, ",\"fingerprint\":\"%016llx\"",
                       (unsigned long long)est_schema_fingerprint(s->schema));
    if (detail[0] != '\0') {
        est_json_put_name(b, "detail");
        est_json_put_str(b, detail);
    }
    out_json_end(o);
}

static void tell_wrong(struct run *r, const struct subject *s, const char *state, enum text id,
                       const char *detail)
{
    tell(r, s, state, MARK_BAD, id, detail);
    r->code = EXIT_DATA;
}

/* --- the schemas themselves --- */

static bool load_subjects(struct run *r)
{
    r->subjects = est_calloc(r->cfg->n_types, sizeof(*r->subjects));
    for (size_t i = 0; r->subjects != NULL && i < r->cfg->n_types; i++) {
        struct subject *s = &r->subjects[i];
        struct est_why why = {.code = EST_OK};
        s->type = &r->cfg->types[i];
        (void)snprintf(s->name, sizeof(s->name), "%s-value", s->type->topic);
        if (est_schema_load(s->type->schema_path, &s->schema, &why) == EST_OK &&
            est_schema_check_event(s->schema, &why)) {
            est_schema_free(s->schema);
            s->schema = NULL;
        }
        if (s->schema == NULL)
            tell_wrong(r, s, "wrong", TEXT_SCHEMA_WRONG, why.text);
    }
    return r->subjects != NULL;
}

static void free_subjects(struct run *r)
{
    for (size_t i = 0; r->subjects != NULL && i < r->cfg->n_types; i++)
        est_schema_free(r->subjects[i].schema);
    est_free(r->subjects);
}

/* --- the registry --- */

static void tell_down(struct run *r, const struct est_registry_answer *a)
{
    struct est_why why = {.code = EST_ERR_REGISTRY};
    int code;
    char text[EST_REGISTRY_JSON_TEXT];

    r->down = true;
    r->code = EXIT_UNAVAILABLE;
    if (a->status != 0 && est_registry_json_error(a->body, &code, text))
        (void)snprintf(why.text, sizeof(why.text), "%.120s: %d", text, a->status);
    else
        (void)snprintf(why.text, sizeof(why.text), "%.60s: %.100s", r->cfg->schema_registry_url,
                       a->detail[0] != '\0' ? a->detail : "HTTP error");
    out_failure(&r->cli->out, EST_ERR_REGISTRY, &why, EXIT_UNAVAILABLE);
}

static void refusal(const struct est_registry_answer *a, char text[EST_REGISTRY_JSON_TEXT])
{
    int code;

    if (!est_registry_json_error(a->body, &code, text))
        (void)snprintf(text, EST_REGISTRY_JSON_TEXT, "HTTP %d", a->status);
}

/* 404: the subject is not registered yet, and anything is compatible with nothing. */
static void on_checked(void *arg, const struct est_registry_answer *a)
{
    struct run *r = arg;
    struct est_why why = {.code = EST_OK};
    char text[EST_REGISTRY_JSON_TEXT];
    bool compatible = true;

    r->waiting = false;
    if (a->err == EST_ERR_INVALID) {
        refusal(a, text);
        tell_wrong(r, r->current, "refused", TEXT_SCHEMA_REFUSED, text);
    } else if (a->err != EST_OK && a->err != EST_ERR_NOTFOUND) {
        tell_down(r, a);
    } else if (a->err == EST_ERR_NOTFOUND) {
        tell(r, r->current, "new", MARK_OK, TEXT_SCHEMA_NEW, "");
    } else if (est_registry_json_compatible(a->body, &compatible, &why) != EST_OK) {
        tell_down(r, a);
    } else if (!compatible) {
        tell_wrong(r, r->current, "incompatible", TEXT_SCHEMA_INCOMPATIBLE, why.text);
    } else {
        tell(r, r->current, "compatible", MARK_OK, TEXT_SCHEMA_COMPATIBLE, "");
    }
}

static void on_registered(void *arg, const struct est_registry_answer *a)
{
    struct run *r = arg;
    char text[EST_REGISTRY_JSON_TEXT];
    uint32_t id;

    r->waiting = false;
    if (a->err == EST_ERR_INVALID || a->err == EST_ERR_NOTFOUND) {
        refusal(a, text);
        tell_wrong(r, r->current, "refused", TEXT_SCHEMA_REFUSED, text);
    } else if (a->err != EST_OK || est_registry_json_id(a->body, &id) != EST_OK) {
        tell_down(r, a);
    } else {
        (void)snprintf(text, sizeof(text), "%u", id);
        tell(r, r->current, "registered", MARK_OK, TEXT_SCHEMA_REGISTERED, text);
    }
}

typedef est_err send_schema(struct est_registry *rg, const char *subject, struct est_view body,
                            est_registry_done *done, void *arg, struct est_registry_call **ret_call,
                            struct est_why *reterr);

/* One after the other: nine requests are soon done, and their answers stay in order. */
static void ask(struct run *r, const struct subject *s, send_schema *send, est_registry_done *done)
{
    struct est_registry_call *call = NULL;
    struct est_why why = {.code = EST_OK};
    struct est_buf body;
    est_err err;

    est_buf_init(&body, (size_t)EST_SCHEMA_TEXT_MAX * 2 + 64);
    est_registry_json_put_schema(&body, est_schema_text(s->schema));
    r->current = s;
    r->waiting = true;
    err = send(r->registry, s->name, est_buf_view(&body), done, r, &call, &why);
    est_buf_fini(&body);
    if (err != EST_OK) {
        r->down = true;
        r->code = EXIT_UNAVAILABLE;
        out_failure(&r->cli->out, err, &why, EXIT_UNAVAILABLE);
        return;
    }
    while (r->waiting && !r->fetch.interrupted)
        est_loop_turn(r->fetch.lp, EST_SECOND);
    if (r->waiting) {
        est_registry_cancel(r->registry, call);
        r->down = true;
        r->code = EXIT_INTERRUPTED;
    }
}

static void ask_all(struct run *r, send_schema *send, est_registry_done *done)
{
    for (size_t i = 0; !r->down && i < r->cfg->n_types; i++)
        if (r->subjects[i].schema != NULL)
            ask(r, &r->subjects[i], send, done);
}

static void with_registry(struct run *r, send_schema *send, est_registry_done *done)
{
    const struct est_registry_options opt = {.url = r->cfg->schema_registry_url,
                                             .timeout = r->cli->args.timeout};
    struct est_why why = {.code = EST_OK};
    est_err err = fetch_open(&r->fetch, r->cfg->schema_registry_ca_file, &why);

    if (err == EST_OK)
        err = est_registry_new(r->fetch.http, &opt, &r->registry, &why);
    if (err == EST_OK) {
        ask_all(r, send, done);
    } else {
        r->code = cli_exit_at_open(err);
        out_failure(&r->cli->out, err, &why, r->code);
    }
    est_registry_free(r->registry);
    fetch_close(&r->fetch);
}

/* --- the commands --- */

static void tell_sound(struct run *r)
{
    for (size_t i = 0; i < r->cfg->n_types; i++)
        if (r->subjects[i].schema != NULL)
            tell(r, &r->subjects[i], "sound", MARK_OK, TEXT_SCHEMA_SOUND, "");
}

static int run(struct cli *cli, const struct est_config *cfg, bool registering)
{
    struct run r = {.cli = cli, .cfg = cfg, .code = EXIT_FINE};
    bool has_registry = cfg->schema_registry_url[0] != '\0' && !cli->args.offline;

    if (registering && !has_registry) {
        out_error_text(&cli->out, TEXT_NO_REGISTRY, OUT_ARGS(""),
                       est_err_code(EST_ERR_CONF_MISSING), EXIT_CONFIG);
        return EXIT_CONFIG;
    }
    if (!load_subjects(&r))
        r.code = EXIT_IO;
    else if (!has_registry)
        tell_sound(&r);
    else if (!registering || cli->args.dry_run)
        with_registry(&r, est_registry_check, on_checked);
    else if (r.code == EXIT_FINE)
        with_registry(&r, est_registry_register, on_registered);
    free_subjects(&r);
    return r.code;
}

static int with_config(struct cli *cli, bool registering)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    code = run(cli, cfg, registering);
    est_config_free(cfg);
    return code;
}

int cmd_schemas_check(struct cli *cli)
{
    return with_config(cli, false);
}

int cmd_schemas_register(struct cli *cli)
{
    return with_config(cli, true);
}
