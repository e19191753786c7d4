#include "inbound.h"

#include "base/assert.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "item.h"
#include "pointer.h"
#include "text.h"

const struct est_inbound_limits est_inbound_limits_default = {
    .depth_max = 64, .items_max = 10000, .event_max = 1000000, .memory_max = 64u << 20};

enum { SCRATCH_KEEP = 256 * 1024, FIRST_ITEMS = 64 };

est_err est_inbound_new(const struct est_inbound_limits *limits, struct est_inbound **ret)
{
    struct est_inbound *in = est_calloc(1, sizeof(*in));
    struct est_json_limits json;

    if (in == NULL)
        return EST_ERR_NOMEM;
    in->limits = limits ? *limits : est_inbound_limits_default;
    json = (struct est_json_limits){in->limits.depth_max, in->limits.memory_max};
    est_json_tree_init(&in->json, &json);
    /* What these hold is a few times the request's text at most, which memory_max bounds already;
     * so their own failure always means that memory is out. */
    est_buf_init(&in->extra, SIZE_MAX / 4);
    est_buf_init(&in->scratch, SIZE_MAX / 4);
    *ret = in;
    return EST_OK;
}

void est_inbound_free(struct est_inbound *in)
{
    if (in == NULL)
        return;
    est_json_tree_fini(&in->json);
    est_buf_fini(&in->extra);
    est_buf_fini(&in->scratch);
    est_free(in->items);
    est_free(in);
}

static void clear_buf(struct est_buf *b)
{
    if (b->cap > SCRATCH_KEEP)
        est_buf_fini(b);
    est_buf_clear(b);
}

void est_inbound_clear(struct est_inbound *in)
{
    est_json_clear(&in->json);
    clear_buf(&in->extra);
    clear_buf(&in->scratch);
    in->n = 0;
}

bool est_inbound_kind_of(struct est_view content_type, enum est_inbound_kind *ret)
{
    static const struct {
        const char *name;
        enum est_inbound_kind kind;
    } rows[] = {
        {"application/json", EST_INBOUND_JSON},
        {"application/x-ndjson", EST_INBOUND_NDJSON},
        {"application/ndjson", EST_INBOUND_NDJSON},
        {"application/jsonl", EST_INBOUND_NDJSON},
        {"application/cloudevents+json", EST_INBOUND_CE},
        {"application/cloudevents-batch+json", EST_INBOUND_CE_BATCH},
    };
    const char *end = content_type.len ? memchr(content_type.data, ';', content_type.len) : NULL;
    size_t len = end ? (size_t)(end - content_type.data) : content_type.len;
    struct est_view type = est_view_trim(est_view(content_type.data, len));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!est_view_ieq(type, est_view_str(rows[i].name)))
            continue;
        *ret = rows[i].kind;
        return true;
    }
    return false;
}

static est_err no_memory(struct est_reject *reject)
{
    return est_reject_set(reject, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
}

static est_err add_item(struct est_inbound *in, struct est_item item, struct est_reject *reject)
{
    if (in->n == in->limits.items_max)
        return est_reject_set(reject, EST_ERR_TOO_LARGE, "more than %zu events in one request",
                              in->limits.items_max);
    if (in->n == in->cap) {
        size_t cap = in->cap ? in->cap * 2 : FIRST_ITEMS;
        struct est_item *items = est_realloc(in->items, cap * sizeof(*items));
        if (items == NULL)
            return no_memory(reject);
        in->items = items;
        in->cap = cap;
    }
    in->items[in->n++] = item;
    return EST_OK;
}

/* --- the shapes of a body --- */

static est_err add_array(struct est_inbound *in, yyjson_val *list, struct est_reject *reject)
{
    size_t idx, max;
    yyjson_val *v;

    in->is_batch = true;
    yyjson_arr_foreach(list, idx, max, v) {
        est_err err = add_item(in, (struct est_item){.envelope = v}, reject);
        if (err)
            return err;
    }
    return EST_OK;
}

static est_err parse_document(struct est_inbound *in, struct est_view body,
                              struct est_reject *reject)
{
    yyjson_val *root = NULL;
    est_err err = est_json_tree_read(&in->json, body, &root, reject);

    if (err)
        return err;
    if (yyjson_is_arr(root) && in->kind != EST_INBOUND_CE)
        return add_array(in, root, reject);
    if (in->kind == EST_INBOUND_CE_BATCH)
        return est_reject_set(reject, EST_ERR_EVENT_SHAPE, "the body must be an array of events");
    return add_item(in, (struct est_item){.envelope = root}, reject);
}

static est_err add_line(struct est_inbound *in, struct est_view line, struct est_reject *reject)
{
    struct est_item item = {0};
    struct est_reject rj;
    est_err err = est_json_tree_read(&in->json, line, &item.envelope, &rj);

    if (err == EST_ERR_JSON) {
        item.fault = err;
        item.fault_text = est_arena_copy(&in->json.arena, rj.detail, strlen(rj.detail));
        err = item.fault_text ? EST_OK : EST_ERR_NOMEM;
    }
    if (err)
        return est_reject_set(reject, err, "%s",
                              err == EST_ERR_NOMEM ? est_err_text(err) : rj.detail);
    return add_item(in, item, reject);
}

static est_err parse_lines(struct est_inbound *in, struct est_view body, struct est_reject *reject)
{
    in->is_batch = true;
    while (body.len > 0) {
        const char *end = memchr(body.data, '\n', body.len);
        size_t len = end ? (size_t)(end - body.data) : body.len;
        struct est_view line = est_view_trim(est_view(body.data, len));
        est_err err = EST_OK;
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line = est_view_trim(est_view(line.data, line.len - 1));
        if (line.len > 0)
            err = add_line(in, line, reject);
        if (err)
            return err;
        len += end != NULL;
        body = est_view(body.data + len, body.len - len);
    }
    return EST_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* CloudEvents, HTTP binding §3.1.3.2: values are percent-encoded. */
static void put_decoded(struct est_buf *b, struct est_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        int high = v.data[i] == '%' && v.len - i > 2 ? hex_digit(v.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(v.data[i + 2]) : -1;
        est_buf_putc(b, low >= 0 ? (char)(high * 16 + low) : v.data[i]);
        i += low >= 0 ? 2 : 0;
    }
}

/* One attribute as a JSON member; `value` is a buffer to decode into. */
static est_err put_attribute(struct est_buf *out, const struct est_inbound_field *f,
                             struct est_buf *value, struct est_reject *reject)
{
    char name[64] = "";
    size_t n = f->name.len - 3;

    if (n == 0 || n >= sizeof(name))
        return est_reject_set(reject, EST_ERR_EVENT_SHAPE,
                              "a ce- field has a name too long or empty");
    for (size_t i = 0; i < n; i++) {
        char c = f->name.data[3 + i];
        name[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    est_buf_clear(value);
    put_decoded(value, f->value);
    est_json_put_name(out, name);
    if (!est_text_put(out, est_buf_view(value)))
        return est_reject_set(reject, EST_ERR_EVENT_SHAPE, "the field ce-%s is not UTF-8", name);
    return EST_OK;
}

/* Header fields become the object they would be in structured mode; the body stays a document of
 * its own, so that nothing in it can reach the envelope. */
static est_err parse_binary(struct est_inbound *in, struct est_view body,
                            const struct est_inbound_field *fields, size_t n,
                            struct est_reject *reject)
{
    struct est_item item = {0};
    est_err err;

    est_buf_clear(&in->extra);
    est_buf_putc(&in->extra, '{');
    for (size_t i = 0; i < n; i++) {
        if (!est_view_istarts(fields[i].name, EST_VIEW_LIT("ce-")))
            continue;
        if ((err = put_attribute(&in->extra, &fields[i], &in->scratch, reject)) != EST_OK)
            return err;
    }
    est_buf_putc(&in->extra, '}');
    if (in->extra.failed || in->scratch.failed)
        return no_memory(reject);
    if ((err = est_json_tree_read(&in->json, body, &item.payload, reject)) != EST_OK)
        return err;
    err = est_json_tree_read(&in->json, est_buf_view(&in->extra), &item.envelope, reject);
    return err ? err : add_item(in, item, reject);
}

est_err est_inbound_parse(struct est_inbound *in, enum est_inbound_kind kind, struct est_view body,
                          const struct est_inbound_field *fields, size_t n_fields,
                          struct est_reject *reject)
{
    est_err err;

    est_inbound_clear(in);
    in->kind = kind;
    in->is_batch = kind == EST_INBOUND_CE_BATCH;
    if (kind == EST_INBOUND_CE_BINARY)
        err = parse_binary(in, body, fields, n_fields, reject);
    else if (kind == EST_INBOUND_NDJSON)
        err = parse_lines(in, body, reject);
    else
        err = parse_document(in, body, reject);
    if (err == EST_OK && in->n == 0)
        err = est_reject_set(reject, EST_ERR_EVENT_SHAPE, "there is no event in the body");
    if (err)
        in->n = 0;
    return err;
}

size_t est_inbound_count(const struct est_inbound *in)
{
    return in->n;
}

bool est_inbound_is_batch(const struct est_inbound *in)
{
    return in->is_batch;
}

/* --- one item --- */

static est_err check_item(struct est_inbound *in, struct est_item *item, struct est_event *ev,
                          struct est_reject *reject)
{
    struct est_path step = {NULL, EST_VIEW_LIT("data"), 0};
    est_err err;

    if (item->envelope == NULL)
        return est_reject_set(reject, item->fault, "%s", item->fault_text);
    if (!yyjson_is_obj(item->envelope))
        return est_reject_set(reject, EST_ERR_EVENT_SHAPE, "expected an object, found %s",
                              est_json_type_name((const struct est_value *)item->envelope));
    if ((err = est_json_tree_check(&in->json, item->envelope, NULL, reject)) != EST_OK)
        return err;
    if (in->kind == EST_INBOUND_CE_BINARY) {
        if (!yyjson_is_obj(item->payload))
            return est_reject_at(reject, &step, EST_ERR_EVENT_SHAPE, "expected an object, found %s",
                                 est_json_type_name((const struct est_value *)item->payload));
        if ((err = est_json_tree_check(&in->json, item->payload, &step, reject)) != EST_OK)
            return err;
    }
    return est_item_read(item, est_item_is_ce(in), ev, reject);
}

est_err est_inbound_event(struct est_inbound *in, size_t i, struct est_event *ev,
                          struct est_reject *reject)
{
    est_err err;

    EST_ASSERT(i < in->n);
    err = check_item(in, &in->items[i], ev, reject);
    if (err && reject != NULL)
        reject->index = i;
    return err;
}

struct est_view est_inbound_pointer(const struct est_inbound *in, size_t i,
                                    const struct est_pointer *p)
{
    const struct est_item *item = &in->items[i];
    struct est_view first;
    yyjson_val *from;

    EST_ASSERT(i < in->n);
    if (est_pointer_count(p) == 0)
        return EST_VIEW_NONE;
    first = est_pointer_step(p, 0);
    if (est_view_is(first, "payload")) {
        from = item->payload;
    } else {
        first = est_item_alias(est_item_is_ce(in), first);
        from = yyjson_obj_getn(item->envelope, first.data, first.len);
    }
    return est_json_id(est_pointer_follow(p, 1, (const struct est_value *)from));
}
