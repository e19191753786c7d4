#include "pointer.h"

#include "base/assert.h"
#include "base/mem.h"
#include "json_tree.h"

#include <string.h>

enum { TEXT_MAX = 512, STEPS_MAX = 16 };

struct est_pointer {
    char text[TEXT_MAX], steps_text[TEXT_MAX];
    size_t len, n;
    struct est_view steps[STEPS_MAX];
};

/* The step at `from` without its '/', unescaped into `to`; *ret_next is where the next begins. */
static bool take_step(struct est_view text, size_t from, char *to, struct est_view *ret,
                      size_t *ret_next)
{
    size_t n = 0, i = from;

    for (; i < text.len && text.data[i] != '/'; i++) {
        char c = text.data[i];
        if (c == '~') {
            if (++i == text.len || (text.data[i] != '0' && text.data[i] != '1'))
                return false;
            c = text.data[i] == '0' ? '~' : '/';
        }
        to[n++] = c;
    }
    *ret = est_view(to, n);
    *ret_next = i + 1;
    return true;
}

static bool split(struct est_pointer *p, struct est_view text)
{
    size_t at = 1;

    if (text.len == 0)
        return true;
    if (text.data[0] != '/')
        return false;
    while (at <= text.len) {
        if (p->n == STEPS_MAX || !take_step(text, at, p->steps_text + at, &p->steps[p->n], &at))
            return false;
        p->n++;
    }
    return true;
}

est_err est_pointer_new(struct est_view text, struct est_pointer **ret, struct est_why *reterr)
{
    struct est_pointer *p;

    if (text.len >= TEXT_MAX)
        return est_why_set(reterr, EST_ERR_INVALID, "a JSON pointer has at most %d bytes",
                           TEXT_MAX - 1);
    if ((p = est_calloc(1, sizeof(*p))) == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    if (!split(p, text)) {
        est_pointer_free(p);
        return est_why_set(reterr, EST_ERR_INVALID,
                           "not a JSON pointer of at most %d steps, such as /payload/order_id",
                           STEPS_MAX);
    }
    p->len = text.len;
    if (text.len > 0)
        memcpy(p->text, text.data, text.len);
    *ret = p;
    return EST_OK;
}

void est_pointer_free(struct est_pointer *p)
{
    est_free(p);
}

struct est_view est_pointer_text(const struct est_pointer *p)
{
    return est_view(p->text, p->len);
}

size_t est_pointer_count(const struct est_pointer *p)
{
    return p->n;
}

struct est_view est_pointer_step(const struct est_pointer *p, size_t i)
{
    EST_ASSERT(i < p->n);
    return p->steps[i];
}

static yyjson_val *follow_step(yyjson_val *v, struct est_view step)
{
    unsigned long long i;

    if (yyjson_is_obj(v))
        return yyjson_obj_getn(v, step.data, step.len);
    if (!yyjson_is_arr(v) || (step.len > 1 && step.data[0] == '0'))
        return NULL;
    return est_view_u64(step, SIZE_MAX, &i) ? yyjson_arr_get(v, (size_t)i) : NULL;
}

const struct est_value *est_pointer_follow(const struct est_pointer *p, size_t first,
                                           const struct est_value *v)
{
    yyjson_val *at = (yyjson_val *)(uintptr_t)v;

    for (size_t i = first; i < p->n && at != NULL; i++)
        at = follow_step(at, p->steps[i]);
    return (const struct est_value *)at;
}
