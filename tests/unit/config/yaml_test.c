#include "config/yaml.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct est_yaml_doc *parsed(const char *text)
{
    struct est_yaml_fault fault;
    struct est_yaml_doc *doc = est_yaml_parse(est_view_str(text), &fault);

    assert_non_null(doc);
    assert_int_equal(fault.fault.message, EST_MESSAGE_NONE);
    return doc;
}

static void test_tree_and_places(void **state)
{
    struct est_yaml_doc *doc = parsed("a: 1\nb:\n  - x\n  - {c: \"~\"}\nd: ~\n");
    const struct est_yaml *root = est_yaml_root(doc), *list = root->values[1];

    (void)state;
    assert_int_equal(root->kind, EST_YAML_MAP);
    assert_int_equal(root->n, 3);
    assert_true(est_view_is(root->keys[1]->text, "b"));
    assert_int_equal(root->keys[1]->line, 2);
    assert_int_equal(root->keys[1]->column, 1);
    assert_int_equal(root->values[0]->column, 4);
    assert_int_equal(list->kind, EST_YAML_LIST);
    assert_int_equal(list->values[1]->line, 4);
    assert_int_equal(list->values[1]->values[0]->kind,
                     EST_YAML_TEXT); /* quoted: a text, not nothing */
    assert_int_equal(root->values[2]->kind, EST_YAML_NULL);
    est_yaml_free(doc);
}

static void test_empty(void **state)
{
    static const char *const texts[] = {"", "\n\n", "# only a comment\n", "\xEF\xBB\xBF"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct est_yaml_doc *doc = parsed(texts[i]);
        assert_null(est_yaml_root(doc));
        est_yaml_free(doc);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum est_message want;
        unsigned line, column;
    } cases[] = {
        {"a: &x 1\nb: *x\n", EST_MESSAGE_ALIAS, 1, 4},
        {"a: *nothing\n", EST_MESSAGE_ALIAS, 1, 4},
        {"a: &x [*x]\n", EST_MESSAGE_ALIAS, 1, 4},
        {"use:\n  <<: *b\n", EST_MESSAGE_ALIAS, 2, 7},
        {"a: !!binary aGk=\n", EST_MESSAGE_TAG, 1, 4},
        {"a: !mine 1\n", EST_MESSAGE_TAG, 1, 4},
        {"a: 1\n---\nb: 2\n", EST_MESSAGE_DOCUMENTS, 2, 1},
        {"a:\n\tb: 1\n", EST_MESSAGE_TAB, 2, 1},
        {"a: \"unfinished\n", EST_MESSAGE_SYNTAX, 2, 1},
        {"a: [[[[[[[[[1]]]]]]]]]\n", EST_MESSAGE_DEPTH, 1, 11},
        {"a: \xff\n", EST_MESSAGE_ENCODING, 1, 4},
        {"a: 1\nb: \x01\n", EST_MESSAGE_ENCODING, 2, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_yaml_fault fault;
        assert_null(est_yaml_parse(est_view_str(cases[i].text), &fault));
        assert_int_equal(fault.fault.message, cases[i].want);
        assert_int_equal(fault.line, cases[i].line);
        assert_int_equal(fault.column, cases[i].column);
    }
}

/* A file of brackets ends in an answer, and at once: libyaml alone takes minutes for it. */
static void test_abyss(void **state)
{
    struct est_yaml_fault fault;
    static char text[1000000];
    est_us start = est_clock_mono();

    (void)state;
    memset(text, '[', sizeof(text));
    assert_null(est_yaml_parse(est_view(text, sizeof(text)), &fault));
    assert_int_equal(fault.fault.message, EST_MESSAGE_DEPTH);
    assert_true(est_clock_mono() - start < 5 * EST_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_and_places),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_abyss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
