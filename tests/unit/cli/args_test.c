#include "args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = 8 };

static bool parse(const char *const *words, struct args *a, struct args_fault *f)
{
    char *argv[WORDS + 2] = {(char *)"esteira"};
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    return args_parse(argc, argv, a, f);
}

static void test_forms(void **state)
{
    static const char *const forms[][WORDS] = {
        {"tail", "order", "--config", "x.yaml", "--count", "3", "--json"},
        {"--json", "-c", "x.yaml", "--count=3", "tail", "order"},
        {"tail", "-cx.yaml", "order", "--json", "--count=3"},
        {"--count", "3", "--config=x.yaml", "--json", "--", "tail", "order"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct args a;
        struct args_fault f;
        assert_true(parse(forms[i], &a, &f));
        assert_string_equal(a.config, "x.yaml");
        assert_int_equal(a.count, 3);
        assert_true(a.json);
        assert_int_equal(a.n_words, 2);
        assert_string_equal(a.words[0], "tail");
        assert_string_equal(a.words[1], "order");
        assert_int_equal(a.given, ARGS_BIT(CONFIG) | ARGS_BIT(COUNT) | ARGS_BIT(JSON));
    }
}

static void test_values(void **state)
{
    static const char *const words[] = {"--since",      "10m",  "--filter", "a=1",
                                        "--filter=b=2", "-qyn", "-",        NULL};
    struct args a;
    struct args_fault f;

    (void)state;
    assert_true(parse(words, &a, &f));
    assert_int_equal(a.since, 600 * EST_SECOND);
    assert_int_equal(a.timeout, 10 * EST_SECOND);
    assert_int_equal(a.filter.n, 2);
    assert_string_equal(a.filter.items[1], "b=2");
    assert_true(a.quiet && a.yes && a.dry_run);
    assert_string_equal(a.words[0], "-"); /* standard input is a word, not an option */
}

static void test_after_the_end_of_options(void **state)
{
    static const char *const words[] = {"publish", "--", "--json", NULL};
    struct args a;
    struct args_fault f;

    (void)state;
    assert_true(parse(words, &a, &f));
    assert_false(a.json);
    assert_string_equal(a.words[1], "--json");
}

static void test_faults(void **state)
{
    static const struct {
        const char *words[WORDS];
        enum args_wrong want;
        const char *subject, *near;
    } cases[] = {
        {{"--jsn"}, ARGS_UNKNOWN, "--jsn", "--json"},
        {{"--colour=never"}, ARGS_UNKNOWN, "--colour", "--color"},
        {{"--zzz"}, ARGS_UNKNOWN, "--zzz", ""},
        {{"-x"}, ARGS_UNKNOWN, "-x", ""},
        {{"--count"}, ARGS_NEEDS_VALUE, "--count", "N"},
        {{"-c"}, ARGS_NEEDS_VALUE, "--config", "FILE"},
        {{"--json=yes"}, ARGS_NO_VALUE, "--json", ""},
        {{"--count=many"}, ARGS_BAD_VALUE, "--count", "N"},
        {{"--count", "-1"}, ARGS_BAD_VALUE, "--count", "N"},
        {{"--since", "soon"}, ARGS_BAD_VALUE, "--since", "10m"},
        {{"--config="}, ARGS_BAD_VALUE, "--config", "FILE"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct args a;
        struct args_fault f;
        assert_false(parse(cases[i].words, &a, &f));
        assert_int_equal(f.wrong, cases[i].want);
        assert_string_equal(f.subject, cases[i].subject);
        assert_string_equal(f.near, cases[i].near);
    }
}

static void test_bounds(void **state)
{
    char *argv[ARGS_WORDS_MAX + 2];
    struct args a;
    struct args_fault f;

    (void)state;
    for (size_t i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
        argv[i] = (char *)"w";
    assert_true(args_parse(ARGS_WORDS_MAX + 1, argv, &a, &f));
    assert_false(args_parse(ARGS_WORDS_MAX + 2, argv, &a, &f));
    assert_int_equal(f.wrong, ARGS_TOO_MANY);
    assert_true(args_parse(0, argv, &a, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_after_the_end_of_options),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
