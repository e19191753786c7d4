#include "config/yaml.h"

#include "base/mem.h"
#include "config/line.h"

#include <string.h>
#include <yaml.h>

enum { OPEN_MAX = 1000 };

struct est_yaml_doc {
    yaml_document_t document;
    struct est_yaml *nodes;        /* as libyaml numbers its nodes, less one */
    const struct est_yaml **slots; /* the keys and values of all nodes */
    size_t n_nodes, n_slots;
    const struct est_yaml *root;
};

static void fault_at(struct est_yaml_fault *f, yaml_mark_t mark, struct est_fault fault)
{
    f->fault = fault;
    f->line = (unsigned)mark.line + 1;
    f->column = (unsigned)mark.column + 1;
}

static void fault_at_node(struct est_yaml_fault *f, const struct est_yaml *node,
                          struct est_fault fault)
{
    f->fault = fault;
    f->line = node->line;
    f->column = node->column;
}

/* --- what libyaml's parser refuses --- */

/* libyaml speaks of a tab as "a character that cannot start any token". */
static bool is_tab_at(struct est_view text, size_t index)
{
    return index < text.len && text.data[index] == '\t';
}

/* The reader's errors carry a byte offset and no mark. */
static void encoding_fault(const yaml_parser_t *parser, struct est_view text,
                           struct est_yaml_fault *f)
{
    size_t end = parser->problem_offset < text.len ? parser->problem_offset : text.len;
    yaml_mark_t mark = {.index = end};

    for (size_t i = 0; i < end; i++) {
        bool newline = text.data[i] == '\n';
        mark.line += newline;
        mark.column = newline ? 0 : mark.column + 1;
    }
    fault_at(f, mark, est_message_fault(EST_MESSAGE_ENCODING, parser->problem, NULL));
}

static void parser_fault(const yaml_parser_t *parser, struct est_view text,
                         struct est_yaml_fault *f)
{
    char words[EST_MESSAGE_ARG_LEN];

    if (parser->error == YAML_MEMORY_ERROR) {
        f->fault = est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
    } else if (parser->error == YAML_READER_ERROR) {
        encoding_fault(parser, text, f);
    } else if (is_tab_at(text, parser->problem_mark.index)) {
        fault_at(f, parser->problem_mark, est_message_fault(EST_MESSAGE_TAB, NULL, NULL));
    } else {
        est_line_printf(words, sizeof(words), "%s%s%s", parser->context ? parser->context : "",
                        parser->context ? ", " : "", parser->problem);
        fault_at(f, parser->problem_mark, est_message_fault(EST_MESSAGE_SYNTAX, words, NULL));
    }
}

static bool load(struct est_view text, yaml_document_t *ret, struct est_yaml_fault *f)
{
    yaml_parser_t parser;
    yaml_document_t second;
    bool good = false;

    if (!yaml_parser_initialize(&parser)) {
        f->fault = est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
        return false;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.len);
    if (!yaml_parser_load(&parser, ret)) {
        parser_fault(&parser, text, f);
        yaml_parser_delete(&parser);
        return false;
    }
    if (!yaml_parser_load(&parser, &second)) {
        parser_fault(&parser, text, f);
    } else {
        good = yaml_document_get_root_node(&second) == NULL;
        if (!good)
            fault_at(f, second.start_mark, est_message_fault(EST_MESSAGE_DOCUMENTS, NULL, NULL));
        yaml_document_delete(&second);
    }
    if (!good)
        yaml_document_delete(ret);
    yaml_parser_delete(&parser);
    return good;
}

/* --- from libyaml's nodes to ours --- */

static size_t children(const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE)
        return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    if (node->type == YAML_SEQUENCE_NODE)
        return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    return 0;
}

static size_t count_slots(const yaml_document_t *d)
{
    size_t n = 0;

    for (const yaml_node_t *node = d->nodes.start; node < d->nodes.top; node++)
        n += children(node) * (node->type == YAML_MAPPING_NODE ? 2 : 1);
    return n;
}

static bool allocate(struct est_yaml_doc *doc)
{
    doc->n_nodes = (size_t)(doc->document.nodes.top - doc->document.nodes.start);
    doc->nodes = est_calloc(doc->n_nodes + 1, sizeof(*doc->nodes));
    doc->slots = est_calloc(count_slots(&doc->document) + 1, sizeof(*doc->slots));
    return doc->nodes != NULL && doc->slots != NULL;
}

static const struct est_yaml **take_slots(struct est_yaml_doc *doc, size_t n)
{
    const struct est_yaml **at = doc->slots + doc->n_slots;

    doc->n_slots += n;
    return at;
}

static bool is_null(struct est_view text, const yaml_node_t *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        if (est_view_is(text, nulls[i]))
            return true;
    return false;
}

static bool is_default_tag(const yaml_node_t *node)
{
    const char *tag = (const char *)node->tag;

    return tag == NULL || strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, YAML_SEQ_TAG) == 0 ||
           strcmp(tag, YAML_MAP_TAG) == 0;
}

/* A node that is reached a second time was reached through an alias; libyaml keeps no place for the
 * alias itself, so the key before it stands for it. */
static bool convert(struct est_yaml_doc *doc, int number, const struct est_yaml *before,
                    unsigned depth, const struct est_yaml **ret, struct est_yaml_fault *f);

static bool convert_map(struct est_yaml_doc *doc, const yaml_node_t *node, struct est_yaml *to,
                        unsigned depth, struct est_yaml_fault *f)
{
    to->kind = EST_YAML_MAP;
    to->n = children(node);
    to->keys = take_slots(doc, to->n);
    to->values = take_slots(doc, to->n);
    for (size_t i = 0; i < to->n; i++) {
        const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
        if (!convert(doc, pair->key, to, depth, &to->keys[i], f) ||
            !convert(doc, pair->value, to->keys[i], depth, &to->values[i], f))
            return false;
    }
    return true;
}

static bool convert_list(struct est_yaml_doc *doc, const yaml_node_t *node, struct est_yaml *to,
                         unsigned depth, struct est_yaml_fault *f)
{
    to->kind = EST_YAML_LIST;
    to->n = children(node);
    to->values = take_slots(doc, to->n);
    for (size_t i = 0; i < to->n; i++)
        if (!convert(doc, node->data.sequence.items.start[i], to, depth, &to->values[i], f))
            return false;
    return true;
}

static bool convert_text(const yaml_node_t *node, struct est_yaml *to)
{
    to->text = est_view((const char *)node->data.scalar.value, node->data.scalar.length);
    to->kind = is_null(to->text, node) ? EST_YAML_NULL : EST_YAML_TEXT;
    return true;
}

static bool convert(struct est_yaml_doc *doc, int number, const struct est_yaml *before,
                    unsigned depth, const struct est_yaml **ret, struct est_yaml_fault *f)
{
    const yaml_node_t *node = &doc->document.nodes.start[number - 1];
    struct est_yaml *to = &doc->nodes[number - 1];
    char most[16];

    if (to->line != 0) {
        fault_at_node(f, before, est_message_fault(EST_MESSAGE_ALIAS, NULL, NULL));
        return false;
    }
    to->line = (unsigned)node->start_mark.line + 1;
    to->column = (unsigned)node->start_mark.column + 1;
    *ret = to;
    if (!is_default_tag(node)) {
        fault_at_node(f, to, est_message_fault(EST_MESSAGE_TAG, (const char *)node->tag, NULL));
        return false;
    }
    if (node->type == YAML_SCALAR_NODE)
        return convert_text(node, to);
    if (depth >= EST_YAML_DEPTH_MAX) {
        est_line_printf(most, sizeof(most), "%d", EST_YAML_DEPTH_MAX);
        fault_at_node(f, to, est_message_fault(EST_MESSAGE_DEPTH, most, NULL));
        return false;
    }
    return node->type == YAML_MAPPING_NODE ? convert_map(doc, node, to, depth + 1, f)
                                           : convert_list(doc, node, to, depth + 1, f);
}

/* libyaml looks at every open bracket for each token, so an abyss of them would take minutes. Quotes
 * and comments are not looked into: no file of ours leaves so many brackets open anywhere. */
static bool is_abyss(struct est_view text, struct est_yaml_fault *f)
{
    unsigned open = 0, line = 1;
    char most[16];

    for (size_t i = 0; i < text.len && open < OPEN_MAX; i++) {
        line += text.data[i] == '\n';
        if (text.data[i] == '[' || text.data[i] == '{')
            open++;
        else if ((text.data[i] == ']' || text.data[i] == '}') && open > 0)
            open--;
    }
    if (open < OPEN_MAX)
        return false;
    est_line_printf(most, sizeof(most), "%d", EST_YAML_DEPTH_MAX);
    f->fault = est_message_fault(EST_MESSAGE_DEPTH, most, NULL);
    f->line = line;
    f->column = 1;
    return true;
}

struct est_yaml_doc *est_yaml_parse(struct est_view text, struct est_yaml_fault *ret_fault)
{
    struct est_yaml_doc *doc = est_calloc(1, sizeof(*doc));

    *ret_fault = (struct est_yaml_fault){.fault = EST_NO_FAULT};
    if (doc == NULL) {
        ret_fault->fault = est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
        return NULL;
    }
    if (is_abyss(text, ret_fault) || !load(text, &doc->document, ret_fault)) {
        est_free(doc);
        return NULL;
    }
    if (!allocate(doc)) {
        ret_fault->fault = est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
        goto fail;
    }
    if (doc->n_nodes > 0 && !convert(doc, 1, NULL, 0, &doc->root, ret_fault))
        goto fail;
    return doc;
fail:
    est_yaml_free(doc);
    return NULL;
}

void est_yaml_free(struct est_yaml_doc *doc)
{
    if (doc == NULL)
        return;
    yaml_document_delete(&doc->document);
    est_free(doc->nodes);
    est_free(doc->slots);
    est_free(doc);
}

const struct est_yaml *est_yaml_root(const struct est_yaml_doc *doc)
{
    return doc->root;
}
