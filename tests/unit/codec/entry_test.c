/* Buffered records: what is written comes back, and nothing else is taken. */
#include "codec/entry.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static bool same(struct est_view a, struct est_view b)
{
    return (a.data == NULL) == (b.data == NULL) && est_view_eq(a, b);
}

static void assert_same(const struct est_entry *a, const struct est_entry *b)
{
    assert_true(same(a->key, b->key));
    assert_true(same(a->value, b->value));
    assert_int_equal(a->timestamp_ms, b->timestamp_ms);
    assert_int_equal(a->n_headers, b->n_headers);
    for (size_t i = 0; i < a->n_headers; i++) {
        assert_true(same(a->headers[i].name, b->headers[i].name));
        assert_true(same(a->headers[i].value, b->headers[i].value));
    }
}

static void round_trip(const struct est_entry *e)
{
    struct est_entry back;
    struct est_buf b;

    est_buf_init(&b, 1 << 20);
    est_entry_write(&b, e);
    assert_int_equal(est_buf_err(&b), EST_OK);
    assert_int_equal(est_entry_read(est_buf_view(&b), &back, NULL), EST_OK);
    assert_same(e, &back);
    est_buf_fini(&b);
}

static const struct est_entry usual = {
    .key = EST_VIEW_LIT("5511999990000"),
    .value = EST_VIEW_LIT("\xC3\x01 avro"),
    .timestamp_ms = 1764000000123,
    .headers = {{EST_VIEW_LIT("ce_id"), EST_VIEW_LIT("01")},
                {EST_VIEW_LIT("ce_type"), EST_VIEW_LIT("order")}},
    .n_headers = 2};

static void comes_back(void **unused)
{
    struct est_entry e = usual;
    static char big[70000];

    (void)unused;
    round_trip(&e);
    e.value = EST_VIEW_NONE; /* a tombstone … */
    round_trip(&e);
    e.value = EST_VIEW_LIT(""); /* … is not an empty value */
    round_trip(&e);
    e.key = EST_VIEW_NONE;
    e.headers[1].value = EST_VIEW_NONE;
    round_trip(&e);
    e.timestamp_ms = 0;
    e.n_headers = 0;
    round_trip(&e);
    e.timestamp_ms = INT64_MAX;
    e.value = est_view(big, sizeof(big));
    for (e.n_headers = 0; e.n_headers < EST_ENTRY_HEADERS_MAX; e.n_headers++)
        e.headers[e.n_headers] =
            (struct est_entry_header){est_view(big, EST_ENTRY_NAME_MAX), EST_VIEW_LIT("x")};
    round_trip(&e);
}

/* The bytes are kept for days and read by another version: they must not change unseen. */
static void bytes_as_documented(void **unused)
{
    const struct est_entry e = {.key = EST_VIEW_LIT("k"),
                                .value = EST_VIEW_NONE,
                                .timestamp_ms = 300,
                                .headers = {{EST_VIEW_LIT("h"), EST_VIEW_LIT("")}},
                                .n_headers = 1};
    static const char want[] = "\x01\xAC\x02\x02k\x00\x01\x01h\x01";
    struct est_buf b;

    (void)unused;
    est_buf_init(&b, 100);
    est_entry_write(&b, &e);
    assert_int_equal(b.len, sizeof(want) - 1);
    assert_memory_equal(b.data, want, b.len);
    est_buf_fini(&b);
}

#define BAD(s)                            \
    {                                     \
        s, sizeof(s) - 1, EST_ERR_INVALID \
    }

static void damage_is_refused(void **unused)
{
    static const struct {
        const char *bytes;
        size_t len;
        est_err err;
    } cases[] = {
        {"", 0, EST_ERR_INVALID},
        {"\x02\x00\x00\x00\x00", 5, EST_ERR_UNSUPPORTED},
        {"\x0F", 1, EST_ERR_UNSUPPORTED},
        BAD("\x00\x00\x00\x00\x00"),
        BAD("\x10\x00\x00\x00\x00"),
        BAD("\xFF\x00\x00\x00\x00"),
        {"\x01\x00\x00\x00\x00", 5, EST_OK},
        BAD("\x01\x00\x00\x00\x00\x00"), /* a byte left over */
        BAD("\x01\x80\x00\x00\x00\x00"), /* 0 in two bytes */
        BAD("\x01\x80"),                 /* a varint that does not end */
        BAD("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x00\x00\x00"), /* a time beyond int64 */
        BAD("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02\x00\x00\x00"), /* beyond 64 bits */
        BAD("\x01\x00\x03k"),                                            /* a key cut short */
        BAD("\x01\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), /* a key of 2^64 - 2 bytes */
        BAD("\x01\x00\x00\x00\x21"),                             /* 33 headers */
        BAD("\x01\x00\x00\x00\x01\x00\x00"),                     /* a name of no bytes */
        BAD("\x01\x00\x00\x00\x01\x81\x01"),                     /* a name of 129 bytes */
        BAD("\x01\x00\x00\x00\x01\x01h"),                        /* a header without a value */
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_entry e;
        est_err err = est_entry_read(est_view(cases[i].bytes, cases[i].len), &e, NULL);
        if (err != cases[i].err)
            fail_msg("case %zu: %s", i, est_err_code(err));
    }
}

static void every_prefix_is_refused(void **unused)
{
    struct est_entry e;
    struct est_buf b;

    (void)unused;
    est_buf_init(&b, 4096);
    est_entry_write(&b, &usual);
    for (size_t n = 0; n < b.len; n++) {
        char *exact =
            est_alloc(n + 1); /* of its own size, so that a sanitizer sees a step beyond */
        char *tight = est_realloc(exact, n > 0 ? n : 1);
        memcpy(tight, b.data, n);
        assert_int_equal(est_entry_read(est_view(tight, n), &e, NULL), EST_ERR_INVALID);
        est_free(tight);
    }
    est_buf_fini(&b);
}

static void without_room(void **unused)
{
    struct est_buf b;

    (void)unused;
    est_buf_init(&b, 20);
    est_entry_write(&b, &usual);
    assert_int_equal(est_buf_err(&b), EST_ERR_FULL);
    est_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),        cmocka_unit_test(bytes_as_documented),
        cmocka_unit_test(damage_is_refused), cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
