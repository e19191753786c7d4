#include "tokens.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define A "0123456789abcdef-token-a"
#define B "0123456789abcdef-token-b"

static char path[64];

static void write_file(const char *text, size_t n)
{
    char fresh[80];
    int fd;

    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    fd = open(fresh, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    (void)close(fd);
    assert_int_equal(rename(fresh, path), 0);
}

static int make_file(void **state)
{
    int fd;

    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/esteira-tokens-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static const char *holder(struct tokens *t, const char *authorization)
{
    struct tokens_holder *h = tokens_check(t, est_view_str(authorization));

    return h ? h->name : NULL;
}

static void good_files(void **state)
{
    static const char *const files[] = {
        "a " A "\nb " B "\n",
        "a " A "\nb " B,
        "a " A "\r\nb " B "\r\n",
        "# tokens\n\n \t\n  a \t " A "  \n#b x\nb\t" B "\n\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct est_why why = {0};
        struct tokens *t;
        write_file(files[i], strlen(files[i]));
        if (tokens_new(path, 0, 0, &t, &why) != EST_OK)
            fail_msg("row %zu: %s", i, why.text);
        assert_true(tokens_required(t));
        assert_string_equal(holder(t, "Bearer " A), "a");
        assert_string_equal(holder(t, "bearer   " B " "), "b");
        assert_null(holder(t, NULL));
        assert_null(holder(t, ""));
        assert_null(holder(t, "Bearer"));
        assert_null(holder(t, "Bearer "));
        assert_null(holder(t, "Basic " A));
        assert_null(holder(t, A));
        assert_null(holder(t, "Bearer " A "x"));
        assert_null(holder(t, "Bearer 0123456789abcdef-token-"));
        assert_null(holder(t, "Bearer " A " " B));
        tokens_free(t);
    }
}

/* Each is refused with the line's number, and the text never shows what stands in it. */
static void bad_files(void **state)
{
#define N64 "0123456789012345678901234567890123456789012345678901234567890123"
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"", ""},
        {"# nothing\n", ""},
        {"a " A "\nb\n", ":2:"},
        {"a short-secret\n", ":1:"},
        {"\n\na " A " more\n", ":3:"},
        {"a " A "\nb " A "\n", ":2:"},
        {N64 " " A "\n", ":1:"},
        {"a " N64 N64 N64 N64 N64 N64 N64 N64 "x\n", ":1:"},
        {A "\n", ":1:"}, /* the token alone: it must not be taken for a name */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_why why = {0};
        struct tokens *t = NULL;
        write_file(cases[i].text, strlen(cases[i].text));
        if (tokens_new(path, 0, 0, &t, &why) != EST_ERR_INVALID ||
            strstr(why.text, cases[i].line) == NULL)
            fail_msg("row %zu: %s", i, why.text);
        assert_null(t);
        assert_null(strstr(why.text, "secret"));
        assert_null(strstr(why.text, "0123"));
    }
    assert_int_equal(tokens_new("/no/such/file", 0, 0, &(struct tokens *){NULL}, NULL),
                     EST_ERR_CONF_FILE);
}

static void without_a_file_everybody_may(void **state)
{
    struct tokens *t;

    (void)state;
    assert_int_equal(tokens_new("", 5, 0, &t, NULL), EST_OK);
    assert_false(tokens_required(t));
    assert_int_equal(est_limiter_take(&tokens_anyone(t)->limiter, 5, 0), 0);
    assert_true(est_limiter_take(&tokens_anyone(t)->limiter, 1, 0) > 0);
    assert_int_equal(tokens_reload(t, 0, NULL), EST_ERR_AGAIN);
    tokens_free(t);
    tokens_free(NULL);
}

static void a_new_file_replaces_the_old_a_broken_one_does_not(void **state)
{
    struct est_why why = {0};
    struct tokens *t;

    (void)state;
    write_file("a " A "\n", strlen("a " A "\n"));
    assert_int_equal(tokens_new(path, 0, 0, &t, NULL), EST_OK);
    assert_int_equal(tokens_reload(t, 0, &why), EST_ERR_AGAIN);
    write_file("b " B "\nbroken\n", strlen("b " B "\nbroken\n"));
    assert_int_equal(tokens_reload(t, 0, &why), EST_ERR_INVALID);
    assert_non_null(strstr(why.text, ":2:"));
    assert_string_equal(holder(t, "Bearer " A), "a");
    assert_null(holder(t, "Bearer " B));
    assert_int_equal(tokens_reload(t, 0, &why), EST_ERR_AGAIN); /* told once */
    write_file("b " B "\n", strlen("b " B "\n"));
    assert_int_equal(tokens_reload(t, 0, &why), EST_OK);
    assert_null(holder(t, "Bearer " A));
    assert_string_equal(holder(t, "Bearer " B), "b");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tokens_reload(t, 0, &why), EST_ERR_AGAIN);
    assert_string_equal(holder(t, "Bearer " B), "b");
    write_file("", 0);
    tokens_free(t);
}

static void a_file_of_a_megabyte_and_not_more(void **state)
{
    enum { MAX = 1024 * 1024 };
    static char text[MAX + 1];
    struct tokens *t;

    (void)state;
    memset(text, '\n', sizeof(text));
    memcpy(text, "a " A, strlen("a " A));
    for (size_t n = MAX - 1; n <= MAX; n++) {
        write_file(text, n);
        assert_int_equal(tokens_new(path, 0, 0, &t, NULL), EST_OK);
        tokens_free(t);
    }
    write_file(text, MAX + 1);
    assert_int_equal(tokens_new(path, 0, 0, &t, NULL), EST_ERR_TOO_LARGE);
}

static void each_token_has_its_own_rate(void **state)
{
    struct tokens *t;

    (void)state;
    write_file("a " A "\nb " B "\n", strlen("a " A "\nb " B "\n"));
    assert_int_equal(tokens_new(path, 3, 0, &t, NULL), EST_OK);
    assert_int_equal(est_limiter_take(&tokens_check(t, est_view_str("Bearer " A))->limiter, 3, 0),
                     0);
    assert_true(est_limiter_take(&tokens_check(t, est_view_str("Bearer " A))->limiter, 1, 0) > 0);
    assert_int_equal(est_limiter_take(&tokens_check(t, est_view_str("Bearer " B))->limiter, 3, 0),
                     0);
    tokens_free(t);
}

static void without_memory(void **state)
{
    est_err err = EST_ERR_NOMEM;

    (void)state;
    write_file("a " A "\nb " B "\n", strlen("a " A "\nb " B "\n"));
    for (long after = 0; err != EST_OK; after++) {
        struct tokens *t = NULL;
        est_mem_fail_after(after);
        err = tokens_new(path, 0, 0, &t, NULL);
        est_mem_fail_after(-1);
        assert_true(after < 50);
        tokens_free(t);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_file, remove_file)
    const struct CMUnitTest tests[] = {
        T(good_files),
        T(bad_files),
        T(without_a_file_everybody_may),
        T(a_new_file_replaces_the_old_a_broken_one_does_not),
        T(a_file_of_a_megabyte_and_not_more),
        T(each_token_has_its_own_rate),
        T(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
