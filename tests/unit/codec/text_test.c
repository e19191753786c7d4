#include "codec_fixture.h"

#include "base/jsonw.h"
#include "codec/text.h"

#include <stdlib.h>

static void test_utf8(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"", true},
        {"plain ascii, longer than eight", true},
        {"João 👋 ção", true},
        {"\xC2\x80 \xDF\xBF", true},
        {"\xE0\xA0\x80\xEF\xBF\xBF", true},
        {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", true},
        {"\x80", false},
        {"\xC0\x80", false},
        {"\xC1\xBF", false},
        {"\xE0\x9F\xBF", false},
        {"\xED\xA0\x80", false},
        {"\xF0\x8F\xBF\xBF", false},
        {"\xF4\x90\x80\x80", false},
        {"\xF5\x80\x80\x80", false},
        {"12345678\xC3", false},
        {"1234567\xC3(", false},
        {"\xE2\x82", false},
        {"\xF0\x9F\x91", false},
    };
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 4096);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        est_buf_clear(&b);
        if (est_text_is_utf8(est_view_str(cases[i].text)) != cases[i].want ||
            est_text_put(&b, est_view_str(cases[i].text)) != cases[i].want)
            fail_msg("case %zu", i);
    }
    est_buf_fini(&b);
}

static void put_random(struct est_buf *text, const char *const *parts, size_t n_parts, int most)
{
    est_buf_clear(text);
    for (int n = rand() % most; n > 0; n--)
        est_buf_puts(text, parts[(size_t)rand() % n_parts]);
}

/* As many bytes as are plain, told one character at a time. */
static size_t count_plain(struct est_view v)
{
    size_t i = 0, step = 1;

    while (i < v.len) {
        unsigned char c = (unsigned char)v.data[i];
        if (c < 0x20 || c == '"' || c == '\\')
            break;
        for (step = 1; c >= 0x80 && step < 4; step++)
            if (i + step <= v.len && est_utf8_valid(est_view(v.data + i, step)))
                break;
        if (i + step > v.len || !est_utf8_valid(est_view(v.data + i, step)))
            break;
        i += step;
    }
    return i;
}

/* The text where nothing can be read behind it, as the sanitizers see. */
static struct est_view alone(const struct est_buf *text, char **copy)
{
    *copy = malloc(text->len + 1);
    assert_non_null(*copy);
    if (text->len > 0)
        memcpy(*copy + 1, text->data, text->len);
    return est_view(*copy + 1, text->len);
}

/* The fast writers and the plain one of base agree on random text of every length and alignment,
 * well-formed and not. */
static void test_agrees_with_base(void **state)
{
    static const char *const parts[] = {"a",
                                        "bc",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "\x01",
                                        "é",
                                        "👋",
                                        "/",
                                        "\x7f",
                                        "\xC3",
                                        "\x80",
                                        "\xF0\x9F",
                                        "\xE2",
                                        " ",
                                        "01234567",
                                        "0123456789abcdef"};
    const size_t well_formed = 10;
    struct est_buf text, fast, padded, plain;

    (void)state;
    srand(4711);
    est_buf_init(&text, 4096);
    est_buf_init(&fast, 32768);
    est_buf_init(&padded, 32768);
    est_buf_init(&plain, 32768);
    for (int i = 0; i < 40000; i++) {
        bool is_good;
        char *copy;
        struct est_view v;
        est_buf_clear(&fast);
        est_buf_clear(&padded);
        est_buf_clear(&plain);
        put_random(&text, parts, i % 2 ? well_formed : COUNT_OF(parts), 60);
        v = alone(&text, &copy);
        is_good = est_utf8_valid(v);
        assert_int_equal(est_text_is_utf8(v), is_good);
        assert_int_equal(est_text_plain(v), count_plain(v));
        assert_int_equal(est_text_put(&fast, v), is_good);
        est_buf_puts(&text, "\"\x01\xFF, sixteen bytes");
        v.data = text.data;
        assert_int_equal(est_text_put_padded(&padded, v), is_good);
        est_json_put_string(&plain, v);
        if (is_good) {
            assert_true(est_view_eq(est_buf_view(&fast), est_buf_view(&plain)));
            assert_true(est_view_eq(est_buf_view(&padded), est_buf_view(&plain)));
        }
        free(copy);
    }
    est_buf_fini(&text);
    est_buf_fini(&fast);
    est_buf_fini(&padded);
    est_buf_fini(&plain);
}

/* A buffer with room for the text and not for its longest form is enough; one byte less is full. */
static void test_maximum(void **state)
{
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 12);
    assert_true(est_text_put(&b, EST_VIEW_LIT("0123456789")));
    assert_true(est_view_is(est_buf_view(&b), "\"0123456789\""));
    est_buf_fini(&b);
    est_buf_init(&b, 11);
    assert_true(est_text_put(&b, EST_VIEW_LIT("0123456789")));
    assert_true(b.failed);
    est_buf_fini(&b);
}

/* No byte is written behind the slack, whatever room is left in the buffer. */
static void test_every_room(void **state)
{
    static const char text[] = "abc\"\x01 0123456789 \xC3\xA9 \\ 0123456789abcdefghijklmn";
    const size_t most = sizeof(text) - 1 - EST_BUF_SLACK;
    struct est_buf b, want;

    (void)state;
    est_buf_init(&want, 4096);
    for (size_t len = 0; len <= most; len++) {
        if (!est_utf8_valid(est_view(text, len)))
            continue;
        est_buf_clear(&want);
        est_json_put_string(&want, est_view(text, len));
        for (size_t max = 1; max < 300; max++) {
            for (int padded = 0; padded < 2; padded++) {
                est_buf_init(&b, max);
                est_buf_putc(&b, '[');
                assert_true(padded ? est_text_put_padded(&b, est_view(text, len))
                                   : est_text_put(&b, est_view(text, len)));
                assert_int_equal(b.failed, want.len + 1 > max);
                if (!b.failed)
                    assert_true(est_view_eq(est_view(b.data + 1, b.len - 1), est_buf_view(&want)));
                est_buf_fini(&b);
            }
        }
    }
    est_buf_fini(&want);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(est_text_is_name(EST_VIEW_LIT("a_B9")));
    assert_true(est_text_is_name(EST_VIEW_LIT("_")));
    assert_false(est_text_is_name(EST_VIEW_LIT("")));
    assert_false(est_text_is_name(EST_VIEW_LIT("9a")));
    assert_false(est_text_is_name(EST_VIEW_LIT("a.b")));
    assert_false(est_text_is_name(EST_VIEW_LIT("é")));
    assert_true(est_text_is_printable(EST_VIEW_LIT("Olá 👋")));
    assert_false(est_text_is_printable(EST_VIEW_LIT("a\tb")));
    assert_false(est_text_is_printable(EST_VIEW_LIT("\x7f")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),    cmocka_unit_test(test_agrees_with_base),
        cmocka_unit_test(test_maximum), cmocka_unit_test(test_every_room),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
