/* The inside of http_out.h, for http_out*.c: the client (http_out.c), one exchange from its
 * request to its result (http_out_call.c), and libcurl's sockets and timer on the loop
 * (http_out_sock.c). */
#pragma once

#include "http_out.h"

#include "base/buf.h"
#include "base/list.h"

#include <curl/curl.h>

enum { EST_HTTP_FIELD_MAX = 256, EST_HTTP_CALL_MAGIC = 0x68747470 };

/* The few response fields that somebody asks for. */
enum est_http_want {
    EST_HTTP_RETRY_AFTER,
    EST_HTTP_RATE_LIMIT,
    EST_HTTP_RATE_POLICY,
    EST_HTTP_RATE_QUOTA,
    EST_HTTP_RATE_LEFT,
    EST_HTTP_RATE_RESET,
    EST_HTTP_CONTENT_TYPE,
    EST_HTTP_WANTS
};

struct est_http_captured {
    bool present;
    size_t len;
    char text[EST_HTTP_FIELD_MAX];
};

/* One exchange; the easy handle and the buffers are used again by later ones. */
struct est_http_call {
    unsigned magic;
    struct est_node node; /* in client->running or client->spare */
    struct est_http_client *client;
    CURL *easy;
    struct curl_slist *fields;
    struct est_buf body;
    struct est_http_captured captured[EST_HTTP_WANTS];
    void (*done)(void *arg, const struct est_http_result *res);
    void *arg;
    est_us started;
    char error[CURL_ERROR_SIZE];
};

struct est_http_client {
    struct est_loop *loop;
    CURLM *multi;
    struct est_timer timer;
    struct est_node running, spare;
    size_t n_running, n_spare, spare_max;
    est_us connect_timeout;
    char *ca_file, *user_agent;
};

/* --- http_out_call.c --- */

/* A spare one or a new one; NULL without memory. */
struct est_http_call *est_http_call_take(struct est_http_client *c);
/* Back to the spare ones. A large answer's memory does not stay with its handle. */
void est_http_call_give(struct est_http_call *call);
void est_http_call_free(struct est_http_call *call);
/* Everything of rq into the easy handle. EST_ERR_INVALID, EST_ERR_NOMEM. */
est_err est_http_call_prepare(struct est_http_call *call, const struct est_http_request *rq);
/* What came of it; the views are the call's. */
void est_http_call_result(const struct est_http_call *call, CURLcode code,
                          struct est_http_result *ret);

/* --- http_out_sock.c --- */

/* Let the multi handle's sockets and timer run on the loop. */
void est_http_sock_attach(struct est_http_client *c);

/* --- http_out.c --- */

/* libcurl has something to do for this socket, or for CURL_SOCKET_TIMEOUT; mask: CURL_CSELECT_*. */
void est_http_client_act(struct est_http_client *c, curl_socket_t fd, int mask);
