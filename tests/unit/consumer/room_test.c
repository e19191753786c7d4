/* When a partition's intake is held back, goes on, is paused and resumed. */
#include "room.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

static void shares(void **state)
{
    static const struct {
        const char *why;
        size_t records_max, bytes_max, records, bytes, parts; /* of everything */
        size_t own, own_bytes;                                /* of the partition */
        unsigned quarters;
        bool is_above;
    } cases[] = {
        {"nothing waits", 100, 1000, 0, 0, 4, 0, 0, 4, false},
        {"half of what is free is more than the fair share", 100, 1000, 40, 0, 4, 30, 0, 4, false},
        {"and more than that is above", 100, 1000, 40, 0, 4, 31, 0, 4, true},
        {"everything is full: the fair share stays", 100, 1000, 100, 0, 4, 25, 0, 4, false},
        {"one more is above the fair share", 100, 1000, 100, 0, 4, 26, 0, 4, true},
        {"beyond the limit too", 100, 1000, 150, 0, 4, 26, 0, 4, true},
        {"bytes count as records do", 100, 1000, 1, 1000, 4, 1, 251, 4, true},
        {"bytes at the fair share", 100, 1000, 1, 1000, 4, 1, 250, 4, false},
        {"three quarters", 100, 1000, 100, 0, 4, 18, 0, 3, false},
        {"above three quarters", 100, 1000, 100, 0, 4, 19, 0, 3, true},
        {"two quarters", 100, 1000, 100, 0, 4, 13, 0, 2, true},
        {"more partitions than records: one record fits none the less", 2, 1000, 0, 0, 8, 1, 0, 4,
         false},
        {"and what waits then is above", 2, 1000, 2, 0, 8, 1, 0, 4, true},
        {"no partitions yet", 100, 1000, 0, 0, 0, 50, 0, 4, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct room room = {cases[i].records_max, cases[i].bytes_max, cases[i].records,
                                  cases[i].bytes, cases[i].parts};
        if (room_is_above(&room, cases[i].own, cases[i].own_bytes, cases[i].quarters) !=
            cases[i].is_above)
            fail_msg("%s", cases[i].why);
    }
}

/* Nothing begins a hold and may go on at once, or is resumed where it would be held. */
static void marks_are_in_order(void **state)
{
    (void)state;
    for (size_t own = 0; own <= 60; own++) {
        const struct room room = {100, 1000, 60, 0, 3};
        bool hold = room_is_above(&room, own, 0, ROOM_HOLD);
        bool go_on = !room_is_above(&room, own, 0, ROOM_GO_ON);
        bool resume = !room_is_above(&room, own, 0, ROOM_RESUME);
        assert_false(hold && go_on);
        assert_false(resume && !go_on);
    }
}

static void plenty(void **state)
{
    (void)state;
    assert_false(room_is_plenty(0, 100, false));
    assert_false(room_is_plenty(199, 100, false));
    assert_true(room_is_plenty(200, 100, false));
    assert_true(room_is_plenty(100, 100, true));
    assert_false(room_is_plenty(99, 100, true));
    assert_false(
        room_is_plenty(63, 1, false)); /* requests of one event: a few at a time all the same */
    assert_true(room_is_plenty(64, 1, false));
    assert_false(room_is_plenty(31, 1, true));
    for (size_t request = 1; request < 200; request++) /* apart from one another */
        for (size_t ready = 0; ready < 400; ready++)
            assert_false(room_is_little(ready, request) && room_is_plenty(ready, request, true));
    assert_true(room_is_little(49, 100));
    assert_false(room_is_little(50, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares),
        cmocka_unit_test(marks_are_in_order),
        cmocka_unit_test(plenty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
