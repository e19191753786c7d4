#include "summary.h"

#include "base/clock.h"
#include "base/jsonw.h"
#include "money.h"
#include "zone.h"

#include <string.h>

static const char *const fixed_names[COUNT__FIXED] = {
#define COUNT(name, text) text,
#include "counts.def"
#undef COUNT
};

static const char type_prefix[] = "type:";
static const char rest[] = "other";

void summary_name(const struct summary *su, size_t which, struct est_buf *out)
{
    if (which < COUNT__FIXED) {
        est_buf_puts(out, fixed_names[which]);
    } else if (which - COUNT__FIXED < su->n_types) {
        est_buf_puts(out, type_prefix);
        est_buf_puts(out, su->types[which - COUNT__FIXED]);
    }
}

size_t summary_type(struct summary *su, struct est_view type)
{
    enum { PLACES = COUNT__MAX - COUNT__FIXED };

    for (size_t i = 0; i < su->n_types; i++)
        if (est_view_is(type, su->types[i]))
            return COUNT__FIXED + i;
    if (su->n_types == PLACES)
        return COUNT__MAX - 1;
    if (su->n_types == PLACES - 1)
        type = est_view_str(rest);
    memcpy(su->types[su->n_types], type.data, type.len);
    su->types[su->n_types][type.len] = '\0';
    return COUNT__FIXED + su->n_types++;
}

size_t summary_place(struct summary *su, struct est_view name)
{
    struct est_view prefix = est_view_str(type_prefix);

    for (size_t i = 0; i < COUNT__FIXED; i++)
        if (est_view_is(name, fixed_names[i]))
            return i;
    if (!est_view_starts(name, prefix) || name.len - prefix.len > SUMMARY_TYPE_LEN)
        return COUNT__MAX;
    return summary_type(su, est_view(name.data + prefix.len, name.len - prefix.len));
}

bool summary_advance(struct summary *su, int64_t now_ms)
{
    int64_t day = zone_day(now_ms), minute = now_ms / 60000;
    bool new_day = day != su->day;

    if (new_day) {
        su->day = day;
        su->today = (struct counts){0};
    }
    if (minute - su->minute >= SUMMARY_ACTIVE_MINUTES) {
        memset(su->active, 0, sizeof(su->active));
        su->minute = minute;
    }
    while (su->minute < minute)
        su->active[++su->minute % SUMMARY_ACTIVE_MINUTES] = 0;
    return new_day;
}

void summary_add(struct summary *su, int64_t day, size_t which, int64_t n)
{
    su->all.n[which] += n;
    if (day == su->day)
        su->today.n[which] += n;
}

void summary_seen(struct summary *su, int64_t ms, int n)
{
    int64_t minute = ms / 60000;

    if (minute > su->minute || minute <= su->minute - SUMMARY_ACTIVE_MINUTES)
        return;
    su->active[minute % SUMMARY_ACTIVE_MINUTES] += (uint32_t)n;
}

int64_t summary_active(const struct summary *su)
{
    int64_t n = 0;

    for (size_t i = 0; i < SUMMARY_ACTIVE_MINUTES; i++)
        n += su->active[i];
    return n;
}

static void put_number(struct est_buf *out, const char *name, int64_t n)
{
    est_json_put_name(out, name);
    est_buf_put_i64(out, n);
}

static void put_orders(struct est_buf *out, const struct counts *c, const char *currency)
{
    est_json_put_name(out, "orders");
    est_buf_putc(out, '{');
    put_number(out, "total", c->n[COUNT_ORDERS]);
    put_number(out, "paid", c->n[COUNT_PAID]);
    est_json_put_name(out, "revenue");
    est_buf_putc(out, '"');
    money_print(out, c->n[COUNT_REVENUE]);
    est_buf_putc(out, '"');
    est_json_put_name(out, "currency");
    est_json_put_str(out, currency);
    est_buf_putc(out, '}');
}

static void put_messages(struct est_buf *out, const struct counts *c)
{
    est_json_put_name(out, "messages");
    est_buf_putc(out, '{');
    put_number(out, "total", c->n[COUNT_RECEIVED] + c->n[COUNT_SENT]);
    put_number(out, "received", c->n[COUNT_RECEIVED]);
    put_number(out, "sent", c->n[COUNT_SENT]);
    put_number(out, "delivered", c->n[COUNT_DELIVERED]);
    put_number(out, "read", c->n[COUNT_READ]);
    put_number(out, "failed", c->n[COUNT_FAILED]);
    est_buf_putc(out, '}');
}

static void put_events(struct est_buf *out, const struct summary *su, const struct counts *c)
{
    est_json_put_name(out, "errors");
    est_buf_putc(out, '{');
    put_number(out, "total", c->n[COUNT_ERRORS]);
    est_buf_putc(out, '}');
    est_json_put_name(out, "events");
    est_buf_putc(out, '{');
    put_number(out, "total", c->n[COUNT_EVENTS]);
    est_json_put_name(out, "by_type");
    est_buf_putc(out, '{');
    for (size_t i = 0; i < su->n_types; i++)
        if (c->n[COUNT__FIXED + i] != 0)
            put_number(out, su->types[i], c->n[COUNT__FIXED + i]);
    est_buf_puts(out, "}}");
}

void summary_put_time(struct est_buf *out, const char *name, int64_t ms)
{
    char text[EST_RFC3339_LEN + 1];

    est_json_put_name(out, name);
    est_rfc3339_format(ms * EST_MS, text);
    if (ms == 0)
        est_buf_puts(out, "null");
    else
        est_json_put_str(out, text);
}

void summary_print(const struct summary *su, const char *currency, int64_t now_ms,
                   struct est_buf *out)
{
    est_buf_putc(out, '{');
    summary_put_time(out, "at", now_ms);
    summary_put_time(out, "last_event_at", su->last_event_ms);
    est_json_put_name(out, "users");
    est_buf_putc(out, '{');
    put_number(out, "total", su->all.n[COUNT_USERS]);
    put_number(out, "active_24h", summary_active(su));
    put_number(out, "new_today", su->today.n[COUNT_USERS]);
    est_buf_putc(out, '}');
    put_orders(out, &su->all, currency);
    put_messages(out, &su->all);
    put_events(out, su, &su->all);
    est_json_put_name(out, "today");
    est_buf_putc(out, '{');
    put_orders(out, &su->today, currency);
    put_messages(out, &su->today);
    put_events(out, su, &su->today);
    est_buf_puts(out, "}}");
}
