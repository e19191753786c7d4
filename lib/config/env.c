#include "config/env.h"

#include "base/mem.h"
#include "config/field.h"
#include "config/line.h"
#include "config/nearest.h"
#include "config/slot.h"

#include <stdlib.h>
#include <string.h>

extern char **environ;

static const char *value_of(const char *name)
{
    const char *value = name[0] != '\0' ? getenv(name) : NULL;

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static void complain(struct est_config_report *rp, const char *env, const char *path,
                     struct est_fault fault)
{
    est_report_add(rp, env, 0, 0, path, &fault);
}

static void set_origin(struct est_slot *slot, const char *env)
{
    est_free(slot->origin->env);
    *slot->origin = (struct est_origin){.from = EST_FROM_ENV, .env = est_strdup(env)};
}

static struct est_fault set_list(const struct est_field *f, const char *value)
{
    struct est_fault fault = EST_NO_FAULT;

    est_field_clear(f->key, f->base);
    while (fault.message == EST_MESSAGE_NONE && *value != '\0') {
        size_t n = strcspn(value, ",");
        fault = est_field_set(f, est_view_trim(est_view(value, n)));
        value += n + (value[n] == ',');
    }
    return fault;
}

static void overlay_value(struct est_slot *slot, struct est_config_report *rp)
{
    struct est_field f = {
        .key = slot->key, .base = slot->base, .folder = "", .secret_env = slot->env};
    const char *env = value_of(slot->env) != NULL ? slot->env : slot->old_env;
    const char *value = value_of(env);

    if (value == NULL)
        return;
    set_origin(slot, env);
    if (est_keys_shape(slot->key->kind) == EST_SHAPE_LIST)
        complain(rp, env, slot->path, set_list(&f, value));
    else
        complain(rp, env, slot->path, est_field_set(&f, est_view_str(value)));
}

/* A map's entries have variables of their own: ESTEIRA_KAFKA_OPTIONS_SASL_PASSWORD is the property
 * sasl.password, ESTEIRA_DESTINATIONS_DASHBOARD_HEADERS_X_SHOP the field X-SHOP. */
static void overlay_pair(struct est_slot *slot, const char *env, const char *name,
                         const char *value, struct est_config_report *rp)
{
    struct est_field f = {
        .key = slot->key, .base = slot->base, .folder = "", .secret_env = slot->env};
    bool is_option = slot->key->kind == EST_KIND_OPTIONS;
    char pair[EST_SLOT_PATH];
    size_t n = 0;

    for (; name[n] != '\0' && n + 1 < sizeof(pair); n++) {
        char c = name[n];
        if (c == '_')
            c = is_option ? '.' : '-';
        pair[n] = is_option && c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    set_origin(slot, env);
    complain(rp, env, slot->path, est_field_set_pair(&f, est_view(pair, n), est_view_str(value)));
}

static void overlay_map(struct est_slot *slot, struct est_config_report *rp)
{
    size_t len = strlen(slot->env);
    char env[EST_SLOT_ENV];

    for (char **e = environ; e != NULL && *e != NULL; e++) {
        size_t n = strcspn(*e, "=");
        if (strncmp(*e, slot->env, len) != 0 || (*e)[len] != '_' || (*e)[n] == '\0' ||
            (*e)[n + 1] == '\0')
            continue;
        if (n >= sizeof(env))
            continue;
        est_line_printf(env, sizeof(env), "%.*s", (int)n, *e);
        overlay_pair(slot, env, env + len + 1, *e + n + 1, rp);
    }
}

/* --- variables that look like ours and are none --- */

static bool is_known(struct est_config *cfg, const char *env, struct est_nearest *near,
                     char best[EST_SLOT_ENV])
{
    struct est_slot_iter it = {0};
    struct est_slot slot;
    size_t distance = near->distance;

    while (est_slot_next(cfg, &it, &slot)) {
        size_t len = strlen(slot.env);
        if (strcmp(env, slot.env) == 0)
            return true;
        if (est_keys_shape(slot.key->kind) == EST_SHAPE_MAP && strncmp(env, slot.env, len) == 0 &&
            env[len] == '_')
            return true;
        est_nearest_offer(near, est_view_str(slot.env));
        if (near->distance < distance)
            est_line_printf(best, EST_SLOT_ENV, "%s", slot.env);
        distance = near->distance;
    }
    return false;
}

/* Only names below a section of ours are judged: other programs' ESTEIRA_… variables, such as
 * ESTEIRA_URL of the clients, are not the configuration's business. */
static bool is_in_a_section(const char *env)
{
    char prefix[EST_SLOT_ENV];

    for (size_t i = 0; i < est_keys_root.n; i++) {
        const struct est_key *key = &est_keys_root.items[i];
        char section[64];
        est_line_printf(section, sizeof(section), "%.*s.", (int)est_keys_section(key), key->path);
        est_slot_env(section, prefix);
        if (strncmp(env, prefix, strlen(prefix)) == 0)
            return true;
    }
    return strncmp(env, "ESTEIRA_TYPES_", 14) == 0 ||
           strncmp(env, "ESTEIRA_DESTINATIONS_", 21) == 0;
}

static void refuse_unknown(struct est_config *cfg, struct est_config_report *rp)
{
    char env[EST_SLOT_ENV], best[EST_SLOT_ENV];

    for (char **e = environ; e != NULL && *e != NULL; e++) {
        struct est_nearest near;
        est_line_printf(env, sizeof(env), "%.*s", (int)strcspn(*e, "="), *e);
        if (!is_in_a_section(env) || value_of(env) == NULL)
            continue;
        best[0] = '\0';
        est_nearest_init(&near, est_view_str(env));
        if (is_known(cfg, env, &near, best))
            continue;
        complain(rp, env, "",
                 best[0] ? est_message_fault(EST_MESSAGE_UNKNOWN_ENV_NEAR, best, NULL)
                         : est_message_fault(EST_MESSAGE_UNKNOWN_ENV, NULL, NULL));
    }
}

/* DASHBOARD_URL and its like speak of the destination "dashboard"; a file without one would have
 * them ignored in silence, and the events delivered elsewhere than their owner thinks. */
static void refuse_orphans(struct est_config *cfg, struct est_config_report *rp)
{
    if (est_config_destination(cfg, "dashboard") != NULL)
        return;
    for (size_t i = 0; i < est_keys_destination.n; i++) {
        const char *env = est_keys_destination.items[i].old_env;
        if (value_of(env) != NULL)
            complain(rp, env, "destinations",
                     est_message_fault(EST_MESSAGE_NO_DASHBOARD, NULL, NULL));
    }
}

void est_env_overlay(struct est_config *cfg, struct est_config_report *rp)
{
    struct est_slot_iter it = {0};
    struct est_slot slot;

    while (est_slot_next(cfg, &it, &slot)) {
        if (est_keys_shape(slot.key->kind) == EST_SHAPE_MAP)
            overlay_map(&slot, rp);
        else
            overlay_value(&slot, rp);
    }
    refuse_orphans(cfg, rp);
    refuse_unknown(cfg, rp);
}
