/* The fake dashboard: takes events, refuses poison, and has bad hours. Its kind is drawn once a
 * run: it answers per item and holds back what follows a failed event of a key (424), or answers
 * per item without that rule, or takes a batch whole or not at all. */
#pragma once

#include "belt.h"

#include "base/clock.h"
#include "core/verdict.h"

enum { BOARD_BATCH = 40 };

enum board_kind { BOARD_HOLDS_BACK, BOARD_PER_ITEM, BOARD_WHOLE, BOARD__KINDS };
enum board_mode { BOARD_UP, BOARD_FLAKY, BOARD_DOWN, BOARD_LOCKED, BOARD__MODES };

struct board {
    enum board_kind kind;
    enum board_mode mode;
    est_us mode_until;
    bool healed; /* up for good */
    struct est_rng rng;
    uint64_t requests;
};

struct board_reply {
    struct est_outcome outcome;
    est_us retry_after; /* 0 = none said */
    int items[BOARD_BATCH];
};

void board_init(struct board *board, uint64_t seed);
/* Answer a request of n events in order, and take what is taken. */
void board_answer(struct board *board, struct belt *belt, const uint32_t *events, size_t n,
                  est_us now, struct board_reply *ret);
