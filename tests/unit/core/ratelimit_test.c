/* What RateLimit fields say, in their forms from the draft of today back to X-RateLimit. */
#include "core/ratelimit.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

enum { NOW_S = 1790000000 };
#define NONE (-1)

static void every_form_is_read(void **state)
{
    static const struct {
        const char *limit, *policy, *three[3];
        long quota, window, left, reset; /* window and reset in seconds; left NONE = not said */
    } cases[] = {
        /* draft 10: lists of strings with parameters */
        {"\"default\";r=50;t=30", NULL, {0}, 0, 0, 50, 30},
        {"\"default\";r=50;t=30", "\"default\";q=100;w=60", {0}, 100, 60, 50, 30},
        {"default;r=0;t=7", NULL, {0}, 0, 0, 0, 7},
        {" \"a;b,c\" ; r=5 ; t=2 ", NULL, {0}, 0, 0, 5, 2},
        {"\"burst\";r=9;t=1, \"day\";r=10;t=400",
         "\"burst\";q=10;w=1, \"day\";q=1000;w=86400",
         {0},
         1000,
         86400,
         10,
         400},
        {"\"b\";r=3;t=9",
         "\"a\";q=5;w=10;qu=\"requests\", \"b\";q=1;w=600;qu=\"content-bytes\"",
         {0},
         5,
         10,
         NONE,
         0},
        /* drafts 07 to 09 */
        {"limit=100, remaining=20, reset=40", "100;w=60", {0}, 100, 60, 20, 40},
        {"remaining=0,reset=3", NULL, {0}, 0, 0, 0, 3},
        {NULL, "10;w=1, 100;w=60;comment=\"a\"", {0}, 100, 60, NONE, 0},
        /* three fields */
        {NULL, NULL, {"100", "5", "12"}, 0, 0, 5, 12},
        {NULL, NULL, {"100, 100;w=60", "5", "12"}, 100, 60, 5, 12},
        {NULL, NULL, {NULL, "5", "1790000030"}, 0, 0, 5, 30},
        {NULL, NULL, {NULL, "5", "1790000030000"}, 0, 0, 5, 30},
        {NULL, NULL, {NULL, "0", "1789999990"}, 0, 0, 0, 0},
        {NULL, NULL, {NULL, "7", "2.5"}, 0, 0, 7, 2},
        {NULL, NULL, {NULL, "7", "999999"}, 0, 0, 7, 86400},
        /* the tighter one of two forms */
        {"\"x\";r=50;t=10", NULL, {NULL, "1", "10"}, 0, 0, 1, 10},
        /* nothing that helps */
        {"", "", {"", "", ""}, 0, 0, NONE, 0},
        {"\"x\";r=5", "\"x\";q=0;w=60", {"100", "5", NULL}, 0, 0, NONE, 0},
        {"\"x;r=5;t=1", "q", {"many", "few", "soon"}, 0, 0, NONE, 0},
        {"\"x\";r=-5;t=1", NULL, {NULL, "99999999999999999999", "1"}, 0, 0, NONE, 0},
        {";;;,,,=;=,\"", ";;=;\\", {";", ",", "="}, 0, 0, NONE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct est_ratelimit_fields f = {
            est_view_str(cases[i].limit), est_view_str(cases[i].policy),
            est_view_str(cases[i].three[0]), est_view_str(cases[i].three[1]),
            est_view_str(cases[i].three[2])};
        struct est_ratelimit got;
        bool said = est_ratelimit_read(&f, NOW_S * EST_SECOND, &got);
        if (said != (cases[i].quota != 0 || cases[i].left != NONE) ||
            got.quota != (uint32_t)cases[i].quota || got.window != cases[i].window * EST_SECOND ||
            got.has_left != (cases[i].left != NONE) ||
            (got.has_left && got.left != (uint32_t)cases[i].left) ||
            got.reset != cases[i].reset * EST_SECOND)
            fail_msg("case %zu: quota %u window %lld left %d %u reset %lld", i, got.quota,
                     (long long)got.window, got.has_left, got.left, (long long)got.reset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
