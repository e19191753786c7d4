#include "breaker.h"

#include "base/assert.h"

void est_breaker_init(struct est_breaker *br, struct est_breaker_policy policy)
{
    EST_ASSERT(policy.failures > 0 && policy.open_first > 0);
    EST_ASSERT(policy.open_max >= policy.open_first);
    *br = (struct est_breaker){.policy = policy, .state = EST_BREAKER_CLOSED};
}

static void enter(struct est_breaker *br, enum est_breaker_state state)
{
    br->state = state;
    br->turn++;
    br->failed = 0;
    br->probing = false;
}

est_us est_breaker_next_open(const struct est_breaker *br)
{
    if (br->open_for == 0)
        return br->policy.open_first;
    return br->open_for > br->policy.open_max / 2 ? br->policy.open_max : br->open_for * 2;
}

static void open_up(struct est_breaker *br, est_us now)
{
    br->open_for = est_breaker_next_open(br);
    br->open_until = now + br->open_for;
    enter(br, EST_BREAKER_OPEN);
}

static void close_down(struct est_breaker *br)
{
    br->open_for = 0;
    enter(br, EST_BREAKER_CLOSED);
}

bool est_breaker_allow(struct est_breaker *br, est_us now, uint32_t *ret_ticket)
{
    if (br->state == EST_BREAKER_OPEN && now >= br->open_until)
        enter(br, EST_BREAKER_HALF_OPEN);
    if (est_breaker_retry_at(br, now) > now)
        return false;
    br->probing = br->state == EST_BREAKER_HALF_OPEN;
    br->probed_at = now;
    *ret_ticket = br->turn;
    return true;
}

static void observe_closed(struct est_breaker *br, enum est_breaker_outcome outcome, est_us now)
{
    if (outcome == EST_BREAKER_ANSWERED)
        br->failed = 0;
    else if (outcome == EST_BREAKER_TRIPPED ||
             (outcome == EST_BREAKER_FAILED && ++br->failed >= br->policy.failures))
        open_up(br, now);
}

static void observe_probe(struct est_breaker *br, enum est_breaker_outcome outcome, est_us now)
{
    br->probing = false;
    if (outcome == EST_BREAKER_ANSWERED)
        close_down(br);
    else if (outcome != EST_BREAKER_UNKNOWN)
        open_up(br, now);
}

void est_breaker_observe(struct est_breaker *br, uint32_t ticket, enum est_breaker_outcome outcome,
                         est_us now)
{
    if (ticket != br->turn)
        return;
    EST_ASSERT(br->state != EST_BREAKER_OPEN);
    if (br->state == EST_BREAKER_CLOSED)
        observe_closed(br, outcome, now);
    else
        observe_probe(br, outcome, now);
}

/* How long others wait for it grows by their outcomes, and ours goes on from there. */
void est_breaker_told_down(struct est_breaker *br, est_us until, est_us now)
{
    est_us left = until - now < br->policy.open_max ? until - now : br->policy.open_max;

    if (br->state == EST_BREAKER_HALF_OPEN && br->probing)
        return;
    if (left > br->open_for)
        br->open_for = left;
    br->open_until = until;
    if (br->state != EST_BREAKER_OPEN)
        enter(br, EST_BREAKER_OPEN);
}

void est_breaker_told_up(struct est_breaker *br)
{
    if (br->state == EST_BREAKER_CLOSED || br->probing)
        return;
    close_down(br);
}

void est_breaker_hurry(struct est_breaker *br, est_us now)
{
    if (br->state == EST_BREAKER_OPEN && br->open_until > now)
        br->open_until = now;
}

bool est_breaker_is_due(const struct est_breaker *br, est_us now)
{
    if (br->state == EST_BREAKER_OPEN)
        return now >= br->open_until;
    return br->state == EST_BREAKER_HALF_OPEN && est_breaker_retry_at(br, now) <= now;
}

/* A request that hangs must not keep others from finding out: the next probe goes after the time
 * that follows a failed one, whatever has become of this one. */
est_us est_breaker_retry_at(const struct est_breaker *br, est_us now)
{
    if (br->state == EST_BREAKER_OPEN)
        return br->open_until;
    return br->probing ? br->probed_at + est_breaker_next_open(br) : now;
}

const char *est_breaker_state_name(enum est_breaker_state state)
{
    static const char *const names[] = {
        [EST_BREAKER_CLOSED] = "closed",
        [EST_BREAKER_OPEN] = "open",
        [EST_BREAKER_HALF_OPEN] = "half_open",
    };

    return names[state];
}
