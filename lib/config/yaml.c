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

static void no_memory(struct est_yaml_fault *f)
{
    f->fault = est_message_fault(EST_MESSAGE_NOMEM, NULL, NULL);
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
        no_memory(f);
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

static bool open_parser(yaml_parser_t *parser, struct est_view text, struct est_yaml_fault *f)
{
    if (!yaml_parser_initialize(parser)) {
        no_memory(f);
        return false;
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text.data, text.len);
    return true;
}

/* --- what we refuse: seen in the events, which have the places, before a tree is made of them ---
 */

struct survey {
    unsigned depth, documents;
};

static bool is_default_tag(const yaml_char_t *tag)
{
    const char *t = (const char *)tag;

    return t == NULL || strcmp(t, YAML_STR_TAG) == 0 || strcmp(t, YAML_SEQ_TAG) == 0 ||
           strcmp(t, YAML_MAP_TAG) == 0;
}

static struct est_fault judge_node(const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        return est_message_fault(EST_MESSAGE_ALIAS, NULL, NULL);
    if (!is_default_tag(tag))
        return est_message_fault(EST_MESSAGE_TAG, (const char *)tag, NULL);
    return EST_NO_FAULT;
}

/* Opening a list or a mapping. The limit is also what keeps libyaml, whose work grows with the
 * square of the depth, from being kept busy by a file of brackets. */
static struct est_fault judge_opening(struct survey *sv, const yaml_char_t *anchor,
                                      const yaml_char_t *tag)
{
    char most[16];

    if (++sv->depth <= EST_YAML_DEPTH_MAX)
        return judge_node(anchor, tag);
    est_line_printf(most, sizeof(most), "%d", EST_YAML_DEPTH_MAX);
    return est_message_fault(EST_MESSAGE_DEPTH, most, NULL);
}

static struct est_fault judge(struct survey *sv, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++sv->documents > 1)
            return est_message_fault(EST_MESSAGE_DOCUMENTS, NULL, NULL);
        break;
    case YAML_ALIAS_EVENT: return est_message_fault(EST_MESSAGE_ALIAS, NULL, NULL);
    case YAML_SCALAR_EVENT: return judge_node(ev->data.scalar.anchor, ev->data.scalar.tag);
    case YAML_SEQUENCE_START_EVENT:
        return judge_opening(sv, ev->data.sequence_start.anchor, ev->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return judge_opening(sv, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: sv->depth--; break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
    return EST_NO_FAULT;
}

static bool survey(struct est_view text, struct est_yaml_fault *f)
{
    struct survey sv = {.depth = 0};
    yaml_parser_t parser;
    yaml_event_t ev;
    bool good, end = false;

    if (!open_parser(&parser, text, f))
        return false;
    do {
        good = yaml_parser_parse(&parser, &ev) != 0;
        if (!good) {
            parser_fault(&parser, text, f);
            break;
        }
        fault_at(f, ev.start_mark, judge(&sv, &ev));
        good = f->fault.message == EST_MESSAGE_NONE;
        end = ev.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&ev);
    } while (good && !end);
    yaml_parser_delete(&parser);
    return good;
}

/* The document of a text that has been surveyed: only memory can be wanting now. */
static bool load(struct est_view text, yaml_document_t *ret, struct est_yaml_fault *f)
{
    yaml_parser_t parser;
    bool good;

    if (!survey(text, f) || !open_parser(&parser, text, f))
        return false;
    good = yaml_parser_load(&parser, ret) != 0;
    if (!good)
        parser_fault(&parser, text, f);
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

static void convert(struct est_yaml_doc *doc, int number, const struct est_yaml **ret);

static void convert_map(struct est_yaml_doc *doc, const yaml_node_t *node, struct est_yaml *to)
{
    to->kind = EST_YAML_MAP;
    to->n = children(node);
    to->keys = take_slots(doc, to->n);
    to->values = take_slots(doc, to->n);
    for (size_t i = 0; i < to->n; i++) {
        convert(doc, node->data.mapping.pairs.start[i].key, &to->keys[i]);
        convert(doc, node->data.mapping.pairs.start[i].value, &to->values[i]);
    }
}

static void convert_list(struct est_yaml_doc *doc, const yaml_node_t *node, struct est_yaml *to)
{
    to->kind = EST_YAML_LIST;
    to->n = children(node);
    to->values = take_slots(doc, to->n);
    for (size_t i = 0; i < to->n; i++)
        convert(doc, node->data.sequence.items.start[i], &to->values[i]);
}

static void convert_text(const yaml_node_t *node, struct est_yaml *to)
{
    to->text = est_view((const char *)node->data.scalar.value, node->data.scalar.length);
    to->kind = is_null(to->text, node) ? EST_YAML_NULL : EST_YAML_TEXT;
}

/* Without aliases the nodes are a tree, and the survey has bounded its depth. */
static void convert(struct est_yaml_doc *doc, int number, const struct est_yaml **ret)
{
    const yaml_node_t *node = &doc->document.nodes.start[number - 1];
    struct est_yaml *to = &doc->nodes[number - 1];

    to->line = (unsigned)node->start_mark.line + 1;
    to->column = (unsigned)node->start_mark.column + 1;
    *ret = to;
    if (node->type == YAML_MAPPING_NODE)
        convert_map(doc, node, to);
    else if (node->type == YAML_SEQUENCE_NODE)
        convert_list(doc, node, to);
    else
        convert_text(node, to);
}

struct est_yaml_doc *est_yaml_parse(struct est_view text, struct est_yaml_fault *ret_fault)
{
    struct est_yaml_doc *doc = est_calloc(1, sizeof(*doc));

    *ret_fault = (struct est_yaml_fault){.fault = EST_NO_FAULT};
    if (doc == NULL) {
        no_memory(ret_fault);
        return NULL;
    }
    if (!load(text, &doc->document, ret_fault)) {
        est_free(doc);
        return NULL;
    }
    if (!allocate(doc)) {
        no_memory(ret_fault);
        est_yaml_free(doc);
        return NULL;
    }
    if (doc->n_nodes > 0)
        convert(doc, 1, &doc->root);
    return doc;
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
