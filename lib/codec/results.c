#include "results.h"

#include "base/assert.h"
#include "base/mem.h"
#include "json_tree.h"
#include "scan.h"

#include <stdio.h>
#include <string.h>

struct est_results {
    size_t max, n;
    struct est_json json;
    struct est_result items[];
};

est_err est_results_new(size_t max, struct est_results **ret)
{
    struct est_results *rs = max > SIZE_MAX / 2 / sizeof(struct est_result)
                                 ? NULL
                                 : est_alloc(sizeof(*rs) + max * sizeof(struct est_result));

    if (rs == NULL)
        return EST_ERR_NOMEM;
    rs->max = max;
    rs->n = 0;
    est_json_tree_init(&rs->json, NULL);
    *ret = rs;
    return EST_OK;
}

void est_results_free(struct est_results *rs)
{
    if (rs == NULL)
        return;
    est_json_tree_fini(&rs->json);
    est_free(rs);
}

/* --- as it is mostly written --- */

/* Three digits. */
static bool scan_status(struct est_scan *s, int *ret)
{
    struct est_scan from = *s;

    if (!est_scan_digits(s) || s->at - from.at != 3 || *from.at == '0')
        return false;
    *ret = (from.at[0] - '0') * 100 + (from.at[1] - '0') * 10 + (from.at[2] - '0');
    return *ret < 600;
}

static bool scan_bool(struct est_scan *s, bool *ret)
{
    *ret = est_scan_word(s, "true", 4);
    return *ret || est_scan_word(s, "false", 5);
}

static bool scan_name(struct est_scan *s, struct est_view *ret)
{
    est_scan_space(s);
    if (!est_scan_string(s, ret))
        return false;
    est_scan_space(s);
    if (!est_scan_char(s, ':'))
        return false;
    est_scan_space(s);
    return true;
}

/* `id` NULL: any. */
static bool scan_item(struct est_scan *s, const struct est_view *id, struct est_result *ret)
{
    enum { ID = 1, STATUS = 2, DUPLICATE = 4 };
    struct est_view name, text;
    unsigned seen = 0, member;

    ret->duplicate = false;
    ret->error[0] = '\0';
    if (!est_scan_char(s, '{'))
        return false;
    do {
        bool ok = scan_name(s, &name);
        if (ok && est_view_is(name, "status")) {
            member = STATUS;
            ok = scan_status(s, &ret->status);
        } else if (ok && est_view_is(name, "id")) {
            member = ID;
            ok = est_scan_string(s, &text) && (id == NULL || est_view_eq(text, *id));
        } else if (ok && est_view_is(name, "duplicate")) {
            member = DUPLICATE;
            ok = scan_bool(s, &ret->duplicate);
        } else {
            return false;
        }
        if (!ok || (seen & member) != 0)
            return false;
        seen |= member;
        est_scan_space(s);
    } while (est_scan_char(s, ','));
    return est_scan_char(s, '}') && (seen & STATUS) != 0;
}

/* n results and nothing else, none of them with an error. False: it is for the parser to say what
 * it is. */
static bool scan(struct est_results *rs, struct est_view body, size_t n, const struct est_view *ids)
{
    struct est_scan s = est_scan_of(body);
    struct est_view name;

    est_scan_space(&s);
    if (!est_scan_char(&s, '{') || !scan_name(&s, &name) || !est_view_is(name, "results") ||
        !est_scan_char(&s, '['))
        return false;
    for (size_t i = 0; i < n; i++) {
        est_scan_space(&s);
        if (i > 0 && !est_scan_char(&s, ','))
            return false;
        est_scan_space(&s);
        if (!scan_item(&s, ids ? &ids[i] : NULL, &rs->items[i]))
            return false;
    }
    est_scan_space(&s);
    if (!est_scan_char(&s, ']'))
        return false;
    est_scan_space(&s);
    if (!est_scan_char(&s, '}'))
        return false;
    est_scan_space(&s);
    return s.at == s.end;
}

/* --- by the parser --- */

/* Cut so that no UTF-8 sequence is left in halves. */
static void append(char text[EST_RESULTS_TEXT], const char *before, struct est_view v,
                   const char *after)
{
    size_t len = strlen(text);
    int n = v.len > 0 ? snprintf(text + len, EST_RESULTS_TEXT - len, "%s%.*s%s", len ? before : "",
                                 (int)(v.len < EST_RESULTS_TEXT ? v.len : EST_RESULTS_TEXT), v.data,
                                 after)
                      : 0;

    if (n < 0 || (size_t)n < EST_RESULTS_TEXT - len)
        return;
    len = EST_RESULTS_TEXT - 1;
    while (len > 0 && !est_utf8_valid(est_view(text, len)))
        len--;
    text[len] = '\0';
}

static void take_error(const struct est_value *v, char text[EST_RESULTS_TEXT])
{
    if (est_json_string(v).data != NULL) {
        append(text, "", est_json_string(v), "");
        return;
    }
    append(text, "", est_json_string(est_json_get(v, "code")), "");
    append(text, ": ", est_json_string(est_json_get(v, "detail")), "");
    append(text, " (", est_json_string(est_json_get(v, "pointer")), text[0] ? ")" : "");
}

/* What we need of one entry; the values of other members are nobody's business. */
struct entry {
    const struct est_value *id, *status, *duplicate, *error;
};

static struct entry entry_of(const struct est_value *v)
{
    struct est_json_iter it = {0};
    const struct est_value *member;
    struct entry e = {0};
    struct est_view name;

    if (est_json_type(v) != EST_JSON_OBJECT)
        return e;
    while (est_json_each(v, &it, &name, &member))
        if (est_view_eq(name, EST_VIEW_LIT("status")))
            e.status = member;
        else if (est_view_eq(name, EST_VIEW_LIT("id")))
            e.id = member;
        else if (est_view_eq(name, EST_VIEW_LIT("duplicate")))
            e.duplicate = member;
        else if (est_view_eq(name, EST_VIEW_LIT("error")))
            e.error = member;
    return e;
}

static est_err take_item(const struct est_value *v, size_t i, const struct est_view *ids,
                         struct est_result *ret, struct est_why *reterr)
{
    struct entry e = entry_of(v);
    int64_t status;

    if (!est_json_i64(e.status, &status) || status < 100 || status > 599)
        return est_why_set(reterr, EST_ERR_HTTP, "result %zu has no status of 100 to 599", i);
    if (e.id != NULL && ids != NULL && !est_view_eq(est_json_id(e.id), ids[i]))
        return est_why_set(reterr, EST_ERR_HTTP, "result %zu has the id of another event", i);
    ret->status = (int)status;
    ret->duplicate = false;
    if (e.duplicate != NULL && est_json_type(e.duplicate) != EST_JSON_NULL &&
        !est_json_bool(e.duplicate, &ret->duplicate))
        return est_why_set(reterr, EST_ERR_HTTP,
                           "result %zu has a \"duplicate\" that is no boolean", i);
    ret->error[0] = '\0';
    if (e.error != NULL)
        take_error(e.error, ret->error);
    return EST_OK;
}

static est_err take_all(struct est_results *rs, const struct est_value *list,
                        const struct est_view *ids, struct est_why *reterr)
{
    struct est_json_iter it = {0};
    const struct est_value *v;
    est_err err = EST_OK;

    for (size_t i = 0; err == EST_OK && est_json_each(list, &it, NULL, &v); i++)
        err = take_item(v, i, ids, &rs->items[i], reterr);
    return err;
}

static est_err parse(struct est_results *rs, struct est_view body, size_t n,
                     const struct est_view *ids, struct est_why *reterr)
{
    const struct est_value *root, *list;
    struct est_reject rj;
    est_err err;

    est_json_clear(&rs->json);
    err = est_json_parse(&rs->json, body, &root, &rj);
    if (err == EST_ERR_NOMEM)
        return est_why_set(reterr, err, "%s", est_err_text(err));
    if (err)
        return est_why_set(reterr, EST_ERR_HTTP, "the answer to a batch: %s", rj.detail);
    list = est_json_get(root, "results");
    if (est_json_type(list) != EST_JSON_ARRAY || est_json_size(list) != n)
        return est_why_set(reterr, EST_ERR_HTTP, "the answer to a batch of %zu has %zu results", n,
                           est_json_size(list));
    err = take_all(rs, list, ids, reterr);
    est_json_clear(&rs->json);
    return err;
}

est_err est_results_parse(struct est_results *rs, struct est_view body, size_t n,
                          const struct est_view *ids, struct est_why *reterr)
{
    est_err err = EST_OK;

    EST_ASSERT(n <= rs->max);
    rs->n = 0;
    if (!scan(rs, body, n, ids))
        err = parse(rs, body, n, ids, reterr);
    if (err == EST_OK)
        rs->n = n;
    return err;
}

const struct est_result *est_results_at(const struct est_results *rs, size_t i)
{
    EST_ASSERT(i < rs->n);
    return &rs->items[i];
}
