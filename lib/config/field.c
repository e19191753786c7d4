#include "config/field.h"

#include "base/assert.h"
#include "base/mem.h"
#include "config/check.h"
#include "config/config.h"
#include "config/line.h"
#include "config/unit.h"
#include "config/url.h"

#include <string.h>

enum { TEXT_MAX = 1024, ITEMS_MAX = 1000 };

static void *place_of(const struct est_key *key, void *base)
{
    return (char *)base + key->offset;
}

static const void *const_place_of(const struct est_key *key, const void *base)
{
    return (const char *)base + key->offset;
}

static struct est_fault no_memory(void)
{
    return est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
}

/* --- numbers: duration, size, count --- */

struct number_kind {
    est_err (*parse)(struct est_view text, uint64_t *ret);
    void (*put)(struct est_buf *out, uint64_t n);
    void (*store)(void *place, uint64_t n);
    uint64_t (*load)(const void *place);
};

static est_err parse_duration(struct est_view text, uint64_t *ret)
{
    est_us d;
    est_err err = est_unit_duration(text, &d);

    if (!err)
        *ret = (uint64_t)d;
    return err;
}

static est_err parse_size(struct est_view text, uint64_t *ret)
{
    size_t n;
    est_err err = est_unit_size(text, &n);

    if (!err)
        *ret = n;
    return err;
}

static est_err parse_count(struct est_view text, uint64_t *ret)
{
    unsigned n;
    est_err err = est_unit_count(text, &n);

    if (!err)
        *ret = n;
    return err;
}

static void put_duration(struct est_buf *out, uint64_t n)
{
    est_unit_put_duration(out, (est_us)n);
}

static void put_size(struct est_buf *out, uint64_t n)
{
    est_unit_put_size(out, (size_t)n);
}

static void store_duration(void *place, uint64_t n)
{
    *(est_us *)place = (est_us)n;
}

static void store_size(void *place, uint64_t n)
{
    *(size_t *)place = (size_t)n;
}

static void store_count(void *place, uint64_t n)
{
    *(unsigned *)place = (unsigned)n;
}

static uint64_t load_duration(const void *place)
{
    return (uint64_t) * (const est_us *)place;
}

static uint64_t load_size(const void *place)
{
    return *(const size_t *)place;
}

static uint64_t load_count(const void *place)
{
    return *(const unsigned *)place;
}

static const struct number_kind numbers[EST_KINDS] = {
    [EST_KIND_DURATION] = {parse_duration, put_duration, store_duration, load_duration},
    [EST_KIND_SIZE] = {parse_size, put_size, store_size, load_size},
    [EST_KIND_COUNT] = {parse_count, est_buf_put_u64, store_count, load_count},
};

/* The unit of a count is English, like the keys; the Portuguese sentence does without. */
static struct est_fault bound_fault(enum est_message m, const struct est_key *key,
                                    struct est_view text, const char *bound)
{
    char found[EST_MESSAGE_ARG_LEN], with_unit[EST_MESSAGE_ARG_LEN];
    struct est_fault f;

    est_message_quote(text, found);
    est_line_printf(with_unit, sizeof(with_unit), key->unit[0] ? "%s (%s)" : "%s", bound,
                    key->unit);
    f = est_message_fault(m, found, NULL);
    est_message_arg(&f, 2, with_unit, bound);
    return f;
}

static struct est_fault number_fault(const struct est_key *key, struct est_view text, est_err err)
{
    char found[EST_MESSAGE_ARG_LEN], meant[EST_UNIT_TEXT];

    if (err == EST_ERR_RANGE)
        return bound_fault(EST_MESSAGE_MAX, key, text, key->max);
    est_message_quote(text, found);
    if (est_unit_guess(text, key->kind == EST_KIND_DURATION, meant))
        return est_message_fault(EST_MESSAGE_UNIT, found, meant);
    return est_check_type_fault(key, found, found);
}

static struct est_fault set_number(const struct est_field *f, struct est_view text)
{
    const struct number_kind *nk = &numbers[f->key->kind];
    uint64_t n, bound;
    est_err err = nk->parse(text, &n);

    if (err)
        return number_fault(f->key, text, err);
    if (f->key->min[0] != '\0' && nk->parse(est_view_str(f->key->min), &bound) == EST_OK &&
        n < bound)
        return bound_fault(EST_MESSAGE_MIN, f->key, text, f->key->min);
    if (f->key->max[0] != '\0' && nk->parse(est_view_str(f->key->max), &bound) == EST_OK &&
        n > bound)
        return bound_fault(EST_MESSAGE_MAX, f->key, text, f->key->max);
    nk->store(place_of(f->key, f->base), n);
    return EST_NO_FAULT;
}

uint64_t est_field_number(const struct est_key *key, const void *base)
{
    EST_ASSERT(numbers[key->kind].load != NULL);
    return numbers[key->kind].load(const_place_of(key, base));
}

/* --- texts, lists, maps --- */

static bool replace(char **at, char *text)
{
    if (text == NULL)
        return false;
    est_free(*at);
    *at = text;
    return true;
}

static char *joined(const char *folder, struct est_view path)
{
    struct est_buf b;
    char *text;

    est_buf_init(&b, (size_t)TEXT_MAX * 8);
    est_buf_puts(&b, folder);
    est_buf_putc(&b, '/');
    est_buf_put_view(&b, path);
    text = est_buf_err(&b) ? NULL : est_strndup(b.data, b.len);
    est_buf_fini(&b);
    return text;
}

static bool is_relative_to_folder(const struct est_field *f, struct est_view text)
{
    return (f->key->kind == EST_KIND_FILE || f->key->kind == EST_KIND_SCHEMA) && f->in_file &&
           text.len > 0 && text.data[0] != '/' && f->folder[0] != '\0';
}

static struct est_fault set_text(const struct est_field *f, struct est_view text)
{
    char **at = place_of(f->key, f->base);
    bool relative = is_relative_to_folder(f, text);

    if (!replace(at, relative ? joined(f->folder, text) : est_strndup(text.data, text.len)))
        return no_memory();
    return EST_NO_FAULT;
}

static struct est_fault add_item(const struct est_field *f, struct est_view text)
{
    struct est_strings *list = place_of(f->key, f->base);
    char **items;

    if (list->n >= est_check_items_max(f->key))
        return est_message_fault(EST_MESSAGE_TOO_MANY, f->key->max, NULL);
    items = est_realloc(list->items, (list->n + 1) * sizeof(*items));
    if (items == NULL)
        return no_memory();
    list->items = items;
    items[list->n] = est_strndup(text.data, text.len);
    if (items[list->n] == NULL)
        return no_memory();
    list->n++;
    return EST_NO_FAULT;
}

static struct est_fault set_choice(const struct est_field *f, struct est_view text)
{
    size_t choice;
    struct est_fault fault = est_check_choice(f->key, text, &choice);

    if (fault.message == EST_MESSAGE_NONE)
        *(unsigned *)place_of(f->key, f->base) = (unsigned)choice;
    return fault;
}

struct est_fault est_field_set(const struct est_field *f, struct est_view text)
{
    struct est_fault fault;

    if (text.data == NULL)
        text = EST_VIEW_LIT("");
    if (numbers[f->key->kind].parse != NULL)
        return set_number(f, text);
    if (f->key->kind == EST_KIND_CHOICE)
        return set_choice(f, text);
    fault = est_check_text(f, text);
    if (fault.message != EST_MESSAGE_NONE)
        return fault;
    return est_keys_shape(f->key->kind) == EST_SHAPE_LIST ? add_item(f, text) : set_text(f, text);
}

static struct est_pair *pair_of(struct est_pairs *map, struct est_view name)
{
    for (size_t i = 0; i < map->n; i++)
        if (est_view_ieq(est_view_str(map->items[i].name), name))
            return &map->items[i];
    return NULL;
}

static struct est_fault add_pair(struct est_pairs *map, struct est_view name, struct est_view value)
{
    struct est_pair *items, pair;

    if (map->n >= ITEMS_MAX)
        return est_message_fault(EST_MESSAGE_TOO_MANY, "1000", NULL);
    items = est_realloc(map->items, (map->n + 1) * sizeof(*items));
    if (items == NULL)
        return no_memory();
    map->items = items;
    pair.name = est_strndup(name.data, name.len);
    pair.value = est_strndup(value.data, value.len);
    if (pair.name == NULL || pair.value == NULL) {
        est_free(pair.name);
        est_free(pair.value);
        return no_memory();
    }
    items[map->n++] = pair;
    return EST_NO_FAULT;
}

struct est_fault est_field_set_pair(const struct est_field *f, struct est_view name,
                                    struct est_view value)
{
    struct est_pairs *map = place_of(f->key, f->base);
    struct est_fault fault = est_check_pair(f, name, value);
    struct est_pair *pair = pair_of(map, name);

    if (fault.message != EST_MESSAGE_NONE)
        return fault;
    if (pair == NULL)
        return add_pair(map, name, value);
    return replace(&pair->value, est_strndup(value.data, value.len)) ? EST_NO_FAULT : no_memory();
}

static void clear_list(struct est_strings *list)
{
    for (size_t i = 0; i < list->n; i++)
        est_free(list->items[i]);
    est_free(list->items);
    *list = (struct est_strings){.items = NULL};
}

static void clear_map(struct est_pairs *map)
{
    for (size_t i = 0; i < map->n; i++) {
        est_free(map->items[i].name);
        est_free(map->items[i].value);
    }
    est_free(map->items);
    *map = (struct est_pairs){.items = NULL};
}

void est_field_clear(const struct est_key *key, void *base)
{
    void *place = place_of(key, base);

    if (est_keys_shape(key->kind) == EST_SHAPE_LIST) {
        clear_list(place);
    } else if (est_keys_shape(key->kind) == EST_SHAPE_MAP) {
        clear_map(place);
    } else if (numbers[key->kind].parse == NULL && key->kind != EST_KIND_CHOICE) {
        est_free(*(char **)place);
        *(char **)place = NULL;
    }
}

bool est_field_set_default(const struct est_key *key, void *base)
{
    struct est_field f = {.key = key, .base = base, .folder = ""};
    struct est_fault fault;

    if (est_keys_shape(key->kind) != EST_SHAPE_TEXT && key->def[0] == '\0')
        return true;
    if (key->def[0] == '\0')
        return replace(place_of(key, base), est_strdup(""));
    fault = est_field_set(&f, est_view_str(key->def));
    EST_ASSERT(fault.message == EST_MESSAGE_NONE || fault.message == EST_MESSAGE_NOMEM);
    return fault.message == EST_MESSAGE_NONE;
}

/* --- out --- */

static void show_list(const struct est_strings *list, struct est_buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        est_buf_puts(out, i > 0 ? ", " : "");
        est_buf_puts(out, list->items[i]);
    }
}

static void show_map(const struct est_key *key, const struct est_pairs *map, struct est_buf *out)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct est_pair *p = &map->items[i];
        est_buf_printf(out, "%s%s=", i > 0 ? ", " : "", p->name);
        est_buf_puts(out, est_check_is_secret(key, est_view_str(p->name)) ? "(set)" : p->value);
    }
}

static void show_choice(const struct est_key *key, unsigned choice, struct est_buf *out)
{
    const char *name = key->unit;

    for (; choice > 0; choice--)
        name += strcspn(name, " ") + 1;
    est_buf_put(out, name, strcspn(name, " "));
}

static void show_url(const char *text, struct est_buf *out)
{
    struct est_view url = est_view_str(text), secret;

    while ((secret = est_url_secret(url, text)).len > 0) {
        est_buf_put(out, text, (size_t)(secret.data - text));
        est_buf_puts(out, "(set)");
        text = secret.data + secret.len;
    }
    est_buf_puts(out, text);
}

static void show_text(const struct est_key *key, const char *text, struct est_buf *out)
{
    if (key->kind == EST_KIND_SECRET)
        est_buf_puts(out, text[0] != '\0' ? "(set)" : "(not set)");
    else if (key->kind == EST_KIND_URL)
        show_url(text, out);
    else
        est_buf_puts(out, text);
}

void est_field_show(const struct est_key *key, const void *base, struct est_buf *out)
{
    const void *place = const_place_of(key, base);

    if (numbers[key->kind].put != NULL)
        numbers[key->kind].put(out, numbers[key->kind].load(place));
    else if (key->kind == EST_KIND_CHOICE)
        show_choice(key, *(const unsigned *)place, out);
    else if (est_keys_shape(key->kind) == EST_SHAPE_LIST)
        show_list(place, out);
    else if (est_keys_shape(key->kind) == EST_SHAPE_MAP)
        show_map(key, place, out);
    else
        show_text(key, *(char *const *)place, out);
}
