#include "cli.h"
#include "progress.h"
#include "sender.h"

#include "base/jsonw.h"
#include "config/line.h"
#include "io/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { REFUSED_SHOWN = 20 };

struct publish {
    struct cli *cli;
    struct sender sender;
    struct lines lines;
    struct progress progress;
    const char *input; /* as given: for messages */
    uint64_t unsent;   /* lines that are no events: not sent at all */
};

static uint64_t refused(const struct publish *p)
{
    return p->sender.refused + p->unsent;
}

/* --- refusals: each is told with its line; after twenty, only counted --- */

static void refuse_json(struct out *o, const char *line, const char *code, const char *detail,
                        const char *pointer)
{
    struct est_buf *b = out_json_begin(o, "refused");

    est_buf_printf(b, ",\"line\":%s", line);
    est_json_put_name(b, "code");
    est_json_put_str(b, code);
    est_json_put_name(b, "pointer");
    est_json_put_str(b, pointer);
    est_json_put_name(b, "detail");
    est_json_put_str(b, detail);
    out_json_end(o);
}

static void on_refused(void *arg, uint64_t number, const char *code, const char *detail,
                       const char *pointer)
{
    struct publish *p = arg;
    struct out *o = &p->cli->out;
    char line[24], text[400];

    est_line_printf(line, sizeof(line), "%llu", (unsigned long long)number);
    est_line_printf(text, sizeof(text), "%s%s%s", pointer, pointer[0] != '\0' ? ": " : "", detail);
    if (o->json)
        refuse_json(o, line, code, detail, pointer);
    else if (refused(p) < REFUSED_SHOWN)
        out_talk(o, TEXT_REFUSED_LINE, OUT_ARGS(p->input, line, text, code));
}

static void on_unsendable(void *arg, uint64_t number, const char *why)
{
    struct publish *p = arg;

    on_refused(p, number, est_err_code(EST_ERR_JSON), why, "");
    p->unsent++;
}

/* --- all of it --- */

/* Every line before the first of the batch that is left has been accepted or refused. */
static void go_on(struct publish *p)
{
    char line[24];

    if (p->sender.code == EXIT_FINE || p->lines.n == 0 || strcmp(p->input, "-") == 0)
        return;
    est_line_printf(line, sizeof(line), "%llu", (unsigned long long)p->lines.batch[0].number);
    out_talk(&p->cli->out, TEXT_GO_ON, OUT_ARGS(line, p->input));
}

static void sum_up(struct publish *p)
{
    struct out *o = &p->cli->out;
    struct est_buf n[3];
    const uint64_t values[3] = {p->sender.accepted, refused(p), p->lines.number};
    char seconds[24];

    out_wipe(o);
    if (o->json) {
        struct est_buf *b = out_json_begin(o, "published");
        est_buf_printf(b, ",\"accepted\":%llu,\"buffered\":%llu,\"refused\":%llu,\"ms\":%lld",
                       (unsigned long long)p->sender.accepted,
                       (unsigned long long)p->sender.buffered, (unsigned long long)refused(p),
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
    out_mark(o, p->sender.code == EXIT_FINE && refused(p) == 0 ? MARK_OK : MARK_WARN,
             TEXT_PUBLISHED, OUT_ARGS(n[0].data, seconds, n[1].data));
    go_on(p);
    for (size_t i = 0; i < 3; i++)
        est_buf_fini(&n[i]);
}

static void send_all(struct publish *p)
{
    est_err err;

    while (p->sender.code == EXIT_FINE) {
        err = lines_next(&p->lines);
        if (err != EST_OK) {
            p->sender.code = EXIT_IO;
            out_failure(&p->cli->out, err, NULL, EXIT_IO);
        }
        if (err != EST_OK || p->lines.n == 0)
            return;
        sender_send(&p->sender);
        progress_show(&p->progress, &p->cli->out, est_clock_mono(), p->lines.bytes,
                      p->sender.accepted);
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
    if ((err = lines_init(&p->lines, file, on_unsendable, p)) ||
        (err = sender_open(&p->sender, &why))) {
        p->sender.code = EXIT_IO;
        out_failure(&p->cli->out, err, &why, EXIT_IO);
    } else {
        send_all(p);
        sum_up(p);
    }
    sender_close(&p->sender);
    lines_fini(&p->lines);
    if (p->sender.code == EXIT_FINE && refused(p) > 0)
        p->sender.code = EXIT_DATA;
    return p->sender.code;
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
    struct publish p = {.cli = cli, .input = cli->words[0]};
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
    p.sender = (struct sender){.cli = cli, .lines = &p.lines, .refuse = on_refused, .arg = &p};
    if (target_url(cli, p.sender.base, p.sender.url, &code)) {
        p.sender.token = est_secret_get(secret);
        code = open_and_publish(&p);
    }
    est_secret_free(secret);
    return code;
}
