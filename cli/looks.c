#include "looks.h"

#include "fetch.h"
#include "store.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "codec/schema.h"
#include "codec/schemas.h"
#include "io/kafka_admin.h"
#include "io/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void looks_init(struct looks *ls)
{
    *ls = (struct looks){.items = est_calloc(LOOKS_MAX, sizeof(struct look)), .exit = EXIT_FINE};
}

void looks_fini(struct looks *ls)
{
    est_free(ls->items);
}

/* The gravest decides: what no waiting can mend comes first. */
static int graver(int a, int b)
{
    static const int order[] = {EXIT_IO,       EXIT_CONFIG,      EXIT_DATA, EXIT_REFUSED,
                                EXIT_PROTOCOL, EXIT_UNAVAILABLE, EXIT_NO};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return EXIT_FINE;
}

void looks_add(struct looks *ls, struct out *o, const char *part, enum mark m, int exit_code,
               est_err code, enum text id, const char *const *args)
{
    struct est_buf text;
    struct look *l;

    ls->exit = graver(ls->exit, exit_code);
    if (ls->items == NULL || ls->n == LOOKS_MAX)
        return;
    l = &ls->items[ls->n++];
    *l = (struct look){.part = part, .mark = m, .code = code != EST_OK ? est_err_code(code) : NULL};
    est_buf_init(&text, sizeof(l->text) - 1);
    lang_put(&text, o->json ? EST_LANG_EN : o->lang, id, args);
    memcpy(l->text, est_buf_view(&text).data, text.len);
    est_buf_fini(&text);
}

void looks_print(const struct looks *ls, struct out *o)
{
    for (size_t i = 0; i < ls->n; i++) {
        const struct look *l = &ls->items[i];
        if (l->code != NULL)
            out_mark(o, l->mark, TEXT_LOOK_CODE, OUT_ARGS(l->text, l->code));
        else
            out_mark(o, l->mark, TEXT_LOOK, OUT_ARGS(l->text));
    }
}

void looks_put_json(const struct looks *ls, struct est_buf *b)
{
    static const char *const states[] = {
        [MARK_OK] = "ok", [MARK_WARN] = "warning", [MARK_BAD] = "error"};

    est_json_put_name(b, "looks");
    est_buf_putc(b, '[');
    for (size_t i = 0; i < ls->n; i++) {
        const struct look *l = &ls->items[i];
        est_buf_puts(b, i > 0 ? ",{" : "{");
        est_json_put_name(b, "part");
        est_json_put_str(b, l->part);
        est_json_put_name(b, "state");
        est_json_put_str(b, states[l->mark]);
        if (l->code != NULL) {
            est_json_put_name(b, "code");
            est_json_put_str(b, l->code);
        }
        est_json_put_name(b, "text");
        est_json_put_str(b, l->text);
        est_buf_putc(b, '}');
    }
    est_buf_putc(b, ']');
}

/* --- schemas and secrets: files --- */

/* As a consumer loads them, all into one set: the types' schemas first, then former versions. */
static est_err look_at_schema(struct est_schemas *set, const char *path, bool older,
                              struct est_why *why)
{
    const struct est_schema *sc;
    est_err err;

    if (older)
        return est_schemas_load_older(set, path, why);
    err = est_schemas_load(set, path, &sc, why);
    return err == EST_OK ? est_schema_check_event(sc, why) : err;
}

static size_t look_at_all(struct looks *ls, struct out *o, const struct est_config *cfg,
                          struct est_schemas *set, bool older)
{
    size_t good = 0;

    for (size_t i = 0; i < cfg->n_types; i++) {
        const struct est_type_config *t = &cfg->types[i];
        struct est_why why = {.code = EST_OK};
        est_err err = set != NULL ? look_at_schema(set, t->schema_path, older, &why)
                                  : est_why_set(&why, EST_ERR_NOMEM, "no memory");
        good += err == EST_OK;
        if (err != EST_OK)
            looks_add(ls, o, "schema", MARK_BAD, EXIT_DATA, err, TEXT_LOOK_SCHEMA,
                      OUT_ARGS(t->name, t->schema_path, why.text));
    }
    return good;
}

void looks_at_schemas(struct looks *ls, struct out *o, const struct est_config *cfg)
{
    struct est_schemas *set = NULL;
    char count[24];
    size_t good;

    (void)est_schemas_new(EST_SCHEMAS_MAX, &set);
    good = look_at_all(ls, o, cfg, set, false);
    if (good == cfg->n_types)
        (void)look_at_all(ls, o, cfg, set, true);
    est_schemas_free(set);
    (void)snprintf(count, sizeof(count), "%zu", good);
    if (good > 0)
        looks_add(ls, o, "schema", MARK_OK, EXIT_FINE, EST_OK, TEXT_LOOK_SCHEMAS, OUT_ARGS(count));
}

static void look_at_secret(struct looks *ls, struct out *o, const char *key, const char *path)
{
    if (path[0] == '\0' || access(path, R_OK) == 0)
        return;
    looks_add(ls, o, "secret", MARK_WARN, EXIT_NO, EST_ERR_CONF_FILE, TEXT_LOOK_SECRET,
              OUT_ARGS(key, path, strerror(errno)));
}

void looks_at_secrets(struct looks *ls, struct out *o, const struct est_config *cfg)
{
    look_at_secret(ls, o, "producer.tokens_file", cfg->producer_tokens_file);
    look_at_secret(ls, o, "dashboard.token_file", cfg->dashboard_token_file);
    look_at_secret(ls, o, "dashboard.signing_secret_file", cfg->dashboard_signing_secret_file);
    look_at_secret(ls, o, "redis.password_file", cfg->redis_password_file);
    for (size_t i = 0; i < cfg->n_destinations; i++) {
        const struct est_destination_config *d = &cfg->destinations[i];
        char key[128];
        (void)snprintf(key, sizeof(key), "destinations.%s.token_file", d->name);
        look_at_secret(ls, o, key, d->token_file);
        (void)snprintf(key, sizeof(key), "destinations.%s.signing_secret_file", d->name);
        look_at_secret(ls, o, key, d->signing_secret_file);
    }
}

/* --- Kafka --- */

/* False = Kafka does not answer: no use in asking for further topics. */
static bool look_at_topic(struct looks *ls, struct out *o, struct est_kafka_admin *ka,
                          const struct est_config *cfg, const struct est_type_config *t,
                          est_us timeout)
{
    struct est_why why = {.code = EST_OK};
    char want[16], got[16];
    int32_t n = 0;
    est_err err = est_kafka_admin_partitions(ka, t->topic, timeout, &n, &why);

    if (err == EST_ERR_NOTFOUND) {
        looks_add(ls, o, "kafka", MARK_WARN, EXIT_NO, EST_OK, TEXT_LOOK_TOPIC_MISSING,
                  OUT_ARGS(t->topic));
    } else if (err != EST_OK) {
        looks_add(ls, o, "kafka", MARK_BAD, EXIT_UNAVAILABLE, EST_ERR_KAFKA_DOWN,
                  TEXT_LOOK_KAFKA_DOWN, OUT_ARGS(cfg->kafka_brokers, why.text));
        return false;
    } else if ((unsigned)n != t->partitions) {
        (void)snprintf(want, sizeof(want), "%u", t->partitions);
        (void)snprintf(got, sizeof(got), "%d", (int)n);
        looks_add(ls, o, "kafka", MARK_WARN, EXIT_NO, EST_OK, TEXT_LOOK_PARTITIONS,
                  OUT_ARGS(t->topic, got, want));
    }
    return true;
}

void looks_at_kafka(struct looks *ls, struct out *o, const struct est_config *cfg, est_us timeout)
{
    struct est_kafka_option *extra = cli_kafka_options(cfg);
    struct est_kafka_admin *ka = NULL;
    struct est_why why = {.code = EST_OK};
    size_t i = 0, before = ls->n;
    est_err err = est_kafka_admin_new(cfg->kafka_brokers, "esteira-check", extra,
                                      extra ? cfg->kafka_options.n : 0, &ka, &why);

    if (err != EST_OK)
        looks_add(ls, o, "kafka", MARK_BAD, cli_exit_at_open(err), err, TEXT_LOOK_PLAIN,
                  OUT_ARGS(why.text));
    while (ka != NULL && i < cfg->n_types && look_at_topic(ls, o, ka, cfg, &cfg->types[i], timeout))
        i++;
    if (ls->n == before)
        looks_add(ls, o, "kafka", MARK_OK, EXIT_FINE, EST_OK, TEXT_LOOK_KAFKA,
                  OUT_ARGS(cfg->kafka_brokers));
    est_kafka_admin_free(ka);
    est_free(extra);
}

/* --- Redis --- */

static void ask_redis(struct looks *ls, struct out *o, const struct est_config *cfg, est_us timeout)
{
    struct est_why why = {.code = EST_OK};
    struct fetch f;
    struct store st;
    est_err err = fetch_open(&f, "", &why);

    if (err == EST_OK)
        err = store_open(&st, &f, cfg, NULL, timeout, &why);
    if (err == EST_OK)
        looks_add(ls, o, "redis", MARK_OK, EXIT_FINE, EST_OK, TEXT_LOOK_REDIS, OUT_ARGS(st.detail));
    else if (err == EST_ERR_REDIS_DENIED)
        looks_add(ls, o, "redis", MARK_BAD, EXIT_REFUSED, err, TEXT_LOOK_PLAIN, OUT_ARGS(why.text));
    else
        looks_add(ls, o, "redis", MARK_WARN, EXIT_FINE, err, TEXT_LOOK_REDIS_DOWN,
                  OUT_ARGS(why.text));
    if (err == EST_OK)
        store_close(&st);
    if (f.lp != NULL)
        fetch_close(&f);
}

void looks_at_redis(struct looks *ls, struct out *o, const struct est_config *cfg, est_us timeout,
                    bool offline)
{
    struct est_why why = {.code = EST_OK};
    est_err err;

    if (cfg->redis_url[0] == '\0')
        return;
    err = est_redis_url_check(cfg->redis_url, &why);
    if (err != EST_OK)
        looks_add(ls, o, "redis", MARK_BAD, EXIT_NO, err, TEXT_LOOK_PLAIN, OUT_ARGS(why.text));
    else if (!offline)
        ask_redis(ls, o, cfg, timeout);
}

/* --- registry and destinations --- */

static void look_at_registry(struct looks *ls, struct out *o, const struct est_config *cfg,
                             est_us timeout)
{
    struct fetch f;
    struct fetch_answer a;
    struct est_why why = {.code = EST_OK};
    char url[1200];
    est_err err;

    if (cfg->schema_registry_url[0] == '\0')
        return;
    err = fetch_open(&f, cfg->schema_registry_ca_file, &why);
    if (err != EST_OK) {
        looks_add(ls, o, "registry", MARK_BAD, cli_exit_at_open(err), err, TEXT_LOOK_PLAIN,
                  OUT_ARGS(why.text));
        return;
    }
    fetch_answer_init(&a);
    if (fetch_url(cfg->schema_registry_url, "/subjects", url, sizeof(url)))
        fetch_get(&f, url, "", timeout, &a);
    if (a.err == EST_OK && a.status == 200)
        looks_add(ls, o, "registry", MARK_OK, EXIT_FINE, EST_OK, TEXT_LOOK_REGISTRY,
                  OUT_ARGS(cfg->schema_registry_url));
    else
        looks_add(ls, o, "registry", MARK_BAD, EXIT_UNAVAILABLE, EST_ERR_REGISTRY,
                  TEXT_LOOK_REGISTRY_DOWN, OUT_ARGS(cfg->schema_registry_url, a.detail));
    fetch_answer_fini(&a);
    fetch_close(&f);
}

/* What an answer of GET /api/v1/status means. */
static void judge_destination(struct looks *ls, struct out *o,
                              const struct est_destination_config *d, const struct fetch_answer *a)
{
    char status[16];

    (void)snprintf(status, sizeof(status), "%d", a->status);
    if (a->err != EST_OK)
        looks_add(ls, o, "destination", MARK_BAD, EXIT_UNAVAILABLE, EST_ERR_DASH_DOWN,
                  TEXT_LOOK_DASH_DOWN, OUT_ARGS(d->name, d->url, a->detail));
    else if (a->status == 200)
        looks_add(ls, o, "destination", MARK_OK, EXIT_FINE, EST_OK, TEXT_LOOK_DASH,
                  OUT_ARGS(d->name, d->url));
    else if (a->status == 401 || a->status == 403)
        looks_add(ls, o, "destination", MARK_BAD, EXIT_REFUSED, EST_ERR_DASH_AUTH,
                  TEXT_LOOK_DASH_AUTH, OUT_ARGS(d->name, status));
    else if (a->status == 404)
        looks_add(ls, o, "destination", MARK_WARN, EXIT_NO, EST_ERR_DASH_ROUTE,
                  TEXT_LOOK_DASH_ROUTE, OUT_ARGS(d->name, d->url));
    else
        looks_add(ls, o, "destination", MARK_WARN, EXIT_UNAVAILABLE, EST_ERR_DASH_DOWN,
                  TEXT_LOOK_DASH_STATUS, OUT_ARGS(d->name, status));
}

static void look_at_destination(struct looks *ls, struct out *o,
                                const struct est_destination_config *d, est_us timeout)
{
    struct fetch f;
    struct fetch_answer a;
    struct est_secret *secret = NULL;
    struct est_why why = {.code = EST_OK};
    char url[1200];

    if (est_secret_new_lines(d->token_file, d->token, &secret, &why) ||
        fetch_open(&f, d->ca_file, &why)) {
        looks_add(ls, o, "destination", MARK_BAD, cli_exit_at_open(why.code), why.code,
                  TEXT_LOOK_PLAIN, OUT_ARGS(why.text));
        est_secret_free(secret);
        return;
    }
    fetch_answer_init(&a);
    if (fetch_url(d->url, "/api/v1/status", url, sizeof(url)))
        fetch_get(&f, url, est_secret_get(secret), timeout, &a);
    judge_destination(ls, o, d, &a);
    fetch_answer_fini(&a);
    fetch_close(&f);
    est_secret_free(secret);
}

void looks_at_http(struct looks *ls, struct out *o, const struct est_config *cfg, est_us timeout)
{
    look_at_registry(ls, o, cfg, timeout);
    for (size_t i = 0; i < cfg->n_destinations; i++)
        look_at_destination(ls, o, &cfg->destinations[i], timeout);
}
