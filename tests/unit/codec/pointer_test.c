#include "codec_fixture.h"

#include "base/mem.h"
#include "codec/path.h"
#include "codec/pointer.h"

static void test_syntax(void **state)
{
    static const struct {
        const char *text;
        size_t steps;
        const char *last; /* NULL = not a pointer */
    } cases[] = {
        {"", 0, ""},
        {"/", 1, ""},
        {"/a", 1, "a"},
        {"/a/b", 2, "b"},
        {"/a~1b", 1, "a/b"},
        {"/~0~1", 1, "~/"},
        {"/a//c", 3, "c"},
        {"/a/", 2, ""},
        {"a", 0, NULL},
        {"/a~2", 0, NULL},
        {"/a~", 0, NULL},
        {"#/a", 0, NULL},
        {"/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6", 16, "6"},
        {"/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_pointer *p = NULL;
        struct est_why why;
        est_err err = est_pointer_new(est_view_str(cases[i].text), &p, &why);
        if ((err == EST_OK) != (cases[i].last != NULL))
            fail_msg("%s gave %s", cases[i].text, est_err_code(err));
        if (err)
            continue;
        assert_int_equal(est_pointer_count(p), cases[i].steps);
        assert_true(est_view_is(est_pointer_text(p), cases[i].text));
        if (cases[i].steps > 0)
            assert_true(est_view_is(est_pointer_step(p, cases[i].steps - 1), cases[i].last));
        est_pointer_free(p);
    }
}

static void test_too_long(void **state)
{
    struct est_pointer *p = NULL;
    char text[600];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    assert_int_equal(est_pointer_new(est_view(text, 511), &p, NULL), EST_OK);
    est_pointer_free(p);
    assert_int_equal(est_pointer_new(est_view(text, 512), &p, NULL), EST_ERR_INVALID);
    est_mem_fail_after(0);
    assert_int_equal(est_pointer_new(EST_VIEW_LIT("/a"), &p, NULL), EST_ERR_NOMEM);
    est_mem_fail_after(-1);
}

/* The way back: a path of a walk as text, whole or cut at a step. */
static void test_path_text(void **state)
{
    static const char long_name[] = "a_name_of_forty_characters_in_each_step_";
    struct est_path root = {NULL, EST_VIEW_LIT("a/b~c"), 0}, item = {&root, EST_VIEW_NONE, 12};
    struct est_path deep[10];
    struct est_buf b;
    char text[64];

    (void)state;
    est_path_format(NULL, text, sizeof(text));
    assert_string_equal(text, "");
    est_path_format(&item, text, sizeof(text));
    assert_string_equal(text, "/a~1b~0c/12");
    for (size_t i = 0; i < COUNT_OF(deep); i++)
        deep[i] = (struct est_path){i ? &deep[i - 1] : NULL, est_view_str(long_name), 0};
    est_path_format(&deep[9], text, sizeof(text));
    assert_string_equal(text, "/a_name_of_forty_characters_in_each_step_/...");
    est_buf_init(&b, 4096);
    est_path_put(&b, &item);
    assert_true(est_view_is(est_buf_view(&b), "/a~1b~0c/12"));
    est_buf_clear(&b);
    est_path_put(&b, &deep[9]);
    assert_int_equal(b.len, 410);
    est_buf_fini(&b);
}

/* est_path_is says of a pointer what est_path_put would write. */
static void test_path_is(void **state)
{
    const struct est_path a = {NULL, EST_VIEW_LIT("a/b~c"), 0}, i = {&a, EST_VIEW_NONE, 120},
                          e = {&i, EST_VIEW_LIT(""), 0}, x = {&e, EST_VIEW_LIT("x"), 0};
    static const struct {
        size_t depth;
        const char *pointer;
        bool want;
    } cases[] = {
        {0, "", true},
        {0, "/", false},
        {1, "/a~1b~0c", true},
        {1, "a~1b~0c", false},
        {1, "/a/b~c", false},
        {1, "/z/a~1b~0c", false},
        {1, "", false},
        {2, "/a~1b~0c/120", true},
        {2, "/a~1b~0c/20", false},
        {2, "/a~1b~0c/1120", false},
        {2, "/a~1b~0c", false},
        {3, "/a~1b~0c/120/", true},
        {4, "/a~1b~0c/120//x", true},
        {4, "/a~1b~0c/120/x", false},
    };
    const struct est_path *const paths[] = {NULL, &a, &i, &e, &x};

    (void)state;
    for (size_t c = 0; c < COUNT_OF(cases); c++)
        if (est_path_is(paths[cases[c].depth], est_view_str(cases[c].pointer)) != cases[c].want)
            fail_msg("case %zu", c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_path_text),
        cmocka_unit_test(test_path_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
