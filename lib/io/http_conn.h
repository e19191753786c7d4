/* Private to lib/io/http_*.c: one connection of the server and the request that it carries.
 *
 *   reading ──complete──► running ──reply──► reading          (keep-alive)
 *      │                     └──stream──► streaming ─end─┐
 *      └─refused──► lingering ◄──────close───────────────┘──► gone
 *
 * reading: idle, or in the middle of a request. running: the handler has the request, replied or
 * parked. streaming: a reply without end. lingering: our side is shut; what the client still sends
 * is read and dropped for a moment, so that the kernel's RST does not eat the answer. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "io/http_in.h"
#include "io/http_line.h"

#include <llhttp.h>

enum { EST_HTTP_FIELDS_MAX = 100, EST_HTTP_SCRATCH = 64 * 1024 };

enum est_conn_state { EST_CONN_READING, EST_CONN_RUNNING, EST_CONN_STREAMING, EST_CONN_LINGERING };

struct est_http_field_at {
    uint32_t name, name_len, value, value_len; /* places in req.head */
};

struct est_http_req {
    struct est_http_conn *conn;
    struct est_buf head; /* target, then names and values; offsets stay good while it grows */
    struct est_buf body;
    uint32_t target_len, path_at, path_len;
    uint64_t content_length; /* as declared; UINT64_MAX when chunked */
    struct est_http_field_at fields[EST_HTTP_FIELDS_MAX];
    size_t n_fields;
    bool head_done, replied, expect_continue;
    struct est_buf reply_fields;
    void *user;
};

struct est_http_stream {
    struct est_http_conn *conn;
    bool chunked; /* HTTP/1.0 knows no chunks: there the connection's end is the stream's */
    void (*closed)(void *arg);
    void *arg;
};

struct est_http_conn {
    struct est_http_server *server;
    struct est_node node; /* in server->conns; in server->orphans when gone and still parked */
    struct est_watch watch;
    struct est_timer timer;
    est_us deadline; /* the timer fires at or before it and then looks here */
    est_us phase_at; /* when the phase that the deadline belongs to began */
    unsigned phase;
    enum est_conn_state state;
    bool in_loop; /* est_http_conn_continue is on the stack: replies only change state */
    bool gone;    /* the socket is closed; kept until the parked request is answered */
    bool close;   /* after what is in `out` */
    bool started; /* bytes of a request have come, not only empty lines */
    bool broken;  /* writing to a stream failed: closed from the timer, not under the writer */
    int refuse;   /* status that a parser callback wants to end the request with */
    struct est_http_line line; /* of the request that is being read */
    llhttp_t parser;
    struct est_http_req req;
    struct est_http_stream stream;
    struct est_buf out; /* not yet taken by the socket: out.data + out_at */
    size_t out_at;
    struct est_buf pending; /* read, but behind the request that runs now: from pending_at on */
    size_t pending_at;
    char peer[56];
    void *user;
    void (*release_user)(void *user);
};

struct est_http_listener {
    struct est_watch watch;
    struct est_http_server *server;
    char unix_path[108]; /* "" for TCP */
};

enum { EST_HTTP_LISTENERS_MAX = 8 };

struct est_http_server {
    struct est_loop *loop;
    struct est_http_limits limits;
    struct est_http_handlers handlers;
    struct est_http_listener listeners[EST_HTTP_LISTENERS_MAX];
    size_t n_listeners;
    unsigned port;
    bool draining;
    struct est_node conns, orphans;
    struct est_timer accept_again;
    struct est_http_stats stats;
    est_us date_at;
    char date[32]; /* IMF-fixdate, renewed once a second */
    char scratch[EST_HTTP_SCRATCH];
};

/* conn: a socket just accepted. The connection frees itself. */
est_err est_http_conn_open(struct est_http_server *s, int fd, const char *peer);
/* Close at once. A parked request stays valid until its reply. */
void est_http_conn_abort(struct est_http_conn *c);
/* Flush, then go on with what was read behind the request just answered. */
void est_http_conn_continue(struct est_http_conn *c);
/* Close if idle; else after the request that runs. */
void est_http_conn_drain(struct est_http_conn *c);

/* Parser callbacks for requests. */
extern const llhttp_settings_t est_http_parser_settings;
void est_http_req_init(struct est_http_req *req, struct est_http_conn *c);
void est_http_req_reset(struct est_http_req *req);
void est_http_req_fini(struct est_http_req *req);

/* Length of a reply that ends with its connection. */
#define EST_HTTP_NO_LENGTH UINT64_MAX

/* Writes status line and fields; the caller adds the body to c->out. */
void est_http_reply_head(struct est_http_req *req, int status, const char *content_type,
                         uint64_t length, bool chunked);
