#include "config/read.h"

#include "config/build.h"
#include "config/check.h"
#include "config/field.h"
#include "config/line.h"
#include "config/nearest.h"
#include "config/slot.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { ENTRIES_MAX = 1000 };

struct reader {
    struct est_config *cfg;
    struct est_config_report *report;
    char folder[PATH_MAX];
};

static void complain(struct reader *rd, const struct est_yaml *at, const char *path,
                     struct est_fault fault)
{
    est_report_add(rd->report, rd->cfg->path, at->line, at->column, path, &fault);
}

/* --- what a node is --- */

static const char *const kind_words[][EST_LANGS] = {
    [EST_YAML_NULL] = {"nothing", "nada"},
    [EST_YAML_TEXT] = {"a text", "um texto"},
    [EST_YAML_LIST] = {"a list", "uma lista"},
    [EST_YAML_MAP] = {"a mapping", "um mapa"},
};

static struct est_fault kind_fault(const struct est_key *key, const struct est_yaml *found)
{
    return est_check_type_fault(key, kind_words[found->kind][EST_LANG_EN],
                                kind_words[found->kind][EST_LANG_PT]);
}

/* Where a mapping of keys had to stand. */
static struct est_fault section_fault(const struct est_yaml *found)
{
    struct est_fault f = {.message = EST_MESSAGE_TYPE};

    est_message_arg(&f, 1, "a mapping of keys", "um mapa de chaves");
    est_message_arg(&f, 2, kind_words[found->kind][EST_LANG_EN],
                    kind_words[found->kind][EST_LANG_PT]);
    return f;
}

/* Every key a text, none twice, not too many. False = the mapping cannot be walked. */
static bool check_keys(struct reader *rd, const struct est_yaml *map, const char *path)
{
    char line[16];

    if (map->n > ENTRIES_MAX) {
        complain(rd, map, path, est_message_fault(EST_MESSAGE_TOO_MANY, "1000", NULL));
        return false;
    }
    for (size_t i = 0; i < map->n; i++) {
        const struct est_yaml *key = map->keys[i];
        if (key->kind != EST_YAML_TEXT) {
            struct est_fault f = {.message = EST_MESSAGE_KEY_KIND};
            est_message_arg(&f, 1, kind_words[key->kind][EST_LANG_EN],
                            kind_words[key->kind][EST_LANG_PT]);
            complain(rd, key, path, f);
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (!est_view_eq(map->keys[j]->text, key->text))
                continue;
            char full[EST_SLOT_PATH];
            est_line_printf(full, sizeof(full), "%s%s%.*s", path, path[0] ? "." : "",
                            (int)key->text.len, key->text.data);
            est_line_printf(line, sizeof(line), "%u", map->keys[j]->line);
            complain(rd, key, full, est_message_fault(EST_MESSAGE_DUPLICATE, line, NULL));
            break;
        }
    }
    return true;
}

/* --- one value --- */

static void read_map(struct reader *rd, const struct est_field *f, const struct est_yaml *node,
                     const char *path)
{
    if (!check_keys(rd, node, path))
        return;
    for (size_t i = 0; i < node->n; i++) {
        const struct est_yaml *value = node->values[i];
        char env[EST_SLOT_ENV], full[EST_SLOT_PATH];
        struct est_field one = *f;
        est_line_printf(full, sizeof(full), "%s.%.*s", path, (int)node->keys[i]->text.len,
                        node->keys[i]->text.data);
        est_slot_env(full, env);
        one.secret_env = env;
        if (value->kind != EST_YAML_TEXT)
            complain(rd, value, full,
                     kind_fault(est_keys_find(&est_keys_root, "producer.source"), value));
        else
            complain(rd, node->keys[i], full,
                     est_field_set_pair(&one, node->keys[i]->text, value->text));
    }
}

static void read_list(struct reader *rd, const struct est_field *f, const struct est_yaml *node,
                      const char *path)
{
    for (size_t i = 0; i < node->n; i++) {
        const struct est_yaml *item = node->values[i];
        struct est_fault fault =
            item->kind == EST_YAML_TEXT ? est_field_set(f, item->text) : kind_fault(f->key, item);
        complain(rd, item, path, fault);
        if (fault.message == EST_MESSAGE_TOO_MANY)
            return;
    }
}

static struct est_fault no_value(const struct est_key *key)
{
    struct est_fault f = {.message = EST_MESSAGE_NO_VALUE};

    est_message_arg(&f, 1, est_keys_expected(key->kind, EST_LANG_EN),
                    est_keys_expected(key->kind, EST_LANG_PT));
    est_message_arg(&f, 2, key->def[0] ? key->def : "empty", key->def[0] ? key->def : "vazio");
    return f;
}

static void read_value(struct reader *rd, const struct est_slot *slot, const struct est_yaml *node)
{
    struct est_field f = {.key = slot->key,
                          .base = slot->base,
                          .in_file = true,
                          .folder = rd->folder,
                          .secret_env = slot->old_env[0] ? slot->old_env : slot->env};
    enum est_shape shape = est_keys_shape(slot->key->kind);

    *slot->origin = (struct est_origin){EST_FROM_FILE, node->line, node->column, NULL};
    if (node->kind == EST_YAML_NULL) {
        complain(rd, node, slot->path, no_value(slot->key));
        return;
    }
    if (shape != EST_SHAPE_TEXT)
        est_field_clear(slot->key, slot->base);
    if (shape == EST_SHAPE_LIST && node->kind == EST_YAML_LIST)
        read_list(rd, &f, node, slot->path);
    else if (shape == EST_SHAPE_MAP && node->kind == EST_YAML_MAP)
        read_map(rd, &f, node, slot->path);
    else if (shape != EST_SHAPE_MAP && node->kind == EST_YAML_TEXT)
        complain(rd, node, slot->path, est_field_set(&f, node->text));
    else
        complain(rd, node, slot->path, kind_fault(slot->key, node));
}

/* --- a section: keys below one prefix --- */

/* The names that may stand below `prefix` ("kafka."), for the nearest one and for the list. */
static void offer_names(struct est_config *cfg, const char *prefix, struct est_nearest *near,
                        char *list, size_t max)
{
    struct est_slot_iter it = {0};
    struct est_slot slot;
    size_t len = strlen(prefix), at = 0;

    while (est_slot_next(cfg, &it, &slot)) {
        if (strncmp(slot.path, prefix, len) != 0)
            continue;
        const char *name = slot.key->path + (strlen(slot.key->path) - strlen(slot.path + len));
        est_nearest_offer(near, est_view_str(name));
        if (at < max)
            at += (size_t)snprintf(list + at, max - at, "%s%s", at ? ", " : "", name);
    }
}

/* A key of another place that fits better: its whole path then is the answer. */
static void offer_elsewhere(struct est_config *cfg, struct est_nearest *near,
                            char path[EST_SLOT_PATH])
{
    struct est_nearest other = *near;
    struct est_slot_iter it = {0};
    struct est_slot slot;

    while (est_slot_next(cfg, &it, &slot)) {
        size_t distance = other.distance;
        est_nearest_offer(&other, est_view_str(strrchr(slot.path, '.') + 1));
        if (other.distance >= distance)
            continue;
        est_line_copy(path, EST_SLOT_PATH, est_view_str(slot.path));
        near->best = est_view_str(path);
    }
}

static void unknown_key(struct reader *rd, const struct est_yaml *key, const char *prefix)
{
    char list[EST_MESSAGE_ARG_LEN] = "", elsewhere[EST_SLOT_PATH], best[EST_SLOT_PATH],
         full[EST_SLOT_PATH], name[96];
    struct est_nearest near;

    est_nearest_init(&near, key->text);
    offer_names(rd->cfg, prefix, &near, list, sizeof(list));
    offer_elsewhere(rd->cfg, &near, elsewhere);
    est_line_copy(name, sizeof(name), key->text);
    est_line_printf(full, sizeof(full), "%s%s", prefix, name);
    est_line_copy(best, sizeof(best), near.best);
    complain(rd, key, full,
             near.best.data ? est_message_fault(EST_MESSAGE_UNKNOWN_NEAR, name, best)
                            : est_message_fault(EST_MESSAGE_UNKNOWN, name, list));
}

static void read_section(struct reader *rd, const struct est_yaml *node, const char *prefix)
{
    char path[EST_SLOT_PATH];
    struct est_slot slot;

    if (node->kind == EST_YAML_NULL)
        return;
    est_line_printf(path, sizeof(path), "%.*s", (int)strlen(prefix) - 1, prefix);
    if (node->kind != EST_YAML_MAP) {
        complain(rd, node, path, section_fault(node));
        return;
    }
    if (!check_keys(rd, node, path))
        return;
    for (size_t i = 0; i < node->n; i++) {
        struct est_view name = node->keys[i]->text;
        est_line_printf(path, sizeof(path), "%s%.*s", prefix, (int)name.len, name.data);
        if (name.len < EST_SLOT_PATH / 2 && est_slot_find(rd->cfg, path, &slot))
            read_value(rd, &slot, node->values[i]);
        else
            unknown_key(rd, node->keys[i], prefix);
    }
}

/* --- destinations and types: sections with a name --- */

static bool is_entry_name(struct est_view name)
{
    return name.len > 0 && name.len <= 64 && est_check_is_name(name) &&
           memchr(name.data, '.', name.len) == NULL;
}

static void bad_entry_name(struct reader *rd, const struct est_yaml *key, const char *section)
{
    struct est_fault f = {.message = EST_MESSAGE_BAD_NAME};
    char name[80];

    est_line_copy(name, sizeof(name), key->text);
    est_message_arg(&f, 1, name, name);
    est_message_arg(&f, 2, "at most 64 letters, digits, hyphens and underscores",
                    "até 64 letras, dígitos, hífens e sublinhados");
    complain(rd, key, section, f);
}

static bool has_key(const struct est_yaml *map, const char *name)
{
    for (size_t i = 0; map->kind == EST_YAML_MAP && i < map->n; i++)
        if (est_view_is(map->keys[i]->text, name))
            return true;
    return false;
}

/* A type that is not built in must say what it is: else it is one of ours, misspelt. */
static bool check_own_type(struct reader *rd, const struct est_yaml *key,
                           const struct est_yaml *value, const char *name)
{
    struct est_nearest near;
    char best[96], path[EST_SLOT_PATH];

    if (has_key(value, "events") && has_key(value, "schema"))
        return true;
    est_nearest_init(&near, key->text);
    for (size_t i = 0; i < est_builtin_types_n; i++)
        est_nearest_offer(&near, est_view_str(est_builtin_types[i].name));
    est_line_copy(best, sizeof(best), near.best);
    est_line_printf(path, sizeof(path), "types.%s", name);
    complain(rd, key, path,
             near.best.data ? est_message_fault(EST_MESSAGE_UNKNOWN_TYPE_NEAR, name, best)
                            : est_message_fault(EST_MESSAGE_UNKNOWN_TYPE, name, NULL));
    return false;
}

static bool open_type(struct reader *rd, const struct est_yaml *key, const struct est_yaml *value,
                      const char *name)
{
    if (est_config_type(rd->cfg, name) != NULL)
        return true;
    if (!check_own_type(rd, key, value, name))
        return false;
    if (est_build_type(rd->cfg, name) != NULL)
        return true;
    complain(rd, key, name, est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL));
    return false;
}

static bool open_destination(struct reader *rd, const struct est_yaml *key,
                             const struct est_yaml *value, const char *name)
{
    (void)value;
    if (est_config_destination(rd->cfg, name) != NULL)
        return true;
    if (est_build_destination(rd->cfg, name) != NULL)
        return true;
    complain(rd, key, name, est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL));
    return false;
}

typedef bool open_entry(struct reader *rd, const struct est_yaml *key, const struct est_yaml *value,
                        const char *name);

static void read_entries(struct reader *rd, const struct est_yaml *node, const char *section,
                         size_t max, open_entry *open)
{
    char name[80], prefix[EST_SLOT_PATH], most[24];

    if (!check_keys(rd, node, section))
        return;
    if (node->n > max) {
        est_line_printf(most, sizeof(most), "%zu", max);
        complain(rd, node, section, est_message_fault(EST_MESSAGE_TOO_MANY, most, NULL));
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        if (!is_entry_name(node->keys[i]->text)) {
            bad_entry_name(rd, node->keys[i], section);
            continue;
        }
        est_line_copy(name, sizeof(name), node->keys[i]->text);
        est_line_printf(prefix, sizeof(prefix), "%s.%s.", section, name);
        if (open(rd, node->keys[i], node->values[i], name))
            read_section(rd, node->values[i], prefix);
    }
}

static void read_types(struct reader *rd, const struct est_yaml *node)
{
    if (node->kind == EST_YAML_NULL)
        return;
    if (node->kind != EST_YAML_MAP)
        complain(rd, node, "types", section_fault(node));
    else
        read_entries(rd, node, "types", EST_CONFIG_TYPES_MAX - est_builtin_types_n, open_type);
}

static void read_destinations(struct reader *rd, const struct est_yaml *node)
{
    if (node->kind == EST_YAML_NULL)
        return;
    if (node->kind != EST_YAML_MAP) {
        complain(rd, node, "destinations", section_fault(node));
        return;
    }
    if (node->n == 0)
        complain(rd, node, "destinations", est_message_fault(EST_MESSAGE_NONE_LEFT, NULL, NULL));
    est_build_drop_destinations(rd->cfg);
    read_entries(rd, node, "destinations", EST_CONFIG_DESTINATIONS_MAX, open_destination);
}

/* --- the whole --- */

static bool is_section(struct est_view name)
{
    for (size_t i = 0; i < est_keys_root.n; i++) {
        const struct est_key *key = &est_keys_root.items[i];
        if (est_view_eq(name, est_view(key->path, est_keys_section(key))))
            return true;
    }
    return false;
}

static void unknown_section(struct reader *rd, const struct est_yaml *key)
{
    static const char known[] = "kafka, schema_registry, redis, producer, consumer, destinations, "
                                "dashboard, log, types";
    char name[80], best[96], elsewhere[EST_SLOT_PATH];
    struct est_nearest near;

    est_nearest_init(&near, key->text);
    for (size_t i = 0; i < est_keys_root.n; i++)
        est_nearest_offer(&near, est_view(est_keys_root.items[i].path,
                                          est_keys_section(&est_keys_root.items[i])));
    est_nearest_offer(&near, EST_VIEW_LIT("destinations"));
    est_nearest_offer(&near, EST_VIEW_LIT("types"));
    offer_elsewhere(rd->cfg, &near, elsewhere);
    est_line_copy(name, sizeof(name), key->text);
    est_line_copy(best, sizeof(best), near.best);
    complain(rd, key, name,
             near.best.data ? est_message_fault(EST_MESSAGE_UNKNOWN_NEAR, name, best)
                            : est_message_fault(EST_MESSAGE_UNKNOWN, name, known));
}

static void read_top(struct reader *rd, const struct est_yaml *key, const struct est_yaml *value)
{
    char prefix[EST_SLOT_PATH];

    if (est_view_is(key->text, "types")) {
        read_types(rd, value);
    } else if (est_view_is(key->text, "destinations")) {
        read_destinations(rd, value);
    } else if (is_section(key->text)) {
        est_line_printf(prefix, sizeof(prefix), "%.*s.", (int)key->text.len, key->text.data);
        read_section(rd, value, prefix);
    } else {
        unknown_section(rd, key);
    }
}

void est_read_tree(struct est_config *cfg, const struct est_yaml *root,
                   struct est_config_report *rp)
{
    struct reader rd = {.cfg = cfg, .report = rp};

    est_build_folder(cfg, rd.folder, sizeof(rd.folder));
    if (root == NULL || root->kind == EST_YAML_NULL)
        return;
    if (root->kind != EST_YAML_MAP) {
        complain(&rd, root, "", section_fault(root));
        return;
    }
    if (!check_keys(&rd, root, ""))
        return;
    for (size_t i = 0; i < root->n; i++)
        read_top(&rd, root->keys[i], root->values[i]);
}
