#include "compile_parts.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    NODES_MAX = 8192,   /* types written in one schema */
    SYMBOLS_MAX = 4096, /* of one enum */
    BRANCHES_MAX = 32,  /* of one union */
    FIXED_MAX = 1 << 20,
};

est_err est_compile_fault(struct est_compile *c, const struct est_compile_place *pl,
                          const char *fmt, ...)
{
    char where[96], what[128];
    va_list ap;

    est_path_format(pl->at, where, sizeof(where));
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return est_why_set(c->why, EST_ERR_SCHEMA, "%s: %s", where[0] ? where : "/", what);
}

est_err est_compile_no_memory(struct est_compile *c)
{
    return est_why_set(c->why, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
}

static est_err compile_any(struct est_compile *c, yyjson_val *v, const struct est_compile_place *pl,
                           struct est_plan **ret);

struct est_plan *est_compile_new(struct est_compile *c, enum est_plan_kind kind,
                                 struct est_view name)
{
    struct est_plan *p = est_arena_calloc(c->arena, 1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->kind = kind;
    p->name = name;
    p->depth = 1;
    return p;
}

est_err est_compile_child(struct est_compile *c, yyjson_val *v, const struct est_compile_place *pl,
                          const struct est_path *step, struct est_plan **ret)
{
    struct est_compile_place below = {step, pl->space, pl->depth + 1};

    return compile_any(c, v, &below, ret);
}

void est_compile_count(struct est_plan *p, const struct est_plan *child)
{
    if (child->depth + 1 > p->depth)
        p->depth = child->depth + 1;
    if (child->slots > p->slots)
        p->slots = child->slots;
}

bool est_compile_string(yyjson_val *obj, const char *name, struct est_view *ret)
{
    yyjson_val *v = yyjson_obj_get(obj, name);

    if (v == NULL)
        return true;
    if (!yyjson_is_str(v))
        return false;
    *ret = est_json_tree_text(v);
    return true;
}

bool est_compile_number(yyjson_val *obj, const char *name, unsigned max, unsigned *ret)
{
    unsigned long long n;
    yyjson_val *v = yyjson_obj_get(obj, name);

    if (!yyjson_is_raw(v) || !est_view_u64(est_json_tree_text(v), max, &n))
        return false;
    *ret = (unsigned)n;
    return true;
}

/* --- types --- */

static const struct {
    const char *name;
    enum est_plan_kind kind;
    size_t min_size;
} primitives[] = {
    {"null", EST_PLAN_NULL, 0},   {"boolean", EST_PLAN_BOOLEAN, 1}, {"int", EST_PLAN_INT, 1},
    {"long", EST_PLAN_LONG, 1},   {"float", EST_PLAN_FLOAT, 4},     {"double", EST_PLAN_DOUBLE, 8},
    {"bytes", EST_PLAN_BYTES, 1}, {"string", EST_PLAN_STRING, 1},
};

static est_err compile_name(struct est_compile *c, yyjson_val *v,
                            const struct est_compile_place *pl, struct est_plan **ret)
{
    struct est_view name = est_json_tree_text(v);

    for (size_t i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++) {
        if (!est_view_is(name, primitives[i].name))
            continue;
        *ret = est_compile_new(c, primitives[i].kind, name);
        if (*ret == NULL)
            return est_compile_no_memory(c);
        (*ret)->min_size = primitives[i].min_size;
        return EST_OK;
    }
    return est_compile_name_refer(c, v, pl, ret);
}

static est_err compile_enum(struct est_compile *c, yyjson_val *obj,
                            const struct est_compile_place *pl, struct est_plan **ret)
{
    yyjson_val *list = yyjson_obj_get(obj, "symbols"), *dflt = yyjson_obj_get(obj, "default"),
               *item;
    struct est_view space, *symbols;
    bool has_default = dflt == NULL;
    size_t idx, max;
    est_err err = est_compile_name_define(c, obj, EST_PLAN_ENUM, pl, &space, ret);

    if (err)
        return err;
    if (yyjson_arr_size(list) == 0 || yyjson_arr_size(list) > SYMBOLS_MAX)
        return est_compile_fault(c, pl, "\"symbols\" must be an array of 1 to %d names",
                                 SYMBOLS_MAX);
    if ((symbols = est_arena_calloc(c->arena, yyjson_arr_size(list), sizeof(*symbols))) == NULL)
        return est_compile_no_memory(c);
    yyjson_arr_foreach(list, idx, max, item) {
        if (!yyjson_is_str(item) || !est_text_is_name(est_json_tree_text(item)))
            return est_compile_fault(c, pl, "symbol %zu is not a name", idx);
        symbols[idx] = est_json_tree_text(item);
        for (size_t i = 0; i < idx; i++)
            if (est_view_eq(symbols[i], symbols[idx]))
                return est_compile_fault(c, pl, "symbol %zu stands twice", idx);
        has_default |= yyjson_is_str(dflt) && est_view_eq(est_json_tree_text(dflt), symbols[idx]);
    }
    if (!has_default)
        return est_compile_fault(c, pl, "the enum's \"default\" is none of its symbols");
    (*ret)->symbols = symbols;
    (*ret)->n = yyjson_arr_size(list);
    (*ret)->min_size = 1;
    return EST_OK;
}

static est_err compile_fixed(struct est_compile *c, yyjson_val *obj,
                             const struct est_compile_place *pl, struct est_plan **ret)
{
    struct est_view space;
    unsigned size = 0;
    est_err err = est_compile_name_define(c, obj, EST_PLAN_FIXED, pl, &space, ret);

    if (err)
        return err;
    if (!est_compile_number(obj, "size", FIXED_MAX, &size) || size == 0)
        return est_compile_fault(c, pl, "\"size\" must be an integer from 1 to %d", FIXED_MAX);
    (*ret)->n = (*ret)->min_size = size;
    return EST_OK;
}

static est_err compile_sequence(struct est_compile *c, yyjson_val *obj, enum est_plan_kind kind,
                                const char *member, const struct est_compile_place *pl,
                                struct est_plan **ret)
{
    struct est_path step = {pl->at, est_view_str(member), 0};
    yyjson_val *items = yyjson_obj_get(obj, member);
    struct est_plan *child;
    est_err err;

    if (items == NULL)
        return est_compile_fault(c, pl, "\"%s\" is missing", member);
    if ((err = est_compile_child(c, items, pl, &step, &child)) != EST_OK)
        return err;
    if (child->min_size == 0)
        return est_compile_fault(
            c, pl, "\"%s\" of no size: a few bytes could announce any number of them", member);
    *ret = est_compile_new(c, kind, est_view_str(kind == EST_PLAN_ARRAY ? "array" : "map"));
    if (*ret == NULL)
        return est_compile_no_memory(c);
    (*ret)->items = child;
    (*ret)->min_size = 1;
    est_compile_count(*ret, child);
    return EST_OK;
}

static est_err compile_array(struct est_compile *c, yyjson_val *obj,
                             const struct est_compile_place *pl, struct est_plan **ret)
{
    return compile_sequence(c, obj, EST_PLAN_ARRAY, "items", pl, ret);
}

static est_err compile_map(struct est_compile *c, yyjson_val *obj,
                           const struct est_compile_place *pl, struct est_plan **ret)
{
    return compile_sequence(c, obj, EST_PLAN_MAP, "values", pl, ret);
}

static est_err compile_union(struct est_compile *c, yyjson_val *list,
                             const struct est_compile_place *pl, struct est_plan **ret)
{
    size_t n = yyjson_arr_size(list), idx, max;
    struct est_plan *p = est_compile_new(c, EST_PLAN_UNION, EST_VIEW_LIT("union"));
    struct est_plan **branches = est_arena_calloc(c->arena, n, sizeof(*branches));
    yyjson_val *item;

    if (p == NULL || branches == NULL)
        return est_compile_no_memory(c);
    if (n == 0 || n > BRANCHES_MAX)
        return est_compile_fault(c, pl, "a union has 1 to %d branches", BRANCHES_MAX);
    p->null_branch = n;
    p->n = n;
    p->branches = (const struct est_plan *const *)branches;
    yyjson_arr_foreach(list, idx, max, item) {
        struct est_path step = {pl->at, EST_VIEW_NONE, idx};
        est_err err = est_compile_child(c, item, pl, &step, &branches[idx]);
        if (err)
            return err;
        if (branches[idx]->kind == EST_PLAN_UNION)
            return est_compile_fault(c, pl, "a union stands directly in a union");
        for (size_t i = 0; i < idx; i++)
            if (est_view_eq(branches[i]->name, branches[idx]->name))
                return est_compile_fault(c, pl, "branches %zu and %zu are of one type", i, idx);
        if (branches[idx]->kind == EST_PLAN_NULL)
            p->null_branch = idx;
        est_compile_count(p, branches[idx]);
    }
    p->min_size = 1;
    *ret = p;
    return EST_OK;
}

static est_err compile_object(struct est_compile *c, yyjson_val *obj,
                              const struct est_compile_place *pl, struct est_plan **ret)
{
    static const struct {
        const char *type;
        est_err (*fn)(struct est_compile *, yyjson_val *, const struct est_compile_place *,
                      struct est_plan **);
    } rows[] = {{"record", est_compile_record},
                {"enum", compile_enum},
                {"fixed", compile_fixed},
                {"array", compile_array},
                {"map", compile_map}};
    yyjson_val *type = yyjson_obj_get(obj, "type");
    size_t first_name = c->n_names;
    est_err err;

    if (!yyjson_is_str(type))
        return est_compile_fault(c, pl, "an object here needs a \"type\" that is a string");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!est_view_is(est_json_tree_text(type), rows[i].type))
            continue;
        err = rows[i].fn(c, obj, pl, ret);
        if (err == EST_OK && first_name < c->n_names)
            c->is_open[first_name] = false;
        return err ? err : est_compile_logical(c, obj, *ret, pl);
    }
    if ((err = compile_name(c, type, pl, ret)) != EST_OK)
        return err;
    if ((*ret)->kind > EST_PLAN_STRING)
        return est_compile_fault(c, pl,
                                 "a reference to a named type is the bare name, not an object");
    err = est_compile_logical(c, obj, *ret, pl);
    return err ? err : est_compile_logical_ours(c, obj, *ret, pl);
}

static est_err compile_any(struct est_compile *c, yyjson_val *v, const struct est_compile_place *pl,
                           struct est_plan **ret)
{
    est_err err;

    if (pl->depth > EST_PLAN_DEPTH_MAX)
        return est_compile_fault(c, pl, "types nested more than %d deep", EST_PLAN_DEPTH_MAX);
    if (++c->n_nodes > NODES_MAX)
        return est_compile_fault(c, pl, "more than %d types", NODES_MAX);
    if (yyjson_is_str(v))
        err = compile_name(c, v, pl, ret);
    else if (yyjson_is_obj(v))
        err = compile_object(c, v, pl, ret);
    else if (yyjson_is_arr(v))
        err = compile_union(c, v, pl, ret);
    else
        return est_compile_fault(c, pl, "a type is a name, an object or an array");
    if (err == EST_OK && (*ret)->depth > EST_PLAN_DEPTH_MAX)
        return est_compile_fault(c, pl, "types nested more than %d deep", EST_PLAN_DEPTH_MAX);
    return err;
}

est_err est_compile(struct est_arena *arena, yyjson_val *root, const struct est_plan **ret,
                    struct est_why *reterr)
{
    struct est_compile c = {.arena = arena, .why = reterr};
    struct est_compile_place top = {NULL, EST_VIEW_NONE, 1};
    struct est_plan *plan = NULL;
    est_err err = compile_any(&c, root, &top, &plan);

    if (err == EST_OK)
        *ret = plan;
    return err;
}
