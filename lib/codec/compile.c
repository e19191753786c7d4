#include "compile.h"

#include "encode.h"
#include "number.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    NAMES_MAX = 512,    /* named types of one schema */
    NODES_MAX = 8192,   /* nodes of one plan */
    SYMBOLS_MAX = 4096, /* of one enum */
    BRANCHES_MAX = 32,  /* of one union */
    FIXED_MAX = 1 << 20,
    DEFAULT_MAX = 64 * 1024, /* bytes of one encoded default */
};

struct compile {
    struct est_arena *arena;
    struct est_plan *names[NAMES_MAX];
    bool is_open[NAMES_MAX]; /* its body is being read: a reference now is recursion */
    size_t n_names, n_nodes;
    struct est_why *why;
};

/* Where the walk is: the namespace that unqualified names get, how deep, and the way there. */
struct place {
    const struct est_path *at;
    struct est_view space;
    unsigned depth;
};

static est_err fault(struct compile *c, const struct place *pl, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static est_err fault(struct compile *c, const struct place *pl, const char *fmt, ...)
{
    char where[96], what[128];
    va_list ap;

    est_path_format(pl->at, where, sizeof(where));
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return est_why_set(c->why, EST_ERR_SCHEMA, "%s: %s", where[0] ? where : "/", what);
}

static est_err no_memory(struct compile *c)
{
    return est_why_set(c->why, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
}

static est_err compile_any(struct compile *c, yyjson_val *v, const struct place *pl,
                           struct est_plan **ret);

static struct est_plan *new_plan(struct compile *c, enum est_plan_kind kind, struct est_view name)
{
    struct est_plan *p = est_arena_calloc(c->arena, 1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->kind = kind;
    p->name = name;
    p->depth = 1;
    return p;
}

/* The child below `step`, one deeper. */
static est_err compile_child(struct compile *c, yyjson_val *v, const struct place *pl,
                             const struct est_path *step, struct est_plan **ret)
{
    struct place below = {step, pl->space, pl->depth + 1};

    return compile_any(c, v, &below, ret);
}

static void count_child(struct est_plan *p, const struct est_plan *child)
{
    if (child->depth + 1 > p->depth)
        p->depth = child->depth + 1;
    if (child->slots > p->slots)
        p->slots = child->slots;
}

/* --- names --- */

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
static est_err full_name(struct compile *c, struct est_view name, struct est_view space,
                         const struct place *pl, struct est_view *ret, struct est_view *ret_space)
{
    const char *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    char *full;

    if (!is_dotted_name(name))
        return fault(c, pl, "\"name\" must be letters, digits and _, beginning with no digit");
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
        return no_memory(c);
    memcpy(full, space.data, space.len);
    full[space.len] = '.';
    memcpy(full + space.len + 1, name.data, name.len);
    *ret = est_view(full, space.len + 1 + name.len);
    return EST_OK;
}

static size_t name_find(const struct compile *c, struct est_view full)
{
    size_t i = 0;

    while (i < c->n_names && !est_view_eq(c->names[i]->name, full))
        i++;
    return i;
}

static est_err compile_reference(struct compile *c, yyjson_val *v, const struct place *pl,
                                 struct est_plan **ret)
{
    struct est_view full, space;
    est_err err = full_name(c, est_json_tree_text(v), pl->space, pl, &full, &space);
    size_t i;

    if (err)
        return fault(c, pl, "not a type");
    i = name_find(c, full);
    if (i == c->n_names)
        return fault(c, pl, "no type of the name \"%.*s\" before this place", (int)full.len, full.data);
    if (c->is_open[i])
        return fault(c, pl, "\"%.*s\" contains itself, and recursion is not supported", (int)full.len,
                     full.data);
    *ret = c->names[i];
    return EST_OK;
}

static bool optional_string(yyjson_val *obj, const char *name, struct est_view *ret)
{
    yyjson_val *v = yyjson_obj_get(obj, name);

    if (v == NULL)
        return true;
    if (!yyjson_is_str(v))
        return false;
    *ret = est_json_tree_text(v);
    return true;
}

static bool is_alias_list(yyjson_val *v)
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

/* Enter a named type into the table; `space` becomes the namespace inside it. */
static est_err define(struct compile *c, yyjson_val *obj, enum est_plan_kind kind,
                      const struct place *pl, struct est_view *ret_space, struct est_plan **ret)
{
    struct est_view name = EST_VIEW_NONE, space = pl->space, doc = EST_VIEW_NONE, full;
    est_err err;

    if (!optional_string(obj, "name", &name) || name.data == NULL)
        return fault(c, pl, "a named type needs a \"name\"");
    if (!optional_string(obj, "namespace", &space) || (space.len > 0 && !is_dotted_name(space)))
        return fault(c, pl, "\"namespace\" must be names joined by dots");
    if (!optional_string(obj, "doc", &doc) || !is_alias_list(yyjson_obj_get(obj, "aliases")))
        return fault(c, pl, "\"doc\" must be a string, \"aliases\" an array of names");
    if ((err = full_name(c, name, space, pl, &full, ret_space)) != EST_OK)
        return err;
    if (name_find(c, full) < c->n_names)
        return fault(c, pl, "\"%.*s\" is defined twice", (int)full.len, full.data);
    if (c->n_names == NAMES_MAX)
        return fault(c, pl, "more than %d named types", NAMES_MAX);
    if ((*ret = new_plan(c, kind, full)) == NULL)
        return no_memory(c);
    c->is_open[c->n_names] = true;
    c->names[c->n_names++] = *ret;
    return EST_OK;
}

/* --- attributes --- */

/* The string plan that our attribute on a field or string type is about, or NULL. */
static struct est_plan *string_under(struct est_plan *p)
{
    const struct est_plan *under = est_plan_nullable(p);

    p = under ? (struct est_plan *)(uintptr_t)under : p;
    return p->kind == EST_PLAN_STRING ? p : NULL;
}

static est_err apply_ours(struct compile *c, yyjson_val *obj, struct est_plan *p,
                          const struct place *pl)
{
    struct est_plan *string = string_under(p);
    struct est_view word = EST_VIEW_NONE;

    if (yyjson_obj_get(obj, "esteira") == NULL)
        return EST_OK;
    if (string == NULL || string->logical != EST_PLAN_PLAIN)
        return fault(c, pl, "\"esteira\" stands on strings and nullable strings only");
    (void)optional_string(obj, "esteira", &word);
    if (est_view_is(word, "id"))
        string->logical = EST_PLAN_ID;
    else if (est_view_is(word, "json"))
        string->logical = EST_PLAN_JSON;
    else
        return fault(c, pl, "\"esteira\" is \"id\" or \"json\"");
    return EST_OK;
}

static bool small_number(yyjson_val *obj, const char *name, unsigned max, unsigned *ret)
{
    unsigned long long n;
    yyjson_val *v = yyjson_obj_get(obj, name);

    if (!yyjson_is_raw(v) || !est_view_u64(est_json_tree_text(v), max, &n))
        return false;
    *ret = (unsigned)n;
    return true;
}

static est_err apply_decimal(struct compile *c, yyjson_val *obj, struct est_plan *p,
                             const struct place *pl)
{
    if (!small_number(obj, "precision", EST_NUMBER_PRECISION_MAX, &p->precision) || p->precision == 0)
        return fault(c, pl, "a decimal needs a \"precision\" of 1 to %d", EST_NUMBER_PRECISION_MAX);
    if (yyjson_obj_get(obj, "scale") != NULL && !small_number(obj, "scale", p->precision, &p->scale))
        return fault(c, pl, "\"scale\" must be an integer from 0 to the precision");
    return EST_OK;
}

static est_err apply_logical(struct compile *c, yyjson_val *obj, struct est_plan *p,
                             const struct place *pl)
{
    static const struct {
        const char *name;
        enum est_plan_kind kind;
        enum est_plan_logical logical;
    } rows[] = {
        {"decimal", EST_PLAN_BYTES, EST_PLAN_DECIMAL},
        {"timestamp-millis", EST_PLAN_LONG, EST_PLAN_TIMESTAMP_MILLIS},
        {"timestamp-micros", EST_PLAN_LONG, EST_PLAN_TIMESTAMP_MICROS},
        {"uuid", EST_PLAN_STRING, EST_PLAN_UUID},
    };
    struct est_view name = EST_VIEW_NONE;

    if (!optional_string(obj, "logicalType", &name))
        return fault(c, pl, "\"logicalType\" must be a string");
    if (name.data == NULL)
        return EST_OK;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!est_view_is(name, rows[i].name))
            continue;
        if (p->kind != rows[i].kind)
            return fault(c, pl, "logical type \"%s\" does not go with this type", rows[i].name);
        p->logical = rows[i].logical;
        return p->logical == EST_PLAN_DECIMAL ? apply_decimal(c, obj, p, pl) : EST_OK;
    }
    return fault(c, pl, "logical type \"%.*s\" is not supported", (int)name.len, name.data);
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

static est_err compile_name(struct compile *c, yyjson_val *v, const struct place *pl,
                            struct est_plan **ret)
{
    struct est_view name = est_json_tree_text(v);

    for (size_t i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++) {
        if (!est_view_is(name, primitives[i].name))
            continue;
        *ret = new_plan(c, primitives[i].kind, name);
        if (*ret == NULL)
            return no_memory(c);
        (*ret)->min_size = primitives[i].min_size;
        return EST_OK;
    }
    return compile_reference(c, v, pl, ret);
}

static est_err compile_enum(struct compile *c, yyjson_val *obj, const struct place *pl,
                            struct est_plan **ret)
{
    yyjson_val *list = yyjson_obj_get(obj, "symbols"), *dflt = yyjson_obj_get(obj, "default"), *item;
    struct est_view space, *symbols;
    bool has_default = dflt == NULL;
    size_t idx, max;
    est_err err = define(c, obj, EST_PLAN_ENUM, pl, &space, ret);

    if (err)
        return err;
    if (yyjson_arr_size(list) == 0 || yyjson_arr_size(list) > SYMBOLS_MAX)
        return fault(c, pl, "\"symbols\" must be an array of 1 to %d names", SYMBOLS_MAX);
    if ((symbols = est_arena_calloc(c->arena, yyjson_arr_size(list), sizeof(*symbols))) == NULL)
        return no_memory(c);
    yyjson_arr_foreach(list, idx, max, item) {
        if (!yyjson_is_str(item) || !est_text_is_name(est_json_tree_text(item)))
            return fault(c, pl, "symbol %zu is not a name", idx);
        symbols[idx] = est_json_tree_text(item);
        for (size_t i = 0; i < idx; i++)
            if (est_view_eq(symbols[i], symbols[idx]))
                return fault(c, pl, "symbol %zu stands twice", idx);
        has_default |= yyjson_is_str(dflt) && est_view_eq(est_json_tree_text(dflt), symbols[idx]);
    }
    if (!has_default)
        return fault(c, pl, "the enum's \"default\" is none of its symbols");
    (*ret)->symbols = symbols;
    (*ret)->n = yyjson_arr_size(list);
    (*ret)->min_size = 1;
    return EST_OK;
}

static est_err compile_fixed(struct compile *c, yyjson_val *obj, const struct place *pl,
                             struct est_plan **ret)
{
    struct est_view space;
    unsigned size = 0;
    est_err err = define(c, obj, EST_PLAN_FIXED, pl, &space, ret);

    if (err)
        return err;
    if (!small_number(obj, "size", FIXED_MAX, &size) || size == 0)
        return fault(c, pl, "\"size\" must be an integer from 1 to %d", FIXED_MAX);
    (*ret)->n = (*ret)->min_size = size;
    return EST_OK;
}

static est_err compile_sequence(struct compile *c, yyjson_val *obj, enum est_plan_kind kind,
                                const char *member, const struct place *pl, struct est_plan **ret)
{
    struct est_path step = {pl->at, est_view_str(member), 0};
    yyjson_val *items = yyjson_obj_get(obj, member);
    struct est_plan *child;
    est_err err;

    if (items == NULL)
        return fault(c, pl, "\"%s\" is missing", member);
    if ((err = compile_child(c, items, pl, &step, &child)) != EST_OK)
        return err;
    if (child->min_size == 0)
        return fault(c, pl, "\"%s\" of no size: a few bytes could announce any number of them", member);
    *ret = new_plan(c, kind, est_view_str(kind == EST_PLAN_ARRAY ? "array" : "map"));
    if (*ret == NULL)
        return no_memory(c);
    (*ret)->items = child;
    (*ret)->min_size = 1;
    count_child(*ret, child);
    return EST_OK;
}

static est_err compile_array(struct compile *c, yyjson_val *obj, const struct place *pl,
                             struct est_plan **ret)
{
    return compile_sequence(c, obj, EST_PLAN_ARRAY, "items", pl, ret);
}

static est_err compile_map(struct compile *c, yyjson_val *obj, const struct place *pl,
                           struct est_plan **ret)
{
    return compile_sequence(c, obj, EST_PLAN_MAP, "values", pl, ret);
}

static est_err compile_union(struct compile *c, yyjson_val *list, const struct place *pl,
                             struct est_plan **ret)
{
    size_t n = yyjson_arr_size(list), idx, max;
    struct est_plan *p = new_plan(c, EST_PLAN_UNION, EST_VIEW_LIT("union"));
    struct est_plan **branches = est_arena_calloc(c->arena, n, sizeof(*branches));
    yyjson_val *item;

    if (p == NULL || branches == NULL)
        return no_memory(c);
    if (n == 0 || n > BRANCHES_MAX)
        return fault(c, pl, "a union has 1 to %d branches", BRANCHES_MAX);
    p->null_branch = n;
    p->n = n;
    p->branches = (const struct est_plan *const *)branches;
    yyjson_arr_foreach(list, idx, max, item) {
        struct est_path step = {pl->at, EST_VIEW_NONE, idx};
        est_err err = compile_child(c, item, pl, &step, &branches[idx]);
        if (err)
            return err;
        if (branches[idx]->kind == EST_PLAN_UNION)
            return fault(c, pl, "a union stands directly in a union");
        for (size_t i = 0; i < idx; i++)
            if (est_view_eq(branches[i]->name, branches[idx]->name))
                return fault(c, pl, "branches %zu and %zu are of one type", i, idx);
        if (branches[idx]->kind == EST_PLAN_NULL)
            p->null_branch = idx;
        count_child(p, branches[idx]);
    }
    p->min_size = 1;
    *ret = p;
    return EST_OK;
}

/* --- records --- */

/* The default, encoded: which also tells whether it is of its field's type. */
static est_err compile_default(struct compile *c, yyjson_val *v, const struct place *pl,
                               struct est_plan_field *f)
{
    yyjson_val *slots[EST_PLAN_SLOTS_MAX];
    struct est_buf out, scratch;
    struct est_reject rj;
    struct est_encode e = {&out, NULL, &scratch, slots, 0, true, &rj};
    char *copy = NULL;
    est_err err;

    est_buf_init(&out, DEFAULT_MAX);
    est_buf_init(&scratch, DEFAULT_MAX);
    err = est_encode_value(&e, f->plan, v, NULL);
    if (err == EST_OK && !out.failed) {
        copy = est_arena_copy(c->arena, out.data ? out.data : "", out.len);
        f->fallback = est_view(copy, out.len);
    }
    est_buf_fini(&out);
    est_buf_fini(&scratch);
    if (err == EST_ERR_EVENT_PAYLOAD)
        return fault(c, pl, "the default is not of the field's type: %s", rj.detail);
    return copy == NULL ? no_memory(c) : EST_OK;
}

static est_err json_name(struct compile *c, struct est_plan_field *f)
{
    char *text = est_arena_alloc(c->arena, f->name.len + 3);

    if (text == NULL)
        return no_memory(c);
    text[0] = '"';
    memcpy(text + 1, f->name.data, f->name.len);
    memcpy(text + 1 + f->name.len, "\":", 2);
    f->json_name = est_view(text, f->name.len + 3);
    return EST_OK;
}

static est_err compile_field(struct compile *c, yyjson_val *v, const struct place *pl,
                             struct est_plan_field *f)
{
    yyjson_val *type = yyjson_obj_get(v, "type"), *dflt = yyjson_obj_get(v, "default");
    struct est_view doc = EST_VIEW_NONE, order = EST_VIEW_NONE;
    struct est_plan *plan;
    est_err err;

    if (!optional_string(v, "name", &f->name) || !est_text_is_name(f->name))
        return fault(c, pl, "a field needs a \"name\" of letters, digits and _");
    if (!optional_string(v, "doc", &doc) || !optional_string(v, "order", &order) ||
        !is_alias_list(yyjson_obj_get(v, "aliases")))
        return fault(c, pl, "\"doc\" and \"order\" must be strings, \"aliases\" an array of names");
    if (type == NULL)
        return fault(c, pl, "the field has no \"type\"");
    if (yyjson_obj_get(v, "logicalType") != NULL)
        return fault(c, pl, "\"logicalType\" stands on the field; it belongs inside its type");
    struct est_path step = {pl->at, EST_VIEW_LIT("type"), 0};
    if ((err = compile_child(c, type, pl, &step, &plan)) != EST_OK)
        return err;
    if ((err = apply_ours(c, v, plan, pl)) != EST_OK || (err = json_name(c, f)) != EST_OK)
        return err;
    f->plan = plan;
    f->is_null_first = yyjson_is_null(dflt) && plan->kind == EST_PLAN_UNION && plan->null_branch == 0;
    return dflt == NULL ? EST_OK : compile_default(c, dflt, pl, f);
}

/* A hash table at most half full, so that a look-up mostly compares one name. */
static est_err index_fields(struct compile *c, struct est_plan *p)
{
    size_t cap = 4;

    while (cap < 2 * p->n)
        cap *= 2;
    p->mask = cap - 1;
    if ((p->index = est_arena_calloc(c->arena, cap, sizeof(*p->index))) == NULL)
        return no_memory(c);
    for (size_t i = 0; i < p->n; i++) {
        size_t at = est_plan_hash(p->fields[i].name) & p->mask;
        while (p->index[at] != 0)
            at = (at + 1) & p->mask;
        p->index[at] = (uint16_t)(i + 1);
    }
    return EST_OK;
}

static est_err compile_fields(struct compile *c, yyjson_val *list, const struct place *pl,
                              struct est_plan *p)
{
    size_t idx, max;
    yyjson_val *item;

    yyjson_arr_foreach(list, idx, max, item) {
        struct est_plan_field *f = &p->fields[idx];
        struct est_view name = EST_VIEW_NONE;
        (void)optional_string(item, "name", &name);
        struct est_path step = {pl->at, name, idx};
        struct place inside = {&step, pl->space, pl->depth};
        est_err err = compile_field(c, item, &inside, f);
        if (err)
            return err;
        for (size_t i = 0; i < idx; i++)
            if (est_view_eq(p->fields[i].name, f->name))
                return fault(c, &inside, "the field stands twice");
        count_child(p, f->plan);
        p->min_size += f->plan->min_size;
    }
    p->slots += p->n;
    return EST_OK;
}

static est_err compile_record(struct compile *c, yyjson_val *obj, const struct place *pl,
                              struct est_plan **ret)
{
    yyjson_val *list = yyjson_obj_get(obj, "fields");
    struct est_path step = {pl->at, EST_VIEW_LIT("fields"), 0};
    struct place inside = {&step, pl->space, pl->depth};
    est_err err = define(c, obj, EST_PLAN_RECORD, pl, &inside.space, ret);
    size_t number = c->n_names - 1;
    struct est_plan *p = *ret;

    if (err)
        return err;
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) > EST_PLAN_FIELDS_MAX)
        return fault(c, pl, "\"fields\" must be an array of at most %d", EST_PLAN_FIELDS_MAX);
    p->n = yyjson_arr_size(list);
    if ((p->fields = est_arena_calloc(c->arena, p->n, sizeof(*p->fields))) == NULL)
        return no_memory(c);
    if ((err = compile_fields(c, list, &inside, p)) != EST_OK)
        return err;
    c->is_open[number] = false;
    if (p->slots > EST_PLAN_SLOTS_MAX)
        return fault(c, pl, "records nested in each other have more than %d fields", EST_PLAN_SLOTS_MAX);
    return index_fields(c, p);
}

static est_err compile_object(struct compile *c, yyjson_val *obj, const struct place *pl,
                              struct est_plan **ret)
{
    static const struct {
        const char *type;
        est_err (*fn)(struct compile *, yyjson_val *, const struct place *, struct est_plan **);
    } rows[] = {{"record", compile_record}, {"enum", compile_enum},   {"fixed", compile_fixed},
                {"array", compile_array},   {"map", compile_map}};
    yyjson_val *type = yyjson_obj_get(obj, "type");
    size_t first_name = c->n_names;
    est_err err;

    if (!yyjson_is_str(type))
        return fault(c, pl, "an object here needs a \"type\" that is a string");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!est_view_is(est_json_tree_text(type), rows[i].type))
            continue;
        err = rows[i].fn(c, obj, pl, ret);
        if (err == EST_OK && first_name < c->n_names)
            c->is_open[first_name] = false;
        return err ? err : apply_logical(c, obj, *ret, pl);
    }
    if ((err = compile_name(c, type, pl, ret)) != EST_OK)
        return err;
    if ((*ret)->kind > EST_PLAN_STRING)
        return fault(c, pl, "a reference to a named type is the bare name, not an object");
    err = apply_logical(c, obj, *ret, pl);
    return err ? err : apply_ours(c, obj, *ret, pl);
}

static est_err compile_any(struct compile *c, yyjson_val *v, const struct place *pl,
                           struct est_plan **ret)
{
    est_err err;

    if (pl->depth > EST_PLAN_DEPTH_MAX)
        return fault(c, pl, "types nested more than %d deep", EST_PLAN_DEPTH_MAX);
    if (++c->n_nodes > NODES_MAX)
        return fault(c, pl, "more than %d types", NODES_MAX);
    if (yyjson_is_str(v))
        err = compile_name(c, v, pl, ret);
    else if (yyjson_is_obj(v))
        err = compile_object(c, v, pl, ret);
    else if (yyjson_is_arr(v))
        err = compile_union(c, v, pl, ret);
    else
        return fault(c, pl, "a type is a name, an object or an array");
    if (err == EST_OK && (*ret)->depth > EST_PLAN_DEPTH_MAX)
        return fault(c, pl, "types nested more than %d deep", EST_PLAN_DEPTH_MAX);
    return err;
}

est_err est_compile(struct est_arena *arena, yyjson_val *root, const struct est_plan **ret,
                    struct est_why *reterr)
{
    struct compile c = {.arena = arena, .why = reterr};
    struct place top = {NULL, EST_VIEW_NONE, 1};
    struct est_plan *plan = NULL;
    est_err err = compile_any(&c, root, &top, &plan);

    if (err == EST_OK)
        *ret = plan;
    return err;
}
