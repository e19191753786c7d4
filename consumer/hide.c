#include "hide.h"

#include "base/log.h"
#include "base/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands before `end` (0: all of it) is taken from the front of *text, with it. */
static struct est_view take(struct est_view *text, char end)
{
    const char *at = end != 0 && text->len > 0 ? memchr(text->data, end, text->len) : NULL;
    struct est_view part = *text;

    if (at == NULL) {
        *text = EST_VIEW_LIT("");
        return part;
    }
    part.len = (size_t)(at - text->data);
    *text = est_view(at + 1, text->len - part.len - 1);
    return part;
}

static bool take_number(struct est_view *text, char end, unsigned long long max, int64_t *ret)
{
    unsigned long long n;

    if (!est_view_u64(take(text, end), max, &n))
        return false;
    *ret = (int64_t)n;
    return true;
}

est_err hide_init(struct hide *h)
{
    struct est_view text = est_view_str(getenv("ESTEIRA_TEST_HIDE")), type;
    int64_t partition;

    *h = (struct hide){.is_set = false};
    if (text.data == NULL)
        return EST_OK;
    type = take(&text, '/');
    if (type.len >= sizeof(h->type) || !take_number(&text, '/', INT32_MAX, &partition) ||
        !take_number(&text, '-', INT64_MAX, &h->first) ||
        !take_number(&text, 0, INT64_MAX, &h->last))
        return EST_ERR_INVALID;
    (void)snprintf(h->type, sizeof(h->type), "%.*s", (int)type.len, type.data);
    h->partition = (int32_t)partition;
    h->is_set = true;
    EST_LOG(EST_WARN, "test_hides", EST_S("type", h->type), EST_I("partition", h->partition),
            EST_I("first", h->first), EST_I("last", h->last));
    return EST_OK;
}

bool hide_has(const struct hide *h, const char *type, int32_t partition, int64_t offset)
{
    return h->is_set && partition == h->partition && offset >= h->first && offset <= h->last &&
           strcmp(type, h->type) == 0;
}
