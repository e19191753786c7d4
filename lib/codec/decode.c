#include "decode.h"

#include "decode_scalar.h"
#include "text.h"

est_err est_decode_fault(struct est_decode *d, const struct est_path *at, const char *text)
{
    char where[96];

    est_path_format(at, where, sizeof(where));
    return est_why_set(d->why, EST_ERR_AVRO, "%s: %s", where[0] ? where : "/", text);
}

est_err est_decode_damaged(struct est_decode *d, const struct est_path *at)
{
    return est_decode_fault(d, at, "the bytes are not of the schema");
}

static est_err decode_item(struct est_decode *d, const struct est_plan *p,
                           const struct est_path *at, size_t index)
{
    struct est_path step = {at, EST_VIEW_NONE, index};

    if (p->kind == EST_PLAN_MAP) {
        if (!est_cursor_bytes(&d->in, &step.name))
            return est_decode_damaged(d, at);
        if (!est_text_put(d->out, step.name))
            return est_decode_fault(d, at, "a name that is not UTF-8");
        est_buf_putc(d->out, ':');
    }
    return est_decode_value(d, p->items, &step);
}

static est_err decode_blocks(struct est_decode *d, const struct est_plan *p,
                             const struct est_path *at)
{
    bool is_map = p->kind == EST_PLAN_MAP;
    size_t count, size, done = 0;

    est_buf_putc(d->out, is_map ? '{' : '[');
    for (;;) {
        const unsigned char *from;
        if (!est_cursor_block(&d->in, p->items->min_size + is_map, &count, &size))
            return est_decode_damaged(d, at);
        if (count == 0)
            break;
        from = d->in.at;
        for (; count > 0; count--, done++) {
            est_err err;
            if (done > 0)
                est_buf_putc(d->out, ',');
            if ((err = decode_item(d, p, at, done)) != EST_OK)
                return err;
        }
        if (size != SIZE_MAX && (size_t)(d->in.at - from) != size)
            return est_decode_fault(d, at, "a block that is not as long as it says");
    }
    est_buf_putc(d->out, is_map ? '}' : ']');
    return EST_OK;
}

static void put_comma(struct est_buf *b, size_t start)
{
    if (b->len > start)
        est_buf_putc(b, ',');
}

/* A member that was put back must not stand twice: the field's own value wins. `written` has a bit
 * for each field that went out. */
static void put_back(struct est_decode *d, const struct est_plan *p, const uint64_t *written,
                     size_t start, const struct est_path *at)
{
    const struct est_extra_object *o = est_extra_of(&d->extra, at);

    for (size_t i = 0; o != NULL && i < o->n; i++) {
        size_t field = est_plan_field_find(p, o->members[i].name, p->n);
        if (field < p->n && (written[field / 64] & UINT64_C(1) << (field % 64)))
            continue;
        put_comma(d->out, start);
        est_extra_put(d->out, &o->members[i]);
    }
}

/* `,"name":`, without the comma where it is the first member of its object. */
static void put_name(struct est_buf *b, size_t start, struct est_view json_name)
{
    size_t first = b->len == start;

    est_buf_put_padded(b, est_view(json_name.data + first, json_name.len - first));
}

static est_err decode_record(struct est_decode *d, const struct est_plan *p,
                             const struct est_path *at)
{
    uint64_t written[EST_PLAN_FIELDS_MAX / 64] = {0};
    size_t start;
    est_err err;

    est_buf_putc(d->out, '{');
    start = d->out->len;
    for (size_t i = 0; i < p->n; i++) {
        const struct est_plan_field *f = &p->fields[i];
        const struct est_plan *what = f->plan;
        struct est_path step = {at, f->name, 0};
        if (what->kind == EST_PLAN_UNION && !est_cursor_branch(&d->in, &what))
            return est_decode_fault(d, &step, "a union index without a branch");
        if (d->is_event && what->kind == EST_PLAN_NULL)
            continue;
        put_name(d->out, start, f->json_name);
        if ((err = est_decode_value(d, what, &step)) != EST_OK)
            return err;
        written[i / 64] |= UINT64_C(1) << (i % 64);
    }
    if (d->extra.n > 0)
        put_back(d, p, written, start, at);
    est_buf_putc(d->out, '}');
    return EST_OK;
}

static est_err decode_union(struct est_decode *d, const struct est_plan *p,
                            const struct est_path *at)
{
    if (!est_cursor_branch(&d->in, &p))
        return est_decode_fault(d, at, "a union index without a branch");
    return est_decode_value(d, p, at);
}

est_err est_decode_value(struct est_decode *d, const struct est_plan *p, const struct est_path *at)
{
    static est_err (*const decoders[EST_PLAN__COUNT])(struct est_decode *, const struct est_plan *,
                                                      const struct est_path *) = {
        [EST_PLAN_NULL] = est_decode_scalar_null,   [EST_PLAN_BOOLEAN] = est_decode_scalar_boolean,
        [EST_PLAN_INT] = est_decode_scalar_integer, [EST_PLAN_LONG] = est_decode_scalar_integer,
        [EST_PLAN_FLOAT] = est_decode_scalar_real,  [EST_PLAN_DOUBLE] = est_decode_scalar_real,
        [EST_PLAN_BYTES] = est_decode_scalar_bytes, [EST_PLAN_STRING] = est_decode_scalar_string,
        [EST_PLAN_ARRAY] = decode_blocks,           [EST_PLAN_MAP] = decode_blocks,
        [EST_PLAN_RECORD] = decode_record,          [EST_PLAN_ENUM] = est_decode_scalar_enum,
        [EST_PLAN_FIXED] = est_decode_scalar_bytes, [EST_PLAN_UNION] = decode_union,
    };

    return decoders[p->kind](d, p, at);
}
