#include "core/chain.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define BOOT "0123456789abcdef0123456789abcdef"

static void what_was_formatted_is_parsed(void **state)
{
    static const struct {
        const char *text, *type;
        uint64_t epoch, n;
        uint32_t partition;
    } cases[] = {
        {BOOT "/0/order/0/0", "order", 0, 0, 0},
        {BOOT "/12/bot_error/7/1234567", "bot_error", 12, 1234567, 7},
        {BOOT "/281474976710656/o/2147483647/281474976710656", "o", EST_CHAIN_N_MAX,
         EST_CHAIN_N_MAX, 2147483647},
    };
    char out[EST_CHAIN_TEXT_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_chain chain;
        assert_int_equal(est_chain_parse(est_view_str(cases[i].text), &chain), EST_OK);
        assert_string_equal(chain.boot, BOOT);
        assert_true(est_view_is(chain.type, cases[i].type));
        assert_true(chain.epoch == cases[i].epoch && chain.n == cases[i].n);
        assert_int_equal(chain.partition, cases[i].partition);
        assert_int_equal(est_chain_format(&chain, out), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
}

static void the_longest_text_fits(void **state)
{
    char out[EST_CHAIN_TEXT_MAX + 1], type[EST_CHAIN_TYPE_MAX];
    struct est_chain chain = {.boot = BOOT,
                              .epoch = UINT64_MAX,
                              .partition = UINT32_MAX,
                              .n = UINT64_MAX,
                              .type = {type, sizeof(type)}};

    (void)state;
    memset(type, 't', sizeof(type));
    assert_int_equal(est_chain_format(&chain, out), EST_CHAIN_TEXT_MAX);
    assert_int_equal(strlen(out), EST_CHAIN_TEXT_MAX);
}

static void anything_else_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "/",
        "////",
        BOOT,
        BOOT "/0/order/0",
        BOOT "/0/order/0/",
        BOOT "/0/order/0/0/",
        BOOT "/0/order/0/0/0",
        BOOT "/0//0/0",
        BOOT "//order/0/0",
        BOOT "/0/order//0",
        BOOT "0/0/order/0/0",
        "0123456789abcdef0123456789abcde/0/order/0/0",
        "0123456789ABCDEF0123456789ABCDEF/0/order/0/0",
        "0123456789abcdef0123456789abcdeg/0/order/0/0",
        BOOT "/-1/order/0/0",
        BOOT "/+1/order/0/0",
        BOOT "/ 1/order/0/0",
        BOOT "/01/order/0/0",
        BOOT "/0/order/00/0",
        BOOT "/0/order/0/0 ",
        BOOT "/0/order/0/0x1",
        BOOT "/0/order/2147483648/0",
        BOOT "/281474976710657/order/0/0",
        BOOT "/0/order/0/281474976710657",
        BOOT "/0/order/0/99999999999999999999999999",
        BOOT "/0/" BOOT BOOT "x/0/0",
    };
    struct est_chain chain = {.n = 77};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (est_chain_parse(est_view_str(cases[i]), &chain) != EST_ERR_INVALID)
            fail_msg("accepted: %s", cases[i]);
    assert_int_equal(est_chain_parse(EST_VIEW_NONE, &chain), EST_ERR_INVALID);
    assert_int_equal(est_chain_parse(est_view(BOOT "/0/a/0/\0"
                                                   "0",
                                              40),
                                     &chain),
                     EST_ERR_INVALID);
    assert_int_equal(chain.n, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_formatted_is_parsed),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
