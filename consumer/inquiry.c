#include "inquiry.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/registry_json.h"
#include "codec/schemas.h"
#include "codec/wire.h"
#include "config/config.h"
#include "io/http_out.h"
#include "io/registry.h"
#include "worker.h"

#include <stdio.h>
#include <string.h>

static const est_us ASK_TIMEOUT = 5 * EST_SECOND, ASK_AGAIN = 2 * EST_SECOND;

enum { NAME_MAX_BYTES = 2 * EST_SCHEMAS_GUID_LEN + 1 };

struct inquiry {
    struct worker *w;
    struct est_schemas *schemas;
    inquiry_done *done;
    void *arg;
    struct est_http_client *http;
    struct est_registry *registry; /* NULL = none configured */
    bool asking;
    struct est_wire asked, refused; /* without their bodies; refused.kind SINGLE = none yet */
    struct est_timer again;
};

/* --- whose schema --- */

static bool is_same(const struct est_wire *a, const struct est_wire *b)
{
    if (a->kind != b->kind || a->kind == EST_WIRE_SINGLE)
        return false;
    return a->kind == EST_WIRE_ID ? a->id == b->id
                                  : memcmp(a->guid, b->guid, EST_SCHEMAS_GUID_LEN) == 0;
}

/* "17", or a GUID's 32 digits. */
static const char *name_of(const struct est_wire *wire, char text[NAME_MAX_BYTES])
{
    if (wire->kind == EST_WIRE_ID)
        (void)snprintf(text, NAME_MAX_BYTES, "%u", wire->id);
    for (size_t i = 0; wire->kind == EST_WIRE_GUID && i < EST_SCHEMAS_GUID_LEN; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", wire->guid[i]);
    return text;
}

/* Nobody's fingerprint is asked for: registries know none. Id 0 is given to no schema. */
bool inquiry_can_ask(const struct inquiry *iq, const struct est_wire *wire)
{
    if (iq->registry == NULL || wire->kind == EST_WIRE_SINGLE || is_same(wire, &iq->refused))
        return false;
    return wire->kind == EST_WIRE_GUID || wire->id != 0;
}

/* --- the answer --- */

static est_err learn(struct inquiry *iq, struct est_view answer)
{
    const struct est_schema *sc;
    struct est_buf text;
    est_err err;

    est_buf_init(&text, EST_SCHEMA_TEXT_MAX);
    err = est_registry_json_schema(answer, &text);
    if (err == EST_OK)
        err = est_schemas_add(iq->schemas, est_buf_view(&text), &sc, NULL);
    if (err == EST_OK)
        err = iq->asked.kind == EST_WIRE_ID
                  ? est_schemas_bind_id(iq->schemas, iq->asked.id, sc)
                  : est_schemas_bind_guid(iq->schemas, iq->asked.guid, sc);
    est_buf_fini(&text);
    return err;
}

static void ask(void *arg);

static void ask_again(struct inquiry *iq)
{
    est_loop_timer_at(iq->w->loop, &iq->again, est_loop_now(iq->w->loop) + ASK_AGAIN);
}

static bool is_final(est_err err)
{
    return err == EST_OK || err == EST_ERR_NOTFOUND || err == EST_ERR_UNSUPPORTED ||
           err == EST_ERR_SCHEMA;
}

static void on_answer(void *arg, const struct est_registry_answer *answer)
{
    struct inquiry *iq = arg;
    est_err err = answer->err == EST_OK ? learn(iq, answer->body) : answer->err;
    char name[NAME_MAX_BYTES];

    if (!is_final(err)) {
        (void)est_health_add(&iq->w->health, "schema_registry",
                             "a writer's schema is not known yet", est_loop_now(iq->w->loop));
        EST_LOG(EST_WARN, "schema_not_found", EST_S("schema", name_of(&iq->asked, name)),
                EST_S("code", est_err_code(err)));
        ask_again(iq);
        return;
    }
    if (err != EST_OK) {
        EST_LOG(EST_ERROR, "schema_unusable", EST_S("schema", name_of(&iq->asked, name)),
                EST_S("code", est_err_code(err)));
        iq->refused = iq->asked;
    }
    (void)est_health_remove(&iq->w->health, "schema_registry");
    iq->asking = false;
    iq->done(iq->arg);
}

static void ask(void *arg)
{
    struct inquiry *iq = arg;
    est_err err =
        iq->asked.kind == EST_WIRE_ID
            ? est_registry_get_id(iq->registry, iq->asked.id, on_answer, iq, NULL, NULL)
            : est_registry_get_guid(iq->registry, iq->asked.guid, on_answer, iq, NULL, NULL);

    if (err != EST_OK)
        ask_again(iq);
}

void inquiry_ask(struct inquiry *iq, const struct est_wire *wire)
{
    if (iq->asking)
        return;
    iq->asking = true;
    iq->asked = *wire;
    iq->asked.body = EST_VIEW_NONE;
    ask(iq);
}

/* --- life --- */

static est_err open_registry(struct inquiry *iq, struct est_why *reterr)
{
    const struct est_config *cfg = iq->w->cfg;
    const struct est_http_client_options ho = {.conns_max = 2,
                                               .connect_timeout = ASK_TIMEOUT,
                                               .ca_file = cfg->schema_registry_ca_file,
                                               .user_agent = "esteira-consumer/" ESTEIRA_VERSION};
    const struct est_registry_options ro = {.url = cfg->schema_registry_url,
                                            .timeout = ASK_TIMEOUT};
    est_err err;

    if (cfg->schema_registry_url[0] == '\0')
        return EST_OK;
    err = est_http_client_new(iq->w->loop, &ho, &iq->http, reterr);
    return err ? err : est_registry_new(iq->http, &ro, &iq->registry, reterr);
}

est_err inquiry_new(struct worker *w, struct est_schemas *schemas, inquiry_done *done, void *arg,
                    struct inquiry **ret, struct est_why *reterr)
{
    struct inquiry *iq = est_calloc(1, sizeof(*iq));
    est_err err;

    if (iq == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the registry's client");
    *iq = (struct inquiry){.w = w, .schemas = schemas, .done = done, .arg = arg};
    iq->again = (struct est_timer){.fn = ask, .arg = iq};
    err = open_registry(iq, reterr);
    if (err != EST_OK) {
        inquiry_free(iq);
        return err;
    }
    *ret = iq;
    return EST_OK;
}

void inquiry_free(struct inquiry *iq)
{
    if (iq == NULL)
        return;
    est_loop_timer_off(iq->w->loop, &iq->again);
    est_registry_free(iq->registry);
    est_http_client_free(iq->http);
    est_free(iq);
}
