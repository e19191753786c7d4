#include "compile_parts.h"

#include "encode.h"
#include "text.h"

#include <string.h>

enum { DEFAULT_MAX = 64 * 1024 }; /* bytes of one encoded default */

/* The default, encoded: which also tells whether it is of its field's type. */
static est_err compile_default(struct est_compile *c, yyjson_val *v,
                               const struct est_compile_place *pl, struct est_plan_field *f)
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
        return est_compile_fault(c, pl, "the default is not of the field's type: %s", rj.detail);
    return copy == NULL ? est_compile_no_memory(c) : EST_OK;
}

static est_err json_name(struct est_compile *c, struct est_plan_field *f)
{
    char *text = est_arena_calloc(c->arena, f->name.len + 4 + EST_BUF_SLACK, 1); /* padded */

    if (text == NULL)
        return est_compile_no_memory(c);
    memcpy(text, ",\"", 2);
    memcpy(text + 2, f->name.data, f->name.len);
    memcpy(text + 2 + f->name.len, "\":", 2);
    f->json_name = est_view(text, f->name.len + 4);
    return EST_OK;
}

static est_err compile_field(struct est_compile *c, yyjson_val *v,
                             const struct est_compile_place *pl, struct est_plan_field *f)
{
    yyjson_val *type = yyjson_obj_get(v, "type"), *dflt = yyjson_obj_get(v, "default");
    struct est_view doc = EST_VIEW_NONE, order = EST_VIEW_NONE;
    struct est_plan *plan;
    est_err err;

    if (!est_compile_string(v, "name", &f->name) || !est_text_is_name(f->name))
        return est_compile_fault(c, pl, "a field needs a \"name\" of letters, digits and _");
    if (!est_compile_string(v, "doc", &doc) || !est_compile_string(v, "order", &order) ||
        !est_compile_name_is_list(yyjson_obj_get(v, "aliases")))
        return est_compile_fault(
            c, pl, "\"doc\" and \"order\" must be strings, \"aliases\" an array of names");
    if (type == NULL)
        return est_compile_fault(c, pl, "the field has no \"type\"");
    if (yyjson_obj_get(v, "logicalType") != NULL)
        return est_compile_fault(c, pl,
                                 "\"logicalType\" stands on the field; it belongs inside its type");
    struct est_path step = {pl->at, EST_VIEW_LIT("type"), 0};
    if ((err = est_compile_child(c, type, pl, &step, &plan)) != EST_OK)
        return err;
    if ((err = est_compile_logical_ours(c, v, plan, pl)) != EST_OK ||
        (err = json_name(c, f)) != EST_OK)
        return err;
    f->plan = plan;
    f->is_null_first =
        yyjson_is_null(dflt) && plan->kind == EST_PLAN_UNION && plan->null_branch == 0;
    return dflt == NULL ? EST_OK : compile_default(c, dflt, pl, f);
}

/* A hash table at most half full, so that a look-up mostly compares one name. */
static est_err index_fields(struct est_compile *c, struct est_plan *p)
{
    size_t cap = 4;

    while (cap < 2 * p->n)
        cap *= 2;
    p->mask = cap - 1;
    if ((p->index = est_arena_calloc(c->arena, cap, sizeof(*p->index))) == NULL)
        return est_compile_no_memory(c);
    for (size_t i = 0; i < p->n; i++) {
        size_t at = est_plan_hash(p->fields[i].name) & p->mask;
        while (p->index[at] != 0)
            at = (at + 1) & p->mask;
        p->index[at] = (uint16_t)(i + 1);
    }
    return EST_OK;
}

static est_err compile_fields(struct est_compile *c, yyjson_val *list,
                              const struct est_compile_place *pl, struct est_plan *p)
{
    size_t idx, max;
    yyjson_val *item;

    yyjson_arr_foreach(list, idx, max, item) {
        struct est_plan_field *f = &p->fields[idx];
        struct est_view name = EST_VIEW_NONE;
        (void)est_compile_string(item, "name", &name);
        struct est_path step = {pl->at, name, idx};
        struct est_compile_place inside = {&step, pl->space, pl->depth};
        est_err err = compile_field(c, item, &inside, f);
        if (err)
            return err;
        for (size_t i = 0; i < idx; i++)
            if (est_view_eq(p->fields[i].name, f->name))
                return est_compile_fault(c, &inside, "the field stands twice");
        est_compile_count(p, f->plan);
        p->min_size += f->plan->min_size;
    }
    p->slots += p->n;
    return EST_OK;
}

est_err est_compile_record(struct est_compile *c, yyjson_val *obj,
                           const struct est_compile_place *pl, struct est_plan **ret)
{
    yyjson_val *list = yyjson_obj_get(obj, "fields");
    struct est_path step = {pl->at, EST_VIEW_LIT("fields"), 0};
    struct est_compile_place inside = {&step, pl->space, pl->depth};
    est_err err = est_compile_name_define(c, obj, EST_PLAN_RECORD, pl, &inside.space, ret);
    size_t number = c->n_names - 1;
    struct est_plan *p = *ret;

    if (err)
        return err;
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) > EST_PLAN_FIELDS_MAX)
        return est_compile_fault(c, pl, "\"fields\" must be an array of at most %d",
                                 EST_PLAN_FIELDS_MAX);
    p->n = yyjson_arr_size(list);
    if ((p->fields = est_arena_calloc(c->arena, p->n, sizeof(*p->fields))) == NULL)
        return est_compile_no_memory(c);
    if ((err = compile_fields(c, list, &inside, p)) != EST_OK)
        return err;
    c->is_open[number] = false;
    if (p->slots > EST_PLAN_SLOTS_MAX)
        return est_compile_fault(c, pl, "records nested in each other have more than %d fields",
                                 EST_PLAN_SLOTS_MAX);
    return index_fields(c, p);
}
