#include "encode.h"

#include "encode_scalar.h"
#include "text.h"

#include <string.h>

void est_encode_long_many(struct est_buf *b, int64_t n)
{
    uint64_t z = ((uint64_t)n << 1) ^ (uint64_t)(n < 0 ? -1 : 0);

    if (!est_buf_reserve(b, 10))
        return;
    while (z > 0x7f) {
        b->data[b->len++] = (char)(z | 0x80);
        z >>= 7;
    }
    b->data[b->len++] = (char)z;
}

void est_encode_string(struct est_buf *b, struct est_view v)
{
    est_encode_long(b, (int64_t)v.len);
    est_buf_put(b, v.data, v.len);
}

est_err est_encode_mismatch(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                            const struct est_path *at)
{
    return est_reject_at(e->reject, at, EST_ERR_EVENT_PAYLOAD, "expected %s, found %s",
                         est_plan_wants(p), est_json_type_name((const struct est_value *)v));
}

static est_err encode_array(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                            const struct est_path *at)
{
    size_t idx, max;
    yyjson_val *item;

    if (!yyjson_is_arr(v))
        return est_encode_mismatch(e, p, v, at);
    if (yyjson_arr_size(v) > 0)
        est_encode_long(e->out, (int64_t)yyjson_arr_size(v));
    yyjson_arr_foreach(v, idx, max, item) {
        struct est_path step = {at, EST_VIEW_NONE, idx};
        est_err err = est_encode_value(e, p->items, item, &step);
        if (err)
            return err;
    }
    est_encode_long(e->out, 0);
    return EST_OK;
}

static est_err encode_map(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                          const struct est_path *at)
{
    size_t idx, max;
    yyjson_val *key, *item;

    if (!yyjson_is_obj(v))
        return est_encode_mismatch(e, p, v, at);
    if (yyjson_obj_size(v) > 0)
        est_encode_long(e->out, (int64_t)yyjson_obj_size(v));
    yyjson_obj_foreach(v, idx, max, key, item) {
        struct est_path step = {at, est_json_tree_text(key), 0};
        est_err err;
        est_encode_string(e->out, step.name);
        if ((err = est_encode_value(e, p->items, item, &step)) != EST_OK)
            return err;
    }
    est_encode_long(e->out, 0);
    return EST_OK;
}

est_err est_encode_extra_add(struct est_encode_extra *x, struct est_view name, yyjson_val *v)
{
    struct est_buf *extra = x->e->extra;

    if (extra == NULL) {
        struct est_path step = {x->at, name, 0};
        return est_reject_at(x->e->reject, &step, EST_ERR_EVENT_PAYLOAD, "no such field");
    }
    if (!x->open) {
        est_buf_clear(x->e->scratch);
        est_path_put(x->e->scratch, x->at);
        if (x->e->scratch->failed)
            return EST_ERR_NOMEM;
        est_buf_putc(extra, extra->len == 0 ? '{' : ',');
        (void)est_text_put(extra, est_buf_view(x->e->scratch));
        est_buf_puts(extra, ":{");
    } else {
        est_buf_putc(extra, ',');
    }
    x->open = true;
    (void)est_text_put(extra, name);
    est_buf_putc(extra, ':');
    est_json_put_value(extra, (const struct est_value *)v);
    return EST_OK;
}

void est_encode_extra_end(struct est_encode_extra *x)
{
    if (x->open)
        est_buf_putc(x->e->extra, '}');
}

static bool has_null(const struct est_plan *p)
{
    return p->kind == EST_PLAN_UNION && p->null_branch < p->n;
}

/* Sort the members of an object into the slots of its fields. A null that a nullable field is given
 * is kept with the extras too: absent and null are different things to a receiver. */
static est_err gather(struct est_encode *e, const struct est_plan *p, yyjson_val *obj,
                      const struct est_path *at, yyjson_val **slots)
{
    struct est_encode_extra x = {e, at, false};
    size_t idx, max, guess = 0;
    yyjson_val *key, *val;

    yyjson_obj_foreach(obj, idx, max, key, val) {
        struct est_view name = est_json_tree_text(key);
        size_t field = est_plan_field_find(p, name, guess);
        bool is_kept = field == p->n;
        if (!is_kept) {
            slots[field] = val;
            guess = field + 1;
            is_kept = yyjson_is_null(val) && !e->is_default && has_null(p->fields[field].plan);
        }
        if (is_kept) {
            est_err err = est_encode_extra_add(&x, name, val);
            if (err)
                return err;
        }
    }
    est_encode_extra_end(&x);
    return EST_OK;
}

static est_err encode_field(struct est_encode *e, const struct est_plan_field *f, yyjson_val *v,
                            const struct est_path *at)
{
    struct est_path step = {at, f->name, 0};

    if (v != NULL)
        return est_encode_value(e, f->plan, v, &step);
    if (f->is_null_first) {
        est_encode_long(e->out, 0);
        return EST_OK;
    }
    if (f->fallback.data != NULL) {
        est_buf_put_view(e->out, f->fallback);
        return EST_OK;
    }
    if (f->plan->kind == EST_PLAN_NULL)
        return EST_OK;
    if (!has_null(f->plan))
        return est_reject_at(e->reject, &step, EST_ERR_EVENT_PAYLOAD, "required, and not there");
    est_encode_long(e->out, (int64_t)f->plan->null_branch);
    return EST_OK;
}

static est_err encode_record(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                             const struct est_path *at)
{
    yyjson_val **slots = e->slots + e->slots_used;
    est_err err;

    if (!yyjson_is_obj(v))
        return est_encode_mismatch(e, p, v, at);
    memset(slots, 0, p->n * sizeof(yyjson_val *));
    e->slots_used += p->n;
    err = gather(e, p, v, at, slots);
    for (size_t i = 0; i < p->n && err == EST_OK; i++)
        err = encode_field(e, &p->fields[i], slots[i], at);
    e->slots_used -= p->n;
    return err;
}

/* May the value be of this branch, by its JSON type? The first branch that says so is taken. */
static bool is_taken_by(const struct est_plan *p, yyjson_val *v)
{
    bool is_number = yyjson_is_raw(v), is_string = yyjson_is_str(v);

    switch (p->kind) {
    case EST_PLAN_NULL: return yyjson_is_null(v);
    case EST_PLAN_BOOLEAN: return yyjson_is_bool(v);
    case EST_PLAN_INT:
    case EST_PLAN_LONG:
        return (is_number && est_json_tree_is_integer(est_json_tree_text(v))) ||
               (is_string && p->logical != EST_PLAN_PLAIN);
    case EST_PLAN_FLOAT:
    case EST_PLAN_DOUBLE: return is_number;
    case EST_PLAN_BYTES: return is_string || (is_number && p->logical == EST_PLAN_DECIMAL);
    case EST_PLAN_STRING:
        return is_string || p->logical == EST_PLAN_JSON ||
               (is_number && p->logical == EST_PLAN_ID &&
                est_json_tree_is_integer(est_json_tree_text(v)));
    case EST_PLAN_FIXED: return is_string;
    case EST_PLAN_ENUM: return est_encode_scalar_symbol(p, v) < p->n;
    case EST_PLAN_ARRAY: return yyjson_is_arr(v);
    case EST_PLAN_MAP:
    case EST_PLAN_RECORD: return yyjson_is_obj(v);
    default: return false;
    }
}

static est_err encode_union(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                            const struct est_path *at)
{
    size_t i = 0;

    if (e->is_default) {
        i = 0;
    } else if (p->null_branch < p->n && yyjson_is_null(v)) {
        i = p->null_branch;
    } else if (est_plan_nullable(p) != NULL) {
        i = 1 - p->null_branch;
    } else {
        while (i < p->n && !is_taken_by(p->branches[i], v))
            i++;
        if (i == p->n)
            return est_encode_mismatch(e, p, v, at);
    }
    est_encode_long(e->out, (int64_t)i);
    return est_encode_value(e, p->branches[i], v, at);
}

est_err est_encode_value(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                         const struct est_path *at)
{
    static est_err (*const encoders[EST_PLAN__COUNT])(struct est_encode *, const struct est_plan *,
                                                      yyjson_val *, const struct est_path *) = {
        [EST_PLAN_NULL] = est_encode_scalar_null,
        [EST_PLAN_BOOLEAN] = est_encode_scalar_boolean,
        [EST_PLAN_INT] = est_encode_scalar_integer,
        [EST_PLAN_LONG] = est_encode_scalar_integer,
        [EST_PLAN_FLOAT] = est_encode_scalar_real,
        [EST_PLAN_DOUBLE] = est_encode_scalar_real,
        [EST_PLAN_BYTES] = est_encode_scalar_bytes,
        [EST_PLAN_STRING] = est_encode_scalar_string,
        [EST_PLAN_ARRAY] = encode_array,
        [EST_PLAN_MAP] = encode_map,
        [EST_PLAN_RECORD] = encode_record,
        [EST_PLAN_ENUM] = est_encode_scalar_enum,
        [EST_PLAN_FIXED] = est_encode_scalar_bytes,
        [EST_PLAN_UNION] = encode_union,
    };

    return encoders[p->kind](e, p, v, at);
}
