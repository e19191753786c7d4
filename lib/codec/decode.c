#include "decode.h"

#include "base/clock.h"
#include "text.h"

#include <math.h>
#include <string.h>

enum { DECIMAL_DIGITS = 20 };

est_err est_decode_fault(struct est_decode *d, const struct est_path *at, const char *text)
{
    char where[96];

    est_path_format(at, where, sizeof(where));
    return est_why_set(d->why, EST_ERR_AVRO, "%s: %s", where[0] ? where : "/", text);
}

static est_err damaged(struct est_decode *d, const struct est_path *at)
{
    return est_decode_fault(d, at, "the bytes are not of the schema");
}

/* --- scalars --- */

static est_err decode_null(struct est_decode *d, const struct est_plan *p,
                           const struct est_path *at)
{
    (void)p;
    (void)at;
    est_buf_puts(d->out, "null");
    return EST_OK;
}

static est_err decode_boolean(struct est_decode *d, const struct est_plan *p,
                              const struct est_path *at)
{
    struct est_view byte;

    (void)p;
    if (!est_cursor_raw(&d->in, 1, &byte) || (unsigned char)byte.data[0] > 1)
        return est_decode_fault(d, at, "a boolean that is neither 0 nor 1");
    est_buf_puts(d->out, byte.data[0] ? "true" : "false");
    return EST_OK;
}

/* Years 1 to 9999, which RFC 3339 can say. */
static bool is_sayable(int64_t ms)
{
    return ms >= -62135596800000 && ms <= 253402300799999;
}

/* A time that RFC 3339 cannot say stays a number. */
void est_decode_put_time(struct est_buf *b, int64_t ms)
{
    char text[EST_RFC3339_LEN + 1];

    if (!is_sayable(ms)) {
        est_buf_put_i64(b, ms);
        return;
    }
    est_rfc3339_format(ms * 1000, text);
    est_buf_putc(b, '"');
    est_buf_put(b, text, EST_RFC3339_LEN);
    est_buf_putc(b, '"');
}

static void put_micros(struct est_buf *b, int64_t us)
{
    unsigned rest = (unsigned)((us % 1000 + 1000) % 1000);
    int64_t ms = us / 1000 - (us % 1000 < 0);

    if (!is_sayable(ms)) {
        est_buf_put_i64(b, us);
        return;
    }
    est_decode_put_time(b, ms);
    if (rest == 0 || b->failed)
        return;
    est_buf_truncate(b, b->len - 2); /* Z" */
    est_buf_printf(b, "%03uZ\"", rest);
}

static est_err decode_integer(struct est_decode *d, const struct est_plan *p,
                              const struct est_path *at)
{
    int64_t n;

    if (!est_cursor_long(&d->in, &n))
        return damaged(d, at);
    if (p->kind == EST_PLAN_INT && (n < INT32_MIN || n > INT32_MAX))
        return est_decode_fault(d, at, "an int of more than 32 bits");
    if (p->logical == EST_PLAN_TIMESTAMP_MILLIS)
        est_decode_put_time(d->out, n);
    else if (p->logical == EST_PLAN_TIMESTAMP_MICROS)
        put_micros(d->out, n);
    else
        est_buf_put_i64(d->out, n);
    return EST_OK;
}

/* The shortest text that reads back as the same double; of the library, for it knows no locale. */
static est_err put_double(struct est_decode *d, double value, const struct est_path *at)
{
    yyjson_val v = {.tag = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL, .uni = {.f64 = value}};
    _Alignas(16) char memory[1024];
    yyjson_alc alc;
    size_t len = 0;
    char *text;

    if (!isfinite(value))
        return est_decode_fault(d, at, "a number that JSON cannot say");
    if (!yyjson_alc_pool_init(&alc, memory, sizeof(memory)) ||
        (text = yyjson_val_write_opts(&v, 0, &alc, &len, NULL)) == NULL)
        return EST_ERR_NOMEM;
    if (len > 2 && text[len - 1] == '0' && text[len - 2] == '.')
        len -= 2; /* 2.0 was most likely sent as 2 */
    est_buf_put(d->out, text, len);
    return EST_OK;
}

static est_err decode_real(struct est_decode *d, const struct est_plan *p,
                           const struct est_path *at)
{
    struct est_view bytes;
    double value;
    float single;

    if (!est_cursor_raw(&d->in, p->min_size, &bytes))
        return damaged(d, at);
    if (p->kind == EST_PLAN_DOUBLE) {
        memcpy(&value, bytes.data, sizeof(value));
        return put_double(d, value, at);
    }
    memcpy(&single, bytes.data, sizeof(single));
    return put_double(d, (double)single, at);
}

static void put_decimal(struct est_buf *b, int64_t n, unsigned scale)
{
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    char digits[DECIMAL_DIGITS + 3];
    size_t at = sizeof(digits);
    unsigned done = 0;

    do {
        if (done == scale && scale > 0)
            digits[--at] = '.';
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
        done++;
    } while (left > 0 || done <= scale);
    if (n < 0)
        digits[--at] = '-';
    est_buf_put(b, digits + at, sizeof(digits) - at);
}

static est_err decode_decimal(struct est_decode *d, const struct est_plan *p, struct est_view bytes,
                              const struct est_path *at)
{
    const unsigned char *s = (const unsigned char *)bytes.data;
    int64_t most = 1;
    uint64_t n;

    while (bytes.len > 8 && (s[0] == 0 || s[0] == 0xff) && (s[1] >> 7) == (s[0] & 1)) {
        s++; /* a longer form than needed is valid: the sign repeated in front */
        bytes.len--;
    }
    if (bytes.len == 0 || bytes.len > 8)
        return est_decode_fault(d, at, "a decimal of no digits or too many");
    n = s[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.len; i++)
        n = n << 8 | s[i];
    for (unsigned i = 0; i < p->precision; i++)
        most *= 10;
    if ((int64_t)n >= most || (int64_t)n <= -most)
        return est_decode_fault(d, at, "a decimal with more digits than its precision");
    put_decimal(d->out, (int64_t)n, p->scale);
    return EST_OK;
}

/* Bytes as text of one code point each. */
static est_err put_latin(struct est_decode *d, struct est_view bytes)
{
    est_buf_clear(d->pointer);
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c >= 0x80)
            est_buf_putc(d->pointer, (char)(0xC0 | c >> 6));
        est_buf_putc(d->pointer, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
    }
    if (d->pointer->failed)
        return EST_ERR_NOMEM;
    (void)est_text_put(d->out, est_buf_view(d->pointer));
    return EST_OK;
}

static est_err decode_bytes(struct est_decode *d, const struct est_plan *p,
                            const struct est_path *at)
{
    struct est_view bytes;
    bool ok = p->kind == EST_PLAN_FIXED ? est_cursor_raw(&d->in, p->n, &bytes)
                                        : est_cursor_bytes(&d->in, &bytes);

    if (!ok)
        return damaged(d, at);
    return p->logical == EST_PLAN_DECIMAL ? decode_decimal(d, p, bytes, at) : put_latin(d, bytes);
}

/* The text of one JSON value goes out as that value, once it is known to be one. */
static est_err decode_json_text(struct est_decode *d, struct est_view text,
                                const struct est_path *at)
{
    _Alignas(16) char memory[2048];
    const struct est_value *v;
    struct est_json js;
    est_err err;

    est_json_tree_init_with(&js, memory, sizeof(memory));
    err = est_json_parse(&js, text, &v, NULL);
    if (err == EST_OK)
        est_json_put_value(d->out, v);
    est_json_tree_fini(&js);
    if (err == EST_ERR_NOMEM)
        return err;
    return err ? est_decode_fault(d, at, "text that should be JSON and is not") : EST_OK;
}

static est_err decode_string(struct est_decode *d, const struct est_plan *p,
                             const struct est_path *at)
{
    struct est_view text;

    if (!est_cursor_bytes(&d->in, &text))
        return damaged(d, at);
    if (p->logical == EST_PLAN_JSON)
        return decode_json_text(d, text, at);
    return est_text_put(d->out, text) ? EST_OK : est_decode_fault(d, at, "text that is not UTF-8");
}

static est_err decode_enum(struct est_decode *d, const struct est_plan *p,
                           const struct est_path *at)
{
    int64_t i;

    if (!est_cursor_long(&d->in, &i) || i < 0 || (uint64_t)i >= p->n)
        return est_decode_fault(d, at, "an enum index without a symbol");
    (void)est_text_put(d->out, p->symbols[i]);
    return EST_OK;
}

/* --- containers --- */

static est_err decode_item(struct est_decode *d, const struct est_plan *p,
                           const struct est_path *at, size_t index)
{
    struct est_path step = {at, EST_VIEW_NONE, index};

    if (p->kind == EST_PLAN_MAP) {
        if (!est_cursor_bytes(&d->in, &step.name))
            return damaged(d, at);
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
            return damaged(d, at);
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

est_err est_decode_extra_of(struct est_decode *d, const struct est_path *at, yyjson_val **ret)
{
    struct est_view pointer;

    *ret = NULL;
    if (d->extra == NULL)
        return EST_OK;
    est_buf_clear(d->pointer);
    est_path_put(d->pointer, at);
    if (d->pointer->failed)
        return EST_ERR_NOMEM;
    pointer = est_buf_view(d->pointer);
    *ret = yyjson_obj_getn(d->extra, pointer.data, pointer.len);
    return EST_OK;
}

static void put_comma(struct est_buf *b, size_t start)
{
    if (b->len > start)
        est_buf_putc(b, ',');
}

/* A member that was put back must not stand twice: the field's own value wins. `written` has a bit
 * for each field that went out. */
static est_err put_back(struct est_decode *d, const struct est_plan *p, const uint64_t *written,
                        size_t start, const struct est_path *at)
{
    size_t idx, max;
    yyjson_val *members, *key, *val;
    est_err err = est_decode_extra_of(d, at, &members);

    if (err || !yyjson_is_obj(members))
        return err;
    yyjson_obj_foreach(members, idx, max, key, val) {
        size_t field = est_plan_field_find(p, est_json_tree_text(key), p->n);
        if (field < p->n && (written[field / 64] & UINT64_C(1) << (field % 64)))
            continue;
        put_comma(d->out, start);
        (void)est_text_put(d->out, est_json_tree_text(key));
        est_buf_putc(d->out, ':');
        est_json_put_value(d->out, (const struct est_value *)val);
    }
    return EST_OK;
}

/* Is the value ahead a null of a union? Then it is stepped over. */
static bool take_null(struct est_decode *d, const struct est_plan *p)
{
    struct est_cursor ahead = d->in;
    int64_t branch;

    if (p->kind == EST_PLAN_NULL)
        return true;
    if (p->kind != EST_PLAN_UNION || p->null_branch == p->n || !est_cursor_long(&ahead, &branch) ||
        branch != (int64_t)p->null_branch)
        return false;
    d->in = ahead;
    return true;
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
        struct est_path step = {at, f->name, 0};
        if (d->is_event && take_null(d, f->plan))
            continue;
        put_comma(d->out, start);
        est_buf_put_view(d->out, f->json_name);
        if ((err = est_decode_value(d, f->plan, &step)) != EST_OK)
            return err;
        written[i / 64] |= UINT64_C(1) << (i % 64);
    }
    if (d->extra != NULL && (err = put_back(d, p, written, start, at)) != EST_OK)
        return err;
    est_buf_putc(d->out, '}');
    return EST_OK;
}

static est_err decode_union(struct est_decode *d, const struct est_plan *p,
                            const struct est_path *at)
{
    int64_t i;

    if (!est_cursor_long(&d->in, &i) || i < 0 || (uint64_t)i >= p->n)
        return est_decode_fault(d, at, "a union index without a branch");
    return est_decode_value(d, p->branches[i], at);
}

est_err est_decode_value(struct est_decode *d, const struct est_plan *p, const struct est_path *at)
{
    static est_err (*const decoders[EST_PLAN__COUNT])(struct est_decode *, const struct est_plan *,
                                                      const struct est_path *) = {
        [EST_PLAN_NULL] = decode_null,     [EST_PLAN_BOOLEAN] = decode_boolean,
        [EST_PLAN_INT] = decode_integer,   [EST_PLAN_LONG] = decode_integer,
        [EST_PLAN_FLOAT] = decode_real,    [EST_PLAN_DOUBLE] = decode_real,
        [EST_PLAN_BYTES] = decode_bytes,   [EST_PLAN_STRING] = decode_string,
        [EST_PLAN_ARRAY] = decode_blocks,  [EST_PLAN_MAP] = decode_blocks,
        [EST_PLAN_RECORD] = decode_record, [EST_PLAN_ENUM] = decode_enum,
        [EST_PLAN_FIXED] = decode_bytes,   [EST_PLAN_UNION] = decode_union,
    };

    return decoders[p->kind](d, p, at);
}
