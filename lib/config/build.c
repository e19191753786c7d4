#include "config/build.h"

#include "base/mem.h"
#include "config/field.h"
#include "config/line.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#ifndef ESTEIRA_DATA_DIR
#define ESTEIRA_DATA_DIR "/usr/share/esteira"
#endif

static bool set_defaults(const struct est_keys *keys, void *base)
{
    for (size_t i = 0; i < keys->n; i++)
        if (!est_field_set_default(&keys->items[i], base))
            return false;
    return true;
}

static void clear(const struct est_keys *keys, void *base, struct est_origin *origins)
{
    for (size_t i = 0; i < keys->n; i++) {
        est_field_clear(&keys->items[i], base);
        est_free(origins[i].env);
    }
}

/* One more element, zeroed, at the end of an array of n. */
static void *grown(void *items, size_t n, size_t size)
{
    char *more = est_realloc(items, (n + 1) * size);

    if (more != NULL)
        memset(more + n * size, 0, size);
    return more;
}

static void free_destination(struct est_destination_config *d)
{
    clear(&est_keys_destination, d, d->origin);
    est_free(d->name);
    est_free(d->group);
}

static void free_type(struct est_type_config *t)
{
    clear(&est_keys_type, t, t->origin);
    est_free(t->name);
    est_free(t->topic);
}

struct est_destination_config *est_build_destination(struct est_config *cfg, const char *name)
{
    struct est_destination_config *items =
                                      grown(cfg->destinations, cfg->n_destinations, sizeof(*items)),
                                  *d;

    if (items == NULL)
        return NULL;
    cfg->destinations = items;
    d = &items[cfg->n_destinations++];
    d->name = est_strdup(name);
    if (d->name != NULL && set_defaults(&est_keys_destination, d))
        return d;
    free_destination(d);
    cfg->n_destinations--;
    return NULL;
}

struct est_type_config *est_build_type(struct est_config *cfg, const char *name)
{
    struct est_type_config *items = grown(cfg->types, cfg->n_types, sizeof(*items)), *t;

    if (items == NULL)
        return NULL;
    cfg->types = items;
    t = &items[cfg->n_types++];
    t->name = est_strdup(name);
    t->topic = est_strdup("");
    if (t->name != NULL && t->topic != NULL && set_defaults(&est_keys_type, t))
        return t;
    free_type(t);
    cfg->n_types--;
    return NULL;
}

static bool add_words(const struct est_field *f, const char *words)
{
    for (; *words != '\0'; words += strspn(words, " ")) {
        size_t len = strcspn(words, " ");
        if (est_field_set(f, est_view(words, len)).message != EST_MESSAGE_NONE)
            return false;
        words += len;
    }
    return true;
}

static bool build_builtin(struct est_config *cfg, const struct est_builtin_type *bt)
{
    struct est_type_config *t = est_build_type(cfg, bt->name);
    struct est_field f = {.base = t, .folder = ""};

    if (t == NULL)
        return false;
    f.key = est_keys_find(&est_keys_type, "priority");
    if (!add_words(&f, bt->priority))
        return false;
    f.key = est_keys_find(&est_keys_type, "events");
    if (!add_words(&f, bt->events))
        return false;
    f.key = est_keys_find(&est_keys_type, "key");
    return add_words(&f, bt->key);
}

struct est_config *est_build_defaults(const char *path)
{
    struct est_config *cfg = est_calloc(1, sizeof(*cfg));

    if (cfg == NULL)
        return NULL;
    cfg->path = est_strdup(path);
    if (cfg->path == NULL || !set_defaults(&est_keys_root, cfg) ||
        est_build_destination(cfg, "dashboard") == NULL)
        goto fail;
    for (size_t i = 0; i < est_builtin_types_n; i++)
        if (!build_builtin(cfg, &est_builtin_types[i]))
            goto fail;
    return cfg;
fail:
    est_build_free(cfg);
    return NULL;
}

void est_build_drop_destinations(struct est_config *cfg)
{
    for (size_t i = 0; i < cfg->n_destinations; i++)
        free_destination(&cfg->destinations[i]);
    est_free(cfg->destinations);
    cfg->destinations = NULL;
    cfg->n_destinations = 0;
}

void est_build_free(struct est_config *cfg)
{
    if (cfg == NULL)
        return;
    est_build_drop_destinations(cfg);
    for (size_t i = 0; i < cfg->n_types; i++)
        free_type(&cfg->types[i]);
    est_free(cfg->types);
    clear(&est_keys_root, cfg, cfg->origin);
    est_free(cfg->path);
    est_free(cfg);
}

void est_build_folder(const struct est_config *cfg, char *out, size_t n)
{
    const char *slash = strrchr(cfg->path, '/');
    int len = slash == NULL ? 0 : slash == cfg->path ? 1 : (int)(slash - cfg->path);

    est_line_printf(out, n, "%.*s", len, cfg->path);
}

/* Beside the file, beside where we run, or where the package puts them; the first place when none
 * has it, so that the message of whoever opens it names the place to put it. */
static bool find_schema(struct est_type_config *t, const char *folder)
{
    const char *roots[] = {folder, "", ESTEIRA_DATA_DIR};
    char path[PATH_MAX];
    size_t at = 0;

    for (; at < sizeof(roots) / sizeof(roots[0]); at++) {
        est_line_printf(path, sizeof(path), "%s%sschemas/%s.avsc", roots[at],
                        roots[at][0] ? "/" : "", t->name);
        if (access(path, R_OK) == 0)
            break;
    }
    if (at == sizeof(roots) / sizeof(roots[0]))
        est_line_printf(path, sizeof(path), "%s%sschemas/%s.avsc", folder, folder[0] ? "/" : "",
                        t->name);
    est_free(t->schema_path);
    t->schema_path = est_strdup(path);
    return t->schema_path != NULL;
}

/* Two installations on one Kafka share neither topics of events nor groups. */
static bool put_prefix(const struct est_config *cfg, const char *name, char **ret)
{
    size_t n = strlen(cfg->kafka_topic_prefix) + strlen(name) + 1;
    char *full = est_alloc(n);

    if (full == NULL)
        return false;
    est_line_printf(full, n, "%s%s", cfg->kafka_topic_prefix, name);
    est_free(*ret);
    *ret = full;
    return true;
}

bool est_build_finish(struct est_config *cfg)
{
    char folder[PATH_MAX];

    est_build_folder(cfg, folder, sizeof(folder));
    for (size_t i = 0; i < cfg->n_destinations; i++)
        if (!put_prefix(cfg, cfg->destinations[i].name, &cfg->destinations[i].group))
            return false;
    for (size_t i = 0; i < cfg->n_types; i++) {
        struct est_type_config *t = &cfg->types[i];
        if (!put_prefix(cfg, t->name, &t->topic) ||
            (t->schema_path[0] == '\0' && !find_schema(t, folder)))
            return false;
    }
    return true;
}
