#include "decode.h"

#include "fetch.h"

#include "codec/avro_read.h"
#include "codec/registry_json.h"
#include "codec/wire.h"

#include <stdio.h>

enum { EVENT_MAX = 64 * 1024 * 1024, PATH_SIZE = 64 };

/* All types' schemas, not only one's: a record is decoded by the schema that wrote it, and a type
 * may have been split from another. One that is wrong is left out: `esteira check` says so. */
est_err decoder_open(struct decoder *d, const struct est_config *cfg, est_us timeout)
{
    const struct est_schema *sc;

    *d = (struct decoder){.cfg = cfg, .timeout = timeout};
    est_buf_init(&d->event, EVENT_MAX);
    if (est_schemas_new(EST_SCHEMAS_MAX, &d->schemas) != EST_OK)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < cfg->n_types; i++)
        (void)est_schemas_load(d->schemas, cfg->types[i].schema_path, &sc, NULL);
    for (size_t i = 0; i < cfg->n_types; i++)
        (void)est_schemas_load_older(d->schemas, cfg->types[i].schema_path, NULL);
    return EST_OK;
}

void decoder_close(struct decoder *d)
{
    est_schemas_free(d->schemas);
    est_buf_fini(&d->event);
}

/* "/schemas/ids/7", or "/schemas/guids/" and a GUID. */
static void path_of(const struct est_wire *wire, char path[PATH_SIZE])
{
    size_t n;

    if (wire->kind == EST_WIRE_ID) {
        (void)snprintf(path, PATH_SIZE, "/schemas/ids/%u", wire->id);
        return;
    }
    n = (size_t)snprintf(path, PATH_SIZE, "/schemas/guids/");
    for (size_t i = 0; i < EST_SCHEMAS_GUID_LEN; i++)
        n += (size_t)snprintf(path + n, PATH_SIZE - n, "%s%02x",
                              i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", wire->guid[i]);
}

static void bind(struct est_schemas *set, const struct est_wire *wire, const struct est_schema *sc)
{
    if (wire->kind == EST_WIRE_ID)
        (void)est_schemas_bind_id(set, wire->id, sc);
    else
        (void)est_schemas_bind_guid(set, wire->guid, sc);
}

/* Ask the registry for the schema of an id or GUID that we have not met; it is then bound for
 * good. */
static const struct est_schema *learn_schema(struct decoder *d, const struct est_wire *wire)
{
    const struct est_schema *sc = NULL;
    struct fetch f;
    struct fetch_answer a;
    struct est_buf text;
    char path[PATH_SIZE], url[1200];

    if (d->cfg->schema_registry_url[0] == '\0' ||
        fetch_open(&f, d->cfg->schema_registry_ca_file, NULL))
        return NULL;
    fetch_answer_init(&a);
    est_buf_init(&text, EST_SCHEMA_TEXT_MAX);
    path_of(wire, path);
    if (fetch_url(d->cfg->schema_registry_url, path, url, sizeof(url)))
        fetch_get(&f, url, "", d->timeout, &a);
    if (a.err == EST_OK && a.status == 200 &&
        est_registry_json_schema(est_buf_view(&a.body), &text) == EST_OK &&
        est_schemas_add(d->schemas, est_buf_view(&text), &sc, NULL) == EST_OK)
        bind(d->schemas, wire, sc);
    est_buf_fini(&text);
    fetch_answer_fini(&a);
    fetch_close(&f);
    if (d->after_fetch != NULL)
        d->after_fetch();
    return sc;
}

est_err decoder_read(struct decoder *d, const char *type, struct est_view value,
                     struct est_view header, struct est_why *why)
{
    const struct est_schema *sc;
    struct est_wire wire;
    est_err err = est_wire_parse(value, header, &wire);

    if (err)
        return est_why_set(why, err, "%s", est_err_text(err));
    sc = est_schemas_of(d->schemas, &wire);
    if (sc == NULL && wire.kind != EST_WIRE_SINGLE)
        sc = learn_schema(d, &wire);
    if (sc == NULL)
        return est_why_set(why, EST_ERR_SCHEMA_UNKNOWN, "%s", est_err_text(EST_ERR_SCHEMA_UNKNOWN));
    est_buf_clear(&d->event);
    return est_avro_read_event(sc, est_view_str(type), wire.body, &d->event, NULL, why);
}
