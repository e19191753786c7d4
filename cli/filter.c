#include "filter.h"

#include <stdio.h>
#include <string.h>

const char *filter_wrong(const struct args_many *filters)
{
    for (size_t i = 0; i < filters->n; i++)
        if (strchr(filters->items[i], '=') == NULL || filters->items[i][0] == '=')
            return filters->items[i];
    return NULL;
}

/* The member whose whole name is what is left wins over a way into objects: names may hold dots. */
static const struct est_value *member(const struct est_value *v, const char *path)
{
    char name[256];
    const struct est_value *whole = est_json_get(v, path);
    size_t n = strcspn(path, ".");

    if (whole != NULL || path[n] == '\0' || n >= sizeof(name))
        return whole;
    (void)snprintf(name, sizeof(name), "%.*s", (int)n, path);
    v = est_json_get(v, name);
    return v != NULL ? member(v, path + n + 1) : NULL;
}

static struct est_view text_of(const struct est_value *v)
{
    bool yes;

    switch (est_json_type(v)) {
    case EST_JSON_STRING: return est_json_string(v);
    case EST_JSON_NUMBER: return est_json_number(v);
    case EST_JSON_BOOL:
        return est_json_bool(v, &yes) && yes ? EST_VIEW_LIT("true") : EST_VIEW_LIT("false");
    case EST_JSON_NULL: return EST_VIEW_LIT("null");
    case EST_JSON_ARRAY:
    case EST_JSON_OBJECT: break;
    }
    return EST_VIEW_NONE;
}

static bool fits(const char *filter, const struct est_value *event)
{
    char path[512];
    size_t n = strcspn(filter, "=");
    const struct est_value *v;

    if (n >= sizeof(path))
        return false;
    (void)snprintf(path, sizeof(path), "%.*s", (int)n, filter);
    v = member(event, path);
    return v != NULL && est_view_is(text_of(v), filter + n + 1);
}

bool filter_fits(const struct args_many *filters, const struct est_value *event)
{
    for (size_t i = 0; i < filters->n; i++)
        if (!fits(filters->items[i], event))
            return false;
    return true;
}
