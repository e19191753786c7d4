/* The numbers of the page, kept ready so that reading them costs nothing.
 *
 * The invariant: each number is the sum, over the distinct things stored (events, contacts,
 * messages, orders), of what that one thing adds. When a thing changes, what it added before is
 * taken back and what it adds now is put in. So a repeated event changes nothing, and the order in
 * which events arrive does not matter.
 *
 * A plain value: the store copies it before a transaction and puts the copy back on a rollback. */
#pragma once

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum count {
#define COUNT(name, text) COUNT_##name,
#include "counts.def"
#undef COUNT
    COUNT__FIXED, /* event types follow, in the order in which they were first seen */
    COUNT__MAX = COUNT__FIXED + 48
};

enum {
    SUMMARY_TYPE_LEN = 48,        /* longest type name */
    SUMMARY_ACTIVE_MINUTES = 1440 /* "active" looks back one day, to the minute */
};

struct counts {
    int64_t n[COUNT__MAX];
};

struct summary {
    struct counts all, today;
    int64_t day; /* which day `today` is about (zone_day) */
    char types[COUNT__MAX - COUNT__FIXED][SUMMARY_TYPE_LEN + 1];
    size_t n_types;
    uint32_t active[SUMMARY_ACTIVE_MINUTES]; /* contacts by the minute they were last seen in */
    int64_t minute;                          /* the newest minute of the ring */
    int64_t last_event_ms;                   /* when the newest event was stored; 0 = never */
};

/* The name under which a count is kept: "orders", "type:message". Empty for a free place. */
void summary_name(const struct summary *su, size_t which, struct est_buf *out);
/* The place of a kept name, made when it is a new type; COUNT__MAX for a name nobody knows. */
size_t summary_place(struct summary *su, struct est_view name);
/* The place of an event type. When all places are taken, the last one collects the rest. */
size_t summary_type(struct summary *su, struct est_view type);

/* Move on to `now`: old minutes fall out of the ring. True when a new day has begun: `today` is
 * then empty and the caller fills in what is already known of that day. */
bool summary_advance(struct summary *su, int64_t now_ms);
/* Add n (or take it away) for something that happened on `day`. */
void summary_add(struct summary *su, int64_t day, size_t which, int64_t n);
/* A contact was last seen at `ms`: count it in (+1) or out (-1). Outside the last day: no-op. */
void summary_seen(struct summary *su, int64_t ms, int n);
/* Contacts seen in the last 24 hours. */
int64_t summary_active(const struct summary *su);

/* The body of GET /api/v1/metrics, as of `now_ms`. */
void summary_print(const struct summary *su, const char *currency, int64_t now_ms,
                   struct est_buf *out);
/* `,"name":"2026-11-24T17:37:21.004Z"`, or null for 0. */
void summary_put_time(struct est_buf *out, const char *name, int64_t ms);
