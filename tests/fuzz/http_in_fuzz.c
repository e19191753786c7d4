/* Any bytes on a connection of the HTTP server, in any pieces, through a real socket. First byte:
 * the longest piece. The handler answers at once, parks, or streams, as the path's second byte
 * says; what comes back must be whole replies, and nothing may be left behind. */
#include "base/mem.h"
#include "io/http_conn.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PARKED_MAX = 64 };

static struct est_http_req *parked[PARKED_MAX];
static size_t n_parked;
static struct est_http_stream *stream;

static void stream_closed(void *arg)
{
    (void)arg;
    stream = NULL;
}

static bool on_head(void *arg, struct est_http_req *req)
{
    (void)arg;
    if (est_http_path(req).len < 2 || est_http_path(req).data[1] != 'n')
        return true;
    est_http_problem(req, 401, "No", NULL, EST_VIEW_NONE);
    return false;
}

/* Every byte that a handler could look at is looked at. */
static unsigned look(const struct est_http_req *req)
{
    struct est_view views[] = {est_http_method(req), est_http_path(req), est_http_query(req),
                               est_http_body(req), est_http_query_get(req, "q")};
    unsigned sum = 0;

    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        for (size_t k = 0; k < views[i].len; k++)
            sum += (unsigned char)views[i].data[k];
    for (size_t i = 0; i < est_http_header_count(req); i++) {
        struct est_view name, value;
        est_http_header_at(req, i, &name, &value);
        for (size_t k = 0; k < name.len; k++)
            if (name.data[k] == '\r' || name.data[k] == '\n' || name.data[k] == '\0')
                abort();
        for (size_t k = 0; k < value.len; k++)
            if (value.data[k] == '\r' || value.data[k] == '\n' || value.data[k] == '\0')
                abort();
        sum += (unsigned)(name.len + value.len);
    }
    if (est_http_content_length(req) != UINT64_MAX &&
        est_http_content_length(req) != est_http_body(req).len)
        abort();
    return sum;
}

static void on_request(void *arg, struct est_http_req *req)
{
    struct est_view path = est_http_path(req);
    char how = path.len < 2 ? 'x' : path.data[1];

    (void)arg;
    (void)look(req);
    if (how == 'p' && n_parked < PARKED_MAX)
        parked[n_parked++] = req;
    else if (how == 's')
        stream = est_http_stream_begin(req, "text/event-stream", stream_closed, NULL);
    else
        est_http_reply(req, 200, "text/plain", est_http_body(req));
}

static void answer_parked(void)
{
    for (size_t i = 0; i < n_parked; i++)
        est_http_reply(parked[i], 202, NULL, EST_VIEW_LIT("later"));
    n_parked = 0;
}

static void work(struct est_loop *lp, int fd)
{
    char bytes[4096];

    est_loop_turn(lp, 0);
    if (stream != NULL)
        (void)est_http_stream_write(stream, EST_VIEW_LIT("data"), 100000);
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct est_http_limits limits = est_http_limits_default;
    struct est_http_handlers handlers = {on_head, on_request, NULL};
    struct est_http_server *s;
    struct est_loop *lp;
    size_t piece;
    int fds[2];

    if (size < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return 0;
    limits.header_max = 2048;
    limits.body_max = 4096;
    if (est_loop_new(&lp, NULL) != EST_OK ||
        est_http_server_new(lp, &limits, &handlers, &s, NULL) != EST_OK)
        abort();
    if (est_http_conn_open(s, fds[0], "fuzz") != EST_OK)
        abort();
    piece = (size_t)(data[0] & 0x7f) + 1;
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        (void)send(fds[1], data + at, n, MSG_NOSIGNAL);
        work(lp, fds[1]);
        if (at % 3 == 0)
            answer_parked();
    }
    if (data[0] & 0x80) { /* the client goes while something is parked */
        (void)close(fds[1]);
        est_loop_turn(lp, 0);
        answer_parked();
    } else {
        answer_parked();
        (void)shutdown(fds[1], SHUT_WR);
        for (int i = 0; i < 4; i++, answer_parked())
            work(lp, fds[1]);
        (void)close(fds[1]);
    }
    n_parked = 0;
    est_http_server_free(s);
    stream = NULL;
    est_loop_free(lp);
    return 0;
}
