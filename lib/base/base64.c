#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t byte_at(struct est_view v, size_t i)
{
    return i < v.len ? (unsigned char)v.data[i] : 0;
}

void est_base64_put(struct est_buf *out, struct est_view bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t bits =
            byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
        char four[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63], '=', '='};
        if (i + 1 < bytes.len)
            four[2] = alphabet[bits >> 6 & 63];
        if (i + 2 < bytes.len)
            four[3] = alphabet[bits & 63];
        est_buf_put(out, four, sizeof(four));
    }
}

/* 64 = not of the alphabet. */
static uint32_t value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Characters of four that carry bits: 4, or at the end of the text 3 or 2. */
static size_t used_of(const char *four, bool is_last)
{
    if (!is_last || four[3] != '=')
        return 4;
    return four[2] == '=' ? 2 : 3;
}

static bool take_four(struct est_buf *out, const char *four, bool is_last)
{
    size_t used = used_of(four, is_last);
    uint32_t bits = 0;

    for (size_t i = 0; i < used; i++) {
        uint32_t value = value_of(four[i]);
        if (value == 64)
            return false;
        bits |= value << (18 - 6 * i);
    }
    if ((bits & ((1U << (8 * (4 - used))) - 1)) != 0)
        return false;
    for (size_t i = 0; i + 1 < used; i++)
        est_buf_putc(out, (char)(bits >> (16 - 8 * i)));
    return true;
}

est_err est_base64_take(struct est_buf *out, struct est_view text)
{
    size_t before = out->len;

    if (text.len % 4 != 0)
        return EST_ERR_INVALID;
    for (size_t i = 0; i < text.len; i += 4)
        if (!take_four(out, text.data + i, i + 4 == text.len)) {
            est_buf_truncate(out, before);
            return EST_ERR_INVALID;
        }
    return est_buf_err(out);
}
