#include "receiver_script.h"

#include "codec/json.h"

#include <stdio.h>
#include <string.h>

/* --- reading --- */

static bool text_of(const struct est_value *v, char out[SCRIPT_TEXT])
{
    struct est_view text = est_json_string(v);

    if (text.data == NULL || text.len >= SCRIPT_TEXT)
        return false;
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return true;
}

static bool number_of(const struct est_value *v, int64_t scale, int64_t *ret)
{
    int64_t n;

    if (!est_json_i64(v, &n) || n < 0 || n > INT64_MAX / scale)
        return false;
    *ret = n * scale;
    return true;
}

/* One member of a rule; false when there is none of that name, or its value is of another kind. */
static bool read_member(struct script_rule *r, struct est_view name, const struct est_value *v)
{
    int64_t status = r->status, times = 0;
    bool good;

    if (est_view_is(name, "path"))
        return text_of(v, r->path);
    if (est_view_is(name, "text"))
        return text_of(v, r->text);
    if (est_view_is(name, "item"))
        return est_json_bool(v, &r->item);
    if (est_view_is(name, "as_date"))
        return est_json_bool(v, &r->as_date);
    if (est_view_is(name, "delay_ms"))
        return number_of(v, EST_MS, &r->delay);
    if (est_view_is(name, "retry_after_s"))
        return number_of(v, EST_SECOND, &r->retry_after);
    if (est_view_is(name, "for_ms"))
        return number_of(v, EST_MS, &r->until);
    if (est_view_is(name, "times")) {
        good = number_of(v, 1, &times);
        r->times = (uint64_t)times;
        return good;
    }
    good = est_view_is(name, "status") && number_of(v, 1, &status) && status <= 599;
    r->status = (int)status;
    return good;
}

static bool read_rule(struct script_rule *r, const struct est_value *v, est_us now)
{
    struct est_json_iter it = {0};
    const struct est_value *member;
    struct est_view name;

    *r = (struct script_rule){.until = EST_NEVER, .times = UINT64_MAX};
    while (est_json_each(v, &it, &name, &member))
        if (!read_member(r, name, member))
            return false;
    if (r->until != EST_NEVER)
        r->until += now;
    return est_json_type(v) == EST_JSON_OBJECT;
}

static bool read_rules(struct script *s, const struct est_value *rules, est_us now)
{
    struct est_json_iter it = {0};
    const struct est_value *v;

    while (est_json_each(rules, &it, NULL, &v))
        if (s->n_rules == SCRIPT_RULES || !read_rule(&s->rules[s->n_rules++], v, now))
            return false;
    return true;
}

static bool read_tokens(struct script *s, const struct est_value *tokens)
{
    struct est_json_iter it = {0};
    const struct est_value *v;

    while (est_json_each(tokens, &it, NULL, &v))
        if (s->n_tokens == SCRIPT_TOKENS || !text_of(v, s->tokens[s->n_tokens++]))
            return false;
    return true;
}

static bool read_limit(struct script *s, const struct est_value *limit)
{
    int64_t n;

    if (limit == NULL)
        return true;
    if (!number_of(est_json_get(limit, "requests"), 1, &n) ||
        !number_of(est_json_get(limit, "window_ms"), EST_MS, &s->window))
        return false;
    s->limit = (uint64_t)n;
    return true;
}

est_err script_read(struct script *s, struct est_view json, est_us now, struct est_why *why)
{
    struct script next = {0};
    const struct est_value *v;
    struct est_json *js;
    est_err err = est_json_new(NULL, &js);

    if (err != EST_OK)
        return err;
    memcpy(next.clients, s->clients, sizeof(next.clients));
    err = est_json_parse(js, json, &v, NULL);
    if (err == EST_OK) {
        (void)est_json_bool(est_json_get(v, "down"), &next.down);
        if (!read_rules(&next, est_json_get(v, "rules"), now) ||
            !read_tokens(&next, est_json_get(v, "tokens")) ||
            !read_limit(&next, est_json_get(v, "limit")))
            err = EST_ERR_INVALID;
    }
    est_json_free(js);
    if (err != EST_OK)
        return est_why_set(why, err, "not a script: see receiver_script.h");
    *s = next;
    return EST_OK;
}

/* --- deciding --- */

static bool holds(struct est_view body, const char *text)
{
    return text[0] == '\0' || (body.len > 0 && memmem(body.data, body.len, text, strlen(text)));
}

static bool is_over(const struct script_rule *r, est_us now)
{
    return now >= r->until || r->times == 0;
}

static struct script_rule *match(struct script *s, bool item, struct est_view path,
                                 struct est_view body, est_us now)
{
    for (size_t i = 0; i < s->n_rules; i++) {
        struct script_rule *r = &s->rules[i];
        if (r->item != item || is_over(r, now) || !holds(body, r->text) ||
            (!item && !est_view_starts(path, est_view_str(r->path))))
            continue;
        if (r->times != UINT64_MAX)
            r->times--;
        return r;
    }
    return NULL;
}

struct script_rule *script_for_request(struct script *s, struct est_view path, struct est_view body,
                                       est_us now)
{
    return match(s, false, path, body, now);
}

struct script_rule *script_for_event(struct script *s, struct est_view event, est_us now)
{
    return match(s, true, EST_VIEW_NONE, event, now);
}

bool script_has_item_rules(const struct script *s, est_us now)
{
    for (size_t i = 0; i < s->n_rules; i++)
        if (s->rules[i].item && !is_over(&s->rules[i], now))
            return true;
    return false;
}

bool script_lets_in(const struct script *s, struct est_view token)
{
    for (size_t i = 0; i < s->n_tokens; i++)
        if (est_view_is(token, s->tokens[i]))
            return true;
    return s->n_tokens == 0;
}

struct script_budget script_spend(struct script *s, unsigned client, est_us now)
{
    struct script_budget b = {.allowed = true};

    if (s->limit == 0 || client >= SCRIPT_CLIENTS)
        return b;
    if (s->clients[client].n == 0 || now - s->clients[client].since >= s->window) {
        s->clients[client].since = now;
        s->clients[client].n = 0;
    }
    b.allowed = s->clients[client].n < s->limit;
    s->clients[client].n += b.allowed;
    b.left = s->limit - s->clients[client].n;
    b.reset = s->clients[client].since + s->window - now;
    return b;
}
