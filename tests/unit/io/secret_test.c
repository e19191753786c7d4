/* A secret from a file: what is accepted, what is refused and how, and when it is read again. */
#include "io/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/esteira-secret-XXXXXX");
    return close(mkstemp(path));
}

static int remove_path(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static void put(const char *text, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void contents(void **state)
{
    static const struct {
        const char *name, *text;
        est_err want;
        const char *value;
    } cases[] = {
        {"plain", "abc", EST_OK, "abc"},
        {"line feed", "abc\n", EST_OK, "abc"},
        {"CR LF", "abc\r\n", EST_OK, "abc"},
        {"inner spaces stay", " a b ", EST_OK, " a b "},
        {"empty", "", EST_ERR_INVALID, NULL},
        {"only a line feed", "\n", EST_ERR_INVALID, NULL},
        {"two lines", "abc\ndef\n", EST_ERR_INVALID, NULL},
        {"tab", "a\tb", EST_ERR_INVALID, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_secret *s = NULL;
        struct est_why why = {0};
        put(cases[i].text, strlen(cases[i].text));
        print_message("%s\n", cases[i].name);
        assert_int_equal(est_secret_new(path, "other", &s, &why), cases[i].want);
        if (cases[i].want == EST_OK)
            assert_string_equal(est_secret_get(s), cases[i].value);
        else {
            assert_null(s);
            assert_non_null(strstr(why.text, path));
            assert_null(strstr(why.text, "abc"));
        }
        est_secret_free(s);
    }
}

/* While a token is replaced, the newest first. */
static void two_lines_where_two_are_wanted(void **state)
{
    static const struct {
        const char *text;
        est_err want;
        const char *first, *second; /* NULL = one line */
    } cases[] = {
        {"abc", EST_OK, "abc", NULL},
        {"abc\n", EST_OK, "abc", NULL},
        {"abc\ndef", EST_OK, "abc", "def"},
        {"abc\r\ndefg\r\n", EST_OK, "abc", "defg"},
        {"abc\n\n", EST_ERR_INVALID, NULL, NULL},
        {"\nabc\n", EST_ERR_INVALID, NULL, NULL},
        {"abc\ndef\nghi\n", EST_ERR_INVALID, NULL, NULL},
        {"abc\nd\tf\n", EST_ERR_INVALID, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_secret *s = NULL;
        bool changed = true;
        put(cases[i].text, strlen(cases[i].text));
        print_message("case %zu\n", i);
        assert_int_equal(est_secret_new_lines(path, "", &s, NULL), cases[i].want);
        if (cases[i].want != EST_OK)
            continue;
        assert_int_equal(est_secret_n(s), cases[i].second != NULL ? 2 : 1);
        assert_string_equal(est_secret_get(s), cases[i].first);
        assert_string_equal(est_secret_at(s, est_secret_n(s) - 1),
                            cases[i].second != NULL ? cases[i].second : cases[i].first);
        assert_int_equal(est_secret_refresh(s, true, &changed, NULL), EST_OK);
        assert_false(changed);
        put("abc\nxyz\n", 8);
        assert_int_equal(est_secret_refresh(s, true, &changed, NULL), EST_OK);
        assert_true(changed);
        assert_string_equal(est_secret_at(s, 1), "xyz");
        est_secret_free(s);
    }
}

static void length_is_bounded(void **state)
{
    struct est_secret *s = NULL;
    char *text = malloc(EST_SECRET_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', EST_SECRET_MAX + 1);
    put(text, EST_SECRET_MAX);
    assert_int_equal(est_secret_new(path, "", &s, NULL), EST_OK);
    assert_int_equal(strlen(est_secret_get(s)), EST_SECRET_MAX);
    est_secret_free(s);
    put(text, EST_SECRET_MAX + 1);
    assert_int_equal(est_secret_new(path, "", &s, NULL), EST_ERR_TOO_LARGE);
    free(text);
}

static void missing_file(void **state)
{
    struct est_secret *s = NULL;
    struct est_why why = {0};

    (void)state;
    (void)unlink(path);
    assert_int_equal(est_secret_new(path, "", &s, &why), EST_ERR_CONF_FILE);
    assert_non_null(strstr(why.text, path));
}

static void fixed_value(void **state)
{
    struct est_secret *s = NULL;
    bool changed = true;

    (void)state;
    assert_int_equal(est_secret_new("", "from-environment", &s, NULL), EST_OK);
    assert_int_equal(est_secret_refresh(s, true, &changed, NULL), EST_OK);
    assert_false(changed);
    assert_string_equal(est_secret_get(s), "from-environment");
    assert_false(est_secret_is_exposed(s));
    est_secret_free(s);
}

/* A replaced file, a rewritten one, and one that is broken for a moment. */
static void read_again_when_it_changes(void **state)
{
    struct est_secret *s = NULL;
    bool changed = true;

    (void)state;
    put("first\n", 6);
    assert_int_equal(est_secret_new(path, "", &s, NULL), EST_OK);
    assert_int_equal(est_secret_refresh(s, false, &changed, NULL), EST_OK);
    assert_false(changed);
    put("second!\n", 8);
    assert_int_equal(est_secret_refresh(s, false, &changed, NULL), EST_OK);
    assert_true(changed);
    assert_string_equal(est_secret_get(s), "second!");
    put("", 0);
    assert_int_equal(est_secret_refresh(s, false, &changed, NULL), EST_ERR_INVALID);
    assert_string_equal(est_secret_get(s), "second!");
    (void)unlink(path);
    assert_int_equal(est_secret_refresh(s, false, &changed, NULL), EST_ERR_CONF_FILE);
    put("second!\n", 8);
    assert_int_equal(est_secret_refresh(s, false, &changed, NULL), EST_OK);
    assert_false(changed); /* another file, the same secret */
    est_secret_free(s);
}

static void exposed_file(void **state)
{
    struct est_secret *s = NULL;
    bool changed;

    (void)state;
    put("abc", 3);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(est_secret_new(path, "", &s, NULL), EST_OK);
    assert_false(est_secret_is_exposed(s));
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(est_secret_refresh(s, false, &changed, NULL), EST_OK);
    assert_true(est_secret_is_exposed(s));
    est_secret_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_lines_where_two_are_wanted, make_path, remove_path),
        cmocka_unit_test_setup_teardown(contents, make_path, remove_path),
        cmocka_unit_test_setup_teardown(length_is_bounded, make_path, remove_path),
        cmocka_unit_test_setup_teardown(missing_file, make_path, remove_path),
        cmocka_unit_test(fixed_value),
        cmocka_unit_test_setup_teardown(read_again_when_it_changes, make_path, remove_path),
        cmocka_unit_test_setup_teardown(exposed_file, make_path, remove_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
