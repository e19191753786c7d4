#include "config/keys.h"

#include "config/config.h"

#include <string.h>

#define ROW(type, field_, path_, kind_, def_, min_, max_, unit_, env_, doc_) \
    {.path = path_,                                                          \
     .field = #field_,                                                       \
     .offset = offsetof(type, field_),                                       \
     .kind = EST_KIND_##kind_,                                               \
     .def = def_,                                                            \
     .min = min_,                                                            \
     .max = max_,                                                            \
     .unit = unit_,                                                          \
     .old_env = env_,                                                        \
     .doc = doc_},

static const struct est_key root_rows[] = {
#define EST_KEY(...) ROW(struct est_config, __VA_ARGS__)
#include "config/keys.def"
};
static const struct est_key destination_rows[] = {
#define EST_DESTINATION_KEY(...) ROW(struct est_destination_config, __VA_ARGS__)
#include "config/keys.def"
};
static const struct est_key type_rows[] = {
#define EST_TYPE_KEY(...) ROW(struct est_type_config, __VA_ARGS__)
#include "config/keys.def"
};

const struct est_keys est_keys_root = {root_rows, EST_KEYS};
const struct est_keys est_keys_destination = {destination_rows, EST_DESTINATION_KEYS};
const struct est_keys est_keys_type = {type_rows, EST_TYPE_KEYS};

const struct est_builtin_type est_builtin_types[] = {
#define EST_TYPE(name, priority, events, key) {#name, priority, events, key},
#include "config/types.def"
#undef EST_TYPE
};
const size_t est_builtin_types_n = sizeof(est_builtin_types) / sizeof(est_builtin_types[0]);

static const struct {
    enum est_shape shape;
    const char *title;
    const char *expected[EST_LANGS];
} kinds[EST_KINDS] = {
#define EST_KIND(name, shape, title, en, pt) \
    [EST_KIND_##name] = {EST_SHAPE_##shape, title, {en, pt}},
#include "config/kinds.def"
#undef EST_KIND
};

enum est_shape est_keys_shape(enum est_kind kind)
{
    return kinds[kind].shape;
}

const char *est_keys_title(enum est_kind kind)
{
    return kinds[kind].title;
}

const char *est_keys_expected(enum est_kind kind, enum est_lang lang)
{
    return kinds[kind].expected[lang];
}

const struct est_key *est_keys_find(const struct est_keys *keys, const char *path)
{
    for (size_t i = 0; i < keys->n; i++)
        if (strcmp(keys->items[i].path, path) == 0)
            return &keys->items[i];
    return NULL;
}

size_t est_keys_section(const struct est_key *key)
{
    return strcspn(key->path, ".");
}
