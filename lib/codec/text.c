#include "text.h"

#include <stdint.h>

#include <endian.h>

enum { SHORT_MAX = 256 };

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EACH(0x80)

/* The first byte is the lowest. */
static uint64_t load(const unsigned char *s)
{
    uint64_t w;

    memcpy(&w, s, sizeof(w));
    return le64toh(w);
}

/* Fewer than eight bytes, with spaces behind them: no byte of theirs is special. */
static uint64_t load_few(const unsigned char *s, size_t n)
{
    uint64_t w = n & 1 ? s[n - 1] : 0;

    if (n & 2)
        w = w << 16 | (uint64_t)s[(n & 4) + 1] << 8 | s[n & 4];
    if (n & 4)
        w = w << 32 | (uint64_t)s[3] << 24 | (uint64_t)s[2] << 16 | (uint64_t)s[1] << 8 | s[0];
    return w | EACH(' ') << (n * 8);
}

/* The same, in one load where eight bytes of the text end with them. */
static uint64_t load_tail(const unsigned char *from, const unsigned char *s, size_t n)
{
    if ((size_t)(s - from) + n < 8)
        return load_few(s, n);
    return load(s + n - 8) >> (64 - n * 8) | EACH(' ') << (n * 8);
}

static void store(char *out, uint64_t w)
{
    w = htole64(w);
    memcpy(out, &w, sizeof(w));
}

/* The high bit of each byte that a JSON string cannot hold as it is, or that is not ASCII. A byte
 * below what is taken off borrows from those above: it is exact for the lowest such byte, which is
 * all we ask. */
static uint64_t special_bytes(uint64_t w)
{
    return ((w - EACH(0x20)) | ((w ^ EACH('"')) - EACH(1)) | ((w ^ EACH('\\')) - EACH(1)) | w) &
           HIGH;
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

/* Writes two or six bytes of out, and says how many. */
static size_t escape(char out[6], unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    out[0] = '\\';
    out[1] = c < 0x20 ? letters[c] : (char)c;
    if (out[1] != 0)
        return 2;
    memcpy(out + 1, "u00", 3);
    out[4] = hex[c >> 4];
    out[5] = hex[c & 15];
    return 6;
}

/* Bytes from s on that stand in a JSON string as they are; *bad is set at ill-formed UTF-8. */
static size_t plain_run(const unsigned char *s, size_t n, bool *bad)
{
    size_t i = 0;

    while (i < n) {
        size_t word = n - i < 8 ? n - i : 8;
        uint64_t special = special_bytes(word == 8 ? load(s + i) : load_few(s + i, word));
        if (special == 0) {
            i += word;
            continue;
        }
        i += (size_t)__builtin_ctzll(special) / 8;
        if (s[i] < 0x20 || s[i] == '"' || s[i] == '\\')
            return i;
        size_t step = sequence(s + i, n - i);
        if (step == 0) {
            *bad = true;
            return i;
        }
        i += step;
    }
    return i;
}

size_t est_text_plain(struct est_view v)
{
    bool bad = false;

    return plain_run((const unsigned char *)v.data, v.len, &bad);
}

/* What stands at s and is special, into out. Returns the bytes it took, 0 for ill-formed UTF-8. */
static size_t put_special(char **out, const unsigned char *s, size_t left)
{
    size_t step = 1;

    if (s[0] < 0x80) {
        *out += escape(*out, s[0]);
        return step;
    }
    step = sequence(s, left);
    for (size_t i = 0; i < step; i++)
        *(*out)++ = (char)s[i];
    return step;
}

/* Text, of which the first `plain` bytes are written, into room for its longest escaped form: eight
 * bytes are written before it is known how many of them are plain. Not inlined, as put_long is not,
 * so that plain text does not pay for their registers. */
static __attribute__((noinline)) bool put_short(struct est_buf *b, const unsigned char *s, size_t n,
                                                size_t plain)
{
    const unsigned char *from = s;
    char *out = b->data + b->len;

    *out++ = '"';
    out += plain;
    s += plain;
    n -= plain;
    while (n > 0) {
        uint64_t w = n >= 8 ? load(s) : load_tail(from, s, n), special = special_bytes(w);
        size_t run = special ? (size_t)__builtin_ctzll(special) / 8 : n < 8 ? n : 8;
        store(out, w);
        out += run;
        if (special != 0) {
            size_t step = put_special(&out, s + run, n - run);
            if (step == 0)
                return false;
            run += step;
        }
        s += run;
        n -= run;
    }
    *out++ = '"';
    b->len = (size_t)(out - b->data);
    return true;
}

/* What most texts are: plain. Returns how many bytes at their beginning are: all of them, or a
 * multiple of eight. The last bytes are looked at once more where they are fewer than a word. */
static inline size_t put_plain(char *out, const unsigned char *s, size_t n)
{
    uint64_t w;
    size_t i = 0;

    if (n < 8) {
        w = load_few(s, n);
        store(out, w);
        return special_bytes(w) == 0 ? n : 0;
    }
    for (; i + 8 < n; i += 8) {
        w = load(s + i);
        store(out + i, w);
        if (special_bytes(w) != 0)
            return i;
    }
    w = load(s + n - 8);
    store(out + n - 8, w);
    return special_bytes(w) == 0 ? n : i;
}

static __attribute__((noinline)) bool put_long(struct est_buf *b, struct est_view v)
{
    const unsigned char *s = (const unsigned char *)v.data;
    char escaped[6];
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
            est_buf_put(b, escaped, escape(escaped, s[i++]));
    }
    est_buf_putc(b, '"');
    return true;
}

bool est_text_put(struct est_buf *b, struct est_view v)
{
    const unsigned char *s = (const unsigned char *)v.data;
    size_t room =
        v.len * 6 + 2 + 8; /* a control character takes six; eight are written at a time */
    size_t plain;

    if (v.len > SHORT_MAX || b->failed || room > b->max - b->len)
        return put_long(b, v);
    if (!est_buf_reserve(b, room))
        return true;
    plain = put_plain(b->data + b->len + 1, s, v.len);
    if (plain < v.len)
        return put_short(b, s, v.len, plain);
    b->data[b->len] = '"';
    b->data[b->len + v.len + 1] = '"';
    b->len += v.len + 2;
    return true;
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
