/* Whose turn it is, of several that wait for the same thing: by weight, and nobody waits for ever.
 * Each turn costs its taker 1 / weight, and who has spent least goes first; who comes back after a
 * rest begins where the others are. Whoever was passed over TURNS_STARVED times while waiting goes
 * before all others, so each that always waits gets at least one in a hundred turns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EST_TURNS_MAX = 64, EST_TURNS_STARVED = 64, EST_TURNS_PRIORITIES = 9 };

struct est_turns {
    size_t n;
    struct {
        uint64_t cost, spent;
        unsigned passed_over; /* turns of others while it waited */
    } all[EST_TURNS_MAX];
    uint64_t now; /* what the last taker had spent */
};

/* n at most EST_TURNS_MAX. */
void est_turns_init(struct est_turns *t, size_t n);
/* priority 1 (first) to EST_TURNS_PRIORITIES (last): each weighs twice as much as the next. */
void est_turns_set(struct est_turns *t, size_t i, unsigned priority);
/* Which of those that wait comes next; n when none does. Decides only. */
size_t est_turns_next(const struct est_turns *t, const bool *waits);
/* It has taken its turn. */
void est_turns_take(struct est_turns *t, size_t i, const bool *waits);
