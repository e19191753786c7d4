/* The inside of json.h, for the files of this folder that walk yyjson's values themselves. A struct
 * est_value is a yyjson_val; both names mean the same bytes. */
#pragma once

#include "arena.h"
#include "json.h"
#include "path.h"

#include <yyjson.h>

struct est_json {
    struct est_arena arena;
    unsigned depth_max;
};

void est_json_tree_init(struct est_json *js, const struct est_json_limits *limits);
/* With first memory of the caller's, aligned to 16: a document that fits needs no allocation. */
void est_json_tree_init_with(struct est_json *js, void *first, size_t size);
void est_json_tree_fini(struct est_json *js);

/* Parse without the check of depth and duplicates; its caller checks item by item. */
est_err est_json_tree_read(struct est_json *js, struct est_view text, yyjson_val **ret,
                           struct est_reject *reject);
/* That check, for the value that stands at `at`. */
est_err est_json_tree_check(struct est_json *js, yyjson_val *v, const struct est_path *at,
                            struct est_reject *reject);

static inline struct est_view est_json_tree_text(yyjson_val *v)
{
    return est_view(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
}

static inline bool est_json_tree_is_integer(struct est_view digits)
{
    for (size_t i = 0; i < digits.len; i++)
        if (digits.data[i] == '.' || (digits.data[i] | 0x20) == 'e')
            return false;
    return digits.len > 0;
}
