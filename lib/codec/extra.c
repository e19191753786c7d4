#include "extra.h"

#include "text.h"

#include <string.h>

/* What is looked at without the parser: more is rare, and each name is compared with all others. */
enum { OBJECTS_MAX = 16, MEMBERS_MAX = 32 };

/* --- as it is mostly written --- */

struct scan {
    const char *at, *end;
    struct est_extra_object *objects;
    struct est_extra_member *members;
    size_t n_objects, n_members;
};

static bool take(struct scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* Between its quotes, if it stands for itself there. */
static bool take_string(struct scan *s, struct est_view *ret)
{
    if (!take(s, '"'))
        return false;
    *ret = est_view(s->at, est_text_plain(est_view(s->at, (size_t)(s->end - s->at))));
    s->at += ret->len;
    return take(s, '"');
}

static bool take_digits(struct scan *s)
{
    const char *from = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > from;
}

/* Without an exponent. */
static bool take_number(struct scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    return !take(s, '.') || take_digits(s);
}

static bool take_word(struct scan *s, const char *word, size_t n)
{
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return false;
    s->at += n;
    return true;
}

static bool take_value(struct scan *s, struct est_view *ret)
{
    const char *from = s->at;
    struct est_view text;

    if (!take_string(s, &text) && !take_word(s, "true", 4) && !take_word(s, "false", 5) &&
        !take_word(s, "null", 4) && (from == s->end || *from == '"' || !take_number(s)))
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

static bool take_members(struct scan *s, struct est_extra_object *o)
{
    if (take(s, '}'))
        return true;
    do {
        struct est_extra_member *m = &s->members[s->n_members];
        if (s->n_members++ == MEMBERS_MAX || !take_string(s, &m->name) || has_member(o, m->name) ||
            !take(s, ':') || !take_value(s, &m->text))
            return false;
        o->n++;
    } while (take(s, ','));
    return take(s, '}');
}

static bool has_object(const struct scan *s, struct est_view pointer)
{
    for (size_t i = 0; i < s->n_objects; i++)
        if (est_view_eq(s->objects[i].pointer, pointer))
            return true;
    return false;
}

static bool take_objects(struct scan *s)
{
    do {
        struct est_view pointer;
        if (s->n_objects == OBJECTS_MAX || !take_string(s, &pointer) || has_object(s, pointer) ||
            !take(s, ':') || !take(s, '{'))
            return false;
        s->objects[s->n_objects] = (struct est_extra_object){pointer, s->members + s->n_members, 0};
        if (!take_members(s, &s->objects[s->n_objects++]))
            return false;
    } while (take(s, ','));
    return take(s, '}') && s->at == s->end;
}

/* False: it is for the parser to say what it is. */
static bool scan(struct est_json *js, struct est_view text, struct est_extra *ret)
{
    struct scan s = {.at = text.data, .end = text.data + text.len};

    s.objects = est_arena_alloc(&js->arena, OBJECTS_MAX * sizeof(*s.objects));
    s.members = est_arena_alloc(&js->arena, MEMBERS_MAX * sizeof(*s.members));
    if (s.objects == NULL || s.members == NULL || !take(&s, '{') || !take_objects(&s))
        return false;
    *ret = (struct est_extra){s.objects, s.n_objects};
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
