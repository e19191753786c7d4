#include "http_line.h"

#include <string.h>

/* 'd' stands for a digit. */
static const char version_form[] = "HTTP/d.d\r\n";
enum { MAJOR_AT = 5 };

/* RFC 9110 §9.3 and RFC 5789; the last one begins HTTP/2, which its version then gives away. */
static const char *const methods[] = {"GET",     "POST",  "HEAD",  "PUT",     "DELETE",
                                      "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI"};

/* RFC 9110 §5.6.2 */
static bool is_token(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_known(const struct est_http_line *line)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i], line->method) == 0)
            return true;
    return false;
}

static int take_method(struct est_http_line *line, char c)
{
    if (line->method_len == 0 && (c == '\r' || c == '\n'))
        return 0;
    if (c == ' ' && line->method_len > 0) {
        line->spaces = 1;
        line->spaced = true;
        return is_known(line) ? 0 : 501;
    }
    if (!is_token(c))
        return 400;
    if (line->method_len == EST_HTTP_METHOD_MAX)
        return 501;
    line->method[line->method_len++] = c;
    return 0;
}

static int take_target(struct est_http_line *line, char c)
{
    if (c == '\r' || c == '\n' || (c == ' ' && line->spaced))
        return 400;
    line->spaced = c == ' ';
    line->spaces += line->spaced;
    return 0;
}

static int take_version(struct est_http_line *line, char c)
{
    char want = version_form[line->version];

    if (want == 'd' ? c < '0' || c > '9' : c != want)
        return 400;
    if (line->version++ == MAJOR_AT)
        line->is_foreign = c != '1';
    line->done = version_form[line->version] == '\0';
    return line->done && line->is_foreign ? 505 : 0;
}

int est_http_line_feed(struct est_http_line *line, const char *data, size_t n)
{
    static int (*const take[])(struct est_http_line *, char) = {take_method, take_target,
                                                                take_version};

    for (size_t i = 0; i < n && !line->done; i++) {
        int status = take[line->spaces](line, data[i]);
        if (status != 0)
            return status;
    }
    return 0;
}
