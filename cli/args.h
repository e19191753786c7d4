/* The command line, parsed by one table (options.def): words and options in any order, `--name
 * value` and `--name=value`, `-c FILE` and `-cFILE`, flags joined (`-qy`), `--` ends the options.
 * */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum args_id {
#define OPTION(id, name, letter, kind, value, field) ARGS_##id,
#include "options.def"
#undef OPTION
    ARGS_OPTIONS
};
enum { ARGS_GLOBAL = ARGS_VERSION + 1 }; /* the ids below it hold for every command */

#define ARGS_BIT(id) (1ULL << ARGS_##id)

enum { ARGS_WORDS_MAX = 16, ARGS_MANY_MAX = 16 };

struct args_many {
    const char *items[ARGS_MANY_MAX];
    size_t n;
};

struct args {
    const char *config, *color, *lang, *explain, *url, *token_file; /* NULL = not given */
    const char *redis, *list, *pushed, *set_aside, *boot;
    const char *type, *class, *key, *id, *state, *destination, *topic;
    bool json, quiet, no_color, help, version, yes, dry_run, offline, no_follow, follow, refused,
        raw, watch, strict, grow;
    unsigned count, status, rate, max_replays;
    est_us timeout, since, until;
    struct args_many filter;
    uint64_t given;                    /* bits of the options that were given */
    const char *words[ARGS_WORDS_MAX]; /* what is no option: the verb, then its arguments */
    size_t n_words;
};

/* What is wrong with a command line. */
enum args_wrong {
    ARGS_FINE,
    ARGS_UNKNOWN,     /* subject: the option; near: the option that was meant, or NULL */
    ARGS_NEEDS_VALUE, /* subject: the option; near: its placeholder */
    ARGS_NO_VALUE,    /* a flag was given `=value` */
    ARGS_BAD_VALUE,   /* subject: the option; near: its placeholder */
    ARGS_TOO_MANY,    /* subject: the word or option that is one too many */
};
struct args_fault {
    enum args_wrong wrong;
    char subject[64], near[64];
};

/* Borrows argv. False = `ret_fault` says why; `ret` then holds what came before. */
bool args_parse(int argc, char **argv, struct args *ret, struct args_fault *ret_fault);
/* "--dry-run" */
const char *args_name(enum args_id id);
