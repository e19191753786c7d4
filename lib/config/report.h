/* What is wrong with a configuration: all of it, each with its place, its key and what was meant.
 * Texts never carry a secret. The words stand in messages.def, in English and Portuguese. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum est_lang { EST_LANG_EN, EST_LANG_PT, EST_LANGS };

struct est_config_problem {
    est_err code;
    char *place;           /* the file, or the environment variable */
    unsigned line, column; /* from 1; 0 = no place inside it */
    char *key;             /* "producer.listen"; "" when it is about the file as a whole */
    char *text
        [EST_LANGS]; /* what is wrong, what was expected, and the nearest name if there is one */
};

enum { EST_REPORT_MAX = 200 }; /* problems kept; further ones are only counted */

struct est_config_report {
    struct est_config_problem *items;
    size_t n, dropped;
};

struct est_fault; /* message.h */

void est_report_init(struct est_config_report *rp);
void est_report_fini(struct est_config_report *rp);
/* One line per problem, in the order of their places, file before environment:
 * `pipeline.yaml:14:5: error: destinations.dashboard.retrys: unknown key … [E-CONF-UNKNOWN]` */
void est_report_write(const struct est_config_report *rp, enum est_lang lang, struct est_buf *out);
/* The same to standard error in English: what the daemons do before they exit 78. */
void est_report_print(const struct est_config_report *rp);

/* For lib/config itself. Everything is copied; a fault of EST_MESSAGE_NONE is not added. */
void est_report_add(struct est_config_report *rp, const char *place, unsigned line, unsigned column,
                    const char *key, const struct est_fault *fault);
/* Whether there is a problem with that key already. */
bool est_report_has(const struct est_config_report *rp, const char *key);
/* Into the order of their places. */
void est_report_sort(struct est_config_report *rp);
/* The code of the first problem; EST_OK when there is none. */
est_err est_report_err(const struct est_config_report *rp);
