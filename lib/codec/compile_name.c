#include "compile_parts.h"

#include "text.h"

#include <string.h>

static bool is_dotted_name(struct est_view v)
{
    while (v.len > 0) {
        const char *dot = memchr(v.data, '.', v.len);
        size_t n = dot ? (size_t)(dot - v.data) : v.len;
        if (!est_text_is_name(est_view(v.data, n)))
            return false;
        if (dot == NULL)
            return true;
        v = est_view(dot + 1, v.len - n - 1);
    }
    return false;
}

/* The full name of a definition or reference, and the namespace that it opens (ret_space). */
static est_err full_name(struct est_compile *c, struct est_view name, struct est_view space,
                         const struct est_compile_place *pl, struct est_view *ret,
                         struct est_view *ret_space)
{
    const char *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    char *full;

    if (!is_dotted_name(name))
        return est_compile_fault(c, pl,
                                 "\"name\" must be letters, digits and _, beginning with no digit");
    if (dot != NULL) {
        *ret = name;
        *ret_space = est_view(name.data, (size_t)(dot - name.data));
        return EST_OK;
    }
    *ret_space = space;
    if (space.len == 0) {
        *ret = name;
        return EST_OK;
    }
    if ((full = est_arena_alloc(c->arena, space.len + 1 + name.len)) == NULL)
        return est_compile_no_memory(c);
    memcpy(full, space.data, space.len);
    full[space.len] = '.';
    memcpy(full + space.len + 1, name.data, name.len);
    *ret = est_view(full, space.len + 1 + name.len);
    return EST_OK;
}

static size_t name_find(const struct est_compile *c, struct est_view full)
{
    size_t i = 0;

    while (i < c->n_names && !est_view_eq(c->names[i]->name, full))
        i++;
    return i;
}

est_err est_compile_name_refer(struct est_compile *c, yyjson_val *v,
                               const struct est_compile_place *pl, struct est_plan **ret)
{
    struct est_view full, space;
    est_err err = full_name(c, est_json_tree_text(v), pl->space, pl, &full, &space);
    size_t i;

    if (err)
        return est_compile_fault(c, pl, "not a type");
    i = name_find(c, full);
    if (i == c->n_names)
        return est_compile_fault(c, pl, "no type of the name \"%.*s\" before this place",
                                 (int)full.len, full.data);
    if (c->is_open[i])
        return est_compile_fault(c, pl, "\"%.*s\" contains itself, and recursion is not supported",
                                 (int)full.len, full.data);
    *ret = c->names[i];
    return EST_OK;
}

bool est_compile_name_is_list(yyjson_val *v)
{
    size_t idx, max;
    yyjson_val *item;

    if (v == NULL)
        return true;
    if (!yyjson_is_arr(v))
        return false;
    yyjson_arr_foreach(v, idx, max, item)
        if (!yyjson_is_str(item) || !is_dotted_name(est_json_tree_text(item)))
            return false;
    return true;
}

est_err est_compile_name_define(struct est_compile *c, yyjson_val *obj, enum est_plan_kind kind,
                                const struct est_compile_place *pl, struct est_view *ret_space,
                                struct est_plan **ret)
{
    struct est_view name = EST_VIEW_NONE, space = pl->space, doc = EST_VIEW_NONE, full;
    est_err err;

    if (!est_compile_string(obj, "name", &name) || name.data == NULL)
        return est_compile_fault(c, pl, "a named type needs a \"name\"");
    if (!est_compile_string(obj, "namespace", &space) || (space.len > 0 && !is_dotted_name(space)))
        return est_compile_fault(c, pl, "\"namespace\" must be names joined by dots");
    if (!est_compile_string(obj, "doc", &doc) ||
        !est_compile_name_is_list(yyjson_obj_get(obj, "aliases")))
        return est_compile_fault(c, pl, "\"doc\" must be a string, \"aliases\" an array of names");
    if ((err = full_name(c, name, space, pl, &full, ret_space)) != EST_OK)
        return err;
    if (name_find(c, full) < c->n_names)
        return est_compile_fault(c, pl, "\"%.*s\" is defined twice", (int)full.len, full.data);
    if (c->n_names == EST_COMPILE_NAMES_MAX)
        return est_compile_fault(c, pl, "more than %d named types", EST_COMPILE_NAMES_MAX);
    if ((*ret = est_compile_new(c, kind, full)) == NULL)
        return est_compile_no_memory(c);
    c->is_open[c->n_names] = true;
    c->names[c->n_names++] = *ret;
    return EST_OK;
}
