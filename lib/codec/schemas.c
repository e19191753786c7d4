#include "schemas.h"

#include "base/id.h"
#include "base/map.h"
#include "base/mem.h"
#include "schema_plan.h"
#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { BINDINGS_PER_SCHEMA = 4 }; /* a registry may give one schema several ids over its subjects */

struct est_schemas {
    struct est_schema **items;
    size_t n, max;
    struct est_map by_fingerprint, by_id, by_guid;
    char older[PATH_MAX]; /* the folder of former versions that was read last */
};

est_err est_schemas_new(size_t max, struct est_schemas **ret)
{
    struct est_schemas *set = est_calloc(1, sizeof(*set));
    uint64_t seed[2];

    if (set == NULL)
        return EST_ERR_NOMEM;
    est_random(seed, sizeof(seed));
    est_map_init(&set->by_fingerprint, max, seed[0], seed[1]);
    est_map_init(&set->by_id, max * BINDINGS_PER_SCHEMA, seed[0], seed[1]);
    est_map_init(&set->by_guid, max * BINDINGS_PER_SCHEMA, seed[0], seed[1]);
    set->max = max;
    set->items = est_calloc(max, sizeof(*set->items));
    if (set->items == NULL) {
        est_schemas_free(set);
        return EST_ERR_NOMEM;
    }
    *ret = set;
    return EST_OK;
}

void est_schemas_free(struct est_schemas *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->n; i++)
        est_schema_free(set->items[i]);
    est_free(set->items);
    est_map_fini(&set->by_fingerprint);
    est_map_fini(&set->by_id);
    est_map_fini(&set->by_guid);
    est_free(set);
}

static struct est_view key_of(const void *p, size_t n)
{
    return est_view(p, n);
}

/* Takes *sc: it is kept, or freed because its like is there already, or freed on failure. */
static est_err keep(struct est_schemas *set, struct est_schema *sc, const struct est_schema **ret,
                    struct est_why *reterr)
{
    struct est_view key = key_of(&sc->fingerprint, sizeof(sc->fingerprint));
    struct est_schema *same = est_map_get(&set->by_fingerprint, key);
    est_err err = EST_OK;

    if (same != NULL && same->meaning != sc->meaning)
        err = est_why_set(reterr, EST_ERR_SCHEMA,
                          "another schema has this fingerprint and other logical types");
    else if (same != NULL)
        *ret = same;
    else if (set->n == set->max)
        err = est_why_set(reterr, EST_ERR_FULL, "more than %zu schemas", set->max);
    else
        err = est_map_put(&set->by_fingerprint, key, sc);
    if (err != EST_OK || same != NULL) {
        est_schema_free(sc);
        return err;
    }
    set->items[set->n++] = sc;
    *ret = sc;
    return EST_OK;
}

est_err est_schemas_add(struct est_schemas *set, struct est_view text,
                        const struct est_schema **ret, struct est_why *reterr)
{
    struct est_schema *sc = NULL;
    est_err err = est_schema_parse(text, &sc, reterr);

    return err ? err : keep(set, sc, ret, reterr);
}

est_err est_schemas_load(struct est_schemas *set, const char *path, const struct est_schema **ret,
                         struct est_why *reterr)
{
    struct est_schema *sc = NULL;
    struct est_why why = {EST_OK, ""};
    est_err err = est_schema_load(path, &sc, reterr);

    if (err != EST_OK)
        return err;
    err = keep(set, sc, ret, &why);
    return err == EST_OK ? EST_OK : est_why_set(reterr, err, "%.80s: %s", path, why.text);
}

static bool is_schema(const char *name)
{
    size_t n = strlen(name);

    return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".avsc") == 0;
}

static est_err load_folder(struct est_schemas *set, const char *folder, DIR *dir,
                           struct est_why *reterr)
{
    const struct est_schema *sc;
    const struct dirent *entry;
    char path[PATH_MAX];
    est_err first = EST_OK;

    while ((entry = readdir(dir)) != NULL) {
        est_err err;
        if (!is_schema(entry->d_name))
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            return est_why_set(reterr, EST_ERR_CONF_FILE, "%s: a name that is too long", folder);
        err = est_schemas_load(set, path, &sc, first == EST_OK ? reterr : NULL);
        if (first == EST_OK)
            first = err;
    }
    return first;
}

est_err est_schemas_load_older(struct est_schemas *set, const char *path, struct est_why *reterr)
{
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) + 1 : 0;
    char folder[PATH_MAX];
    est_err err;
    DIR *dir;

    if (snprintf(folder, sizeof(folder), "%.*solder", n, path) >= (int)sizeof(folder))
        return est_why_set(reterr, EST_ERR_CONF_FILE, "%.80s: a name that is too long", path);
    if (strcmp(folder, set->older) == 0)
        return EST_OK;
    memcpy(set->older, folder, sizeof(folder));
    dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT
                   ? EST_OK
                   : est_why_set(reterr, EST_ERR_CONF_FILE, "%s: %s", folder, strerror(errno));
    err = load_folder(set, folder, dir, reterr);
    (void)closedir(dir);
    return err;
}

static est_err bind(struct est_map *map, struct est_view key, const struct est_schema *sc)
{
    void *there = est_map_get(map, key);

    if (there != NULL)
        return there == sc ? EST_OK : EST_ERR_SCHEMA;
    return est_map_put(map, key, (void *)(uintptr_t)sc);
}

est_err est_schemas_bind_id(struct est_schemas *set, uint32_t id, const struct est_schema *sc)
{
    return bind(&set->by_id, key_of(&id, sizeof(id)), sc);
}

est_err est_schemas_bind_guid(struct est_schemas *set,
                              const unsigned char guid[EST_SCHEMAS_GUID_LEN],
                              const struct est_schema *sc)
{
    return bind(&set->by_guid, key_of(guid, EST_SCHEMAS_GUID_LEN), sc);
}

const struct est_schema *est_schemas_by_fingerprint(const struct est_schemas *set, uint64_t fp)
{
    return est_map_get(&set->by_fingerprint, key_of(&fp, sizeof(fp)));
}

const struct est_schema *est_schemas_by_id(const struct est_schemas *set, uint32_t id)
{
    return est_map_get(&set->by_id, key_of(&id, sizeof(id)));
}

const struct est_schema *est_schemas_by_guid(const struct est_schemas *set,
                                             const unsigned char guid[EST_SCHEMAS_GUID_LEN])
{
    return est_map_get(&set->by_guid, key_of(guid, EST_SCHEMAS_GUID_LEN));
}

const struct est_schema *est_schemas_of(const struct est_schemas *set, const struct est_wire *w)
{
    if (w->kind == EST_WIRE_SINGLE)
        return est_schemas_by_fingerprint(set, w->fingerprint);
    return w->kind == EST_WIRE_ID ? est_schemas_by_id(set, w->id)
                                  : est_schemas_by_guid(set, w->guid);
}

size_t est_schemas_count(const struct est_schemas *set)
{
    return set->n;
}
