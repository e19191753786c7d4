#include "canon.h"

#include "text.h"

enum { NAMED_MAX = 512 };

/* Named types that have been written in full; from then on the name stands for them. */
struct canon {
    struct est_buf *b;
    const struct est_plan *written[NAMED_MAX];
    size_t n_written;
    bool with_meaning;
};

static void put(struct canon *c, const struct est_plan *p);

static void put_member(struct canon *c, const char *prefix, struct est_view text)
{
    est_buf_puts(c->b, prefix);
    (void)est_text_put(c->b, text);
}

static void put_record(struct canon *c, const struct est_plan *p)
{
    put_member(c, "{\"name\":", p->name);
    est_buf_puts(c->b, ",\"type\":\"record\",\"fields\":[");
    for (size_t i = 0; i < p->n; i++) {
        put_member(c, i ? ",{\"name\":" : "{\"name\":", p->fields[i].name);
        est_buf_puts(c->b, ",\"type\":");
        put(c, p->fields[i].plan);
        est_buf_putc(c->b, '}');
    }
    est_buf_puts(c->b, "]}");
}

static void put_enum(struct canon *c, const struct est_plan *p)
{
    put_member(c, "{\"name\":", p->name);
    est_buf_puts(c->b, ",\"type\":\"enum\",\"symbols\":[");
    for (size_t i = 0; i < p->n; i++)
        put_member(c, i ? "," : "", p->symbols[i]);
    est_buf_puts(c->b, "]}");
}

static void put_fixed(struct canon *c, const struct est_plan *p)
{
    put_member(c, "{\"name\":", p->name);
    est_buf_puts(c->b, ",\"type\":\"fixed\",\"size\":");
    est_buf_put_u64(c->b, p->n);
    est_buf_putc(c->b, '}');
}

static void put_sequence(struct canon *c, const struct est_plan *p)
{
    est_buf_puts(c->b, p->kind == EST_PLAN_ARRAY ? "{\"type\":\"array\",\"items\":"
                                                 : "{\"type\":\"map\",\"values\":");
    put(c, p->items);
    est_buf_putc(c->b, '}');
}

static void put_union(struct canon *c, const struct est_plan *p)
{
    est_buf_putc(c->b, '[');
    for (size_t i = 0; i < p->n; i++) {
        if (i > 0)
            est_buf_putc(c->b, ',');
        put(c, p->branches[i]);
    }
    est_buf_putc(c->b, ']');
}

static void put_primitive(struct canon *c, const struct est_plan *p)
{
    (void)est_text_put(c->b, p->name);
    if (c->with_meaning && p->logical != EST_PLAN_PLAIN) {
        est_buf_putc(c->b, '!');
        est_buf_put_u64(c->b, (uint64_t)p->logical);
        est_buf_putc(c->b, ',');
        est_buf_put_u64(c->b, p->precision);
        est_buf_putc(c->b, ',');
        est_buf_put_u64(c->b, p->scale);
    }
}

static bool is_named(const struct est_plan *p)
{
    return p->kind == EST_PLAN_RECORD || p->kind == EST_PLAN_ENUM || p->kind == EST_PLAN_FIXED;
}

static void put(struct canon *c, const struct est_plan *p)
{
    static void (*const writers[EST_PLAN__COUNT])(struct canon *, const struct est_plan *) = {
        [EST_PLAN_ARRAY] = put_sequence, [EST_PLAN_MAP] = put_sequence,
        [EST_PLAN_RECORD] = put_record,  [EST_PLAN_ENUM] = put_enum,
        [EST_PLAN_FIXED] = put_fixed,    [EST_PLAN_UNION] = put_union,
    };

    for (size_t i = 0; is_named(p) && i < c->n_written; i++) {
        if (c->written[i] == p) {
            (void)est_text_put(c->b, p->name);
            return;
        }
    }
    if (is_named(p) && c->n_written < NAMED_MAX)
        c->written[c->n_written++] = p;
    if (writers[p->kind] != NULL)
        writers[p->kind](c, p);
    else
        put_primitive(c, p);
}

void est_canon_put(struct est_buf *b, const struct est_plan *p, bool with_meaning)
{
    struct canon c = {.b = b, .with_meaning = with_meaning};

    put(&c, p);
}

/* Bit by bit: a schema is fingerprinted once in its life, so no table. */
uint64_t est_canon_fingerprint(struct est_view bytes)
{
    const uint64_t empty = UINT64_C(0xc15d213aa4d7a795);
    uint64_t fp = empty;

    for (size_t i = 0; i < bytes.len; i++) {
        uint64_t x = (fp ^ (unsigned char)bytes.data[i]) & 0xff;
        for (int bit = 0; bit < 8; bit++)
            x = (x >> 1) ^ (empty & (0 - (x & 1)));
        fp = (fp >> 8) ^ x;
    }
    return fp;
}
