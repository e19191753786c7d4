#include "http_prefer.h"

/* Takes what stands before the next `separator` outside of quotes. */
static struct est_view take_part(struct est_view *rest, char separator)
{
    struct est_view part = *rest;
    bool quoted = false;
    size_t n = 0;

    for (; n < rest->len && (quoted || rest->data[n] != separator); n++) {
        if (rest->data[n] == '"')
            quoted = !quoted;
        else if (quoted && rest->data[n] == '\\' && n + 1 < rest->len)
            n++;
    }
    part.len = n;
    n += n < rest->len;
    *rest = est_view(rest->data + n, rest->len - n);
    return part;
}

static struct est_view unquoted(struct est_view word)
{
    if (word.len < 2 || word.data[0] != '"' || word.data[word.len - 1] != '"')
        return word;
    return est_view(word.data + 1, word.len - 2);
}

struct est_view est_prefer_get(struct est_view list, const char *name)
{
    while (list.len > 0) {
        struct est_view preference = take_part(&list, ',');
        struct est_view value = take_part(&preference, ';');
        struct est_view have = est_view_trim(take_part(&value, '='));
        if (est_view_ieq(have, est_view_str(name)))
            return unquoted(est_view_trim(value));
    }
    return EST_VIEW_NONE;
}

bool est_http_prefers(const struct est_http_req *req, const char *name, const char *value)
{
    for (size_t i = 0, n = est_http_header_count(req); i < n; i++) {
        struct est_view field, list, have;
        est_http_header_at(req, i, &field, &list);
        if (!est_view_ieq(field, EST_VIEW_LIT("prefer")))
            continue;
        have = est_prefer_get(list, name);
        if (have.data != NULL)
            return est_view_ieq(have, est_view_str(value));
    }
    return false;
}
