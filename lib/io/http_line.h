/* Private to lib/io/http_*.c: the request line, checked byte by byte before llhttp sees it, since
 * llhttp takes several spaces for one, other protocols' names (RTSP, ICE) for HTTP, and answers an
 * unknown method according to how its bytes were cut into reads.
 *
 *   request-line = method SP request-target SP "HTTP/" DIGIT "." DIGIT CRLF     (RFC 9112 §3)
 *
 * Empty lines in front of it are passed over (§2.2). What stands in the target is not looked at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { EST_HTTP_METHOD_MAX = 7 }; /* OPTIONS, CONNECT */

struct est_http_line {
    char method[EST_HTTP_METHOD_MAX + 1];
    size_t method_len;
    unsigned spaces;  /* seen so far; with the first one the method is known */
    unsigned version; /* characters of the version that fitted */
    bool spaced;      /* the last byte was a space */
    bool is_foreign;  /* the major version is not 1 */
    bool done;
};

/* Look at what comes next, up to the line's end; once done, everything is passed over. 0, or the
 * status that the request is refused with: 400 it is no request line, 501 no method of RFC 9110 or
 * 5789 (one longer than any that we know included: RFC 9112 3.1), 505 not HTTP/1. The same whole or
 * in pieces. A zeroed struct waits for a new line. */
int est_http_line_feed(struct est_http_line *line, const char *data, size_t n);
