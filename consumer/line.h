/* One type on its way to the destination: how its batches are filled, how many of its requests may
 * be out, and whether its requests time out while those of others are answered. Decides, and does
 * nothing. */
#pragma once

#include "base/clock.h"
#include "core/batch.h"
#include "core/breaker.h"
#include "core/window.h"

#include <stdbool.h>

struct est_config;
struct est_destination_config;
struct est_type_config;

struct line {
    const struct est_type_config *type;
    struct est_batch_limits limits;
    struct est_window window;
    struct est_breaker breaker; /* of this type alone: it opens on timeouts */
    est_us timeout;
    unsigned retries, max_attempts;
    bool gives_up;      /* after max_attempts, to the DLQ; else it holds on */
    bool is_paused;     /* by an operator */
    est_us answered_at; /* when a request of it was last answered, well or not */
    uint64_t passed;    /* events of it delivered; from 1 */
    unsigned failing;   /* events of it that failed, none having been delivered since */
};

/* Events that a request may ever carry. */
size_t line_count_max(const struct est_destination_config *d);
/* What is set for the type, else for the destination; i is the type's place in cfg->types. */
void line_init(struct line *ln, const struct est_config *cfg,
               const struct est_destination_config *d, size_t i);

/* May a request of it start, as far as the line is concerned? */
bool line_may_start(const struct line *ln, est_us now);
/* When it may: not after now = at once, EST_NEVER = when something else happens first. */
est_us line_ready_at(const struct line *ln, est_us now);
/* It starts (only when it may); the ticket goes to line_end. */
void line_begin(struct line *ln, est_us now, uint32_t *ret_ticket);
void line_end(struct line *ln, uint32_t ticket, enum est_window_outcome load,
              enum est_breaker_outcome outcome, est_us now);
