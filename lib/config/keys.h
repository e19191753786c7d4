/* The tables of keys.def, kinds.def and types.def in memory. */
#pragma once

#include "config/report.h"

#include <stddef.h>

enum est_kind {
#define EST_KIND(name, shape, title, en, pt) EST_KIND_##name,
#include "config/kinds.def"
#undef EST_KIND
    EST_KINDS
};

enum est_shape { EST_SHAPE_TEXT, EST_SHAPE_LIST, EST_SHAPE_MAP };

struct est_key {
    const char
        *path; /* whole for a root key; behind "destinations.<name>." or "types.<name>." else */
    const char *field;
    size_t offset; /* of the field in its struct */
    enum est_kind kind;
    const char *def, *min, *max, *unit, *old_env, *doc;
};

struct est_keys {
    const struct est_key *items;
    size_t n;
};

extern const struct est_keys est_keys_root, est_keys_destination, est_keys_type;

struct est_builtin_type {
    const char *name, *priority, *events, *key; /* names and pointers separated by spaces */
};
extern const struct est_builtin_type est_builtin_types[];
extern const size_t est_builtin_types_n;

enum est_shape est_keys_shape(enum est_kind kind);
/* "duration": the kind's name in documents. */
const char *est_keys_title(enum est_kind kind);
/* "a duration such as …": what is expected. */
const char *est_keys_expected(enum est_kind kind, enum est_lang lang);
/* By path; NULL when there is none. */
const struct est_key *est_keys_find(const struct est_keys *keys, const char *path);
/* Length of "producer" in "producer.listen". */
size_t est_keys_section(const struct est_key *key);
