#include "base/base64.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

/* RFC 4648 §10, and bytes beyond ASCII. */
static void the_texts_of_the_standard(void **state)
{
    static const struct {
        struct est_view bytes, text;
    } cases[] = {
        {EST_VIEW_LIT(""), EST_VIEW_LIT("")},
        {EST_VIEW_LIT("f"), EST_VIEW_LIT("Zg==")},
        {EST_VIEW_LIT("fo"), EST_VIEW_LIT("Zm8=")},
        {EST_VIEW_LIT("foo"), EST_VIEW_LIT("Zm9v")},
        {EST_VIEW_LIT("foob"), EST_VIEW_LIT("Zm9vYg==")},
        {EST_VIEW_LIT("fooba"), EST_VIEW_LIT("Zm9vYmE=")},
        {EST_VIEW_LIT("foobar"), EST_VIEW_LIT("Zm9vYmFy")},
        {EST_VIEW_LIT("\xfb\xff\xbf\0"), EST_VIEW_LIT("+/+/AA==")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_buf out;
        est_buf_init(&out, 64);
        est_base64_put(&out, cases[i].bytes);
        assert_true(est_view_eq(est_buf_view(&out), cases[i].text));
        est_buf_clear(&out);
        assert_int_equal(est_base64_take(&out, cases[i].text), EST_OK);
        assert_true(est_view_eq(est_buf_view(&out), cases[i].bytes));
        est_buf_fini(&out);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const texts[] = {
        "Z",    "Zg",   "Zg=",  "Zg==Zg==", "Zm8==", "=Zm8", "Zm=8", "Z===",
        "====", "Zh==", "Zm9=", "Zm9v\n",   "Zm 9",  "Zm9-", "Zm9_", "Zg==    ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct est_buf out;
        est_buf_init(&out, 64);
        est_buf_puts(&out, "kept");
        assert_int_equal(est_base64_take(&out, est_view_str(texts[i])), EST_ERR_INVALID);
        assert_true(est_view_is(est_buf_view(&out), "kept"));
        est_buf_fini(&out);
    }
}

static void the_maximum_is_told(void **state)
{
    struct est_buf out;

    (void)state;
    est_buf_init(&out, 2);
    assert_int_equal(est_base64_take(&out, EST_VIEW_LIT("Zm9v")), EST_ERR_FULL);
    est_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_texts_of_the_standard),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(the_maximum_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
