/* Private to lib/io/http_*.c: the request line, checked byte by byte before llhttp sees it, since
 * llhttp takes several spaces for one and other protocols' names (RTSP, ICE) for HTTP.
 *
 *   request-line = method SP request-target SP "HTTP/" DIGIT "." DIGIT CRLF     (RFC 9112 §3)
 *
 * Empty lines in front of it are passed over (§2.2). What stands in method and target, and which
 * version is spoken, is not looked at here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct est_http_line {
    unsigned spaces;  /* seen so far */
    unsigned version; /* characters of the version that fitted */
    bool begun;       /* a byte of the line itself was seen */
    bool spaced;      /* the last byte was a space */
    bool done;
};

/* Look at what comes next, up to the line's end; once done, everything is passed over. False: it is
 * no request line. A zeroed struct waits for a new one. */
bool est_http_line_feed(struct est_http_line *line, const char *data, size_t n);
