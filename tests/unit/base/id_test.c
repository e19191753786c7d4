#include "base/id.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static uint64_t stamp_of(const char *uuid)
{
    char hex[13];

    memcpy(hex, uuid, 8);
    memcpy(hex + 8, uuid + 9, 4);
    hex[12] = '\0';
    return strtoull(hex, NULL, 16);
}

static void check_shape(const char *uuid)
{
    assert_int_equal(strlen(uuid), EST_UUID_LEN);
    for (size_t i = 0; i < EST_UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? uuid[i] != '-' : strchr("0123456789abcdef", uuid[i]) == NULL)
            fail_msg("%s: byte %zu", uuid, i);
    }
    assert_int_equal(uuid[14], '7');
    assert_non_null(strchr("89ab", uuid[19]));
}

/* A fixed time first: these ids are older than those of the other tests. */
static void the_time_stands_in_front(void **state)
{
    est_us at = 1795541841004999;
    char uuid[EST_UUID_LEN + 1], later[EST_UUID_LEN + 1];

    (void)state;
    est_uuid7(at, uuid);
    check_shape(uuid);
    assert_int_equal(stamp_of(uuid), 1795541841004);
    est_uuid7(at + EST_SECOND, later);
    assert_int_equal(stamp_of(later), 1795541842004);
    assert_true(strcmp(later, uuid) > 0);
}

static void a_million_in_one_millisecond_increase(void **state)
{
    est_us at = 1795541850000000;
    char last[EST_UUID_LEN + 1], now[EST_UUID_LEN + 1];

    (void)state;
    est_uuid7(at, last);
    for (int i = 0; i < 1000000; i++) {
        est_uuid7(at, now);
        if (strcmp(now, last) <= 0)
            fail_msg("%s behind %s", now, last);
        memcpy(last, now, sizeof(last));
    }
    check_shape(last);
}

static void a_clock_that_goes_back_does_not_matter(void **state)
{
    char last[EST_UUID_LEN + 1], now[EST_UUID_LEN + 1];

    (void)state;
    est_uuid7(1795541900000000, last);
    for (int i = 0; i < 10000; i++) {
        est_uuid7((i % 3 - 1) * 1795541840000000, now);
        if (strcmp(now, last) <= 0)
            fail_msg("%s behind %s", now, last);
        memcpy(last, now, sizeof(last));
    }
    assert_true(stamp_of(last) < 1795541900100);
}

static void below_is_uniform_enough(void **state)
{
    unsigned seen[10] = {0};

    (void)state;
    assert_int_equal(est_random_below(1), 0);
    for (int i = 0; i < 100000; i++)
        seen[est_random_below(10)]++;
    for (size_t i = 0; i < 10; i++)
        assert_in_range(seen[i], 9000, 11000); /* ten standard deviations */
    for (int i = 0; i < 1000; i++)
        assert_true(est_random_below(UINT64_MAX) < UINT64_MAX);
}

static void random_bytes_differ(void **state)
{
    static const size_t sizes[] = {1, 8, 511, 512, 513, 4096};
    unsigned char a[4097], b[4097];

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(a, 0xA5, sizeof(a));
        memset(b, 0xA5, sizeof(b));
        est_random(a, sizes[i]);
        est_random(b, sizes[i]);
        assert_int_equal(a[sizes[i]], 0xA5);
        if (sizes[i] > 8)
            assert_memory_not_equal(a, b, sizes[i]);
    }
    est_random(a, 0);
}

static void boot_ids(void **state)
{
    char a[EST_BOOT_LEN + 1], b[EST_BOOT_LEN + 1];

    (void)state;
    est_boot_id(a);
    est_boot_id(b);
    assert_int_equal(strspn(a, "0123456789abcdef"), EST_BOOT_LEN);
    assert_int_equal(strlen(a), EST_BOOT_LEN);
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_stands_in_front),
        cmocka_unit_test(a_million_in_one_millisecond_increase),
        cmocka_unit_test(a_clock_that_goes_back_does_not_matter),
        cmocka_unit_test(below_is_uniform_enough),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(boot_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
