#include "text.h"

#include <stdint.h>

#include <endian.h>

#if defined(__SSE2__) && !defined(EST_TEXT_WORDS)
#include <emmintrin.h>
#endif

enum { SHORT_MAX = 256, BLOCK = EST_BUF_SLACK };

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EACH(0x80)

/* The first byte is the lowest. */
static uint64_t load(const unsigned char *s)
{
    uint64_t w;

    memcpy(&w, s, sizeof(w));
    return le64toh(w);
}

/* first_special: which byte of a block is the first that a JSON string cannot hold as it is, or
 * that is not ASCII; BLOCK when none is. */
#if defined(__SSE2__) && !defined(EST_TEXT_WORDS)

/* The comparison is signed: all that is not ASCII is below the space, too. */
static inline size_t first_special(const unsigned char *s)
{
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)s);
    __m128i special = _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8(' ')),
                                   _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                                _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))));

    return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(special) | 1U << BLOCK);
}

#else

/* The high bit of each byte that is special. A byte below what is taken off borrows from those
 * above: it is exact for the lowest such byte, which is all we ask. */
static uint64_t special_bytes(uint64_t w)
{
    return ((w - EACH(0x20)) | ((w ^ EACH('"')) - EACH(1)) | ((w ^ EACH('\\')) - EACH(1)) | w) &
           HIGH;
}

static inline size_t first_special(const unsigned char *s)
{
    uint64_t first = special_bytes(load(s)), second = special_bytes(load(s + 8));

    if (first != 0)
        return (size_t)__builtin_ctzll(first) / 8;
    return second != 0 ? 8 + (size_t)__builtin_ctzll(second) / 8 : BLOCK;
}

#endif

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

/* Past the sequence at s[*i]; false where the run of plain bytes ends. */
static bool pass_sequence(const unsigned char *s, size_t n, size_t *i, bool *bad)
{
    size_t step = s[*i] < 0x80 ? 0 : sequence(s + *i, n - *i);

    *bad = step == 0 && s[*i] >= 0x80;
    *i += step;
    return step > 0;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Bytes from s on that stand in a JSON string as they are; *bad: ill-formed UTF-8 comes next. */
static size_t plain_run(const unsigned char *s, size_t n, bool *bad)
{
    size_t i = 0;

    *bad = false;
    while (n - i >= BLOCK) {
        size_t run = first_special(s + i);
        i += run;
        if (run < BLOCK && !pass_sequence(s, n, &i, bad))
            return i;
    }
    while (i < n && (is_plain(s[i]) || s[i] >= 0x80)) {
        if (s[i] < 0x80)
            i++;
        else if (!pass_sequence(s, n, &i, bad))
            break;
    }
    return i;
}

size_t est_text_plain(struct est_view v)
{
    bool bad;

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

/* Into room for its longest escaped form and a block more: a block is written before it is known
 * how much of it is plain. `padded`: a block can be read behind the text. */
static inline __attribute__((always_inline)) bool put_short(struct est_buf *b, struct est_view v,
                                                            bool padded)
{
    const unsigned char *s = (const unsigned char *)v.data;
    unsigned char tail[BLOCK];
    char *out = b->data + b->len;
    size_t left = v.len;

    *out++ = '"';
    while (left > 0) {
        const unsigned char *block = s;
        size_t run, step;
        if (!padded && left < BLOCK) {
            memset(tail, ' ', sizeof(tail));
            block = memcpy(tail, s, left);
        }
        memcpy(out, block, BLOCK);
        run = first_special(block);
        if (run >= left) {
            out += left;
            break;
        }
        out += run;
        step = run < BLOCK ? put_special(&out, s + run, left - run) : 0;
        if (run < BLOCK && step == 0)
            return false;
        s += run + step;
        left -= run + step;
    }
    *out++ = '"';
    b->len = (size_t)(out - b->data);
    return true;
}

static __attribute__((noinline)) bool put_long(struct est_buf *b, struct est_view v)
{
    const unsigned char *s = (const unsigned char *)v.data;
    char escaped[6];
    bool bad;
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

/* A control character takes six; the buffer's slack has the block more. */
static inline bool has_room(struct est_buf *b, struct est_view v)
{
    size_t room = v.len * 6 + 2;

    return v.len <= SHORT_MAX && room <= b->max - b->len && est_buf_reserve(b, room);
}

bool est_text_put(struct est_buf *b, struct est_view v)
{
    return has_room(b, v) ? put_short(b, v, false) : put_long(b, v);
}

static __attribute__((noinline)) bool put_padded(struct est_buf *b, struct est_view v)
{
    return has_room(b, v) ? put_short(b, v, true) : put_long(b, v);
}

/* Most texts are of one block, and plain. */
bool est_text_put_padded(struct est_buf *b, struct est_view v)
{
    char *out;

    if (v.len > BLOCK || !est_buf_reserve(b, v.len + 2) ||
        first_special((const unsigned char *)v.data) < v.len)
        return put_padded(b, v);
    out = b->data + b->len;
    out[0] = '"';
    memcpy(out + 1, v.data, BLOCK);
    out[v.len + 1] = '"';
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
