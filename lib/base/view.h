/* Borrowed bytes: a pointer and a length, never NUL-terminated, never stored past the call that
 * received them. An absent value has data == NULL; an empty one has data != NULL and len == 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct est_view {
    const char *data;
    size_t len;
};

#define EST_VIEW_LIT(s) ((struct est_view){"" s, sizeof(s) - 1})
#define EST_VIEW_NONE ((struct est_view){NULL, 0})

static inline struct est_view est_view(const char *data, size_t len)
{
    return (struct est_view){data, len};
}

/* NULL gives an absent view. */
static inline struct est_view est_view_str(const char *s)
{
    return (struct est_view){s, s ? strlen(s) : 0};
}

static inline bool est_view_eq(struct est_view a, struct est_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool est_view_is(struct est_view a, const char *s)
{
    return est_view_eq(a, est_view_str(s));
}

/* ASCII case folding only, as HTTP field names and tokens need it. */
bool est_view_ieq(struct est_view a, struct est_view b);
bool est_view_starts(struct est_view v, struct est_view prefix);
bool est_view_istarts(struct est_view v, struct est_view prefix);
/* Without leading and trailing space and tab. */
struct est_view est_view_trim(struct est_view v);
/* Decimal digits only, the whole view, no sign; false when empty, malformed or above max. */
bool est_view_u64(struct est_view v, unsigned long long max, unsigned long long *ret);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). */
bool est_utf8_valid(struct est_view v);
