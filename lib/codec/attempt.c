#include "codec/attempt.h"

#include "base/jsonw.h"

#include <stdlib.h>

enum { JOIN_BACK = 8 }; /* ranges that an item is compared with */

/* --- writing --- */

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Types have one text for their topic, so pointers tell most of it. */
static int by_place(const struct est_attempt_item *x, const struct est_attempt_item *y)
{
    int order = x->topic == y->topic ? 0 : strcmp(x->topic, y->topic);

    if (order == 0)
        order = by_number(x->partition, y->partition);
    if (order == 0)
        order = by_number(x->attempt, y->attempt);
    return order ? order : by_number(x->status, y->status);
}

static int compare(const void *a, const void *b)
{
    const struct est_attempt_item *x = a, *y = b;
    int order = by_place(x, y);

    return order ? order : by_number(x->offset, y->offset);
}

static void put_part_head(struct est_buf *out, const struct est_attempt_item *it)
{
    est_buf_puts(out, "{\"topic\":");
    est_json_put_str(out, it->topic);
    est_buf_puts(out, ",\"partition\":");
    est_buf_put_i64(out, it->partition);
    est_buf_puts(out, ",\"attempt\":");
    est_buf_put_u64(out, it->attempt);
    if (it->status != 0) {
        est_buf_puts(out, ",\"status\":");
        est_buf_put_i64(out, it->status);
    }
    est_buf_puts(out, ",\"ranges\":[");
}

static void put_range(struct est_buf *out, const struct est_attempt_item *it)
{
    est_buf_putc(out, '[');
    est_buf_put_i64(out, it->offset);
    if (it->last > it->offset) {
        est_buf_putc(out, ',');
        est_buf_put_i64(out, it->last);
    }
    est_buf_putc(out, ']');
}

static void put_parts(struct est_buf *out, const struct est_attempt_item *items, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t first = i;
        if (first > 0)
            est_buf_putc(out, ',');
        put_part_head(out, &items[first]);
        for (; i < n && by_place(&items[i], &items[first]) == 0; i++) {
            if (i > first)
                est_buf_putc(out, ',');
            put_range(out, &items[i]);
        }
        est_buf_puts(out, "]}");
    }
}

/* Does the item lie in the range, or right behind it? */
static bool continues(const struct est_attempt_item *range, const struct est_attempt_item *it)
{
    return it->offset >= range->offset && it->offset <= range->last + 1 && by_place(it, range) == 0;
}

/* Each item joins the range that it continues, if that is one of the last few; returns how many
 * ranges there are. */
static size_t join(struct est_attempt_item *items, size_t n)
{
    size_t ranges = 0;

    for (size_t i = 0; i < n; i++) {
        size_t at = ranges, least = ranges > JOIN_BACK ? ranges - JOIN_BACK : 0;
        while (at > least && !continues(&items[at - 1], &items[i]))
            at--;
        if (at == least)
            items[ranges++] = items[i];
        else if (items[i].last > items[at - 1].last)
            items[at - 1].last = items[i].last;
    }
    return ranges;
}

/* Events go out in the order that they lie in, those of one key side by side: the events of a few
 * keys in turns make a few ranges in turns, and little is left to be put in order. */
static size_t make_ranges(struct est_attempt *a)
{
    size_t n;

    for (size_t i = 0; i < a->n; i++)
        a->items[i].last = a->items[i].offset;
    n = join(a->items, a->n);
    qsort(a->items, n, sizeof(*a->items), compare);
    return join(a->items, n);
}

static void put_number(struct est_buf *out, const char *name, int64_t n)
{
    est_json_put_name(out, name);
    est_buf_put_i64(out, n);
}

static void put_text(struct est_buf *out, const char *name, const char *text)
{
    est_json_put_name(out, name);
    est_json_put_str(out, text);
}

void est_attempt_put(struct est_buf *out, struct est_attempt *a)
{
    size_t n = make_ranges(a);

    est_buf_puts(out, "{\"v\":1");
    put_number(out, "at", a->at / EST_MS);
    put_number(out, "us", a->duration);
    put_number(out, "events", (int64_t)a->n);
    put_number(out, "status", a->status);
    put_text(out, "verdict", a->verdict);
    if (a->class != NULL)
        put_text(out, "class", a->class);
    if (a->key.data != NULL) {
        est_json_put_name(out, "key");
        est_json_put_string(out, a->key);
    }
    est_buf_puts(out, ",\"parts\":[");
    put_parts(out, a->items, n);
    est_buf_puts(out, "]}");
}

/* --- reading --- */

static bool is_number(const struct est_value *obj, const char *name, int64_t want)
{
    int64_t n;

    return est_json_i64(est_json_get(obj, name), &n) && n == want;
}

static bool has_offset(const struct est_value *ranges, int64_t offset)
{
    struct est_json_iter it = {0};
    const struct est_value *range;

    while (est_json_each(ranges, &it, NULL, &range)) {
        struct est_json_iter at = {0};
        const struct est_value *v;
        int64_t ends[2] = {0};
        size_t n = 0;
        while (n < 2 && est_json_each(range, &at, NULL, &v) && est_json_i64(v, &ends[n]))
            n++;
        if (n == 1)
            ends[1] = ends[0];
        if (n > 0 && offset >= ends[0] && offset <= ends[1])
            return true;
    }
    return false;
}

static const struct est_value *find_part(const struct est_value *record, struct est_view topic,
                                         int32_t partition, int64_t offset)
{
    const struct est_value *parts = est_json_get(record, "parts"), *part;
    struct est_json_iter it = {0};

    while (est_json_each(parts, &it, NULL, &part))
        if (is_number(part, "partition", partition) &&
            est_view_eq(est_json_string(est_json_get(part, "topic")), topic) &&
            has_offset(est_json_get(part, "ranges"), offset))
            return part;
    return NULL;
}

static int64_t number(const struct est_value *obj, const char *name)
{
    int64_t n = 0;

    (void)est_json_i64(est_json_get(obj, name), &n);
    return n;
}

bool est_attempt_find(const struct est_value *record, struct est_view topic, int32_t partition,
                      int64_t offset, struct est_attempt_hit *ret)
{
    const struct est_value *part;
    int64_t own, status;

    if (!is_number(record, "v", 1) || (part = find_part(record, topic, partition, offset)) == NULL)
        return false;
    own = number(part, "status");
    status = own != 0 ? own : number(record, "status");
    if (status < 0 || status > 999)
        return false;
    *ret = (struct est_attempt_hit){.at_ms = number(record, "at"),
                                    .us = number(record, "us"),
                                    .events = number(record, "events"),
                                    .attempt = number(part, "attempt"),
                                    .status = (int)status,
                                    .is_own = own != 0,
                                    .verdict = est_json_string(est_json_get(record, "verdict")),
                                    .class = est_json_string(est_json_get(record, "class")),
                                    .key = est_json_string(est_json_get(record, "key"))};
    return true;
}
