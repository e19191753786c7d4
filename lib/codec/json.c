#include "json.h"

#include "base/assert.h"
#include "base/mem.h"
#include "json_tree.h"
#include "number.h"
#include "text.h"

const struct est_json_limits est_json_limits_default = {.depth_max = 64, .memory_max = 64u << 20};

est_err est_json_new(const struct est_json_limits *limits, struct est_json **ret)
{
    struct est_json *js = est_alloc(sizeof(*js));

    if (js == NULL)
        return EST_ERR_NOMEM;
    est_json_tree_init(js, limits);
    *ret = js;
    return EST_OK;
}

void est_json_free(struct est_json *js)
{
    if (js == NULL)
        return;
    est_json_tree_fini(js);
    est_free(js);
}

void est_json_clear(struct est_json *js)
{
    est_arena_clear(&js->arena);
}

est_err est_json_parse(struct est_json *js, struct est_view text, const struct est_value **ret,
                       struct est_reject *reject)
{
    yyjson_val *root = NULL;
    est_err err = est_json_tree_read(js, text, &root, reject);

    if (err == EST_OK)
        err = est_json_tree_check(js, root, NULL, reject);
    if (err == EST_OK)
        *ret = (const struct est_value *)root;
    return err;
}

/* A struct est_value is never defined: it is what this folder calls a yyjson_val. */
static yyjson_val *yy(const struct est_value *v)
{
    return (yyjson_val *)(uintptr_t)v;
}

static const struct est_value *value(yyjson_val *v)
{
    return (const struct est_value *)v;
}

enum est_json_type est_json_type(const struct est_value *v)
{
    static const enum est_json_type types[] = {
        [YYJSON_TYPE_NONE] = EST_JSON_NULL,  [YYJSON_TYPE_RAW] = EST_JSON_NUMBER,
        [YYJSON_TYPE_NULL] = EST_JSON_NULL,  [YYJSON_TYPE_BOOL] = EST_JSON_BOOL,
        [YYJSON_TYPE_NUM] = EST_JSON_NUMBER, [YYJSON_TYPE_STR] = EST_JSON_STRING,
        [YYJSON_TYPE_ARR] = EST_JSON_ARRAY,  [YYJSON_TYPE_OBJ] = EST_JSON_OBJECT,
    };

    return types[yyjson_get_type(yy(v))];
}

const char *est_json_type_name(const struct est_value *v)
{
    static const char *const names[] = {
        [EST_JSON_NULL] = "null",       [EST_JSON_BOOL] = "a boolean",
        [EST_JSON_NUMBER] = "a number", [EST_JSON_STRING] = "a string",
        [EST_JSON_ARRAY] = "an array",  [EST_JSON_OBJECT] = "an object",
    };

    return v == NULL ? "nothing" : names[est_json_type(v)];
}

const struct est_value *est_json_get(const struct est_value *obj, const char *name)
{
    return value(yyjson_obj_get(yy(obj), name));
}

size_t est_json_size(const struct est_value *v)
{
    return yyjson_is_ctn(yy(v)) ? unsafe_yyjson_get_len(yy(v)) : 0;
}

bool est_json_each(const struct est_value *container, struct est_json_iter *it,
                   struct est_view *ret_name, const struct est_value **ret)
{
    bool is_object = yyjson_is_obj(yy(container));
    yyjson_val *v;

    if (!it->begun) {
        it->begun = true;
        it->left = est_json_size(container);
        it->next = it->left > 0 ? value(unsafe_yyjson_get_first(yy(container))) : NULL;
    }
    if (it->left == 0)
        return false;
    it->left--;
    v = yy(it->next);
    if (ret_name != NULL)
        *ret_name = is_object ? est_json_tree_text(v) : EST_VIEW_NONE;
    if (is_object)
        v++; /* yyjson keeps a member's value right behind its name */
    *ret = value(v);
    it->next = value(unsafe_yyjson_get_next(v));
    return true;
}

struct est_view est_json_string(const struct est_value *v)
{
    return yyjson_is_str(yy(v)) ? est_json_tree_text(yy(v)) : EST_VIEW_NONE;
}

struct est_view est_json_number(const struct est_value *v)
{
    return yyjson_is_raw(yy(v)) ? est_json_tree_text(yy(v)) : EST_VIEW_NONE;
}

bool est_json_bool(const struct est_value *v, bool *ret)
{
    if (!yyjson_is_bool(yy(v)))
        return false;
    *ret = yyjson_get_bool(yy(v));
    return true;
}

bool est_json_i64(const struct est_value *v, int64_t *ret)
{
    return yyjson_is_raw(yy(v)) && est_number_i64(est_json_tree_text(yy(v)), ret) == EST_NUMBER_OK;
}

struct est_view est_json_id(const struct est_value *v)
{
    struct est_view text;

    if (!yyjson_is_str(yy(v)) && !yyjson_is_raw(yy(v)))
        return EST_VIEW_NONE;
    text = est_json_tree_text(yy(v));
    if (yyjson_is_raw(yy(v)))
        return est_json_tree_is_integer(text) ? text : EST_VIEW_NONE;
    return text.len > 0 ? text : EST_VIEW_NONE;
}

static void put_value(struct est_buf *b, yyjson_val *v);

static void put_array(struct est_buf *b, yyjson_val *v)
{
    size_t idx, max;
    yyjson_val *item;

    est_buf_putc(b, '[');
    yyjson_arr_foreach(v, idx, max, item) {
        if (idx > 0)
            est_buf_putc(b, ',');
        put_value(b, item);
    }
    est_buf_putc(b, ']');
}

static void put_object(struct est_buf *b, yyjson_val *v)
{
    size_t idx, max;
    yyjson_val *key, *item;

    est_buf_putc(b, '{');
    yyjson_obj_foreach(v, idx, max, key, item) {
        if (idx > 0)
            est_buf_putc(b, ',');
        (void)est_text_put(b, est_json_tree_text(key));
        est_buf_putc(b, ':');
        put_value(b, item);
    }
    est_buf_putc(b, '}');
}

/* Recursion is bounded by the reader's depth_max. Text came through the reader, so it is UTF-8. */
static void put_value(struct est_buf *b, yyjson_val *v)
{
    switch (est_json_type(value(v))) {
    case EST_JSON_NULL: est_buf_puts(b, "null"); break;
    case EST_JSON_BOOL: est_buf_puts(b, yyjson_get_bool(v) ? "true" : "false"); break;
    case EST_JSON_NUMBER: est_buf_put_view(b, est_json_tree_text(v)); break;
    case EST_JSON_STRING: (void)est_text_put(b, est_json_tree_text(v)); break;
    case EST_JSON_ARRAY: put_array(b, v); break;
    case EST_JSON_OBJECT: put_object(b, v); break;
    default: EST_UNREACHABLE("a JSON type");
    }
}

void est_json_put_value(struct est_buf *b, const struct est_value *v)
{
    put_value(b, yy(v));
}
