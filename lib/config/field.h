/* One field of the configuration: a text into it, checked by the rules of its kind; and out of it,
 * as it may be shown. A fault says what is wrong; where it stands is the caller's to know. */
#pragma once

#include "base/buf.h"
#include "base/view.h"
#include "config/keys.h"
#include "config/message.h"

#include <stdbool.h>

struct est_field {
    const struct est_key *key;
    void *base;         /* the struct that holds the field */
    bool in_file;       /* the value stands in the file: no secrets, paths relative to the folder */
    const char *folder; /* of the file, "" = the working directory */
    const char *secret_env; /* how a secret of this key is given instead */
};

/* For kinds of SHAPE_TEXT: replaces the value. For LISTs: one more item. */
struct est_fault est_field_set(const struct est_field *f, struct est_view text);
/* For MAPs: one more pair; a name that is there already gets the new value. */
struct est_fault est_field_set_pair(const struct est_field *f, struct est_view name,
                                    struct est_view value);
/* An empty list or map, an empty text; numbers stay. */
void est_field_clear(const struct est_key *key, void *base);
/* The default text, checked like any other: that it is valid is a promise of keys.def. False = no
 * memory. */
bool est_field_set_default(const struct est_key *key, void *base);

/* The value in force. Secrets are "(set)" or "(not set)", passwords in URLs and options are hidden.
 * */
void est_field_show(const struct est_key *key, const void *base, struct est_buf *out);
/* The number in a DURATION (us), SIZE (bytes) or COUNT field, for comparing. */
uint64_t est_field_number(const struct est_key *key, const void *base);
