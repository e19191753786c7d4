#include "jsonw.h"

#include <string.h>

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void put_escape(struct est_buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_of[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    est_buf_putc(b, '\\');
    if (c >= 0x20) {
        est_buf_putc(b, (char)c);
    } else if (short_of[c] != 0) {
        est_buf_putc(b, short_of[c]);
    } else {
        est_buf_puts(b, "u00");
        est_buf_putc(b, hex[c >> 4]);
        est_buf_putc(b, hex[c & 15]);
    }
}

static void put_escaped(struct est_buf *b, struct est_view v)
{
    size_t from = 0;

    if (v.len == 0)
        return;
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.data[i];
        if (is_plain(c))
            continue;
        est_buf_put(b, v.data + from, i - from);
        put_escape(b, c);
        from = i + 1;
    }
    est_buf_put(b, v.data + from, v.len - from);
}

/* Length of the longest well-formed prefix; only reached for text that is not UTF-8 as a whole. */
static size_t valid_prefix(struct est_view v)
{
    size_t n = 0;

    while (n < v.len) {
        size_t step = 1;
        while (step <= 4 && n + step <= v.len && !est_utf8_valid(est_view(v.data + n, step)))
            step++;
        if (step > 4 || n + step > v.len)
            return n;
        n += step;
    }
    return n;
}

void est_json_put_string(struct est_buf *b, struct est_view v)
{
    est_buf_putc(b, '"');
    while (!est_utf8_valid(v)) {
        size_t good = valid_prefix(v);
        put_escaped(b, est_view(v.data, good));
        est_buf_puts(b, "\xEF\xBF\xBD");
        v = est_view(v.data + good + 1, v.len - good - 1);
    }
    put_escaped(b, v);
    est_buf_putc(b, '"');
}

void est_json_put_str(struct est_buf *b, const char *s)
{
    est_json_put_string(b, est_view_str(s));
}

void est_json_put_name(struct est_buf *b, const char *name)
{
    if (b->len > 0 && strchr("{[", b->data[b->len - 1]) == NULL)
        est_buf_putc(b, ',');
    est_json_put_str(b, name);
    est_buf_putc(b, ':');
}
