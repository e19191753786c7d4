/* Members that a schema does not name: whatever way they are read, the parser's word counts. */
#include "codec_fixture.h"

#include "codec/extra.h"
#include "codec/text.h"

#include <stdlib.h>
#include <string.h>

static void put_object(struct est_buf *out, const struct est_extra_object *o)
{
    (void)est_text_put(out, o->pointer);
    for (size_t i = 0; i < o->n; i++) {
        est_buf_putc(out, ' ');
        est_extra_put(out, &o->members[i]);
    }
    est_buf_putc(out, '\n');
}

/* By the parser alone. */
static est_err put_parsed(struct est_json *js, struct est_view text, struct est_buf *out)
{
    struct est_json_iter objects = {0};
    const struct est_value *root, *object, *value;
    struct est_view pointer, name;
    est_err err = est_json_parse(js, text, &root, NULL);

    if (err != EST_OK || est_json_type(root) != EST_JSON_OBJECT)
        return EST_ERR_JSON;
    while (est_json_each(root, &objects, &pointer, &object)) {
        struct est_json_iter members = {0};
        if (est_json_type(object) != EST_JSON_OBJECT)
            continue;
        (void)est_text_put(out, pointer);
        while (est_json_each(object, &members, &name, &value)) {
            est_buf_putc(out, ' ');
            (void)est_text_put(out, name);
            est_buf_putc(out, ':');
            est_json_put_value(out, value);
        }
        est_buf_putc(out, '\n');
    }
    return EST_OK;
}

/* True when the parser was not needed. */
static bool compare_exact(struct est_view text)
{
    struct est_buf ours, theirs;
    struct est_json *js, *other;
    struct est_extra x = {0};
    est_err err, want;
    bool is_plain;

    est_buf_init(&ours, 1 << 20);
    est_buf_init(&theirs, 1 << 20);
    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    assert_int_equal(est_json_new(NULL, &other), EST_OK);
    err = est_extra_read(js, text, &x);
    want = put_parsed(other, text, &theirs);
    for (size_t i = 0; err == EST_OK && i < x.n; i++)
        put_object(&ours, &x.objects[i]);
    if (err != want || !est_view_eq(est_buf_view(&ours), est_buf_view(&theirs)))
        fail_msg("%.*s: %s, %.*s", (int)text.len, text.data, est_err_text(err), (int)ours.len,
                 ours.data);
    is_plain =
        err == EST_OK && x.n > 0 && x.objects[0].n > 0 && x.objects[0].members[0].text.data != NULL;
    est_json_free(js);
    est_json_free(other);
    est_buf_fini(&ours);
    est_buf_fini(&theirs);
    return is_plain;
}

/* In memory of its own size, so that a byte read behind its end is seen. */
static bool compare(struct est_view text)
{
    char *copy = malloc(text.len + !text.len);
    bool is_plain;

    memcpy(copy, text.data, text.len);
    is_plain = compare_exact(est_view(copy, text.len));
    free(copy);
    return is_plain;
}

static void test_what_is_read_without_the_parser(void **state)
{
    static const struct {
        const char *text;
        bool is_plain;
    } cases[] = {
        {"{\"/payload\":{\"note\":\"n\xC3\xA3o\",\"n\":-10.50,\"b\":true,\"c\":null}}", true},
        {"{\"\":{\"a\":1},\"/payload/items/0\":{\"a\":false,\"b\":0}}", true},
        {"{\"\":{\"a\":\"\"},\"/x\":{}}", true},
        {"{\"\":{\"a\":\"one\\ntwo\"}}", false},
        {"{\"\":{\"a\\u0041\":1}}", false},
        {"{\"\":{\"a\":1e3}}", false},
        {"{\"\":{\"a\":{\"b\":1}}}", false},
        {"{\"\":{\"a\":[1]}}", false},
        {"{\"\": {\"a\":1}}", false},
        {"{\"\":7,\"/x\":{\"a\":1}}", false},
        {"{}", false},
        {"", false},
        {"{", false},
        {"{\"\":{\"a\":1}} ", false},
        {"{\"\":{\"a\":1},}", false},
        {"{\"\":{\"a\":1,}}", false},
        {"{\"\":{,\"a\":1}}", false},
        {"{\"\":{\"a\":01}}", false},
        {"{\"\":{\"a\":-}}", false},
        {"{\"\":{\"a\":1.}}", false},
        {"{\"\":{\"a\":.5}}", false},
        {"{\"\":{\"a\":nul}}", false},
        {"{\"\":{\"a\":\"\xFF\"}}", false},
        {"{\"\":{\"a\":\"\x01\"}}", false},
        {"{\"\":{\"a\":\"open}}", false},
        {"{\"\":{\"a\":1,\"b\":2,\"a\":3}}", false},
        {"{\"\":{\"a\":1},\"\":{\"b\":1}}", false},
        {"{\"\":{\"a\":1}}}", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (compare(est_view_str(cases[i].text)) != cases[i].is_plain)
            fail_msg("%s", cases[i].text);
}

static void put_members(struct est_buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        est_buf_printf(b, "%s\"m%zu\":%zu", i ? "," : "", i, i);
}

/* More than fits goes the long way, and nothing is left out. */
static void test_more_than_fits(void **state)
{
    static const struct {
        size_t objects, members;
        bool is_plain;
    } cases[] = {{16, 2, true}, {17, 1, false}, {1, 32, true}, {1, 33, false}, {8, 5, false}};
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        est_buf_clear(&b);
        for (size_t k = 0; k < cases[i].objects; k++) {
            est_buf_printf(&b, "%s\"/%zu\":{", k ? "," : "{", k);
            put_members(&b, cases[i].members);
            est_buf_putc(&b, '}');
        }
        est_buf_putc(&b, '}');
        assert_int_equal(compare(est_buf_view(&b)), cases[i].is_plain);
    }
    est_buf_fini(&b);
}

/* Random texts out of such pieces, most of them broken somewhere. */
static void test_agrees_with_the_parser(void **state)
{
    static const char *const pieces[] = {"{",       "}",    ":",  ",",    "\"/a\"",   "\"\"",
                                         "\"b\":",  "true", "-1", "0.25", "\"x\"",    "\"\":{",
                                         "\"c\":",  "null", "},", "\\",   "\xC3\xA9", "1",
                                         "\"d\":{", "[",    " "};
    static const char whole[] =
        "{\"/a\":{\"b\":true,\"c\":\"ol\xC3\xA1 mundo\"},\"\":{\"d\":-1.25}}";
    struct est_buf b;
    int plain = 0;

    (void)state;
    srand(4711);
    est_buf_init(&b, 4096);
    for (int i = 0; i < 40000; i++) {
        est_buf_clear(&b);
        if (i % 2 == 0) {
            size_t at = (size_t)rand() % (sizeof(whole) - 1), cut = (size_t)rand() % 3;
            est_buf_put(&b, whole, at);
            if (i % 8 != 0)
                est_buf_puts(&b, pieces[(size_t)rand() % COUNT_OF(pieces)]);
            if (at + cut < sizeof(whole) - 1)
                est_buf_puts(&b, whole + at + cut);
        } else {
            est_buf_puts(&b, "{\"/a\":{\"b\":");
            for (int k = rand() % 8; k > 0; k--)
                est_buf_puts(&b, pieces[(size_t)rand() % COUNT_OF(pieces)]);
            est_buf_puts(&b, "}}");
        }
        plain += compare(est_buf_view(&b));
    }
    assert_true(plain > 1000 && plain < 39000);
    est_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read_without_the_parser),
        cmocka_unit_test(test_more_than_fits),
        cmocka_unit_test(test_agrees_with_the_parser),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
