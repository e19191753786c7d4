#include "writers.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/registry_json.h"
#include "codec/schemas.h"
#include "codec/wire.h"
#include "config/config.h"
#include "core/health.h"
#include "io/http_out.h"
#include "io/registry.h"

#include <stdio.h>

enum { LEARNT_MAX = 1000, UNKNOWN_MAX = 64 };
static const est_us ASK_TIMEOUT = 5 * EST_SECOND, ASK_AGAIN = 2 * EST_SECOND;
static const est_us UNKNOWN_FOR = 30 * EST_SECOND;

/* A schema that the registry was asked for and does not have; asked again only after a while. */
struct unknown {
    struct est_wire wire;
    est_us until;
};

struct writers {
    struct est_loop *loop;
    struct est_health *health;
    struct est_schemas *schemas;
    struct est_http_client *http;
    struct est_registry *registry; /* NULL = none is configured */
    void (*learnt)(void *arg);
    void *arg;
    struct est_wire asked; /* body unused */
    bool asking;
    struct est_timer again;
    struct unknown unknown[UNKNOWN_MAX];
    size_t next_unknown;
};

static bool is_same(const struct est_wire *a, const struct est_wire *b)
{
    return a->kind == b->kind && a->id == b->id && memcmp(a->guid, b->guid, sizeof(a->guid)) == 0;
}

/* What names a schema in the registry, without the body. */
static struct est_wire name_of(const struct est_wire *wire)
{
    struct est_wire name = {.kind = wire->kind};

    if (wire->kind == EST_WIRE_ID)
        name.id = wire->id;
    if (wire->kind == EST_WIRE_GUID)
        memcpy(name.guid, wire->guid, sizeof(name.guid));
    return name;
}

static bool is_unknown(const struct writers *w, const struct est_wire *name)
{
    for (size_t i = 0; i < UNKNOWN_MAX; i++)
        if (w->unknown[i].until > est_loop_now(w->loop) && is_same(&w->unknown[i].wire, name))
            return true;
    return false;
}

static void add_unknown(struct writers *w, const struct est_wire *name)
{
    w->unknown[w->next_unknown] = (struct unknown){*name, est_loop_now(w->loop) + UNKNOWN_FOR};
    w->next_unknown = (w->next_unknown + 1) % UNKNOWN_MAX;
}

/* --- asking --- */

static void done(struct writers *w)
{
    w->asking = false;
    (void)est_health_remove(w->health, "schema_registry");
    w->learnt(w->arg);
}

static void ask(void *arg);

static void failed(struct writers *w, est_err err, const char *detail)
{
    EST_LOG(EST_WARN, "schema_not_read", EST_I("id", w->asked.id), EST_S("code", est_err_code(err)),
            EST_S("detail", detail));
    (void)est_health_add(w->health, "schema_registry", "the schema registry does not tell a schema",
                         est_loop_now(w->loop));
    est_loop_timer_at(w->loop, &w->again, est_loop_now(w->loop) + ASK_AGAIN);
}

static est_err keep(struct writers *w, struct est_view body, struct est_why *why)
{
    const struct est_schema *sc;
    struct est_buf text;
    est_err err;

    est_buf_init(&text, EST_SCHEMA_TEXT_MAX);
    err = est_registry_json_schema(body, &text);
    if (err == EST_OK)
        err = est_schemas_add(w->schemas, est_buf_view(&text), &sc, why);
    est_buf_fini(&text);
    if (err != EST_OK)
        return err;
    return w->asked.kind == EST_WIRE_ID ? est_schemas_bind_id(w->schemas, w->asked.id, sc)
                                        : est_schemas_bind_guid(w->schemas, w->asked.guid, sc);
}

/* The registry's answer is final, for an id means one schema for ever: what it does not have, or what
 * is no schema for us, makes its records undecodable. Anything else is asked again. */
static void on_answer(void *arg, const struct est_registry_answer *answer)
{
    struct writers *w = arg;
    struct est_why why = {0};
    est_err err = answer->err;

    if (err == EST_OK)
        err = keep(w, answer->body, &why);
    if (err == EST_OK)
        EST_LOG(EST_INFO, "schema_read", EST_I("id", w->asked.id));
    else if (err == EST_ERR_REGISTRY || err == EST_ERR_NOMEM || err == EST_ERR_INVALID) {
        failed(w, err, answer->err != EST_OK ? answer->detail : why.text);
        return;
    } else {
        EST_LOG(EST_ERROR, "schema_unusable", EST_I("id", w->asked.id), EST_S("code", est_err_code(err)),
                EST_S("detail", why.text));
        add_unknown(w, &w->asked);
    }
    done(w);
}

static void ask(void *arg)
{
    struct writers *w = arg;
    struct est_why why = {0};
    est_err err = w->asked.kind == EST_WIRE_ID
                      ? est_registry_get_id(w->registry, w->asked.id, on_answer, w, NULL, &why)
                      : est_registry_get_guid(w->registry, w->asked.guid, on_answer, w, NULL, &why);

    if (err != EST_OK)
        failed(w, err, why.text);
}

est_err writers_find(struct writers *w, const struct est_wire *wire, const struct est_schema **ret)
{
    const struct est_schema *sc = est_schemas_of(w->schemas, wire);
    struct est_wire name;

    if (sc != NULL) {
        *ret = sc;
        return EST_OK;
    }
    name = name_of(wire);
    if (w->registry == NULL || wire->kind == EST_WIRE_SINGLE || is_unknown(w, &name))
        return EST_ERR_SCHEMA_UNKNOWN;
    if (!w->asking) {
        w->asking = true;
        w->asked = name;
        ask(w);
    }
    return EST_ERR_AGAIN;
}

/* --- life --- */

static est_err open_registry(struct writers *w, const struct est_config *cfg, struct est_why *reterr)
{
    const struct est_http_client_options ho = {.conns_max = 2, .connect_timeout = ASK_TIMEOUT,
                                               .ca_file = cfg->schema_registry_ca_file,
                                               .user_agent = "esteira-consumer/" ESTEIRA_VERSION};
    const struct est_registry_options ro = {.url = cfg->schema_registry_url, .timeout = ASK_TIMEOUT};
    est_err err = est_http_client_new(w->loop, &ho, &w->http, reterr);

    return err == EST_OK ? est_registry_new(w->http, &ro, &w->registry, reterr) : err;
}

static est_err load_types(struct writers *w, const struct est_config *cfg, struct est_why *reterr)
{
    const struct est_schema *sc;
    est_err err = EST_OK;

    if (est_schemas_new(cfg->n_types + LEARNT_MAX, &w->schemas) != EST_OK)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for schemas");
    for (size_t i = 0; err == EST_OK && i < cfg->n_types; i++)
        err = est_schemas_load(w->schemas, cfg->types[i].schema_path, &sc, reterr);
    return err;
}

est_err writers_new(struct est_loop *lp, const struct est_config *cfg, struct est_health *health,
                    void (*learnt)(void *arg), void *arg, struct writers **ret, struct est_why *reterr)
{
    struct writers *w = est_calloc(1, sizeof(*w));
    est_err err;

    if (w == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for schemas");
    *w = (struct writers){.loop = lp, .health = health, .learnt = learnt, .arg = arg,
                          .again = {.fn = ask, .arg = w}};
    err = load_types(w, cfg, reterr);
    if (err == EST_OK && cfg->schema_registry_url[0] != '\0')
        err = open_registry(w, cfg, reterr);
    if (err != EST_OK) {
        writers_free(w);
        return err;
    }
    *ret = w;
    return EST_OK;
}

void writers_free(struct writers *w)
{
    if (w == NULL)
        return;
    est_loop_timer_off(w->loop, &w->again);
    est_registry_free(w->registry);
    est_http_client_free(w->http);
    est_schemas_free(w->schemas);
    est_free(w);
}
