#include "item.h"

#include "moment.h"
#include "number.h"
#include "text.h"

#include <string.h>

/* What may stand in an envelope: one row a member. */
enum rule_kind { TEXT, TIME, SEQUENCE, PAYLOAD, VERSION, IGNORED, REFUSED };

struct rule {
    struct est_view name;
    enum rule_kind kind;
    size_t offset;  /* of the view in struct est_event */
    size_t len_max; /* bytes */
    bool is_required;
    bool is_kept; /* read, and kept in `extra` as well, for the record has no field for it */
};

#define AT(member) offsetof(struct est_event, member)

static const struct rule plain_rules[] = {
    {EST_VIEW_LIT("event"), TEXT, AT(event), 128, true, false},
    {EST_VIEW_LIT("payload"), PAYLOAD, 0, 0, true, false},
    {EST_VIEW_LIT("id"), TEXT, AT(id), 256, false, false},
    {EST_VIEW_LIT("source"), TEXT, AT(source), 512, false, false},
    {EST_VIEW_LIT("tenant"), TEXT, AT(tenant), 256, false, false},
    {EST_VIEW_LIT("occurred_at"), TIME, 0, 0, false, false},
    {EST_VIEW_LIT("timestamp"), TIME, 0, 0, false, true},
    {EST_VIEW_LIT("dedup_id"), TEXT, AT(dedup_id), 512, false, false},
    {EST_VIEW_LIT("sequence"), SEQUENCE, 0, 0, false, false},
    {EST_VIEW_LIT("key"), TEXT, AT(key), 1024, false, true},
};

/* CloudEvents 1.0 and its extensions "partitioning", "sequence" and "distributed tracing". */
static const struct rule ce_rules[] = {
    {EST_VIEW_LIT("specversion"), VERSION, 0, 0, true, false},
    {EST_VIEW_LIT("type"), TEXT, AT(event), 128, true, false},
    {EST_VIEW_LIT("source"), TEXT, AT(source), 512, true, false},
    {EST_VIEW_LIT("id"), TEXT, AT(id), 256, true, false},
    {EST_VIEW_LIT("data"), PAYLOAD, 0, 0, true, false},
    {EST_VIEW_LIT("time"), TIME, 0, 0, false, false},
    {EST_VIEW_LIT("subject"), TEXT, AT(subject), 1024, false, true},
    {EST_VIEW_LIT("tenant"), TEXT, AT(tenant), 256, false, false},
    {EST_VIEW_LIT("dedupid"), TEXT, AT(dedup_id), 512, false, false},
    {EST_VIEW_LIT("sequence"), SEQUENCE, 0, 0, false, true},
    {EST_VIEW_LIT("partitionkey"), TEXT, AT(key), 1024, false, true},
    {EST_VIEW_LIT("traceparent"), TEXT, AT(traceparent), 128, false, true},
    {EST_VIEW_LIT("tracestate"), TEXT, AT(tracestate), 1024, false, true},
    {EST_VIEW_LIT("datacontenttype"), IGNORED, 0, 0, false, false},
    {EST_VIEW_LIT("data_base64"), REFUSED, 0, 0, false, false},
};

struct shape {
    const struct rule *rules;
    size_t n;
};

static struct shape shape_of(bool is_ce)
{
    if (is_ce)
        return (struct shape){ce_rules, sizeof(ce_rules) / sizeof(ce_rules[0])};
    return (struct shape){plain_rules, sizeof(plain_rules) / sizeof(plain_rules[0])};
}

/* The number of the rule, or the count of rules. */
static size_t rule_find(struct shape sh, struct est_view name)
{
    size_t i = 0;

    while (i < sh.n && !est_view_eq(sh.rules[i].name, name))
        i++;
    return i;
}

struct reading {
    struct est_item *item;
    struct est_event *ev;
    bool is_ce, has_occurred_at;
    struct est_reject *reject;
};

static est_err refuse(const struct reading *rd, const struct rule *r, const char *text)
{
    struct est_path step = {NULL, r->name, 0};

    return est_reject_at(rd->reject, &step, EST_ERR_EVENT_SHAPE, "%s", text);
}

static est_err mismatch(const struct reading *rd, const struct rule *r, const char *wanted,
                        yyjson_val *v)
{
    struct est_path step = {NULL, r->name, 0};

    return est_reject_at(rd->reject, &step, EST_ERR_EVENT_SHAPE, "expected %s, found %s", wanted,
                         est_json_type_name((const struct est_value *)v));
}

/* An empty text is as good as none. Control characters are refused, for these texts go into header
 * fields. */
static est_err take_text(const struct reading *rd, const struct rule *r, yyjson_val *v)
{
    struct est_path step = {NULL, r->name, 0};
    struct est_view text;
    bool is_integer = yyjson_is_raw(v) && est_json_tree_is_integer(est_json_tree_text(v));

    if (!yyjson_is_str(v) && !is_integer)
        return mismatch(rd, r, "a string", v);
    text = est_json_tree_text(v);
    if (text.len == 0)
        return r->is_required ? refuse(rd, r, "required, and empty") : EST_OK;
    if (text.len > r->len_max)
        return est_reject_at(rd->reject, &step, EST_ERR_EVENT_SHAPE, "longer than %zu bytes",
                             r->len_max);
    if (!est_text_is_printable(text))
        return refuse(rd, r, "control characters cannot stand here");
    memcpy((char *)rd->ev + r->offset, &text, sizeof(text));
    return EST_OK;
}

/* "occurred_at" wins over "timestamp", whichever comes first. */
static est_err take_time(struct reading *rd, const struct rule *r, yyjson_val *v)
{
    int64_t ms;
    est_us us;

    if (yyjson_is_str(v) && est_rfc3339_parse(est_json_tree_text(v), &us))
        ms = us / 1000 - (us % 1000 < 0);
    else if (yyjson_is_raw(v) && est_number_i64(est_json_tree_text(v), &ms) == EST_NUMBER_OK)
        us = est_moment_is_sayable(ms) ? ms * 1000 : 0;
    else
        return refuse(rd, r, "expected an RFC 3339 string or integer milliseconds since 1970");
    if (!est_moment_is_sayable(ms))
        return refuse(rd, r, "the time is out of range");
    if (r->is_kept && rd->has_occurred_at)
        return EST_OK;
    rd->ev->occurred_at = us;
    rd->has_occurred_at |= !r->is_kept;
    return EST_OK;
}

/* CloudEvents gives sequences as strings of any order; only one of digits is a number to us. */
static est_err take_sequence(const struct reading *rd, const struct rule *r, yyjson_val *v)
{
    int64_t n;

    if (!(yyjson_is_raw(v) || (rd->is_ce && yyjson_is_str(v))) ||
        est_number_i64(est_json_tree_text(v), &n) != EST_NUMBER_OK)
        return rd->is_ce ? EST_OK : refuse(rd, r, "expected an integer of 64 bits");
    rd->ev->sequence = n;
    rd->ev->has_sequence = true;
    return EST_OK;
}

static est_err take_payload(const struct reading *rd, const struct rule *r, yyjson_val *v)
{
    if (!yyjson_is_obj(v))
        return mismatch(rd, r, "an object", v);
    rd->item->payload = v;
    return EST_OK;
}

static est_err take(struct reading *rd, const struct rule *r, yyjson_val *v)
{
    switch (r->kind) {
    case TEXT: return take_text(rd, r, v);
    case TIME: return take_time(rd, r, v);
    case SEQUENCE: return take_sequence(rd, r, v);
    case PAYLOAD: return take_payload(rd, r, v);
    case VERSION: return yyjson_equals_str(v, "1.0") ? EST_OK : refuse(rd, r, "expected \"1.0\"");
    case REFUSED: return refuse(rd, r, "only JSON data is taken");
    default: return EST_OK;
    }
}

static est_err check_required(const struct reading *rd, struct shape sh, unsigned seen)
{
    for (size_t i = 0; i < sh.n; i++)
        if (sh.rules[i].is_required && !(seen & 1u << i) &&
            !(sh.rules[i].kind == PAYLOAD && rd->item->payload != NULL))
            return refuse(rd, &sh.rules[i], "required, and not there");
    return EST_OK;
}

est_err est_item_read(struct est_item *item, bool is_ce, struct est_event *ev,
                      struct est_reject *reject)
{
    struct est_event got = *ev;
    struct reading rd = {item, &got, is_ce, false, reject};
    struct shape sh = shape_of(is_ce);
    size_t idx, max, unnamed = 0;
    unsigned seen = 0;
    yyjson_val *key, *val;
    est_err err;

    yyjson_obj_foreach(item->envelope, idx, max, key, val) {
        size_t i = rule_find(sh, est_json_tree_text(key));
        unnamed += i == sh.n || sh.rules[i].is_kept;
        if (i == sh.n || yyjson_is_null(val))
            continue;
        if ((err = take(&rd, &sh.rules[i], val)) != EST_OK)
            return err;
        seen |= 1u << i;
    }
    if ((err = check_required(&rd, sh, seen)) != EST_OK)
        return err;
    item->unnamed = unnamed;
    *ev = got;
    return EST_OK;
}

bool est_item_keeps(bool is_ce, struct est_view name)
{
    struct shape sh = shape_of(is_ce);
    size_t i = rule_find(sh, name);

    return i == sh.n || sh.rules[i].is_kept;
}

struct est_view est_item_alias(bool is_ce, struct est_view name)
{
    static const struct {
        const char *plain;
        struct est_view ce;
    } rows[] = {
        {"event", EST_VIEW_LIT("type")},       {"payload", EST_VIEW_LIT("data")},
        {"occurred_at", EST_VIEW_LIT("time")}, {"dedup_id", EST_VIEW_LIT("dedupid")},
        {"key", EST_VIEW_LIT("partitionkey")},
    };

    for (size_t i = 0; is_ce && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (est_view_is(name, rows[i].plain))
            return rows[i].ce;
    return name;
}
