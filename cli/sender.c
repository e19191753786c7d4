#include "sender.h"

#include "config/line.h"

#include <string.h>

#define FIRST_PAUSE (200 * EST_MS)
#define LONGEST_PAUSE (5 * EST_SECOND)

est_err sender_open(struct sender *s, struct est_why *why)
{
    est_err err;

    fetch_answer_init(&s->answer);
    err = est_json_new(NULL, &s->json);
    return err ? err : fetch_open(&s->fetch, "", why);
}

void sender_close(struct sender *s)
{
    fetch_close(&s->fetch);
    est_json_free(s->json);
    fetch_answer_fini(&s->answer);
    s->json = NULL;
}

/* --- what came back --- */

static void copy_member(const struct est_value *obj, const char *name, char *out, size_t max)
{
    est_line_copy(out, max, est_json_string(est_json_get(obj, name)));
}

/* {"errors":[{"index","pointer","code","detail"}],"refused":n}: how many lines were refused. */
static size_t take_errors(struct sender *s, const struct est_value *answer)
{
    const struct est_value *errors = est_json_get(answer, "errors"), *e;
    struct est_json_iter it = {.begun = false};
    char code[64], pointer[128], detail[256];
    size_t n = 0;
    int64_t index, all;

    while (est_json_each(errors, &it, NULL, &e)) {
        if (!est_json_i64(est_json_get(e, "index"), &index) || index < 0 ||
            (size_t)index >= s->lines->n)
            continue;
        copy_member(e, "code", code, sizeof(code));
        copy_member(e, "pointer", pointer, sizeof(pointer));
        copy_member(e, "detail", detail, sizeof(detail));
        s->refuse(s->arg, s->lines->batch[index].number, code, detail, pointer);
        s->refused++;
        n++;
    }
    /* The list is bounded; the number beside it is not. */
    if (est_json_i64(est_json_get(answer, "refused"), &all) && all > 0 && (size_t)all > n &&
        (size_t)all <= s->lines->n) {
        s->refused += (size_t)all - n;
        n = (size_t)all;
    }
    return n;
}

static const struct est_value *parse_answer(struct sender *s)
{
    const struct est_value *v = NULL;

    est_json_clear(s->json);
    return est_json_parse(s->json, est_buf_view(&s->answer.body), &v, NULL) == EST_OK ? v : NULL;
}

static void take_accepted(struct sender *s)
{
    const struct est_value *v = parse_answer(s);
    int64_t accepted = 1, buffered = 0;
    bool flag;

    (void)take_errors(s, v);
    if (est_json_i64(est_json_get(v, "accepted"), &accepted) && accepted >= 0)
        (void)est_json_i64(est_json_get(v, "buffered"), &buffered);
    else if (est_json_bool(est_json_get(v, "buffered"), &flag))
        buffered = flag;
    s->accepted += (uint64_t)accepted;
    s->buffered += buffered > 0 ? (uint64_t)buffered : 0;
    s->lines->n = 0;
}

struct wanted {
    const struct est_value *ids; /* array of strings */
    struct est_json *json;       /* for the lines */
};

static bool is_wanted(void *arg, struct est_view line)
{
    const struct wanted *w = arg;
    const struct est_value *event, *one;
    struct est_json_iter it = {.begun = false};
    struct est_view id;

    est_json_clear(w->json);
    if (est_json_parse(w->json, line, &event, NULL) != EST_OK)
        return false;
    id = est_json_id(est_json_get(event, "id"));
    while (est_json_each(w->ids, &it, NULL, &one))
        if (est_view_eq(est_json_string(one), id))
            return true;
    return false;
}

/* A 503 that names the ids to repeat has made the others durable; one that names none, nothing. */
static void keep_unpromised(struct sender *s)
{
    const struct est_value *v = parse_answer(s);
    struct wanted w = {.ids = est_json_get(v, "retry_ids"), .json = s->lines->json};
    size_t before = s->lines->n, refused;

    if (est_json_size(w.ids) == 0)
        return;
    refused = take_errors(s, v);
    lines_retain(s->lines, is_wanted, &w);
    if (before > s->lines->n + refused)
        s->accepted += before - s->lines->n - refused;
}

/* --- one batch --- */

static void post(struct sender *s)
{
    char bearer[EST_SECRET_MAX + 16];
    struct est_http_field fields[3] = {{"Content-Type", "application/x-ndjson"},
                                       {"Prefer", "return=minimal"},
                                       {"Authorization", bearer}};
    const struct est_http_request rq = {
        .method = "POST",
        .url = s->url,
        .fields = fields,
        .n_fields = s->token[0] != '\0' ? 3 : 2,
        .body = est_buf_view(&s->lines->body),
        .timeout = s->cli->args.timeout,
        .response_max = FETCH_BODY_MAX,
    };

    est_line_printf(bearer, sizeof(bearer), "Bearer %s", s->token);
    fetch_do(&s->fetch, &rq, &s->answer);
}

static void stop(struct sender *s, est_err err, int code, const char *detail)
{
    struct est_why why = {.code = err};

    s->code = code;
    est_line_printf(why.text, sizeof(why.text), "%s: %s", s->base, detail);
    out_failure(&s->cli->out, err, &why, code);
}

/* What the shim says in its problem document, or the status. */
static void stop_by_answer(struct sender *s, est_err err, int code)
{
    const struct est_value *v = parse_answer(s);
    char title[100], detail[150];

    copy_member(v, "title", title, sizeof(title));
    copy_member(v, "detail", detail, sizeof(detail));
    if (title[0] == '\0')
        est_line_printf(title, sizeof(title), "HTTP %d", s->answer.status);
    est_line_printf(title + strlen(title), sizeof(title) - strlen(title), "%s%s",
                    detail[0] ? ": " : "", detail);
    stop(s, err, code, title);
}

enum after { AFTER_DONE, AFTER_REPEAT, AFTER_STOP };

static enum after judge(struct sender *s)
{
    static const struct {
        int status;
        est_err err;
        int code;
    } ends[] = {
        {401, EST_ERR_DASH_AUTH, EXIT_REFUSED},
        {403, EST_ERR_DASH_AUTH, EXIT_REFUSED},
        {413, EST_ERR_TOO_LARGE, EXIT_DATA},
        {400, EST_ERR_EVENT_SHAPE, EXIT_DATA},
    };
    const struct fetch_answer *a = &s->answer;

    if (s->fetch.interrupted) {
        s->code = EXIT_INTERRUPTED;
        return AFTER_STOP;
    }
    if (a->err != EST_OK)
        return AFTER_REPEAT;
    if (a->status == 202) {
        take_accepted(s);
        return AFTER_DONE;
    }
    if ((a->status == 400 || a->status == 413) && take_errors(s, parse_answer(s)) > 0)
        return AFTER_DONE;
    if (a->status == 429 || a->status == 503) {
        keep_unpromised(s);
        return s->lines->n > 0 ? AFTER_REPEAT : AFTER_DONE;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (a->status == ends[i].status) {
            stop_by_answer(s, ends[i].err, ends[i].code);
            return AFTER_STOP;
        }
    }
    stop_by_answer(s, EST_ERR_HTTP, EXIT_PROTOCOL);
    return AFTER_STOP;
}

static void give_up(struct sender *s)
{
    if (s->answer.err != EST_OK)
        stop(s, EST_ERR_CONNECT, EXIT_UNAVAILABLE, s->answer.detail);
    else
        stop_by_answer(s, EST_ERR_AGAIN, EXIT_AGAIN);
}

void sender_send(struct sender *s)
{
    est_us since = est_clock_mono(), pause = FIRST_PAUSE;

    for (;;) {
        size_t before = s->lines->n;
        enum after after;
        post(s);
        after = judge(s);
        if (after != AFTER_REPEAT)
            return;
        if (s->lines->n < before)
            since = est_clock_mono();
        if (est_clock_mono() - since >= s->cli->args.timeout) {
            give_up(s);
            return;
        }
        if (pause == FIRST_PAUSE)
            out_talk(&s->cli->out, TEXT_WAITING, OUT_ARGS(s->base));
        fetch_wait(&s->fetch, s->answer.retry_after >= 0 ? s->answer.retry_after : pause);
        pause = pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
    }
}
