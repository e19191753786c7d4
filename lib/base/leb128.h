/* Numbers in few bytes: seven bits a byte, the lowest first, the last without the high bit. */
#pragma once

#include "base/buf.h"

static inline void est_leb128_put(struct est_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        est_buf_putc(out, (char)(value | 0x80));
    est_buf_putc(out, (char)value);
}

/* A number below 2^63 in its shortest form, taken from the front of *in. False: there is none. */
static inline bool est_leb128_take(struct est_view *in, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < in->len && i < 9; i++) {
        unsigned char byte = (unsigned char)in->data[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *in = est_view(in->data + i + 1, in->len - i - 1);
            *ret = value;
            return byte != 0 || i == 0;
        }
    }
    return false;
}
