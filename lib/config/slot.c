#include "config/slot.h"

#include "config/line.h"

#include <stdio.h>
#include <string.h>

void est_slot_env(const char *path, char out[EST_SLOT_ENV])
{
    int n = snprintf(out, EST_SLOT_ENV, "ESTEIRA_%s", path);

    for (int i = 0; i < n && i < EST_SLOT_ENV - 1; i++) {
        if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - ('a' - 'A'));
        else if (out[i] == '.' || out[i] == '-')
            out[i] = '_';
    }
}

struct group {
    const struct est_keys *keys;
    void *base;
    struct est_origin *origins;
    const char *prefix, *name;
    bool old_env;
};

static bool group_at(struct est_config *cfg, size_t i, struct group *ret)
{
    if (i == 0) {
        *ret = (struct group){&est_keys_root, cfg, cfg->origin, "", "", true};
        return true;
    }
    i--;
    if (i < cfg->n_destinations) {
        struct est_destination_config *d = &cfg->destinations[i];
        bool is_dashboard = strcmp(d->name, "dashboard") == 0;
        *ret = (struct group){&est_keys_destination, d,       d->origin,
                              "destinations.",       d->name, is_dashboard};
        return true;
    }
    i -= cfg->n_destinations;
    if (i < cfg->n_types) {
        struct est_type_config *t = &cfg->types[i];
        *ret = (struct group){&est_keys_type, t, t->origin, "types.", t->name, false};
        return true;
    }
    return false;
}

bool est_slot_next(struct est_config *cfg, struct est_slot_iter *it, struct est_slot *ret)
{
    struct group g;

    if (!group_at(cfg, it->group, &g))
        return false;
    ret->key = &g.keys->items[it->key];
    ret->base = g.base;
    ret->origin = &g.origins[it->key];
    ret->old_env = g.old_env ? ret->key->old_env : "";
    est_line_printf(ret->path, sizeof(ret->path), "%s%s%s%s", g.prefix, g.name,
                    g.name[0] ? "." : "", ret->key->path);
    est_slot_env(ret->path, ret->env);
    if (++it->key == g.keys->n)
        *it = (struct est_slot_iter){.group = it->group + 1};
    return true;
}

bool est_slot_find(struct est_config *cfg, const char *path, struct est_slot *ret)
{
    struct est_slot_iter it = {0};

    while (est_slot_next(cfg, &it, ret))
        if (strcmp(ret->path, path) == 0)
            return true;
    return false;
}
