#include "out.h"

#include "base/jsonw.h"
#include "config/advice.h"
#include "exits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MAX = 16 * 1024 * 1024 };

/* --- what the terminal can show --- */

static const char *env(const char *name)
{
    const char *value = getenv(name);

    return value != NULL ? value : "";
}

/* NO_COLOR counts when it is not empty, whatever it holds. */
static bool wants_color(const struct args *a, bool tty)
{
    if (a->color != NULL && strcmp(a->color, "auto") != 0)
        return strcmp(a->color, "always") == 0;
    if (a->no_color || env("NO_COLOR")[0] != '\0')
        return false;
    if (env("CLICOLOR_FORCE")[0] != '\0' && strcmp(env("CLICOLOR_FORCE"), "0") != 0)
        return true;
    return tty && strcmp(env("TERM"), "dumb") != 0;
}

void out_init(struct out *o, const struct args *a)
{
    *o = (struct out){
        .lang = lang_pick(a->lang),
        .json = a->json,
        .quiet = a->quiet,
        .utf8 = lang_is_utf8(),
        .tty_out = isatty(STDOUT_FILENO),
        .tty_err = isatty(STDERR_FILENO),
    };
    o->color_out = !a->json && wants_color(a, o->tty_out);
    o->color_err = !a->json && wants_color(a, o->tty_err);
    est_buf_init(&o->line, ANSWER_MAX);
}

void out_fini(struct out *o)
{
    est_buf_fini(&o->line);
}

int out_finish(struct out *o, int code)
{
    int error = fflush(stdout) == 0 && !ferror(stdout) ? 0 : errno;

    if (error == 0 || error == EPIPE)
        return code;
    out_error(o, "E-IO", strerror(error), NULL, EXIT_IO);
    return EXIT_IO;
}

/* --- answers and talk --- */

void out_wipe(struct out *o)
{
    if (o->line_open)
        (void)fputs("\r\033[K", stderr);
    o->line_open = false;
}

static const struct {
    const char *utf8;
    enum text plain;
    const char *color;
} marks[] = {
    [MARK_OK] = {"✓", TEXT_MARK_OK, "\033[32m"},
    [MARK_WARN] = {"▲", TEXT_MARK_WARN, "\033[33m"},
    [MARK_BAD] = {"✕", TEXT_MARK_BAD, "\033[31m"},
};

static void put_mark(struct out *o, enum mark m)
{
    const char *sign = o->utf8 ? marks[m].utf8 : lang_text(o->lang, marks[m].plain);

    if (o->color_out)
        est_buf_printf(&o->line, "%s%s\033[0m ", marks[m].color, sign);
    else
        est_buf_printf(&o->line, "%s ", sign);
}

void out_put(struct out *o, struct est_view v)
{
    (void)o;
    if (v.len > 0)
        (void)fwrite(v.data, 1, v.len, stdout);
}

static void put_line(struct out *o, FILE *to)
{
    est_buf_putc(&o->line, '\n');
    (void)fwrite(est_buf_view(&o->line).data, 1, o->line.len, to);
    est_buf_clear(&o->line);
}

void out_say(struct out *o, enum text id, const char *const *args)
{
    est_buf_clear(&o->line);
    lang_put(&o->line, o->lang, id, args);
    put_line(o, stdout);
}

void out_mark(struct out *o, enum mark m, enum text id, const char *const *args)
{
    est_buf_clear(&o->line);
    put_mark(o, m);
    lang_put(&o->line, o->lang, id, args);
    put_line(o, stdout);
}

void out_talk(struct out *o, enum text id, const char *const *args)
{
    if (o->quiet || o->json)
        return;
    out_wipe(o);
    est_buf_clear(&o->line);
    lang_put(&o->line, o->lang, id, args);
    put_line(o, stderr);
}

static void error_json(struct out *o, const char *code, const char *message, const char *next,
                       int exit_code)
{
    struct est_buf *b = out_json_begin(o, "error");

    est_json_put_name(b, "code");
    est_json_put_str(b, code != NULL ? code : "E-USAGE");
    est_json_put_name(b, "message");
    est_json_put_str(b, message);
    if (next != NULL) {
        est_json_put_name(b, "next");
        est_json_put_str(b, next);
    }
    est_json_put_name(b, "exit");
    est_buf_put_i64(b, exit_code);
    est_buf_putc(b, '}');
    put_line(o, stderr);
}

void out_error(struct out *o, const char *code, const char *message, const char *next,
               int exit_code)
{
    out_wipe(o);
    if (o->json) {
        error_json(o, code, message, next, exit_code);
        return;
    }
    est_buf_clear(&o->line);
    est_buf_printf(&o->line, "%s%s%s %s", o->color_err ? "\033[31m" : "",
                   lang_text(o->lang, TEXT_ERROR), o->color_err ? "\033[0m" : "", message);
    if (code != NULL)
        est_buf_printf(&o->line, "   [%s]", code);
    if (next != NULL && next[0] != '\0')
        est_buf_printf(&o->line, "\n      %s", next);
    put_line(o, stderr);
}

void out_error_text(struct out *o, enum text id, const char *const *args, const char *code,
                    int exit_code)
{
    enum est_lang lang = o->json ? EST_LANG_EN : o->lang;
    struct est_buf message;

    est_buf_init(&message, 4096);
    lang_put(&message, lang, id, args);
    est_buf_putc(&message, '\0');
    out_error(o, code, est_buf_err(&message) ? "" : message.data, NULL, exit_code);
    est_buf_fini(&message);
}

void out_failure(struct out *o, est_err err, const struct est_why *why, int exit_code)
{
    const char *message = why != NULL && why->text[0] != '\0' ? why->text : est_err_text(err);

    out_error(o, est_err_code(err), message, est_advice_text(err, o->json ? EST_LANG_EN : o->lang),
              exit_code);
}

/* --- JSON --- */

struct est_buf *out_json_begin(struct out *o, const char *kind)
{
    est_buf_clear(&o->line);
    est_buf_puts(&o->line, "{\"v\":1,\"kind\":");
    est_json_put_str(&o->line, kind);
    return &o->line;
}

void out_json_end(struct out *o)
{
    est_buf_putc(&o->line, '}');
    put_line(o, stdout);
}
