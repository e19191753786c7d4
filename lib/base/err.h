/* Errors: one enum, one table (err.def). EST_OK is 0, so `if (err)` reads as it should.
 *
 * Functions that can fail return est_err and leave their `ret_` outputs untouched on failure. An
 * optional `struct est_why *` comes last and receives the code and one sentence for a person. */
#pragma once

#include <stdarg.h>

enum est_err_code {
    EST_OK = 0,
#define EST_ERR(name, code, disposition, text) EST_ERR_##name,
#include "err.def"
#undef EST_ERR
    EST_ERR__COUNT
};
typedef enum est_err_code est_err;

enum est_disposition { EST_RETRY, EST_POISON, EST_PAUSE, EST_FATAL };

enum { EST_WHY_TEXT = 200 };

/* Why a call failed. The text never carries a secret or personal datum. */
struct est_why {
    est_err code;
    char text[EST_WHY_TEXT];
};

/* "E-KAFKA-DOWN"; "OK" for EST_OK. Never NULL. */
const char *est_err_code(est_err err);
/* The sentence of err.def. Never NULL. */
const char *est_err_text(est_err err);
enum est_disposition est_err_disposition(est_err err);
/* How a program ends that could not start for it, in the words of sysexits.h: EX_CONFIG for what no
 * repetition mends, so that a service manager need not try again; else EX_UNAVAILABLE. */
int est_err_exit(est_err err);

/* Fill `why` (may be NULL) and return `err`, so that a failure is one statement. */
est_err est_why_set(struct est_why *why, est_err err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
