#include "murmur2.h"

#include "base/assert.h"

static uint32_t byte_at(struct est_view v, size_t i)
{
    return (unsigned char)v.data[i];
}

static uint32_t word_at(struct est_view v, size_t i)
{
    return byte_at(v, i) | byte_at(v, i + 1) << 8 | byte_at(v, i + 2) << 16 |
           byte_at(v, i + 3) << 24;
}

uint32_t est_murmur2(struct est_view key)
{
    const uint32_t m = 0x5bd1e995, seed = 0x9747b28c;
    uint32_t h = seed ^ (uint32_t)key.len;
    size_t i = 0;

    for (; i + 4 <= key.len; i += 4) {
        uint32_t k = word_at(key, i) * m;
        k = (k ^ (k >> 24)) * m;
        h = (h * m) ^ k;
    }
    if (i < key.len) {
        for (unsigned shift = 0; i < key.len; i++, shift += 8)
            h ^= byte_at(key, i) << shift;
        h *= m;
    }
    h = (h ^ (h >> 13)) * m;
    return h ^ (h >> 15);
}

uint32_t est_murmur2_partition(struct est_view key, uint32_t partitions)
{
    EST_ASSERT(partitions > 0);
    return (est_murmur2(key) & 0x7fffffff) % partitions;
}
