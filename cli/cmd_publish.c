#include "cli.h"
#include "fetch.h"
#include "lines.h"
#include "progress.h"
#include "target.h"

#include "base/jsonw.h"
#include "codec/json.h"
#include "config/line.h"
#include "io/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { REFUSED_SHOWN = 20 };
#define FIRST_PAUSE (200 * EST_MS)
#define LONGEST_PAUSE (5 * EST_SECOND)

struct publish {
    struct cli *cli;
    struct fetch fetch;
    struct fetch_answer answer;
    struct lines lines;
    struct est_json *json; /* of answers */
    struct progress progress;
    char url[TARGET_URL_MAX], base[TARGET_URL_MAX]; /* the whole, and as people know it */
    const char *token;
    const char *input; /* as given: for messages */
    uint64_t accepted, buffered, refused;
    int code; /* EXIT_FINE while it goes on */
};

/* --- what came back --- */

/* Each refusal is told with its line; after twenty, only counted. */
static void refuse_line(struct publish *p, uint64_t number, const char *code, const char *detail,
                        const char *pointer)
{
    struct out *o = &p->cli->out;
    char line[24];

    p->refused++;
    (void)snprintf(line, sizeof(line), "%llu", (unsigned long long)number);
    if (o->json) {
        struct est_buf *b = out_json_begin(o, "refused");
        est_buf_printf(b, ",\"line\":%s", line);
        est_json_put_name(b, "code");
        est_json_put_str(b, code);
        est_json_put_name(b, "pointer");
        est_json_put_str(b, pointer);
        est_json_put_name(b, "detail");
        est_json_put_str(b, detail);
        out_json_end(o);
    } else if (p->refused <= REFUSED_SHOWN) {
        out_talk(o, TEXT_REFUSED_LINE, OUT_ARGS(p->input, line, detail, code));
    }
}

/* A line that is not sent at all. */
static void on_unsendable(void *arg, uint64_t number, const char *why)
{
    refuse_line(arg, number, est_err_code(EST_ERR_JSON), why, "");
}

static void copy_member(const struct est_value *obj, const char *name, char *out, size_t max)
{
    est_line_copy(out, max, est_json_string(est_json_get(obj, name)));
}

/* {"errors":[{"index","pointer","code","detail"}],"refused":n}: how many lines were refused. */
static size_t take_errors(struct publish *p, const struct est_value *answer)
{
    const struct est_value *errors = est_json_get(answer, "errors"), *e;
    struct est_json_iter it = {.begun = false};
    char code[64], pointer[128], detail[256], text[400];
    size_t n = 0;
    int64_t index, all;

    while (est_json_each(errors, &it, NULL, &e)) {
        if (!est_json_i64(est_json_get(e, "index"), &index) || index < 0 ||
            (size_t)index >= p->lines.n)
            continue;
        copy_member(e, "code", code, sizeof(code));
        copy_member(e, "pointer", pointer, sizeof(pointer));
        copy_member(e, "detail", detail, sizeof(detail));
        est_line_printf(text, sizeof(text), "%s%s%s", pointer, pointer[0] != '\0' ? ": " : "",
                        detail);
        refuse_line(p, p->lines.batch[index].number, code, p->cli->out.json ? detail : text,
                    pointer);
        n++;
    }
    /* The list is bounded; the number beside it is not. */
    if (est_json_i64(est_json_get(answer, "refused"), &all) && all > 0 && (size_t)all > n &&
        (size_t)all <= p->lines.n) {
        p->refused += (size_t)all - n;
        n = (size_t)all;
    }
    return n;
}

static const struct est_value *parse_answer(struct publish *p)
{
    const struct est_value *v = NULL;

    est_json_clear(p->json);
    return est_json_parse(p->json, est_buf_view(&p->answer.body), &v, NULL) == EST_OK ? v : NULL;
}

static void take_accepted(struct publish *p)
{
    const struct est_value *v = parse_answer(p);
    int64_t accepted = 1, buffered = 0;
    bool flag;

    (void)take_errors(p, v);
    if (est_json_i64(est_json_get(v, "accepted"), &accepted) && accepted >= 0)
        (void)est_json_i64(est_json_get(v, "buffered"), &buffered);
    else if (est_json_bool(est_json_get(v, "buffered"), &flag))
        buffered = flag;
    p->accepted += (uint64_t)accepted;
    p->buffered += buffered > 0 ? (uint64_t)buffered : 0;
    p->lines.n = 0;
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
static void keep_unpromised(struct publish *p)
{
    const struct est_value *v = parse_answer(p);
    struct wanted w = {.ids = est_json_get(v, "retry_ids"), .json = p->lines.json};
    size_t before = p->lines.n, refused;

    if (est_json_size(w.ids) == 0)
        return;
    refused = take_errors(p, v);
    lines_retain(&p->lines, is_wanted, &w);
    if (before > p->lines.n + refused)
        p->accepted += before - p->lines.n - refused;
}

/* --- one batch --- */

static void post(struct publish *p)
{
    char bearer[EST_SECRET_MAX + 16];
    struct est_http_field fields[3] = {{"Content-Type", "application/x-ndjson"},
                                       {"Prefer", "return=minimal"},
                                       {"Authorization", bearer}};
    const struct est_http_request rq = {
        .method = "POST",
        .url = p->url,
        .fields = fields,
        .n_fields = p->token[0] != '\0' ? 3 : 2,
        .body = est_buf_view(&p->lines.body),
        .timeout = p->cli->args.timeout,
        .response_max = FETCH_BODY_MAX,
    };

    est_line_printf(bearer, sizeof(bearer), "Bearer %s", p->token);
    fetch_do(&p->fetch, &rq, &p->answer);
}

static void stop(struct publish *p, est_err err, int code, const char *detail)
{
    struct est_why why = {.code = err};

    p->code = code;
    est_line_printf(why.text, sizeof(why.text), "%s: %s", p->base, detail);
    out_failure(&p->cli->out, err, &why, code);
}

/* What the shim says in its problem document, or the status. */
static void stop_by_answer(struct publish *p, est_err err, int code)
{
    const struct est_value *v = parse_answer(p);
    char title[100], detail[150];

    copy_member(v, "title", title, sizeof(title));
    copy_member(v, "detail", detail, sizeof(detail));
    if (title[0] == '\0')
        est_line_printf(title, sizeof(title), "HTTP %d", p->answer.status);
    est_line_printf(title + strlen(title), sizeof(title) - strlen(title), "%s%s",
                    detail[0] ? ": " : "", detail);
    stop(p, err, code, title);
}

enum after { AFTER_DONE, AFTER_REPEAT, AFTER_STOP };

static enum after judge(struct publish *p)
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
    const struct fetch_answer *a = &p->answer;

    if (p->fetch.interrupted) {
        p->code = EXIT_INTERRUPTED;
        return AFTER_STOP;
    }
    if (a->err != EST_OK)
        return AFTER_REPEAT;
    if (a->status == 202) {
        take_accepted(p);
        return AFTER_DONE;
    }
    if ((a->status == 400 || a->status == 413) && take_errors(p, parse_answer(p)) > 0)
        return AFTER_DONE;
    if (a->status == 429 || a->status == 503) {
        keep_unpromised(p);
        return p->lines.n > 0 ? AFTER_REPEAT : AFTER_DONE;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (a->status == ends[i].status) {
            stop_by_answer(p, ends[i].err, ends[i].code);
            return AFTER_STOP;
        }
    }
    stop_by_answer(p, EST_ERR_HTTP, EXIT_PROTOCOL);
    return AFTER_STOP;
}

static void give_up(struct publish *p)
{
    if (p->answer.err != EST_OK)
        stop(p, EST_ERR_CONNECT, EXIT_UNAVAILABLE, p->answer.detail);
    else
        stop_by_answer(p, EST_ERR_AGAIN, EXIT_AGAIN);
}

/* Repeats the batch, always with the same ids, until it is accepted or the shim has not taken any
 * of it for the time of --timeout. */
static void send_batch(struct publish *p)
{
    est_us since = est_clock_mono(), pause = FIRST_PAUSE;

    for (;;) {
        size_t before = p->lines.n;
        enum after after;
        post(p);
        after = judge(p);
        if (after != AFTER_REPEAT)
            return;
        if (p->lines.n < before)
            since = est_clock_mono();
        if (est_clock_mono() - since >= p->cli->args.timeout) {
            give_up(p);
            return;
        }
        if (pause == FIRST_PAUSE)
            out_talk(&p->cli->out, TEXT_WAITING, OUT_ARGS(p->base));
        fetch_wait(&p->fetch, p->answer.retry_after >= 0 ? p->answer.retry_after : pause);
        pause = pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
    }
}

/* --- all of it --- */

/* Every line before the first of the batch that is left has been accepted or refused. */
static void go_on(struct publish *p)
{
    char line[24];

    if (p->code == EXIT_FINE || p->lines.n == 0 || strcmp(p->input, "-") == 0)
        return;
    est_line_printf(line, sizeof(line), "%llu", (unsigned long long)p->lines.batch[0].number);
    out_talk(&p->cli->out, TEXT_GO_ON, OUT_ARGS(line, p->input));
}

static void sum_up(struct publish *p)
{
    struct out *o = &p->cli->out;
    struct est_buf n[3];
    const uint64_t values[3] = {p->accepted, p->refused, p->lines.number};
    char seconds[24];

    out_wipe(o);
    if (o->json) {
        struct est_buf *b = out_json_begin(o, "published");
        est_buf_printf(b, ",\"accepted\":%llu,\"buffered\":%llu,\"refused\":%llu,\"ms\":%lld",
                       (unsigned long long)p->accepted, (unsigned long long)p->buffered,
                       (unsigned long long)p->refused,
                       (long long)((est_clock_mono() - p->progress.started) / EST_MS));
        out_json_end(o);
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        est_buf_init(&n[i], 32);
        lang_put_number(&n[i], o->lang, values[i]);
        est_buf_putc(&n[i], '\0');
    }
    est_line_printf(seconds, sizeof(seconds), "%.1f",
                    (double)(est_clock_mono() - p->progress.started) / EST_SECOND);
    if (o->lang == EST_LANG_PT)
        seconds[strcspn(seconds, ".")] = ',';
    out_mark(o, p->code == EXIT_FINE && p->refused == 0 ? MARK_OK : MARK_WARN, TEXT_PUBLISHED,
             OUT_ARGS(n[0].data, seconds, n[1].data));
    go_on(p);
    for (size_t i = 0; i < 3; i++)
        est_buf_fini(&n[i]);
}

static void send_all(struct publish *p)
{
    est_err err;

    while (p->code == EXIT_FINE) {
        err = lines_next(&p->lines);
        if (err != EST_OK) {
            p->code = EXIT_IO;
            out_failure(&p->cli->out, err, NULL, EXIT_IO);
        }
        if (err != EST_OK || p->lines.n == 0)
            return;
        send_batch(p);
        progress_show(&p->progress, &p->cli->out, est_clock_mono(), p->lines.bytes, p->accepted);
    }
}

static int publish_file(struct publish *p, FILE *file)
{
    struct est_why why = {.code = EST_OK};
    struct stat st;
    est_err err;

    p->progress.started = est_clock_mono();
    if (fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode))
        p->progress.total = (uint64_t)st.st_size;
    fetch_answer_init(&p->answer);
    if ((err = lines_init(&p->lines, file, on_unsendable, p)) ||
        (err = est_json_new(NULL, &p->json)) || (err = fetch_open(&p->fetch, "", &why))) {
        p->code = EXIT_IO;
        out_failure(&p->cli->out, err, &why, EXIT_IO);
    } else {
        send_all(p);
        sum_up(p);
        fetch_close(&p->fetch);
    }
    est_json_free(p->json);
    lines_fini(&p->lines);
    fetch_answer_fini(&p->answer);
    if (p->code == EXIT_FINE && p->refused > 0)
        p->code = EXIT_DATA;
    return p->code;
}

/* --- the command --- */

static int open_and_publish(struct publish *p)
{
    bool is_stdin = strcmp(p->input, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(p->input, "re");
    int code;

    if (file == NULL) {
        out_error_text(&p->cli->out, TEXT_NO_INPUT, OUT_ARGS(p->input, strerror(errno)), NULL,
                       EXIT_NO_INPUT);
        return EXIT_NO_INPUT;
    }
    code = publish_file(p, file);
    if (!is_stdin)
        (void)fclose(file);
    return code;
}

int cmd_publish(struct cli *cli)
{
    struct publish p = {.cli = cli, .input = cli->words[0], .code = EXIT_FINE};
    const char *token_file = cli->args.token_file;
    struct est_secret *secret = NULL;
    struct est_why why = {.code = EST_OK};
    int code = EXIT_FINE;

    if (token_file != NULL && strcmp(token_file, "-") == 0 && strcmp(p.input, "-") == 0) {
        out_error_text(&cli->out, TEXT_TWO_STDIN, OUT_ARGS(""), NULL, EXIT_USAGE);
        return EXIT_USAGE;
    }
    if (target_token(token_file, &secret, &why)) {
        out_failure(&cli->out, why.code, &why, EXIT_NO_INPUT);
        return EXIT_NO_INPUT;
    }
    if (target_url(cli, p.base, p.url, &code)) {
        p.token = est_secret_get(secret);
        code = open_and_publish(&p);
    }
    est_secret_free(secret);
    return code;
}
