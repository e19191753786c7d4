#include "text.h"

#include <stdint.h>

enum { SHORT_MAX = 128 };

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EACH(0x80)

/* The high bit of each byte that is zero; exact for the lowest such byte, which is all we ask. */
static uint64_t zero_bytes(uint64_t w)
{
    return (w - EACH(1)) & ~w & HIGH;
}

static uint64_t load(const unsigned char *s)
{
    uint64_t w;

    memcpy(&w, s, sizeof(w));
    return w;
}

/* Is there a byte that a JSON string cannot hold as it is, or that is not ASCII? */
static bool has_special(uint64_t w)
{
    uint64_t control = (w - EACH(0x20)) & ~w;

    return ((control | w) & HIGH) != 0 || zero_bytes(w ^ EACH('"')) != 0 ||
           zero_bytes(w ^ EACH('\\')) != 0;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Length of the well-formed sequence at s, whose first byte is not ASCII; 0 when ill-formed. */
static size_t sequence(const unsigned char *s, size_t left)
{
    unsigned char c = s[0];

    if (c < 0xC2 || left < 2 || !is_tail(s[1]))
        return 0;
    if (c < 0xE0)
        return 2;
    if (left < 3 || !is_tail(s[2]))
        return 0;
    if (c < 0xF0)
        return (c == 0xE0 && s[1] < 0xA0) || (c == 0xED && s[1] > 0x9F) ? 0 : 3;
    if (c > 0xF4 || left < 4 || !is_tail(s[3]))
        return 0;
    return (c == 0xF0 && s[1] < 0x90) || (c == 0xF4 && s[1] > 0x8F) ? 0 : 4;
}

bool est_text_is_utf8(struct est_view v)
{
    const unsigned char *s = (const unsigned char *)v.data;
    size_t i = 0;

    while (i < v.len) {
        if (v.len - i >= 8 && (load(s + i) & HIGH) == 0) {
            i += 8;
            continue;
        }
        size_t step = s[i] < 0x80 ? 1 : sequence(s + i, v.len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

static void put_escape(struct est_buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char out[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    if (c < 0x20 && letters[c] == 0) {
        est_buf_put(b, out, 6);
        return;
    }
    out[1] = c < 0x20 ? letters[c] : (char)c;
    est_buf_put(b, out, 2);
}

/* Bytes from s on that stand in a JSON string as they are; *bad is set at ill-formed UTF-8. */
static size_t plain_run(const unsigned char *s, size_t n, bool *bad)
{
    size_t i = 0;

    while (i < n) {
        if (n - i >= 8 && !has_special(load(s + i))) {
            i += 8;
            continue;
        }
        if (s[i] < 0x20 || s[i] == '"' || s[i] == '\\')
            return i;
        size_t step = s[i] < 0x80 ? 1 : sequence(s + i, n - i);
        if (step == 0) {
            *bad = true;
            return i;
        }
        i += step;
    }
    return i;
}

/* Short text into room for its longest escaped form: no run is measured before it is copied. */
static bool put_short(struct est_buf *b, const unsigned char *s, size_t n)
{
    char *out = b->data + b->len;
    size_t i = 0;

    *out++ = '"';
    while (n - i >= 8 && !has_special(load(s + i))) {
        memcpy(out, s + i, 8);
        out += 8;
        i += 8;
    }
    b->len = (size_t)(out - b->data);
    while (i < n) {
        size_t step = s[i] < 0x80 ? 1 : sequence(s + i, n - i);
        if (step == 0)
            return false;
        if (s[i] < 0x20 || s[i] == '"' || s[i] == '\\')
            put_escape(b, s[i]);
        else
            for (size_t j = 0; j < step; j++)
                b->data[b->len++] = (char)s[i + j];
        i += step;
    }
    b->data[b->len++] = '"';
    return true;
}

static bool put_long(struct est_buf *b, struct est_view v)
{
    const unsigned char *s = (const unsigned char *)v.data;
    bool bad = false;
    size_t i = 0;

    est_buf_putc(b, '"');
    while (i < v.len) {
        size_t run = plain_run(s + i, v.len - i, &bad);
        if (bad)
            return false;
        est_buf_put(b, v.data + i, run);
        i += run;
        if (i < v.len)
            put_escape(b, s[i++]);
    }
    est_buf_putc(b, '"');
    return true;
}

bool est_text_put(struct est_buf *b, struct est_view v)
{
    size_t room = v.len * 6 + 2; /* a control character takes six bytes */

    if (v.len > SHORT_MAX || b->failed || room > b->max - b->len)
        return put_long(b, v);
    return est_buf_reserve(b, room) ? put_short(b, (const unsigned char *)v.data, v.len) : true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool est_text_is_name(struct est_view v)
{
    if (v.len == 0 || v.len > 255 || !is_letter(v.data[0]))
        return false;
    for (size_t i = 1; i < v.len; i++)
        if (!is_letter(v.data[i]) && (v.data[i] < '0' || v.data[i] > '9'))
            return false;
    return true;
}

bool est_text_is_printable(struct est_view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.data[i] < 0x20 || v.data[i] == 0x7f)
            return false;
    return true;
}
