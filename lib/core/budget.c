#include "budget.h"

#include "base/assert.h"
#include "ratelimit.h"

/* What a twentieth at once adds, and the jitter of the way, must fit into the window, too. */
enum { SPREAD_NUM = 27, SPREAD_DEN = 25, AT_ONCE = 20 };
static const est_us SHORT = 5 * EST_MS; /* a wait from which on the budget counts as short */
static const est_us ALONE_FOR = EST_SECOND;
static const est_us EVERY_MAX = 24 * 3600 * EST_SECOND;

static struct est_pace pace_of(uint32_t requests, est_us window)
{
    struct est_pace p = {0};
    uint32_t at_once = requests / AT_ONCE > 1 ? requests / AT_ONCE : 1;

    if (requests == 0 || window <= 0)
        return p;
    p.every = window / SPREAD_DEN * SPREAD_NUM / (est_us)requests;
    p.every = p.every < 1 ? 1 : p.every > EVERY_MAX ? EVERY_MAX : p.every;
    p.slack = p.every * (est_us)(at_once - 1);
    return p;
}

void est_budget_init(struct est_budget *b, uint32_t requests, est_us window)
{
    *b = (struct est_budget){.own = pace_of(requests, window),
                             .owned = 1,
                             .total = 1,
                             .next = EST_BUDGET_NEVER,
                             .heard_at = EST_BUDGET_NEVER};
}

void est_budget_set_share(struct est_budget *b, unsigned owned, unsigned total)
{
    b->total = total > 0 ? total : 1;
    b->owned = owned < 1 ? 1 : owned > b->total ? b->total : owned;
}

/* What was heard or asked before belongs to the place that was there before. */
void est_budget_set_shared(struct est_budget *b, bool shared)
{
    b->shared = shared;
    b->asking = b->has_slot = false;
    b->again = b->alone_until = 0;
    b->heard_at = EST_BUDGET_NEVER;
}

/* The slowest of what is in force. */
static struct est_pace pace_now(const struct est_budget *b, est_us now)
{
    struct est_pace p = b->own;

    if (b->policy.every > p.every)
        p = b->policy;
    if (now < b->said_until && b->said.every > p.every)
        p = b->said;
    return p;
}

/* --- alone --- */

static est_us alone_start(const struct est_budget *b, struct est_pace p, est_us now)
{
    if (p.every == 0)
        return now;
    return b->next > now - p.slack ? b->next : now - p.slack;
}

static bool allow_alone(struct est_budget *b, est_us now)
{
    struct est_pace p = pace_now(b, now);
    est_us start = alone_start(b, p, now);

    if (start > now) {
        b->waited = true;
        return false;
    }
    if (p.every > 0)
        b->next = start + p.every * (est_us)b->total / (est_us)b->owned;
    b->is_short = b->waited;
    b->waited = false;
    return true;
}

/* --- shared --- */

/* Nobody answers any more: on alone, until somebody does. */
static bool is_deaf(const struct est_budget *b, est_us now)
{
    return b->asking && now - b->asked_at >= EST_BUDGET_PATIENCE;
}

static bool is_fresh(const struct est_budget *b, est_us now, est_us within)
{
    return b->heard_at != EST_BUDGET_NEVER && now - b->heard_at <= within;
}

/* A slot that was not used in its time would come on top of later ones. */
static bool has_slot(const struct est_budget *b, est_us every, est_us now)
{
    est_us grace = every > EST_BUDGET_PATIENCE ? every : EST_BUDGET_PATIENCE;

    return b->has_slot && now <= b->slot_at + grace;
}

static bool allow_shared(struct est_budget *b, est_us now)
{
    est_us every = pace_now(b, now).every;

    if (!is_fresh(b, now, EST_BUDGET_FRESH))
        return false;
    if (every == 0) {
        b->is_short = false;
        return true;
    }
    if (!has_slot(b, every, now) || b->slot_at > now)
        return false;
    b->has_slot = false;
    return true;
}

bool est_budget_is_alone(const struct est_budget *b, est_us now)
{
    return !b->shared || now < b->alone_until || is_deaf(b, now);
}

bool est_budget_allow(struct est_budget *b, est_us now)
{
    if (now < b->gate)
        return false;
    return est_budget_is_alone(b, now) ? allow_alone(b, now) : allow_shared(b, now);
}

/* Its time has not come again: slot_at and next are those of the request that did not start. */
void est_budget_return(struct est_budget *b, est_us now)
{
    struct est_pace p = pace_now(b, now);

    if (p.every == 0)
        return;
    if (est_budget_is_alone(b, now))
        b->next -= p.every * (est_us)b->total / (est_us)b->owned;
    else
        b->has_slot = true;
}

static est_us shared_ready_at(const struct est_budget *b, est_us now)
{
    est_us every = pace_now(b, now).every;

    if (b->asking)
        return b->asked_at + EST_BUDGET_PATIENCE;
    if (every > 0 && has_slot(b, every, now))
        return b->slot_at;
    return b->again;
}

est_us est_budget_ready_at(const struct est_budget *b, est_us now)
{
    est_us at = est_budget_is_alone(b, now) ? alone_start(b, pace_now(b, now), now)
                                            : shared_ready_at(b, now);

    return at > b->gate ? at : b->gate;
}

est_us est_budget_every(const struct est_budget *b, est_us now)
{
    return pace_now(b, now).every;
}

bool est_budget_is_short(const struct est_budget *b)
{
    return b->is_short;
}

/* While requests go out without a limit, the next answer is there before the last is too old. */
bool est_budget_ask(struct est_budget *b, est_us now, bool in_any_case,
                    struct est_budget_question *ret)
{
    struct est_pace p = pace_now(b, now);
    bool slot = p.every > 0 && !has_slot(b, p.every, now);
    est_us within = p.every == 0 ? EST_BUDGET_FRESH / 2 : EST_BUDGET_FRESH;

    bool is_early = slot ? now < b->again : p.every > 0 && now < b->slot_at;

    if (!b->shared || b->asking || now < b->gate || now < b->alone_until)
        return false;
    if (!in_any_case && (is_early || (!slot && is_fresh(b, now, within))))
        return false;
    *ret = (struct est_budget_question){p, slot};
    b->asking = true;
    b->asked_at = now;
    return true;
}

void est_budget_hear(struct est_budget *b, const struct est_budget_answer *answer, est_us now)
{
    if (!b->asking)
        return;
    b->asking = false;
    if (answer->epoch != b->epoch)
        b->has_slot = false;
    b->epoch = answer->epoch;
    b->heard_at = b->asked_at;
    b->again = 0;
    if (answer->gate > 0)
        est_budget_close(b, answer->gate, now);
    else if (answer->slot >= 0) {
        b->has_slot = true;
        b->slot_at = now + answer->slot;
        b->is_short = answer->slot > SHORT;
    } else if (answer->again > 0)
        b->again = now + answer->again;
}

void est_budget_unheard(struct est_budget *b, est_us now)
{
    b->asking = false;
    b->alone_until = now + ALONE_FOR;
}

/* --- what the receiver says --- */

void est_budget_close(struct est_budget *b, est_us wait, est_us now)
{
    if (wait <= 0)
        return;
    b->has_slot = false;
    if (now + wait > b->gate)
        b->gate = now + wait;
}

est_us est_budget_observe(struct est_budget *b, const struct est_ratelimit *said, est_us now)
{
    b->policy = pace_of(said->quota, said->window);
    if (!said->has_left)
        return 0;
    b->said_until = now + said->reset;
    b->said = (struct est_pace){0};
    if (said->left == 0)
        return said->reset;
    b->said.every = said->reset / (est_us)said->left;
    b->said.slack = b->said.every * (est_us)(said->left / AT_ONCE);
    return 0;
}

uint32_t est_budget_left(const struct est_budget *b, est_us now)
{
    struct est_pace p = pace_now(b, now);
    est_us free;

    if (now < b->gate)
        return 0;
    if (p.every == 0)
        return UINT32_MAX;
    if (!est_budget_is_alone(b, now))
        return b->has_slot && b->slot_at <= now;
    free = now - alone_start(b, p, now);
    return free < 0 ? 0 : (uint32_t)(free / p.every + 1);
}
