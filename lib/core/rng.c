#include "rng.h"

#include "base/assert.h"

static uint64_t rotl(uint64_t x, unsigned b)
{
    return (x << b) | (x >> (64 - b));
}

/* splitmix64 spreads any seed, also 0, over a state that is never all zero. */
void est_rng_seed(struct est_rng *rng, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        rng->s[i] = z ^ (z >> 31);
    }
}

uint64_t est_rng_next(struct est_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

/* The remainders above the last full multiple of bound are drawn again, so none is more likely. */
uint64_t est_rng_below(struct est_rng *rng, uint64_t bound)
{
    uint64_t x, limit;

    EST_ASSERT(bound > 0);
    limit = UINT64_MAX - UINT64_MAX % bound;
    do {
        x = est_rng_next(rng);
    } while (x >= limit);
    return x % bound;
}

bool est_rng_chance(struct est_rng *rng, unsigned percent)
{
    return est_rng_below(rng, 100) < percent;
}
