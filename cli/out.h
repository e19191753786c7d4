/* What the commands print: the answer on standard output, talk, warnings and progress on standard
 * error. Colour only on a terminal, marks by the locale, tables by columns, --json one object a
 * line. */
#pragma once

#include "args.h"
#include "base/buf.h"
#include "lang.h"

#include <stdio.h>

enum mark { MARK_OK, MARK_WARN, MARK_BAD };

struct out {
    enum est_lang lang;
    bool json, quiet, utf8;
    bool tty_out, tty_err;     /* terminals */
    bool color_out, color_err; /* may be coloured */
    struct est_buf line;       /* scratch of one answer */
    bool line_open;            /* a progress line stands on the terminal */
};

/* Colour: --color=always|never and --no-color first; then NO_COLOR (not empty), CLICOLOR_FORCE,
 * TERM=dumb, and whether it is a terminal. */
void out_init(struct out *o, const struct args *a);
void out_fini(struct out *o);
/* Flushes; the exit code, or EXIT_IO when the answer could not be written (a closed pipe is no
 * error). */
int out_finish(struct out *o, int code);

/* A sentence, its places filled from the arguments. */
#define OUT_ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* Answer. */
void out_say(struct out *o, enum text id, const char *const *args);
/* Answer, with a mark before it: "✓ …". */
void out_mark(struct out *o, enum mark m, enum text id, const char *const *args);
/* Talk: standard error, and not with --quiet or --json. */
void out_talk(struct out *o, enum text id, const char *const *args);
/* `error: … [CODE]` and, indented, what to do; with --json an object. code and next may be NULL. */
void out_error(struct out *o, const char *code, const char *message, const char *next,
               int exit_code);
void out_error_text(struct out *o, enum text id, const char *const *args, const char *code,
                    int exit_code);
/* With what err.def and advice.def say about it; `why` may be NULL. */
void out_failure(struct out *o, est_err err, const struct est_why *why, int exit_code);

/* JSON: begins `{"v":1,"kind":"…"`; members are added with est_json_put_name and values; ends
 * `}\n`. */
struct est_buf *out_json_begin(struct out *o, const char *kind);
void out_json_end(struct out *o);
/* Raw bytes of the answer. */
void out_put(struct out *o, struct est_view v);

/* Wipes the progress line, if one stands there (progress.h). */
void out_wipe(struct out *o);
