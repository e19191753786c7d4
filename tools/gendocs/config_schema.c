#include "pages.h"

#include "base/jsonw.h"
#include "config/keys.h"
#include "config/line.h"

#include <stdlib.h>
#include <string.h>

/* What an editor can check of each kind. The rest — contradictions, secrets, near names — is the
 * parser's. */
static const char *const kind_schemas[EST_KINDS] = {
    [EST_KIND_TEXT] = "\"type\": \"string\"",
    [EST_KIND_NAME] = "\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9._-]*$\"",
    [EST_KIND_PREFIX] = "\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9._:-]*$\"",
    [EST_KIND_SECRET] = NULL,
    [EST_KIND_BROKERS] = "\"type\": \"string\", \"pattern\": \"^[^,]+:[0-9]+(,[^,]+:[0-9]+)*$\"",
    [EST_KIND_URL] = "\"type\": \"string\"",
    [EST_KIND_FILE] = "\"type\": \"string\"",
    [EST_KIND_SCHEMA] = "\"type\": \"string\"",
    [EST_KIND_LISTEN] = "\"$ref\": \"#/$defs/address\"",
    [EST_KIND_LISTENS] =
        "\"anyOf\": [{\"$ref\": \"#/$defs/address\"}, "
        "{\"type\": \"array\", \"maxItems\": 8, \"items\": {\"$ref\": \"#/$defs/address\"}}]",
    [EST_KIND_NAMES] = "\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}",
    [EST_KIND_POINTERS] = "\"type\": [\"string\", \"array\"], "
                          "\"items\": {\"type\": \"string\", \"pattern\": \"^/\"}",
    [EST_KIND_OPTIONS] =
        "\"type\": \"object\", "
        "\"additionalProperties\": {\"type\": [\"string\", \"number\", \"boolean\"]}",
    [EST_KIND_HEADERS] =
        "\"type\": \"object\", "
        "\"additionalProperties\": {\"type\": [\"string\", \"number\", \"boolean\"]}",
    [EST_KIND_DURATION] = "\"$ref\": \"#/$defs/duration\"",
    [EST_KIND_SIZE] = "\"$ref\": \"#/$defs/size\"",
    [EST_KIND_COUNT] = "\"type\": \"integer\"",
    [EST_KIND_CHOICE] = "",
};

static void put_choices(struct est_buf *out, const char *names)
{
    est_buf_puts(out, "\"enum\": [");
    while (*names != '\0') {
        size_t n = strcspn(names, " ");
        est_json_put_string(out, est_view(names, n));
        names += n;
        if (*names == ' ') {
            est_buf_puts(out, ", ");
            names++;
        }
    }
    est_buf_putc(out, ']');
}

static void put_default(struct est_buf *out, const struct est_key *key)
{
    if (key->def[0] == '\0')
        return;
    est_buf_puts(out, ", \"default\": ");
    if (key->kind == EST_KIND_COUNT)
        est_buf_puts(out, key->def);
    else
        est_json_put_str(out, key->def);
}

static void put_property(struct est_buf *out, const struct est_key *key, const char *indent,
                         bool first)
{
    const char *name = key->path + (strchr(key->path, '.') ? est_keys_section(key) + 1 : 0);

    est_buf_printf(out, "%s\n%s\"%s\": {", first ? "" : ",", indent, name);
    if (key->kind == EST_KIND_CHOICE)
        put_choices(out, key->unit);
    else
        est_buf_puts(out, kind_schemas[key->kind]);
    if (key->kind == EST_KIND_COUNT)
        est_buf_printf(out, ", \"minimum\": %s, \"maximum\": %s", key->min, key->max);
    put_default(out, key);
    est_buf_printf(out, ",\n%s \"description\": ", indent);
    est_json_put_str(out, key->doc);
    est_buf_putc(out, '}');
}

static void put_properties(struct est_buf *out, const struct est_keys *keys, const char *section,
                           const char *indent)
{
    size_t n = strlen(section);
    bool first = true;

    for (size_t i = 0; i < keys->n; i++) {
        const struct est_key *key = &keys->items[i];
        if (key->kind == EST_KIND_SECRET)
            continue;
        if (n > 0 && (est_keys_section(key) != n || strncmp(key->path, section, n) != 0))
            continue;
        put_property(out, key, indent, first);
        first = false;
    }
}

static bool begins_section(size_t i)
{
    const struct est_key *key = &est_keys_root.items[i], *before = key - 1;

    return i == 0 || est_keys_section(key) != est_keys_section(before) ||
           strncmp(key->path, before->path, est_keys_section(key)) != 0;
}

static void put_sections(struct est_buf *out)
{
    char section[64];

    for (size_t i = 0; i < est_keys_root.n; i++) {
        const struct est_key *key = &est_keys_root.items[i];
        if (!begins_section(i))
            continue;
        est_line_copy(section, sizeof(section), est_view(key->path, est_keys_section(key)));
        est_buf_printf(out,
                       "    \"%s\": {\n      \"type\": [\"object\", \"null\"], "
                       "\"additionalProperties\": false, \"properties\": {",
                       section);
        put_properties(out, &est_keys_root, section, "        ");
        est_buf_puts(out, "\n      }\n    },\n");
    }
}

static void put_named(struct est_buf *out, const char *name, const struct est_keys *keys,
                      const char *end)
{
    est_buf_printf(out,
                   "    \"%s\": {\n      \"type\": [\"object\", \"null\"],\n"
                   "      \"propertyNames\": {\"pattern\": \"^[A-Za-z0-9_-]{1,64}$\"},\n"
                   "      \"additionalProperties\": {\"type\": [\"object\", \"null\"], "
                   "\"additionalProperties\": false, \"properties\": {",
                   name);
    put_properties(out, keys, "", "        ");
    est_buf_printf(out, "\n      }}\n    }%s\n", end);
}

void page_config_schema(struct est_buf *out)
{
    est_buf_puts(out, "{\n"
                      "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                      "  \"title\": \"pipeline.yaml of Esteira\",\n"
                      "  \"$comment\": \"Made from lib/config/keys.def by tools/gendocs.\",\n"
                      "  \"type\": [\"object\", \"null\"],\n"
                      "  \"additionalProperties\": false,\n"
                      "  \"properties\": {\n");
    put_sections(out);
    put_named(out, "destinations", &est_keys_destination, ",");
    put_named(out, "types", &est_keys_type, "");
    est_buf_puts(
        out,
        "  },\n"
        "  \"$defs\": {\n"
        "    \"duration\": {\"type\": [\"string\", \"integer\"], \"minimum\": 0, "
        "\"pattern\": \"^[0-9]+([.][0-9]{1,6})? ?(us|ms|s|m|h|d)?$\"},\n"
        "    \"size\": {\"type\": [\"string\", \"integer\"], \"minimum\": 0, "
        "\"pattern\": \"^[0-9]+([.][0-9]{1,6})? ?(B|KiB|MiB|GiB|TiB)?$\"},\n"
        "    \"address\": {\"type\": \"string\", \"pattern\": \"^(unix:/.+|.+:[0-9]{1,5})$\"}\n"
        "  }\n"
        "}\n");
}
