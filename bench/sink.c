/* A receiver that only answers by the dashboard's contract, "created" for each event of a batch,
 * and keeps count: GET /stats tells, DELETE /stats forgets. usage: bench_sink PORT */
#include "base/buf.h"
#include "io/http_in.h"

#include <stdio.h>

struct sink {
    struct est_loop *loop;
    struct est_buf answer;
    unsigned long requests, events;
    est_us first, last;
};

static size_t count_events(struct est_view body)
{
    static const char mark[] = "{\"id\":\"";
    const char *at = body.data, *end = body.data + body.len;
    size_t n = 0;

    while ((at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1)) != NULL) {
        at += sizeof(mark) - 1;
        n++;
    }
    return n;
}

static void tell(struct sink *s, struct est_http_req *req)
{
    if (est_view_is(est_http_method(req), "DELETE"))
        s->requests = s->events = 0;
    est_buf_printf(&s->answer, "{\"requests\":%lu,\"events\":%lu,\"us\":%lld}", s->requests,
                   s->events, (long long)(s->last - s->first));
}

static void take(struct sink *s, struct est_http_req *req)
{
    size_t n = count_events(est_http_body(req));

    s->last = est_clock_mono();
    if (s->requests++ == 0)
        s->first = s->last;
    s->events += n;
    est_buf_puts(&s->answer, "{\"results\":[");
    for (size_t i = 0; i < n; i++)
        est_buf_puts(&s->answer, i ? ",{\"status\":201}" : "{\"status\":201}");
    est_buf_puts(&s->answer, "]}");
}

static void on_request(void *arg, struct est_http_req *req)
{
    struct sink *s = arg;

    est_buf_clear(&s->answer);
    if (est_view_is(est_http_path(req), "/stats"))
        tell(s, req);
    else
        take(s, req);
    est_http_reply(req, 200, "application/json", est_buf_view(&s->answer));
}

int main(int argc, char **argv)
{
    static struct sink s;
    const struct est_http_handlers handlers = {.request = on_request, .arg = &s};
    struct est_http_server *server;
    struct est_why why;
    char address[64];

    (void)snprintf(address, sizeof(address), "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
    est_buf_init(&s.answer, 16 * 1024 * 1024);
    if (est_loop_new(&s.loop, &why) != EST_OK ||
        est_http_server_new(s.loop, &est_http_limits_default, &handlers, &server, &why) != EST_OK ||
        est_http_server_listen(server, address, &why) != EST_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    est_loop_run(s.loop);
    return 0;
}
