#include "io/http_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static const struct {
    const char *text;
    int status; /* 0 = a good line */
} cases[] = {
    {"GET / HTTP/1.1\r\n", 0},
    {"\r\n\r\nPOST /v1/events HTTP/1.0\r\nanything  at all\n", 0},
    {"OPTIONS * HTTP/1.1\r\n", 0},
    {"CONNECT x:1 HTTP/1.9\r\n", 0},
    {" GET / HTTP/1.1\r\n", 400},
    {"GET  / HTTP/1.1\r\n", 400},
    {"GET /  HTTP/1.1\r\n", 400},
    {"GET / b HTTP/1.1\r\n", 400},
    {"GET / HTTP/1.1 \r\n", 400},
    {"GET / HTTP/1.1\n", 400},
    {"GET / HTTP/11\r\n", 400},
    {"GET / HTTP/1.x\r\n", 400},
    {"GET / HTTP/x.1\r\n", 400},
    {"GET / http/1.1\r\n", 400},
    {"GET / RTSP/1.0\r\n", 400},
    {"GET /\r\n", 400},
    {"GET\r\n", 400},
    {"OLA\r\n", 400},
    {"G{T / HTTP/1.1\r\n", 400},
    {"GET\t/ HTTP/1.1\r\n", 400},
    {"\x16\x03\x01", 400},
    {"BREW /pot HTTP/1.1\r\n", 501},
    {"get / HTTP/1.1\r\n", 501},
    {"GE / HTTP/1.1\r\n", 501},
    {"GETS / HTTP/1.1\r\n", 501},
    {"M-SEARCH * HTTP/1.1\r\n", 501},
    {"PROPFINDER", 501},
    {"BREW /pot HTTP/2.0\r\n", 501},
    {"GET / HTTP/2.0\r\n", 505},
    {"GET / HTTP/0.9\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
};

/* Whole, and cut into two at every place: the answer is the same. */
static void request_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = strlen(cases[i].text);
        for (size_t cut = 0; cut <= n; cut++) {
            struct est_http_line line = {0};
            int status = est_http_line_feed(&line, cases[i].text, cut);
            if (status == 0)
                status = est_http_line_feed(&line, cases[i].text + cut, n - cut);
            if (status != cases[i].status || (status == 0 && !line.done))
                fail_msg("%s cut at %zu: %d", cases[i].text, cut, status);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(request_lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
