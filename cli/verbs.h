/* The table of commands (verbs.def) and their pages of help (help.def). */
#pragma once

#include "cli.h"

#include <stdint.h>

struct verb {
    const char *name; /* "topics apply" */
    int (*run)(struct cli *cli);
    size_t least, most; /* arguments behind the name */
    uint64_t options;   /* bits, besides the global ones */
};

/* The verb that the words begin with, and how many words its name takes; NULL when there is none.
 * */
const struct verb *verbs_find(const char *const *words, size_t n, size_t *ret_taken);
/* The verb that was meant; "" when nothing is near. */
void verbs_nearest(const char *const *words, size_t n, char *out, size_t max);
/* In the order of the help; NULL at the end. */
const struct verb *verbs_at(size_t i);
/* The whole page of `verb --help`. */
const char *verbs_help(const struct verb *v, enum est_lang lang);
/* The page of `esteira --help`: what there is. */
void verbs_put_overview(struct est_buf *out, enum est_lang lang);
