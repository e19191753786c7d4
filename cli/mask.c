#include "mask.h"

#include "base/view.h"

enum { NAME_MAX_SHOWN = 40, PATH_MAX_SHOWN = 4096 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(struct est_view name)
{
    if (name.len == 0 || name.len > NAME_MAX_SHOWN || !is_letter(name.data[0]))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.data[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return true;
}

static void put_leaf(struct est_buf *out, const struct est_buf *path, const struct est_value *v)
{
    bool yes;

    est_buf_puts(out, "  ");
    est_buf_put_view(out, path->len > 0 ? est_buf_view(path) : EST_VIEW_LIT("/"));
    est_buf_puts(out, "  ");
    switch (est_json_type(v)) {
    case EST_JSON_NULL: est_buf_puts(out, "null"); break;
    case EST_JSON_BOOL: est_buf_puts(out, est_json_bool(v, &yes) && yes ? "true" : "false"); break;
    case EST_JSON_STRING:
        est_buf_printf(out, "%s, %zu", est_json_type_name(v), est_json_string(v).len);
        break;
    case EST_JSON_NUMBER: est_buf_puts(out, est_json_type_name(v)); break;
    case EST_JSON_ARRAY:
    case EST_JSON_OBJECT:
        est_buf_printf(out, "%s, %zu", est_json_type_name(v), est_json_size(v));
        break;
    }
    est_buf_putc(out, '\n');
}

/* JSON nests no deeper than its reader lets it. */
static void walk(struct est_buf *out, struct est_buf *path, const struct est_value *v)
{
    bool is_array = est_json_type(v) == EST_JSON_ARRAY;
    struct est_json_iter it = {.begun = false};
    const struct est_value *item;
    struct est_view name = EST_VIEW_NONE;
    size_t len = path->len, i = 0;

    if ((!is_array && est_json_type(v) != EST_JSON_OBJECT) || est_json_size(v) == 0) {
        put_leaf(out, path, v);
        return;
    }
    while (est_json_each(v, &it, &name, &item)) {
        est_buf_putc(path, '/');
        if (is_array)
            est_buf_put_u64(path, i++);
        else
            est_buf_put_view(path, is_name(name) ? name : EST_VIEW_LIT("*"));
        walk(out, path, item);
        est_buf_truncate(path, len);
    }
}

void mask_put(struct est_buf *out, const struct est_value *v)
{
    struct est_buf path;

    est_buf_init(&path, PATH_MAX_SHOWN);
    walk(out, &path, v);
    est_buf_fini(&path);
}
