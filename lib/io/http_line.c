#include "http_line.h"

/* 'd' stands for a digit. */
static const char version_form[] = "HTTP/d.d\r\n";

static bool take_version(struct est_http_line *line, char c)
{
    char want = version_form[line->version++];

    line->done = version_form[line->version] == '\0';
    return want == 'd' ? c >= '0' && c <= '9' : c == want;
}

static bool take(struct est_http_line *line, char c)
{
    if (!line->begun && (c == '\r' || c == '\n'))
        return true;
    if (line->spaces == 2)
        return take_version(line, c);
    if (c == '\r' || c == '\n' || (c == ' ' && (line->spaced || !line->begun)))
        return false;
    line->begun = true;
    line->spaced = c == ' ';
    line->spaces += line->spaced;
    return true;
}

bool est_http_line_feed(struct est_http_line *line, const char *data, size_t n)
{
    for (size_t i = 0; i < n && !line->done; i++)
        if (!take(line, data[i]))
            return false;
    return true;
}
