#include "path.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 128 }; /* above any nesting that a parser here accepts */

static void put_step(struct est_buf *b, const struct est_path *at)
{
    est_buf_putc(b, '/');
    if (at->name.data == NULL) {
        est_buf_put_u64(b, at->index);
        return;
    }
    for (size_t i = 0; i < at->name.len; i++) {
        char c = at->name.data[i];
        if (c == '~' || c == '/')
            est_buf_puts(b, c == '~' ? "~0" : "~1");
        else
            est_buf_putc(b, c);
    }
}

void est_path_put(struct est_buf *b, const struct est_path *at)
{
    if (at == NULL)
        return;
    est_path_put(b, at->parent);
    put_step(b, at);
}

/* Takes `tail` off the end of v; false when it does not end so. */
static bool strip(struct est_view *v, const char *tail, size_t n)
{
    if (v->len < n || memcmp(v->data + v->len - n, tail, n) != 0)
        return false;
    v->len -= n;
    return true;
}

static bool strip_name(struct est_view *v, struct est_view name)
{
    for (size_t i = name.len; i > 0; i--) {
        char c = name.data[i - 1];
        if (c == '~' || c == '/' ? !strip(v, c == '~' ? "~0" : "~1", 2) : !strip(v, &c, 1))
            return false;
    }
    return true;
}

static bool strip_index(struct est_view *v, size_t index)
{
    do {
        char digit = (char)('0' + index % 10);
        if (!strip(v, &digit, 1))
            return false;
        index /= 10;
    } while (index > 0);
    return true;
}

bool est_path_is(const struct est_path *at, struct est_view pointer)
{
    for (; at != NULL; at = at->parent)
        if (!(at->name.data ? strip_name(&pointer, at->name) : strip_index(&pointer, at->index)) ||
            !strip(&pointer, "/", 1))
            return false;
    return pointer.len == 0;
}

static size_t step_text(const struct est_path *at, char *out, size_t size)
{
    size_t n = 0;

    if (at->name.data == NULL)
        return (size_t)snprintf(out, size, "/%zu", at->index);
    out[n++] = '/';
    for (size_t i = 0; i < at->name.len && n + 2 <= size; i++) {
        char c = at->name.data[i];
        if (c != '~' && c != '/') {
            out[n++] = c;
            continue;
        }
        out[n++] = '~';
        out[n++] = c == '~' ? '0' : '1';
    }
    return at->name.len >= size ? size : n;
}

void est_path_format(const struct est_path *at, char *out, size_t size)
{
    static const char cut[] = "/...";
    const struct est_path *steps[STEPS_MAX];
    char text[256];
    size_t n = 0, len = 0;

    for (; at != NULL && n < STEPS_MAX; at = at->parent)
        steps[n++] = at;
    while (n-- > 0) {
        size_t step = step_text(steps[n], text, sizeof(text) - 1);
        if (step >= sizeof(text) - 2 || len + step + sizeof(cut) > size) {
            memcpy(out + len, cut, sizeof(cut) - 1);
            len += sizeof(cut) - 1;
            break;
        }
        memcpy(out + len, text, step);
        len += step;
    }
    out[len] = '\0';
}
