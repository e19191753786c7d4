#include "deliver_state.h"

#include "config/config.h"
#include "core/lanes.h"

/* A request that has not been answered for so long is waiting, not working: its place is lent to
 * the other types, so that one whose requests hang does not keep them all. */
static const est_us SLOW_AFTER = 250 * EST_MS;
/* The longest that an event waits for company while the budget is short. */
static const est_us AGE_MAX = 1500 * EST_MS;

/* --- places: max_in_flight of them, and as many again for those that wait --- */

static bool is_slow(const struct shipment *s, est_us now)
{
    return s->call != NULL && now - s->started_at >= SLOW_AFTER;
}

static size_t count_slow(const struct deliver *dv, est_us now)
{
    size_t slow = 0;

    for (size_t i = 0; i < dv->n; i++)
        slow += is_slow(&dv->shipments[i], now);
    return slow;
}

/* A type that has no request out gets a place at once; so where all are taken by one whose requests
 * hang, the others do not notice it. Who allows one request at a time means it. */
static bool has_place(const struct deliver *dv, const struct line *ln, est_us now)
{
    size_t places = dv->w->dest->max_in_flight;

    if (dv->out < places)
        return true;
    if (places == 1 || dv->out >= places * 2)
        return false;
    return ln->window.in_flight == 0 || dv->out - count_slow(dv, now) < places;
}

/* When has_place turns true, if no request ends before. */
static est_us place_at(const struct deliver *dv, const struct line *ln, est_us now)
{
    size_t places = dv->w->dest->max_in_flight;
    est_us at = EST_NEVER;

    if (has_place(dv, ln, now))
        return now;
    for (size_t i = 0; places > 1 && dv->out < places * 2 && i < dv->n; i++) {
        const struct shipment *s = &dv->shipments[i];
        if (s->call != NULL && !is_slow(s, now) && s->started_at + SLOW_AFTER < at)
            at = s->started_at + SLOW_AFTER;
    }
    return at;
}

/* --- one request --- */

enum deliver_answer deliver_allow(struct shipment *s)
{
    struct deliver *dv = s->dv;
    est_us now = est_loop_now(dv->w->loop);

    if (!line_may_start(s->line, now) || !has_place(dv, s->line, now))
        return DELIVER_NOT_THIS;
    if (!endpoint_allow(&dv->endpoint, &s->ticket))
        return DELIVER_NOBODY;
    line_begin(s->line, now, &s->line_ticket);
    s->started_at = now;
    dv->out++;
    return DELIVER_GO;
}

void deliver_forgo(struct shipment *s)
{
    struct deliver *dv = s->dv;

    dv->out--;
    line_end(s->line, s->line_ticket, EST_WINDOW_NEUTRAL, EST_BREAKER_UNKNOWN,
             est_loop_now(dv->w->loop));
    endpoint_forgo(&dv->endpoint, s->ticket);
}

static enum est_window_outcome load_of(struct est_verdict v, int status)
{
    if (status == 429 || status == 503 || v.class == EST_CLASS_TIMEOUT)
        return EST_WINDOW_OVERLOAD;
    return v.act == EST_VERDICT_RETRY || v.act == EST_VERDICT_PAUSE ? EST_WINDOW_NEUTRAL
                                                                    : EST_WINDOW_GOOD;
}

/* Other types were answered since this request began. */
static bool is_apart(const struct shipment *s)
{
    for (size_t i = 0; i < s->dv->n_lines; i++)
        if (&s->dv->lines[i] != s->line && s->dv->lines[i].answered_at > s->started_at)
            return true;
    return false;
}

void deliver_observe(struct shipment *s, struct endpoint_outcome *o)
{
    struct deliver *dv = s->dv;
    est_us now = est_loop_now(dv->w->loop);
    bool timed_out = o->verdict.class == EST_CLASS_TIMEOUT && o->verdict.infra;

    dv->out--;
    o->is_apart = timed_out && is_apart(s);
    if (!o->verdict.infra)
        s->line->answered_at = now;
    line_end(s->line, s->line_ticket, load_of(o->verdict, o->status),
             timed_out ? EST_BREAKER_FAILED : EST_BREAKER_ANSWERED, now);
    endpoint_observe(&dv->endpoint, s->ticket, o);
}

/* --- whose turn it is --- */

/* While requests come slower than events, each carries as many as it may, and an event waits longer
 * for company: a type with little to send leaves requests to the others. */
struct est_batch_limits deliver_limits(const struct deliver *dv, const struct line *ln)
{
    struct est_batch_limits limits = ln->limits;
    est_us every = endpoint_short_of(&dv->endpoint), age = every * 2;

    if (every == 0)
        return limits;
    limits.count = line_count_max(dv->w->dest);
    age = age < AGE_MAX ? age : AGE_MAX;
    limits.age = limits.age > age ? limits.age : age;
    return limits;
}

bool deliver_is_paused(const struct deliver *dv)
{
    for (size_t i = 0; i < dv->n_lines; i++)
        if (!dv->lines[i].is_paused)
            return false;
    return true;
}

size_t deliver_ready(const struct deliver *dv, size_t type)
{
    return est_batch_ready(&dv->lines[type].limits, dv->w->lanes);
}

static est_us due_at(const struct deliver *dv, const struct line *ln, est_us now)
{
    struct est_batch_limits limits = deliver_limits(dv, ln);

    limits.count = ln->limits.count; /* what makes a request worth sending is as always */
    return est_batch_due(&limits, dv->w->lanes, now);
}

/* A type whose own requests time out does not probe the endpoint while another one could. */
static void prefer_sound(const struct deliver *dv, bool *waits)
{
    bool any = false;

    for (size_t i = 0; i < dv->n_lines; i++)
        any = any || (waits[i] && dv->lines[i].breaker.state == EST_BREAKER_CLOSED);
    for (size_t i = 0; any && i < dv->n_lines; i++)
        waits[i] = waits[i] && dv->lines[i].breaker.state == EST_BREAKER_CLOSED;
}

size_t deliver_pick(const struct deliver *dv, bool waits[EST_TURNS_MAX])
{
    est_us now = est_loop_now(dv->w->loop);
    size_t n = 0;

    (void)est_lanes_ready(dv->w->lanes, 0, now); /* wakes what was parked, of all groups */
    for (size_t i = 0; i < dv->n_lines; i++) {
        const struct line *ln = &dv->lines[i];
        waits[i] = est_lanes_group(dv->w->lanes, i).ready > 0 && line_may_start(ln, now) &&
                   has_place(dv, ln, now) && due_at(dv, ln, now) <= now;
        n += waits[i];
    }
    if (n > 1 && endpoint_is_down(&dv->endpoint))
        prefer_sound(dv, waits);
    return n > 0 ? est_turns_next(&dv->turns, waits) : dv->n_lines;
}

est_us deliver_wake_at(const struct deliver *dv)
{
    est_us now = est_loop_now(dv->w->loop), at = dv->held > 0 ? now : EST_NEVER, endpoint;

    for (size_t i = 0; i < dv->n_lines; i++) {
        const struct line *ln = &dv->lines[i];
        est_us due, ready = line_ready_at(ln, now), place;
        if (ready == EST_NEVER || est_lanes_group(dv->w->lanes, i).records == 0)
            continue;
        due = due_at(dv, ln, now);
        place = place_at(dv, ln, now);
        due = due > ready ? due : ready;
        due = due > place ? due : place;
        at = due < at ? due : at;
    }
    if (at == EST_NEVER)
        return at;
    endpoint = endpoint_ready_at(&dv->endpoint);
    return at > endpoint ? at : endpoint;
}
