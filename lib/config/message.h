/* The words of problems, by table (messages.def), with their places filled in. */
#pragma once

#include "base/buf.h"
#include "config/report.h"

#include <stdbool.h>

enum est_message {
    EST_MESSAGE_NONE,
#define EST_MESSAGE(name, code, en, pt) EST_MESSAGE_##name,
#include "config/messages.def"
#undef EST_MESSAGE
};

enum { EST_MESSAGE_ARGS = 4, EST_MESSAGE_ARG_LEN = 240 };

/* A message and what fills its places, per language: most of it is the same in both. Passed by
 * value from where a value is found wrong to where its place is known. */
struct est_fault {
    enum est_message message; /* EST_MESSAGE_NONE = nothing is wrong */
    char args[EST_LANGS][EST_MESSAGE_ARGS][EST_MESSAGE_ARG_LEN];
};

#define EST_NO_FAULT ((struct est_fault){.message = EST_MESSAGE_NONE})

/* Arguments are cut to EST_MESSAGE_ARG_LEN - 1 bytes. NULL = not used. */
struct est_fault est_message_fault(enum est_message m, const char *arg1, const char *arg2);
void est_message_arg(struct est_fault *f, unsigned place, const char *en, const char *pt);
est_err est_message_code(enum est_message m);
void est_message_put(struct est_buf *out, const struct est_fault *f, enum est_lang lang);
/* `"text"`, cut after some 40 bytes at a character's border: how a found value is shown. */
void est_message_quote(struct est_view found, char out[EST_MESSAGE_ARG_LEN]);
