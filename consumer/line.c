#include "line.h"

#include "base/assert.h"
#include "config/config.h"

enum { TIMEOUTS = 5 };
static const est_us OPEN_MAX = 5 * EST_SECOND;

size_t line_count_max(const struct est_destination_config *d)
{
    return d->batch_count > 1 && d->batch_count_max > d->batch_count ? d->batch_count_max
                                                                     : d->batch_count;
}

void line_init(struct line *ln, const struct est_config *cfg,
               const struct est_destination_config *d, size_t i)
{
    const struct est_type_config *type = &cfg->types[i];
    const struct est_breaker_policy policy = {
        TIMEOUTS, d->retry_initial < OPEN_MAX ? d->retry_initial : OPEN_MAX, OPEN_MAX};
    unsigned exhausted =
        type->on_exhausted == EST_EXHAUSTED_INHERIT ? d->on_exhausted + 1 : type->on_exhausted;

    *ln =
        (struct line){.type = type,
                      .limits = {.count = d->batch_count,
                                 .bytes = d->batch_bytes,
                                 .per_key = d->batch_one_per_key ? 1 : 0,
                                 .age = d->batch_age,
                                 .group = i},
                      .timeout = type->timeout > 0 ? type->timeout : d->timeout,
                      .retries = type->retries > 0 ? type->retries : d->retries,
                      .max_attempts = type->max_attempts > 0 ? type->max_attempts : d->max_attempts,
                      .gives_up = exhausted == EST_EXHAUSTED_DLQ,
                      .passed = 1};
    est_window_init(&ln->window, d->max_in_flight, d->max_in_flight);
    est_breaker_init(&ln->breaker, policy);
}

est_us line_ready_at(const struct line *ln, est_us now)
{
    est_us at = est_breaker_retry_at(&ln->breaker, now);

    if (ln->is_paused || ln->window.in_flight >= ln->window.size)
        return EST_NEVER;
    return at > now ? at : now;
}

bool line_may_start(const struct line *ln, est_us now)
{
    return line_ready_at(ln, now) <= now;
}

void line_begin(struct line *ln, est_us now, uint32_t *ret_ticket)
{
    bool ok = est_window_allow(&ln->window) && est_breaker_allow(&ln->breaker, now, ret_ticket);

    EST_ASSERT(ok);
}

void line_end(struct line *ln, uint32_t ticket, enum est_window_outcome load,
              enum est_breaker_outcome outcome, est_us now)
{
    est_window_observe(&ln->window, load);
    est_breaker_observe(&ln->breaker, ticket, outcome, now);
}
