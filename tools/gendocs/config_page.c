#include "pages.h"

#include "config/keys.h"
#include "config/line.h"
#include "config/slot.h"

#include <string.h>

static const char *const section_titles[][2] = {
    {"kafka", "The cluster that keeps the events."},
    {"schema_registry", "Optional: a registry that knows the schemas by number."},
    {"redis", "Where events wait while Kafka is unreachable."},
    {"producer", "The shim that bots post to."},
    {"consumer", "The members of the group that deliver."},
    {"dashboard", "The reference dashboard."},
    {"log", "What the daemons log."},
};

static void put_default(struct est_buf *out, const struct est_key *key)
{
    if (key->def[0] != '\0')
        est_buf_printf(out, "`%s`", key->def);
    else
        est_buf_puts(out, key->kind == EST_KIND_SECRET ? "not set" : "empty");
}

static void put_bounds(struct est_buf *out, const struct est_key *key)
{
    if (key->kind == EST_KIND_CHOICE || key->kind == EST_KIND_URL)
        est_buf_printf(out, "%s: %s", key->kind == EST_KIND_URL ? "schemes" : "one of", key->unit);
    else if (key->min[0] != '\0')
        est_buf_printf(out, "%s to %s%s%s", key->min, key->max, key->unit[0] ? " " : "", key->unit);
    else if (key->max[0] != '\0')
        est_buf_printf(out, "at most %s", key->max);
}

static void put_row(struct est_buf *out, const struct est_key *key, const char *prefix)
{
    char path[EST_SLOT_PATH], env[EST_SLOT_ENV];
    bool is_map = est_keys_shape(key->kind) == EST_SHAPE_MAP;

    est_line_printf(path, sizeof(path), "%s%s", prefix, key->path);
    est_slot_env(path, env);
    est_buf_printf(out, "### `%s`\n\n%s\n\n", path, key->doc);
    est_buf_printf(out, "- Kind: %s", est_keys_title(key->kind));
    if (key->min[0] != '\0' || key->max[0] != '\0' || key->kind == EST_KIND_CHOICE ||
        key->kind == EST_KIND_URL) {
        est_buf_puts(out, " (");
        put_bounds(out, key);
        est_buf_putc(out, ')');
    }
    est_buf_puts(out, "\n- Default: ");
    put_default(out, key);
    est_buf_printf(out, "\n- Environment: `%s%s`", env, is_map ? "_<NAME>" : "");
    if (key->old_env[0] != '\0')
        est_buf_printf(out, ", `%s`%s", key->old_env,
                       prefix[0] ? " (destination `dashboard`)" : "");
    est_buf_puts(out, "\n\n");
}

static void put_section(struct est_buf *out, const char *name, const char *title)
{
    size_t n = strlen(name);

    est_buf_printf(out, "## %s\n\n%s\n\n", name, title);
    for (size_t i = 0; i < est_keys_root.n; i++) {
        const struct est_key *key = &est_keys_root.items[i];
        if (est_keys_section(key) == n && strncmp(key->path, name, n) == 0)
            put_row(out, key, "");
    }
}

static void put_types(struct est_buf *out)
{
    est_buf_puts(
        out,
        "## types\n\nThe built-in types are there without being named; a file names one to change "
        "it, and only the keys that it gives are changed. A type of your own needs `events` and "
        "`schema`. Names are letters, digits, hyphens and underscores. The topic of a type is "
        "`kafka.topic_prefix` and its name.\n\n"
        "| type | priority | events | ordering key |\n|---|---|---|---|\n");
    for (size_t i = 0; i < est_builtin_types_n; i++) {
        const struct est_builtin_type *t = &est_builtin_types[i];
        est_buf_printf(out, "| `%s` | %s | %s | %s |\n", t->name, t->priority,
                       t->events[0] ? t->events : "everything that no type lists", t->key);
    }
    est_buf_putc(out, '\n');
    for (size_t i = 0; i < est_keys_type.n; i++)
        put_row(out, &est_keys_type.items[i], "types.<name>.");
}

void page_config(struct est_buf *out)
{
    est_buf_puts(
        out,
        "# Configuration\n\n<!-- Made from lib/config/*.def by tools/gendocs. -->\n\n"
        "One file, `pipeline.yaml`: the one that `-c FILE` names, else `$ESTEIRA_CONFIG`, else "
        "`./pipeline.yaml`, else `/etc/esteira/pipeline.yaml`, else none. Every key has a default; "
        "an empty file is a valid one. The environment wins over the file; an empty variable "
        "counts as not set. `esteira check` prints what is in force and where each value came "
        "from.\n\n"
        "- **Durations**: `500ms`, `1.5s`, `10m`, `12h`, `7d`; a bare number is milliseconds.\n"
        "- **Sizes**: `512`, `64KiB`, `16MiB`, `1GiB`; a bare number is bytes.\n"
        "- **Lists** in the environment are separated by commas.\n"
        "- **Secrets** (tokens, passwords) never stand in the file: name a file that holds them, "
        "or "
        "use the environment.\n"
        "- **Files**: a relative path in pipeline.yaml is relative to the folder of pipeline.yaml; "
        "in the environment, to the working directory.\n"
        "- An unknown key, a value out of bounds and values that contradict each other are errors: "
        "nothing starts, and all of them are named at once.\n"
        "- Editors that know YAML language servers complete and check the file with "
        "`# yaml-language-server: $schema=docs/pipeline.schema.json`.\n\n");
    for (size_t i = 0; i < sizeof(section_titles) / sizeof(section_titles[0]); i++)
        put_section(out, section_titles[i][0], section_titles[i][1]);
    est_buf_puts(
        out,
        "## destinations\n\nWho receives the events; each destination gets all of them, through "
        "a consumer group of its own. Without this section there is one, called `dashboard`; "
        "a file that has the section names all of them.\n\n");
    for (size_t i = 0; i < est_keys_destination.n; i++)
        put_row(out, &est_keys_destination.items[i], "destinations.<name>.");
    put_types(out);
    est_buf_truncate(out, out->len - 1);
}
