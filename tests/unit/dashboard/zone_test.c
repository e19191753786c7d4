#include "zone.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t day_of(const char *rfc3339)
{
    est_us us = 0;

    assert_true(est_rfc3339_parse(est_view_str(rfc3339), &us));
    return zone_day(us / EST_MS);
}

static int64_t utc_day(const char *date)
{
    char text[32];
    est_us us = 0;

    (void)snprintf(text, sizeof(text), "%sT00:00:00Z", date);
    assert_true(est_rfc3339_parse(est_view_str(text), &us));
    return us / EST_SECOND / 86400;
}

static void days_begin_at_local_midnight(void **state)
{
    static const struct {
        const char *at, *day;
    } cases[] = {
        {"2026-11-24T02:59:59.999Z", "2026-11-23"}, {"2026-11-24T03:00:00Z", "2026-11-24"},
        {"2026-11-25T02:59:59Z", "2026-11-24"},     {"2026-12-01T02:00:00Z", "2026-11-30"},
        {"2027-01-01T02:00:00Z", "2026-12-31"},     {"2027-01-01T03:00:00Z", "2027-01-01"},
        {"1970-01-01T00:00:00Z", "1969-12-31"},
    };

    (void)state;
    assert_int_equal(zone_init("America/Sao_Paulo", NULL), EST_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(day_of(cases[i].at), utc_day(cases[i].day));
}

/* The day that the clocks go forward has 23 hours, the one that they go back has 25. */
static void days_may_be_longer_or_shorter(void **state)
{
    (void)state;
    if (access("/usr/share/zoneinfo/Europe/Lisbon", R_OK) != 0)
        skip();
    assert_int_equal(zone_init("Europe/Lisbon", NULL), EST_OK);
    assert_int_equal(day_of("2026-10-25T23:59:59Z"), utc_day("2026-10-25"));
    assert_int_equal(day_of("2026-10-24T22:59:59Z"), utc_day("2026-10-24"));
    assert_int_equal(day_of("2026-10-24T23:00:00Z"), utc_day("2026-10-25"));
    assert_int_equal(day_of("2026-03-29T22:59:59Z"), utc_day("2026-03-29"));
    assert_int_equal(day_of("2026-03-29T23:00:00Z"), utc_day("2026-03-30"));
}

static void an_unknown_zone_is_an_error(void **state)
{
    static const char *const names[] = {"", "America/Sao Paulo", "../../etc/passwd", "/etc/passwd"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(zone_init(names[i], NULL), EST_ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_begin_at_local_midnight),
        cmocka_unit_test(days_may_be_longer_or_shorter),
        cmocka_unit_test(an_unknown_zone_is_an_error),
    };

    return cmocka_run_group_tests_name("dashboard zone", tests, NULL, NULL);
}
