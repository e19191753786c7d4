#include "enroll.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog.h"
#include "codec/registry_json.h"
#include "codec/schema.h"
#include "config/config.h"
#include "core/health.h"
#include "io/http_out.h"
#include "io/registry.h"

#include <stdio.h>

enum { BODY_MAX = 2 * EST_SCHEMA_TEXT_MAX + 64, SUBJECT_MAX = 320 };
static const est_us ASK_TIMEOUT = 5 * EST_SECOND, ASK_AGAIN = 2 * EST_SECOND;

struct enroll {
    struct est_loop *loop;
    struct catalog *catalog;
    struct est_health *health;
    struct est_http_client *http;
    struct est_registry *registry; /* NULL = no registry is configured */
    size_t next;                   /* type that is asked for now */
    struct est_timer again;
};

static void ask(void *arg);

static void failed(struct enroll *en, const char *code, const char *detail)
{
    (void)est_health_add(en->health, "schema_registry",
                         "the schema registry has not given every id yet", est_loop_now(en->loop));
    EST_LOG(EST_WARN, "schema_not_registered",
            EST_S("type", catalog_at(en->catalog, en->next)->name), EST_S("code", code),
            EST_S("detail", detail));
    est_loop_timer_at(en->loop, &en->again, est_loop_now(en->loop) + ASK_AGAIN);
}

static void on_answer(void *arg, const struct est_registry_answer *answer)
{
    struct enroll *en = arg;
    struct catalog_type *t = catalog_at(en->catalog, en->next);
    char text[EST_REGISTRY_JSON_TEXT] = "";
    int code = 0;

    if (answer->err != EST_OK) {
        if (!est_registry_json_error(answer->body, &code, text))
            (void)snprintf(text, sizeof(text), "%s", answer->detail);
        failed(en, est_err_code(answer->err), text);
        return;
    }
    if (est_registry_json_id(answer->body, &t->schema_id) != EST_OK) {
        failed(en, est_err_code(EST_ERR_REGISTRY), "the answer has no id");
        return;
    }
    t->has_schema_id = true;
    EST_LOG(EST_INFO, "schema_registered", EST_S("type", t->name), EST_I("id", t->schema_id));
    if (++en->next < catalog_count(en->catalog))
        ask(en);
    else
        (void)est_health_remove(en->health, "schema_registry");
}

static void ask(void *arg)
{
    struct enroll *en = arg;
    const struct catalog_type *t = catalog_at(en->catalog, en->next);
    struct est_why why = {0};
    struct est_buf body;
    char subject[SUBJECT_MAX];

    (void)snprintf(subject, sizeof(subject), "%s-value", t->topic);
    est_buf_init(&body, BODY_MAX);
    est_registry_json_put_schema(&body, est_schema_text(t->schema));
    if (body.failed || est_registry_register(en->registry, subject, est_buf_view(&body), on_answer,
                                             en, NULL, &why) != EST_OK)
        failed(en, est_err_code(why.code), why.text);
    est_buf_fini(&body);
}

static est_err open_registry(struct enroll *en, const struct est_config *cfg,
                             struct est_why *reterr)
{
    const struct est_http_client_options ho = {
        .conns_max = 2,
        .connect_timeout = ASK_TIMEOUT,
        .ca_file = cfg->schema_registry_ca_file[0] ? cfg->schema_registry_ca_file : NULL,
        .user_agent = "esteira-producer/" ESTEIRA_VERSION,
    };
    const struct est_registry_options ro = {.url = cfg->schema_registry_url,
                                            .timeout = ASK_TIMEOUT};
    est_err err = est_http_client_new(en->loop, &ho, &en->http, reterr);

    return err ? err : est_registry_new(en->http, &ro, &en->registry, reterr);
}

est_err enroll_new(struct est_loop *lp, const struct est_config *cfg, struct catalog *cat,
                   struct est_health *health, struct enroll **ret, struct est_why *reterr)
{
    struct enroll *en = est_calloc(1, sizeof(*en));
    est_err err = EST_OK;

    if (en == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the schema registry");
    *en = (struct enroll){
        .loop = lp, .catalog = cat, .health = health, .again = {.fn = ask, .arg = en}};
    if (cfg->schema_registry_url[0] != '\0')
        err = open_registry(en, cfg, reterr);
    if (err != EST_OK) {
        enroll_free(en);
        return err;
    }
    if (en->registry != NULL)
        ask(en);
    *ret = en;
    return EST_OK;
}

bool enroll_done(const struct enroll *en)
{
    return en->registry == NULL || en->next == catalog_count(en->catalog);
}

void enroll_free(struct enroll *en)
{
    if (en == NULL)
        return;
    est_loop_timer_off(en->loop, &en->again);
    est_registry_free(en->registry);
    est_http_client_free(en->http);
    est_free(en);
}
