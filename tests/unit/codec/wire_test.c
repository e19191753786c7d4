#include "codec_fixture.h"

#include "codec/schemas.h"
#include "codec/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define B(s) EST_VIEW_LIT(s)

/* The specification's own example: the header of a single-object encoding of an "int". */
static void test_single_object(void **state)
{
    static const char want[] = "\xc3\x01\x8f\x5c\x39\x3f\x1a\xd5\x75\x72";
    struct est_schema *sc = fixture_schema_text("\"int\"");
    struct est_wire w;
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 64);
    est_wire_put_single(&b, est_schema_fingerprint(sc));
    assert_int_equal(b.len, 10);
    assert_memory_equal(b.data, want, 10);
    est_buf_putc(&b, 2);
    assert_int_equal(est_wire_parse(est_buf_view(&b), EST_VIEW_NONE, &w), EST_OK);
    assert_int_equal(w.kind, EST_WIRE_SINGLE);
    assert_true(w.fingerprint == est_schema_fingerprint(sc));
    assert_true(w.body.len == 1 && w.body.data[0] == 2);
    est_buf_fini(&b);
    est_schema_free(sc);
}

static void test_confluent(void **state)
{
    struct est_wire w;
    struct est_buf b;

    (void)state;
    est_buf_init(&b, 64);
    est_wire_put_id(&b, 0x01020384);
    est_buf_puts(&b, "xy");
    assert_true(est_view_eq(est_buf_view(&b), B("\0\x01\x02\x03\x84xy")));
    assert_int_equal(est_wire_parse(est_buf_view(&b), EST_VIEW_NONE, &w), EST_OK);
    assert_true(w.kind == EST_WIRE_ID && w.id == 0x01020384 && est_view_is(w.body, "xy"));
    est_buf_fini(&b);
    assert_int_equal(est_wire_parse(B("xy"),
                                    B("\x01"
                                      "0123456789abcdef"),
                                    &w),
                     EST_OK);
    assert_true(w.kind == EST_WIRE_GUID && memcmp(w.guid, "0123456789abcdef", 16) == 0);
    assert_true(est_view_is(w.body, "xy"));
    assert_int_equal(est_wire_parse(B(""), B("\0\0\0\0\x07"), &w), EST_OK);
    assert_true(w.kind == EST_WIRE_ID && w.id == 7 && w.body.len == 0);
}

static void test_refusals(void **state)
{
    static const struct {
        struct est_view value, header;
        est_err want;
    } cases[] = {
        {{NULL, 0}, {NULL, 0}, EST_ERR_TOMBSTONE},
        {{"", 0}, {NULL, 0}, EST_ERR_FRAMING},
        {{"\0\0\0\0", 4}, {NULL, 0}, EST_ERR_FRAMING},
        {{"\xc3\x01"
          "1234567",
          9},
         {NULL, 0},
         EST_ERR_FRAMING},
        {{"\xc3\x02"
          "12345678",
          10},
         {NULL, 0},
         EST_ERR_FRAMING},
        {{"{\"a\":1}    ", 11}, {NULL, 0}, EST_ERR_FRAMING},
        {{"\x01"
          "0123456789abcdef",
          17},
         {NULL, 0},
         EST_ERR_FRAMING},
        {{"x", 1}, {"", 0}, EST_ERR_FRAMING},
        {{"x", 1},
         {"\x01"
          "0123456789abcde",
          16},
         EST_ERR_FRAMING},
        {{"x", 1},
         {"\x01"
          "0123456789abcdefg",
          18},
         EST_ERR_FRAMING},
        {{"x", 1},
         {"\x02"
          "0123456789abcdef",
          17},
         EST_ERR_FRAMING},
        {{"x", 1}, {"\x01\0\0\0\0", 5}, EST_ERR_FRAMING},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_wire w = {.id = 77};
        if (est_wire_parse(cases[i].value, cases[i].header, &w) != cases[i].want || w.id != 77)
            fail_msg("case %zu", i);
    }
}

#define DECIMAL(scale) \
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":" scale "}"

static void test_set(void **state)
{
    const unsigned char guid[EST_SCHEMAS_GUID_LEN] = "0123456789abcde";
    const struct est_schema *a = NULL, *b = NULL, *again = NULL;
    struct est_schemas *set = NULL;
    struct est_why why;
    struct est_wire w;

    (void)state;
    assert_int_equal(est_schemas_new(2, &set), EST_OK);
    assert_int_equal(est_schemas_add(set, B(DECIMAL("2")), &a, &why), EST_OK);
    assert_int_equal(est_schemas_add(set, B(" " DECIMAL("2")), &again, &why), EST_OK);
    assert_ptr_equal(a, again);
    assert_int_equal(est_schemas_add(set, B(DECIMAL("3")), &again, &why), EST_ERR_SCHEMA);
    assert_int_equal(est_schemas_add(set, B("\"bytes\""), &again, &why), EST_ERR_SCHEMA);
    assert_int_equal(est_schemas_add(set, B("\"int\""), &b, &why), EST_OK);
    assert_int_equal(est_schemas_add(set, B("\"long\""), &again, &why), EST_ERR_FULL);
    assert_int_equal(est_schemas_count(set), 2);
    assert_ptr_equal(est_schemas_by_fingerprint(set, est_schema_fingerprint(b)), b);
    assert_null(est_schemas_by_fingerprint(set, 1));

    assert_int_equal(est_schemas_bind_id(set, 7, a), EST_OK);
    assert_int_equal(est_schemas_bind_id(set, 7, a), EST_OK);
    assert_int_equal(est_schemas_bind_id(set, 7, b), EST_ERR_SCHEMA);
    assert_int_equal(est_schemas_bind_id(set, 8, a), EST_OK);
    assert_int_equal(est_schemas_bind_guid(set, guid, b), EST_OK);
    assert_ptr_equal(est_schemas_by_id(set, 8), a);
    assert_null(est_schemas_by_id(set, 9));
    assert_int_equal(est_wire_parse(B("\0\0\0\0\x07x"), EST_VIEW_NONE, &w), EST_OK);
    assert_ptr_equal(est_schemas_of(set, &w), a);
    assert_int_equal(est_wire_parse(B("x"),
                                    B("\x01"
                                      "0123456789abcde\0"),
                                    &w),
                     EST_OK);
    assert_ptr_equal(est_schemas_of(set, &w), b);
    assert_int_equal(
        est_wire_parse(B("\xc3\x01\x8f\x5c\x39\x3f\x1a\xd5\x75\x72"), EST_VIEW_NONE, &w), EST_OK);
    assert_ptr_equal(est_schemas_of(set, &w), b);
    est_schemas_free(set);
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Former versions lie in `older` beside a schema; a folder is read once. */
static void test_older(void **state)
{
    char folder[] = "/tmp/esteira-older-XXXXXX", older[64], path[64], bare[] = "order.avsc";
    struct est_schemas *set = NULL;
    struct est_why why = {EST_OK, ""};

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(older, sizeof(older), "%s/older", folder);
    (void)snprintf(path, sizeof(path), "%s/order.avsc", folder);
    assert_int_equal(est_schemas_new(10, &set), EST_OK);
    assert_int_equal(est_schemas_load_older(set, bare, &why), EST_OK); /* none there */
    assert_int_equal(est_schemas_load_older(set, path, &why), EST_OK);
    assert_int_equal(est_schemas_count(set), 0);
    assert_int_equal(mkdir(older, 0700), 0);
    put_file(older, "a-1.avsc", "\"int\"");
    put_file(older, "a-2.avsc", "\"long\"");
    put_file(older, ".a-3.avsc", "no schema");
    put_file(older, "README", "no schema");
    assert_int_equal(est_schemas_load_older(set, path, &why), EST_OK);
    assert_int_equal(est_schemas_count(set), 0); /* it was read before, and not there */
    assert_int_equal(est_schemas_load_older(set, bare, &why), EST_OK);
    assert_int_equal(est_schemas_load_older(set, path, &why), EST_OK);
    assert_int_equal(est_schemas_count(set), 2);
    put_file(older, "b.avsc", "{\"type\":\"recrod\"}");
    assert_int_equal(est_schemas_load_older(set, bare, &why), EST_OK);
    assert_int_equal(est_schemas_load_older(set, path, &why), EST_ERR_SCHEMA);
    assert_non_null(strstr(why.text, "/older/b.avsc: "));
    est_schemas_free(set);
    static const char *const names[] = {"a-1.avsc", "a-2.avsc", ".a-3.avsc", "README", "b.avsc"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "%s/%s", older, names[i]);
        assert_int_equal(unlink(name), 0);
    }
    assert_int_equal(rmdir(older), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_object), cmocka_unit_test(test_confluent),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_set),
        cmocka_unit_test(test_older),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
