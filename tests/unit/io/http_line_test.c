#include "io/http_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static const struct {
    const char *text;
    bool good;
} cases[] = {
    {"GET / HTTP/1.1\r\n", true},
    {"\r\n\r\nPOST /v1/events HTTP/1.0\r\nanything  at all\n", true},
    {"GET /a HTTP/9.9\r\n", true}, /* which version is spoken is not asked here */
    {" GET / HTTP/1.1\r\n", false},
    {"GET  / HTTP/1.1\r\n", false},
    {"GET /  HTTP/1.1\r\n", false},
    {"GET / b HTTP/1.1\r\n", false},
    {"GET / HTTP/1.1 \r\n", false},
    {"GET / HTTP/1.1\n", false},
    {"GET / HTTP/11\r\n", false},
    {"GET / HTTP/1.x\r\n", false},
    {"GET / http/1.1\r\n", false},
    {"GET / RTSP/1.0\r\n", false},
    {"GET /\r\n", false},
    {"GET\r\n", false},
};

/* Whole, and cut into two at every place: the answer is the same. */
static void request_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = strlen(cases[i].text);
        for (size_t cut = 0; cut <= n; cut++) {
            struct est_http_line line = {0};
            bool good = est_http_line_feed(&line, cases[i].text, cut) &&
                        est_http_line_feed(&line, cases[i].text + cut, n - cut) && line.done;
            if (good != cases[i].good)
                fail_msg("%s cut at %zu", cases[i].text, cut);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(request_lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
