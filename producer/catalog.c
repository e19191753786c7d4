#include "catalog.h"

#include "base/id.h"
#include "base/map.h"
#include "base/mem.h"
#include "codec/pointer.h"
#include "codec/schema.h"
#include "codec/schemas.h"
#include "config/config.h"

struct catalog {
    struct est_schemas *schemas;
    struct catalog_type *types;
    size_t n;
    struct est_map by_event; /* event name → type */
    struct catalog_type *fallback;
};

static est_err add_keys(struct catalog_type *t, const struct est_strings *keys,
                        struct est_why *reterr)
{
    t->keys = est_calloc(keys->n, sizeof(struct est_pointer *));
    if (t->keys == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the key rule of %s", t->name);
    for (size_t i = 0; i < keys->n; i++) {
        est_err err = est_pointer_new(est_view_str(keys->items[i]), &t->keys[i], reterr);
        if (err != EST_OK)
            return err;
        t->n_keys++;
    }
    return EST_OK;
}

static est_err add_events(struct catalog *cat, struct catalog_type *t,
                          const struct est_strings *events)
{
    for (size_t i = 0; i < events->n; i++)
        if (est_map_put(&cat->by_event, est_view_str(events->items[i]), t) != EST_OK)
            return EST_ERR_NOMEM;
    return EST_OK;
}

static est_err add_type(struct catalog *cat, const struct est_type_config *tc,
                        struct est_why *reterr)
{
    struct catalog_type *t = &cat->types[cat->n++];
    est_err err;

    t->name = tc->name;
    t->topic = tc->topic;
    err = est_schemas_load(cat->schemas, tc->schema_path, &t->schema, reterr);
    if (err == EST_OK)
        err = est_schema_check_event(t->schema, reterr);
    if (err == EST_OK)
        err = add_keys(t, &tc->key, reterr);
    if (err == EST_OK && add_events(cat, t, &tc->events) != EST_OK)
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for the event names of %s", t->name);
    if (strcmp(tc->name, "custom") == 0)
        cat->fallback = t;
    return err;
}

est_err catalog_new(const struct est_config *cfg, struct catalog **ret, struct est_why *reterr)
{
    struct catalog *cat = est_calloc(1, sizeof(*cat));
    uint64_t seed[2];
    est_err err = EST_ERR_NOMEM;

    if (cat == NULL)
        return est_why_set(reterr, err, "no memory for the types");
    est_random(seed, sizeof(seed));
    est_map_init(&cat->by_event, 0, seed[0], seed[1]);
    cat->types = est_calloc(cfg->n_types, sizeof(*cat->types));
    if (cat->types == NULL || est_schemas_new(cfg->n_types, &cat->schemas) != EST_OK) {
        (void)est_why_set(reterr, err, "no memory for the types");
        goto fail;
    }
    for (size_t i = 0; i < cfg->n_types; i++) {
        err = add_type(cat, &cfg->types[i], reterr);
        if (err != EST_OK)
            goto fail;
    }
    if (cfg->producer_unknown_events == EST_UNKNOWN_REJECT)
        cat->fallback = NULL;
    *ret = cat;
    return EST_OK;
fail:
    catalog_free(cat);
    return err;
}

void catalog_free(struct catalog *cat)
{
    if (cat == NULL)
        return;
    for (size_t i = 0; i < cat->n; i++) {
        for (size_t k = 0; k < cat->types[i].n_keys; k++)
            est_pointer_free(cat->types[i].keys[k]);
        est_free(cat->types[i].keys);
    }
    est_map_fini(&cat->by_event);
    est_schemas_free(cat->schemas);
    est_free(cat->types);
    est_free(cat);
}

size_t catalog_count(const struct catalog *cat)
{
    return cat->n;
}

struct catalog_type *catalog_at(struct catalog *cat, size_t i)
{
    return &cat->types[i];
}

struct catalog_type *catalog_of(const struct catalog *cat, struct est_view event)
{
    struct catalog_type *t = est_map_get(&cat->by_event, event);

    return t ? t : cat->fallback;
}
