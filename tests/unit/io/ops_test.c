#include "io/ops.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_ready, metrics_too_large;

static void metrics(void *arg, struct est_buf *out)
{
    assert_ptr_equal(arg, &is_ready);
    est_buf_puts(out, "esteira_up 1\n");
    while (metrics_too_large && !out->failed)
        est_buf_puts(out, "################################################################");
}

static bool ready(void *arg, struct est_buf *reasons)
{
    assert_ptr_equal(arg, &is_ready);
    if (!is_ready)
        est_buf_puts(reasons, "{\"code\":\"a\"},{\"code\":\"b\"}");
    return is_ready;
}

/* Says `request` to the port and turns the loop until the server has closed. */
static const char *ask(struct est_loop *lp, unsigned port, const char *request)
{
    static char answer[65536];
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    est_us until = est_clock_mono() + 5 * EST_SECOND;
    size_t n = 0;
    ssize_t got;

    assert_int_equal(connect(fd, (const void *)&sa, sizeof(sa)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    while ((got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0)) != 0 &&
           est_clock_mono() < until) {
        n += got > 0 ? (size_t)got : 0;
        est_loop_turn(lp, EST_MS);
    }
    answer[n] = '\0';
    (void)close(fd);
    return answer;
}

static void answers(void **state)
{
#define REQUEST(method, path) method " " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    static const struct {
        const char *request;
        bool is_ready, too_large;
        int status;
        const char *want;
    } cases[] = {
        {REQUEST("GET", "/healthz"), false, false, 200, "\r\n\r\nok\n"},
        {REQUEST("HEAD", "/healthz"), false, false, 200, "Content-Length: 3\r\n"},
        {REQUEST("GET", "/healthz?x=1"), false, false, 200, "ok\n"},
        {REQUEST("GET", "/readyz"), true, false, 200, "{\"ready\":true,\"reasons\":[]}\n"},
        {REQUEST("GET", "/readyz"), false, false, 503,
         "{\"ready\":false,\"reasons\":[{\"code\":\"a\"},{\"code\":\"b\"}]}\n"},
        {REQUEST("GET", "/metrics"), false, false, 200, "\r\n\r\nesteira_up 1\n"},
        {REQUEST("GET", "/metrics"), false, false, 200,
         "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"},
        {REQUEST("GET", "/metrics"), false, true, 500, "application/problem+json"},
        {REQUEST("GET", "/"), false, false, 404, "application/problem+json"},
        {REQUEST("GET", "/healthz/"), false, false, 404, "/readyz"},
        {REQUEST("POST", "/healthz"), false, false, 405, "Allow: GET, HEAD\r\n"},
        {REQUEST("DELETE", "/metrics"), false, false, 405, "Allow: GET, HEAD\r\n"},
        {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", false, false, 413,
         "problem"},
    };
    struct est_ops_handlers h = {metrics, ready, &is_ready};
    struct est_loop *lp;
    struct est_ops *ops;

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    assert_int_equal(est_ops_new(lp, "127.0.0.1:0", &h, &ops, NULL), EST_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *answer;
        char status[20];
        is_ready = cases[i].is_ready;
        metrics_too_large = cases[i].too_large;
        answer = ask(lp, est_ops_port(ops), cases[i].request);
        (void)snprintf(status, sizeof(status), "HTTP/1.1 %d ", cases[i].status);
        if (strncmp(answer, status, strlen(status)) != 0 || strstr(answer, cases[i].want) == NULL)
            fail_msg("row %zu: %.300s", i, answer);
    }
    est_ops_free(ops);
    est_loop_free(lp);
}

static void an_address_in_use(void **state)
{
    struct est_ops_handlers h = {metrics, ready, &is_ready};
    struct est_why why = {0};
    struct est_loop *lp;
    struct est_ops *ops, *other = NULL;
    char address[32];

    (void)state;
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    assert_int_equal(est_ops_new(lp, "127.0.0.1:0", &h, &ops, NULL), EST_OK);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", est_ops_port(ops));
    assert_int_equal(est_ops_new(lp, address, &h, &other, &why), EST_ERR_IO);
    assert_null(other);
    assert_non_null(strstr(why.text, address));
    est_ops_free(ops);
    est_ops_free(NULL);
    est_loop_free(lp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(an_address_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
