/* wrong/NAME.yaml must be refused with exactly the lines of wrong/NAME.txt: file, line, column,
 * key, what was expected, what was meant. A new case is a new pair of files. With GOLDEN=write in
 * the environment the .txt files are written anew, to be read before they are committed. */
#include "config/config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LEAST_CASES = 60, TEXT_MAX = 64 * 1024 };

static size_t read_text(const char *path, char *out)
{
    FILE *f = fopen(path, "re");
    size_t n;

    assert_non_null(f);
    n = fread(out, 1, TEXT_MAX - 1, f);
    out[n] = '\0';
    (void)fclose(f);
    return n;
}

static void write_text(const char *path, const struct est_buf *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text->data, 1, text->len, f), text->len);
    assert_int_equal(fclose(f), 0);
}

static void check_case(const char *yaml)
{
    static char want[TEXT_MAX];
    struct est_config_report rp;
    struct est_config *cfg = NULL;
    struct est_buf got;
    char txt[256];
    est_err err;

    assert_true(snprintf(txt, sizeof(txt), "%.*s.txt", (int)(strlen(yaml) - 5), yaml) <
                (int)sizeof(txt));
    est_report_init(&rp);
    est_buf_init(&got, TEXT_MAX);
    err = est_config_load(yaml, &cfg, &rp);
    if (err == EST_OK)
        fail_msg("%s was not refused", yaml);
    assert_null(cfg);
    assert_int_equal(err, rp.items[0].code);
    est_report_write(&rp, EST_LANG_EN, &got);
    if (getenv("GOLDEN") != NULL)
        write_text(txt, &got);
    (void)read_text(txt, want);
    est_buf_putc(&got, '\0');
    assert_string_equal(got.data, want);
    assert_null(strstr(got.data, "s3cr3t"));
    est_buf_fini(&got);
    est_report_fini(&rp);
}

static void test_wrong_files(void **state)
{
    struct dirent **list;
    int n, cases = 0;

    (void)state;
    assert_int_equal(chdir(WRONG_DIR), 0);
    n = scandir(".", &list, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(list[i]->d_name, '.');
        if (dot != NULL && strcmp(dot, ".yaml") == 0) {
            check_case(list[i]->d_name);
            cases++;
        }
        free(list[i]);
    }
    free(list);
    assert_true(cases >= LEAST_CASES);
}

static void test_portuguese(void **state)
{
    struct est_config_report rp;
    struct est_config *cfg = NULL;
    struct est_buf got;

    (void)state;
    assert_int_equal(chdir(WRONG_DIR), 0);
    est_report_init(&rp);
    est_buf_init(&got, TEXT_MAX);
    assert_int_equal(est_config_load("unknown-key.yaml", &cfg, &rp), EST_ERR_CONF_UNKNOWN);
    est_report_write(&rp, EST_LANG_PT, &got);
    est_buf_putc(&got, '\0');
    assert_string_equal(
        got.data, "unknown-key.yaml:4:5: erro: destinations.dashboard.retrys: chave desconhecida "
                  "\"retrys\" (você quis dizer \"retries\"?)   [E-CONF-UNKNOWN]\n");
    est_buf_fini(&got);
    est_report_fini(&rp);
}

static void test_missing_file(void **state)
{
    struct est_config_report rp;
    struct est_config *cfg = NULL;

    (void)state;
    est_report_init(&rp);
    assert_int_equal(est_config_load("no-such-file.yaml", &cfg, &rp), EST_ERR_NOTFOUND);
    assert_int_equal(rp.n, 1);
    assert_string_equal(rp.items[0].place, "no-such-file.yaml");
    est_report_fini(&rp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_portuguese),
        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
