#include "extra.h"

#include "scan.h"
#include "text.h"

/* What is looked at without the parser: more is rare, and each name is compared with all others. */
enum { OBJECTS_MAX = 16, MEMBERS_MAX = 32 };

/* --- as it is mostly written --- */

struct found {
    struct est_extra_object *objects;
    struct est_extra_member *members;
    size_t n_objects, n_members;
};

/* Without an exponent. */
static bool scan_number(struct est_scan *s)
{
    (void)est_scan_char(s, '-');
    if (!est_scan_char(s, '0') && !est_scan_digits(s))
        return false;
    return !est_scan_char(s, '.') || est_scan_digits(s);
}

static bool scan_value(struct est_scan *s, struct est_view *ret)
{
    const char *from = s->at;
    struct est_view text;

    if (!est_scan_string(s, &text) && !est_scan_word(s, "true", 4) &&
        !est_scan_word(s, "false", 5) && !est_scan_word(s, "null", 4) &&
        (from == s->end || *from == '"' || !scan_number(s)))
        return false;
    *ret = est_view(from, (size_t)(s->at - from));
    return true;
}

static bool has_member(const struct est_extra_object *o, struct est_view name)
{
    for (size_t i = 0; i < o->n; i++)
        if (est_view_eq(o->members[i].name, name))
            return true;
    return false;
}

static bool scan_members(struct est_scan *s, struct found *f, struct est_extra_object *o)
{
    if (est_scan_char(s, '}'))
        return true;
    do {
        struct est_extra_member *m = &f->members[f->n_members];
        if (f->n_members++ == MEMBERS_MAX || !est_scan_string(s, &m->name) ||
            has_member(o, m->name) || !est_scan_char(s, ':') || !scan_value(s, &m->text))
            return false;
        o->n++;
    } while (est_scan_char(s, ','));
    return est_scan_char(s, '}');
}

static bool has_object(const struct found *f, struct est_view pointer)
{
    for (size_t i = 0; i < f->n_objects; i++)
        if (est_view_eq(f->objects[i].pointer, pointer))
            return true;
    return false;
}

static bool scan_objects(struct est_scan *s, struct found *f)
{
    do {
        struct est_view pointer;
        if (f->n_objects == OBJECTS_MAX || !est_scan_string(s, &pointer) ||
            has_object(f, pointer) || !est_scan_char(s, ':') || !est_scan_char(s, '{'))
            return false;
        f->objects[f->n_objects] = (struct est_extra_object){pointer, f->members + f->n_members, 0};
        if (!scan_members(s, f, &f->objects[f->n_objects++]))
            return false;
    } while (est_scan_char(s, ','));
    return est_scan_char(s, '}') && s->at == s->end;
}

/* False: it is for the parser to say what it is. */
static bool scan(struct est_json *js, struct est_view text, struct est_extra *ret)
{
    struct est_scan s = est_scan_of(text);
    struct found f = {
        .objects = est_arena_alloc(&js->arena, OBJECTS_MAX * sizeof(*f.objects)),
        .members = est_arena_alloc(&js->arena, MEMBERS_MAX * sizeof(*f.members)),
    };

    if (f.objects == NULL || f.members == NULL || !est_scan_char(&s, '{') || !scan_objects(&s, &f))
        return false;
    *ret = (struct est_extra){f.objects, f.n_objects};
    return true;
}

/* --- by the parser --- */

static est_err no_room(const struct est_json *js)
{
    return js->arena.full ? EST_ERR_TOO_LARGE : EST_ERR_NOMEM;
}

static bool list_members(struct est_json *js, yyjson_val *obj, struct est_extra_object *o)
{
    struct est_extra_member *members =
        est_arena_calloc(&js->arena, yyjson_obj_size(obj), sizeof(*members));
    size_t idx, max;
    yyjson_val *key, *val;

    if (members == NULL)
        return false;
    yyjson_obj_foreach(obj, idx, max, key, val) {
        members[idx].name = est_json_tree_text(key);
        members[idx].value = val;
    }
    o->members = members;
    o->n = yyjson_obj_size(obj);
    return true;
}

/* What belongs to a place but is no object is passed over. */
static est_err list_objects(struct est_json *js, yyjson_val *root, struct est_extra *ret)
{
    struct est_extra_object *objects =
        est_arena_calloc(&js->arena, yyjson_obj_size(root), sizeof(*objects));
    size_t n = 0, idx, max;
    yyjson_val *key, *val;

    if (objects == NULL)
        return no_room(js);
    yyjson_obj_foreach(root, idx, max, key, val) {
        if (!yyjson_is_obj(val))
            continue;
        objects[n].pointer = est_json_tree_text(key);
        if (!list_members(js, val, &objects[n++]))
            return no_room(js);
    }
    *ret = (struct est_extra){objects, n};
    return EST_OK;
}

est_err est_extra_read(struct est_json *js, struct est_view text, struct est_extra *ret)
{
    const struct est_value *v = NULL;
    est_err err;

    if (scan(js, text, ret))
        return EST_OK;
    err = est_json_parse(js, text, &v, NULL);
    if (err == EST_OK && est_json_type(v) == EST_JSON_OBJECT)
        err = list_objects(js, (yyjson_val *)(uintptr_t)v, ret);
    else if (err == EST_OK)
        err = EST_ERR_JSON;
    return err == EST_OK || err == EST_ERR_NOMEM ? err : EST_ERR_JSON;
}

/* --- asking it --- */

const struct est_extra_object *est_extra_of(const struct est_extra *x, const struct est_path *at)
{
    for (size_t i = 0; i < x->n; i++)
        if (est_path_is(at, x->objects[i].pointer))
            return &x->objects[i];
    return NULL;
}

void est_extra_put(struct est_buf *out, const struct est_extra_member *m)
{
    (void)est_text_put(out, m->name);
    est_buf_putc(out, ':');
    if (m->text.data != NULL)
        est_buf_put_view(out, m->text);
    else
        est_json_put_value(out, (const struct est_value *)m->value);
}
