#include "codec/digest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static const char *of(const char *a, const char *b)
{
    static char texts[8][EST_DIGEST_LEN + 1];
    static unsigned next;
    const struct est_view parts[] = {est_view_str(a), est_view_str(b)};
    char *out = texts[next++ % 8];

    assert_int_equal(est_digest_text(parts, b != NULL ? 2 : 1, out), EST_OK);
    return out;
}

static void the_same_parts_have_the_same_name_and_no_others(void **state)
{
    (void)state;
    /* printf '\0\0\0\0\0\0\0\3abc' | sha256sum */
    assert_string_equal(of("abc", NULL), "c3494ca1a2cf8eeb8a11ded316fb55b8");
    assert_string_equal(of("url", "token"), of("url", "token"));
    assert_string_not_equal(of("url", "token"), of("urlt", "oken"));
    assert_string_not_equal(of("url", ""), of("url", NULL));
    assert_string_not_equal(of("url", "token"), of("token", "url"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_parts_have_the_same_name_and_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
