#include "id.h"

#include "assert.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char hex[] = "0123456789abcdef";

static void fill(unsigned char *out, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);
        EST_ASSERT(got >= 0 || errno == EINTR);
        if (got > 0) {
            out += got;
            n -= (size_t)got;
        }
    }
}

void est_random(void *out, size_t n)
{
    static unsigned char pool[512];
    static size_t left = 0;

    if (n > sizeof(pool)) {
        fill(out, n);
        return;
    }
    if (left < n) {
        fill(pool, sizeof(pool));
        left = sizeof(pool);
    }
    left -= n;
    memcpy(out, pool + left, n);
    memset(pool + left, 0, n);
}

uint64_t est_random_below(uint64_t bound)
{
    uint64_t x, limit;

    EST_ASSERT(bound > 0);
    limit = UINT64_MAX - UINT64_MAX % bound;
    do {
        est_random(&x, sizeof(x));
    } while (x >= limit);
    return x % bound;
}

/* The 12 bits of rand_a count within a millisecond; when they run out the stamp moves on by one. */
static void next_stamp(uint64_t now_ms, uint64_t *ret_ms, unsigned *ret_seq)
{
    static uint64_t last_ms = 0;
    static unsigned seq = 0;

    if (now_ms > last_ms) {
        last_ms = now_ms;
        seq = (unsigned)est_random_below(0x400);
    } else if (++seq > 0xfff) {
        last_ms++;
        seq = 0;
    }
    *ret_ms = last_ms;
    *ret_seq = seq;
}

static void to_hex(char *out, const unsigned char *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i * 2] = hex[in[i] >> 4];
        out[i * 2 + 1] = hex[in[i] & 15];
    }
}

void est_uuid7(est_us wall, char out[EST_UUID_LEN + 1])
{
    unsigned char b[16];
    char text[32];
    uint64_t ms;
    unsigned seq;

    next_stamp(wall > 0 ? (uint64_t)(wall / EST_MS) : 0, &ms, &seq);
    est_random(b + 8, 8);
    for (unsigned i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | seq >> 8);
    b[7] = (unsigned char)seq;
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    to_hex(text, b, sizeof(b));
    memcpy(out, text, 8);
    memcpy(out + 9, text + 8, 4);
    memcpy(out + 14, text + 12, 4);
    memcpy(out + 19, text + 16, 4);
    memcpy(out + 24, text + 20, 12);
    out[8] = out[13] = out[18] = out[23] = '-';
    out[EST_UUID_LEN] = '\0';
}

void est_boot_id(char out[EST_BOOT_LEN + 1])
{
    unsigned char b[EST_BOOT_LEN / 2];

    est_random(b, sizeof(b));
    to_hex(out, b, sizeof(b));
    out[EST_BOOT_LEN] = '\0';
}
