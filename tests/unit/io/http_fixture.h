/* For tests of the HTTP server: a server on the loop of this process, whose handler does what the
 * path says, and clients on plain sockets of the same process. No waiting but in the loop, all
 * with a deadline. */
#pragma once

#include "base/buf.h"
#include "io/http_in.h"

#include <stdbool.h>

enum { RIG_PARKED_MAX = 256 };

struct rig {
    struct est_loop *loop;
    struct est_http_server *server;
    struct est_http_limits limits;
    struct est_http_req *parked[RIG_PARKED_MAX]; /* what came to /park, in order */
    size_t n_parked;
    struct est_http_stream *stream; /* what came to /stream last */
    unsigned calls, admits, closed, released;
    char peer[64];
};

/* The handler's paths:
 *   /echo      200, the body            /say?x=y   200, "METHOD path query content-length body"
 *   /park      kept in `parked`         /big?n=N   200, N bytes
 *   /stream    a stream is begun        /no/…      refused with 401 before the body */
void rig_open(struct rig *r, const struct est_http_limits *limits); /* NULL = the defaults */
void rig_close(struct rig *r);
void rig_turn(struct rig *r);

struct client {
    struct rig *rig;
    int fd;
    bool ended; /* the server has closed, or reset */
    struct est_buf in;
};

struct client rig_dial(struct rig *r);
void client_close(struct client *c);
void client_reset(struct client *c);                      /* RST instead of FIN */
void client_say(struct client *c, struct est_view bytes); /* all of it, turning the loop */
void client_say_str(struct client *c, const char *bytes);
/* Turn until what has come contains `text`, or the end, or 5 s. */
bool client_hears(struct client *c, const char *text);
bool client_hears_end(struct client *c);
/* Turn until so many replies have come. */
bool client_hears_replies(struct client *c, size_t n);
/* Turn for so long; false when a byte or the end came. */
bool client_hears_nothing(struct client *c, est_us time);
/* Read what is there now, at most `max` bytes. */
void client_read(struct client *c, size_t max);
size_t client_count(const struct client *c, const char *text);
void client_forget(struct client *c);

#define WAIT_FOR(rig, cond)                                             \
    for (est_us until_ = est_clock_mono() + 5 * EST_SECOND; !(cond);) { \
        assert_true(est_clock_mono() < until_);                         \
        rig_turn(rig);                                                  \
    }
