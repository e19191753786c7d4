/* A receiver that does nothing but answer by the dashboard's contract: one "created" for each event
 * of a batch. usage: bench_sink PORT */
#include "base/buf.h"
#include "io/http_in.h"

#include <stdio.h>
#include <stdlib.h>

static struct est_buf answer;

static size_t count_events(struct est_view body)
{
    static const char mark[] = "{\"id\":\"";
    size_t n = 0;
    const char *at = body.data, *end = body.data + body.len;

    while ((at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1)) != NULL) {
        at += sizeof(mark) - 1;
        n++;
    }
    return n;
}

static void on_request(void *arg, struct est_http_req *req)
{
    size_t n = count_events(est_http_body(req));

    (void)arg;
    est_buf_clear(&answer);
    est_buf_puts(&answer, "{\"results\":[");
    for (size_t i = 0; i < n; i++)
        est_buf_puts(&answer, i ? ",{\"status\":201}" : "{\"status\":201}");
    est_buf_puts(&answer, "]}");
    est_http_reply(req, 200, "application/json", est_buf_view(&answer));
}

int main(int argc, char **argv)
{
    struct est_http_server *server;
    struct est_loop *loop;
    struct est_why why;
    char address[64];

    (void)snprintf(address, sizeof(address), "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
    est_buf_init(&answer, 16 * 1024 * 1024);
    if (est_loop_new(&loop, &why) != EST_OK ||
        est_http_server_new(loop, &est_http_limits_default, &(struct est_http_handlers){.request = on_request},
                            &server, &why) != EST_OK ||
        est_http_server_listen(server, address, &why) != EST_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    est_loop_run(loop);
    return 0;
}
