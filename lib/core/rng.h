/* A small seeded generator (xoshiro256**, Blackman and Vigna 2018, seeded by splitmix64) for jitter
 * and for simulators: the same seed gives the same sequence on every machine. Not for secrets. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct est_rng {
    uint64_t s[4];
};

void est_rng_seed(struct est_rng *rng, uint64_t seed);
uint64_t est_rng_next(struct est_rng *rng);
/* Uniform in [0, bound); bound > 0. */
uint64_t est_rng_below(struct est_rng *rng, uint64_t bound);
/* True `percent` times in a hundred. */
bool est_rng_chance(struct est_rng *rng, unsigned percent);
