#include "board.h"

#include <string.h>

void board_init(struct board *board, uint64_t seed)
{
    *board = (struct board){.mode = BOARD_UP};
    est_rng_seed(&board->rng, seed);
    board->kind = (enum board_kind)est_rng_below(&board->rng, BOARD__KINDS);
}

static void turn(struct board *board, est_us now)
{
    if (board->healed) {
        board->mode = BOARD_UP;
    } else if (now >= board->mode_until) {
        bool up = est_rng_chance(&board->rng, 60);
        board->mode = up ? BOARD_UP : (enum board_mode)est_rng_below(&board->rng, BOARD__MODES);
        board->mode_until = now + (est_us)est_rng_below(&board->rng, 2000) * EST_MS;
    }
}

/* A failure that may come before or behind the work: nobody outside can tell how much was taken. */
static void break_down(struct board *board, struct belt *belt, const uint32_t *events, size_t n,
                       struct board_reply *ret)
{
    static const struct est_outcome ways[] = {
        {.transport = EST_ERR_TIMEOUT},
        {.transport = EST_ERR_DASH_DOWN},
        {.transport = EST_ERR_HTTP},
        {.status = 408},
        {.status = 409},
        {.status = 425},
        {.status = 429},
        {.status = 500},
        {.status = 502},
        {.status = 503},
        {.status = 504},
        {.status = 301},
        {.status = 404},
        {.status = 101},
    };
    size_t taken = est_rng_chance(&board->rng, 50) ? est_rng_below(&board->rng, n + 1) : 0;

    for (size_t i = 0; i < taken && !belt->events[events[i]].poison; i++)
        belt_apply(belt, events[i]);
    ret->outcome = ways[est_rng_below(&board->rng, sizeof(ways) / sizeof(ways[0]))];
    ret->retry_after = est_rng_chance(&board->rng, 20) ? 300 * EST_MS : 0;
}

static int refusal(struct board *board)
{
    static const int statuses[] = {400, 413, 415, 422, 451};

    return statuses[est_rng_below(&board->rng, 5)];
}

/* True when an earlier event of the same key has failed in this request. */
static bool is_held_back(const struct belt *belt, const uint32_t *events, const int *items,
                         size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (items[j] >= 300 && belt->events[events[j]].key == belt->events[events[i]].key)
            return true;
    return false;
}

static void answer_per_item(struct board *board, struct belt *belt, const uint32_t *events,
                            size_t n, struct board_reply *ret)
{
    ret->outcome = (struct est_outcome){.status = est_rng_chance(&board->rng, 50) ? 200 : 207};
    for (size_t i = 0; i < n; i++) {
        if (board->kind == BOARD_HOLDS_BACK && is_held_back(belt, events, ret->items, i))
            ret->items[i] = 424;
        else if (belt->events[events[i]].poison)
            ret->items[i] = refusal(board);
        else if (!board->healed && est_rng_chance(&board->rng, 2))
            ret->items[i] = est_rng_chance(&board->rng, 50) ? 503 : 409;
        else
            ret->items[i] = 201;
        if (ret->items[i] == 201)
            belt_apply(belt, events[i]);
    }
}

/* Whoever stands in front of a receiver that answers per item may refuse a body for its size. */
static bool is_too_much(struct board *board, size_t n)
{
    return !board->healed && n > 1 && est_rng_chance(&board->rng, 5);
}

static void answer_whole(struct board *board, struct belt *belt, const uint32_t *events, size_t n,
                         struct board_reply *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (belt->events[events[i]].poison) {
            ret->outcome = (struct est_outcome){.status = refusal(board)};
            return;
        }
    }
    for (size_t i = 0; i < n; i++)
        belt_apply(belt, events[i]);
    ret->outcome = (struct est_outcome){.status = 202};
}

void board_answer(struct board *board, struct belt *belt, const uint32_t *events, size_t n,
                  est_us now, struct board_reply *ret)
{
    memset(ret, 0, sizeof(*ret));
    board->requests++;
    turn(board, now);
    if (board->mode == BOARD_LOCKED)
        ret->outcome = (struct est_outcome){.status = est_rng_chance(&board->rng, 50) ? 401 : 403};
    else if (board->mode == BOARD_DOWN ||
             (board->mode == BOARD_FLAKY && est_rng_chance(&board->rng, 30)))
        break_down(board, belt, events, n, ret);
    else if (board->kind == BOARD_WHOLE)
        answer_whole(board, belt, events, n, ret);
    else if (is_too_much(board, n))
        ret->outcome = (struct est_outcome){.status = 413};
    else
        answer_per_item(board, belt, events, n, ret);
    ret->outcome.events = n;
    ret->outcome.itemized = board->kind != BOARD_WHOLE;
}
