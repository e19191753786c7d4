/* Our HTTP/1.1 server: epoll sockets, Node's parser (llhttp), strict by default. For ingest, for
 * the ops endpoints of every daemon, and for the dashboard. (RFC 9110, RFC 9112)
 *
 * A connection handles one request at a time: pipelined requests wait in the socket's buffer until
 * the reply before them is written, so replies keep their order without a queue of ours.
 *
 * A request lives from the handler's call until its reply. The handler replies at once, or keeps
 * the pointer ("parks" it) and replies later, exactly once. A client that hangs up meanwhile
 * changes nothing for the handler: the reply is then written nowhere. Views in a request borrow
 * from it.
 *
 * Limits answered by the server itself, as application/problem+json: 400 (malformed, no Host, both
 * lengths), 408 (header or body not complete in time), 413, 414/431, 417, 501, 505, 503 (too many
 * connections). */
#pragma once

#include "base/err.h"
#include "base/view.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_http_server;
struct est_http_req;

struct est_http_limits {
    size_t header_max;     /* request line and fields together, bytes */
    size_t body_max;       /* decoded body, bytes */
    unsigned conns_max;    /* open connections; one more is answered 503 and closed */
    est_us header_timeout; /* first byte to end of header */
    est_us body_timeout;   /* end of header to end of body */
    est_us idle_timeout;   /* between requests of one connection */
    est_us write_timeout;  /* a client that reads nothing for so long is dropped */
};
extern const struct est_http_limits
    est_http_limits_default; /* 16 KiB, 16 MiB, 10,000, 10 s, 30 s, 75 s, 30 s */

struct est_http_handlers {
    /* Optional; when the header is complete and before any body: refuse by replying and returning
     * false (the body is then not read and the connection closes). */
    bool (*admit)(void *arg, struct est_http_req *req);
    /* The whole request has been read. */
    void (*request)(void *arg, struct est_http_req *req);
    void *arg;
};

est_err est_http_server_new(struct est_loop *lp, const struct est_http_limits *limits,
                            const struct est_http_handlers *handlers, struct est_http_server **ret,
                            struct est_why *reterr);
/* "127.0.0.1:3002", "[::1]:3002" (port 0 = any free one), or "unix:/run/x.sock" (mode 0660; a stale
 * socket file is replaced, a live one is an error). May be called more than once. */
est_err est_http_server_listen(struct est_http_server *s, const char *address,
                               struct est_why *reterr);
/* The TCP port of the first listener: what port 0 became; 0 when there is none. */
unsigned est_http_server_port(const struct est_http_server *s);
/* Stop accepting, close idle connections, let running requests end ("Connection: close"). */
void est_http_server_drain(struct est_http_server *s);
/* True when no connection is left. */
bool est_http_server_idle(const struct est_http_server *s);
/* Closes everything at once. Parked requests must not be touched afterwards. */
void est_http_server_free(struct est_http_server *s);

struct est_http_stats {
    uint64_t accepted, requests, refused_full, bad_requests, timeouts;
    unsigned open;
};
struct est_http_stats est_http_server_stats(const struct est_http_server *s);

/* --- the request --- */
struct est_view est_http_method(const struct est_http_req *req);
struct est_view est_http_path(
    const struct est_http_req *req); /* without host and query, not decoded */
struct est_view est_http_query(const struct est_http_req *req); /* behind '?', absent when none */
/* Value of a query parameter, not decoded; absent when there is none. */
struct est_view est_http_query_get(const struct est_http_req *req, const char *name);
struct est_view est_http_body(const struct est_http_req *req);
/* Value of a field by its lower-case name; absent when there is none. For a field that stands more
 * than once: the first; est_http_header_count tells. */
struct est_view est_http_header(const struct est_http_req *req, const char *name);
size_t est_http_header_count(const struct est_http_req *req);
void est_http_header_at(const struct est_http_req *req, size_t i, struct est_view *ret_name,
                        struct est_view *ret_value); /* name as sent */
/* The declared Content-Length; UINT64_MAX for chunked; 0 when there is no body. */
uint64_t est_http_content_length(const struct est_http_req *req);
/* Peer for logs of refused attempts: "127.0.0.1:4711" or "unix". */
const char *est_http_peer(const struct est_http_req *req);
/* A pointer of the handler's, kept with the request (admit may leave it for request). */
void est_http_set_user(struct est_http_req *req, void *user);
void *est_http_user(const struct est_http_req *req);
/* A pointer kept with the connection, over its requests; `release` is called when it closes. */
void est_http_set_conn_user(struct est_http_req *req, void *user, void (*release)(void *user));
void *est_http_conn_user(const struct est_http_req *req);

/* --- the reply --- */
/* Before the reply: add a field ("Retry-After", "5"). Copied. */
void est_http_reply_field(struct est_http_req *req, const char *name, const char *value);
/* Ends the request; body is copied. content_type NULL = none. */
void est_http_reply(struct est_http_req *req, int status, const char *content_type,
                    struct est_view body);
/* RFC 9457 application/problem+json: {"title","status","detail"} (no `type` = about:blank). detail
 * may be NULL; `more` is appended verbatim as further members (`,"errors":[…]`), or is absent. */
void est_http_problem(struct est_http_req *req, int status, const char *title, const char *detail,
                      struct est_view more);

/* --- a reply that goes on: Server-Sent Events --- */
/* Sends the head (200, chunked). The stream lives until est_http_stream_end or until `closed` was
 * called because the client went (then the stream is gone; never called from inside a write). NULL
 * when the client had already gone, or asked for the head alone: then the reply is complete. */
struct est_http_stream;
struct est_http_stream *est_http_stream_begin(struct est_http_req *req, const char *content_type,
                                              void (*closed)(void *arg), void *arg);
/* False when the client reads too slowly and `max_queued` bytes would be passed, or without memory:
 * nothing was queued. */
bool est_http_stream_write(struct est_http_stream *st, struct est_view data, size_t max_queued);
void est_http_stream_end(struct est_http_stream *st);
