/* A YAML file as a tree with places: the only file that knows libyaml. What a configuration has no
 * use for is refused here: anchors and aliases, tags, more than one document, deep nesting. (YAML
 * 1.1) */
#pragma once

#include "base/view.h"
#include "config/message.h"

#include <stddef.h>

enum est_yaml_kind { EST_YAML_NULL, EST_YAML_TEXT, EST_YAML_LIST, EST_YAML_MAP };

struct est_yaml {
    enum est_yaml_kind kind;
    unsigned line, column;          /* from 1 */
    struct est_view text;           /* of a TEXT */
    const struct est_yaml **keys;   /* of a MAP: n of them, in the file's order; may repeat */
    const struct est_yaml **values; /* of a MAP or LIST: n of them */
    size_t n;
};

struct est_yaml_doc;

struct est_yaml_fault {
    struct est_fault fault; /* EST_MESSAGE_NONE = well-formed */
    unsigned line, column;
};

enum { EST_YAML_DEPTH_MAX = 8 };

/* NULL when the text is not well-formed or memory is out; `ret_fault` then says which. */
struct est_yaml_doc *est_yaml_parse(struct est_view text, struct est_yaml_fault *ret_fault);
void est_yaml_free(struct est_yaml_doc *doc);
/* NULL for an empty file. Lives as long as the document. */
const struct est_yaml *est_yaml_root(const struct est_yaml_doc *doc);
