#include "codec/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { LARGE = 3000000 };

static void assert_unpacks(const struct est_buf *packed, struct est_view want)
{
    char *got = malloc(want.len + 1);
    z_stream z = {.next_in = (Bytef *)packed->data,
                  .avail_in = (uInt)packed->len,
                  .next_out = (Bytef *)got,
                  .avail_out = (uInt)want.len + 1};

    assert_non_null(got);
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK); /* gzip and nothing else */
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, want.len);
    assert_memory_equal(got, want.data, want.len);
    (void)inflateEnd(&z);
    free(got);
}

static void what_is_packed_unpacks_to_the_same(void **state)
{
    char *large = malloc(LARGE);
    struct est_gzip *gz;
    struct est_buf out;

    (void)state;
    assert_non_null(large);
    assert_int_equal(est_gzip_new(&gz), EST_OK);
    est_buf_init(&out, 2 * LARGE);
    for (int kind = 0; kind < 2; kind++) { /* text that shrinks, bytes that do not */
        uint32_t r = 1;
        for (size_t i = 0; i < LARGE; i++) {
            r = r * 1664525U + 1013904223U;
            large[i] = kind == 0 ? "{\"id\":\"e1\"},"[i % 12] : (char)(r >> 24);
        }
        for (size_t n = 0; n <= LARGE; n = n * 10 + 3) {
            assert_int_equal(est_gzip_pack(gz, est_view(large, n), &out), EST_OK);
            assert_unpacks(&out, est_view(large, n));
        }
        if (kind == 0)
            assert_true(out.len < LARGE / 100);
    }
    est_buf_fini(&out);
    est_gzip_free(gz);
    free(large);
}

static void a_buffer_that_is_too_small_is_told(void **state)
{
    struct est_gzip *gz;
    struct est_buf out;

    (void)state;
    assert_int_equal(est_gzip_new(&gz), EST_OK);
    est_buf_init(&out, 10);
    assert_int_equal(est_gzip_pack(gz, EST_VIEW_LIT("more than ten"), &out), EST_ERR_FULL);
    est_buf_fini(&out);
    est_gzip_free(gz);
    est_gzip_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_unpacks_to_the_same),
        cmocka_unit_test(a_buffer_that_is_too_small_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
