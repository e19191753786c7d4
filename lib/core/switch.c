#include "switch.h"

#include "base/assert.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void enter(struct est_switch *sw, enum est_switch_state state)
{
    sw->transitions[sw->state][state]++;
    sw->state = state;
}

/* Whatever was learnt about the stream by reading it is forgotten. */
static void to_head(struct est_switch *sw)
{
    sw->at_head = true;
    sw->tail = false;
    sw->closing = false;
    sw->older_end = false;
}

/* Nothing is known that could be handed to Kafka, or that shows it takes anything. */
static void settle(struct est_switch *sw)
{
    if (sw->state == EST_DRAINING && sw->older == 0 && sw->own == 0 && !sw->evidence)
        enter(sw, EST_BUFFERING);
}

/* What was read can be deleted no more: its ids are not ours, or no longer the same entries'. */
static void forget_reads(struct est_switch *sw)
{
    sw->asked = 0;
    sw->undeleted = 0;
    sw->deleting = 0;
    sw->delete_sent = false;
    sw->stale = sw->flying > 0;
    to_head(sw);
}

void est_switch_init(struct est_switch *sw, const struct est_switch_options *opt)
{
    EST_ASSERT(opt->window_max > 0 && opt->probe_first > 0 && opt->probe_max >= opt->probe_first);
    *sw = (struct est_switch){
        .opt = *opt, .state = EST_BUFFERING, .window = 1, .allowance = SIZE_MAX, .at_head = true};
}

enum est_switch_route est_switch_route(const struct est_switch *sw)
{
    if (sw->state == EST_DIRECT)
        return EST_TO_KAFKA;
    return sw->store ? EST_TO_BUFFER : EST_TO_NOBODY;
}

void est_switch_sent(struct est_switch *sw, enum est_switch_route route)
{
    EST_ASSERT(route == EST_TO_NOBODY || (route == EST_TO_KAFKA) == (sw->state == EST_DIRECT));
    if (route == EST_TO_KAFKA)
        sw->direct++;
    else if (route == EST_TO_BUFFER)
        sw->queue++;
}

/* Our own records arrive: the next loss is a first one again. */
static void arrived(struct est_switch *sw)
{
    sw->evidence = true;
    sw->pause = 0;
}

void est_switch_acked_direct(struct est_switch *sw)
{
    EST_ASSERT(sw->direct > 0);
    sw->direct--;
    arrived(sw);
}

static void wait_longer(struct est_switch *sw, est_us now)
{
    if (sw->pause == 0)
        sw->pause = sw->opt.probe_first;
    else
        sw->pause = sw->pause > sw->opt.probe_max / 2 ? sw->opt.probe_max : sw->pause * 2;
    sw->due = now + sw->pause;
}

void est_switch_lost(struct est_switch *sw, size_t back, est_us now)
{
    EST_ASSERT(back <= sw->direct);
    EST_ASSERT(back == 0 || sw->appending == 0);
    /* What says nothing new must not postpone the next try again and again. */
    if (sw->state != EST_BUFFERING || sw->direct > 0 || sw->flying > 0)
        wait_longer(sw, now);
    sw->queue += back;
    sw->direct = 0;
    sw->flying = 0;
    sw->stale = false;
    sw->evidence = false;
    sw->window = 1;
    to_head(sw);
    if (sw->state != EST_BUFFERING)
        enter(sw, EST_BUFFERING);
}

void est_switch_evidence(struct est_switch *sw)
{
    sw->evidence = true;
}

void est_switch_store(struct est_switch *sw, bool up)
{
    if (sw->store == up)
        return;
    sw->store = up;
    if (up)
        return;
    forget_reads(sw);
    sw->append_sent = false;
    sw->append_unknown = sw->appending > 0;
}

void est_switch_older(struct est_switch *sw, size_t n, est_us now)
{
    if (n == sw->older)
        return;
    if (n < sw->older)
        forget_reads(sw);
    to_head(sw);
    sw->older = n;
    if (n > 0 && sw->state == EST_DIRECT) {
        sw->due = now;
        enter(sw, EST_BUFFERING);
    }
    settle(sw);
}

/* ---------- what is to be done ---------- */

/* Rules 7, 9 and 10. */
static bool may_release(const struct est_switch *sw, est_us now)
{
    if (sw->state == EST_DIRECT || sw->older > 0 || sw->appending > 0 || !sw->evidence)
        return false;
    if (sw->own == 0)
        return now >= sw->due;
    return sw->state == EST_DRAINING && sw->tail;
}

static struct est_switch_step release(struct est_switch *sw)
{
    struct est_switch_step step = {.act = EST_ACT_RELEASE, .n = sw->queue};

    sw->direct += sw->queue;
    sw->queue = 0;
    sw->closing = false;
    sw->own = sw->own > 0 ? sw->flying + sw->undeleted : 0;
    enter(sw, EST_DIRECT);
    return step;
}

static struct est_switch_step erase(struct est_switch *sw)
{
    sw->deleting = smaller(sw->undeleted, EST_SWITCH_DELETE_MAX);
    sw->delete_sent = true;
    return (struct est_switch_step){.act = EST_ACT_DELETE, .n = sw->deleting};
}

static bool may_append(const struct est_switch *sw)
{
    return sw->state != EST_DIRECT && sw->queue > 0 && sw->direct == 0 && !sw->append_sent &&
           !sw->closing;
}

/* One of unknown outcome is the front of the queue, and so is within this one. */
static struct est_switch_step append(struct est_switch *sw)
{
    sw->appending = smaller(sw->queue, EST_SWITCH_APPEND_MAX);
    sw->append_sent = true;
    sw->append_unknown = false;
    sw->used = true;
    sw->own += sw->appending;
    return (struct est_switch_step){.act = EST_ACT_APPEND, .n = sw->appending};
}

/* In direct, once behind a new connection: there can only be repeats (of deletes that did not come
 * to be, or that a fail-over has undone), and they go the way of all others. */
static bool is_something_to_read(const struct est_switch *sw)
{
    bool unread = sw->own > 0 || (sw->used && sw->state == EST_DIRECT);

    if (sw->older > 0)
        return !sw->older_end;
    return unread && !sw->tail && !(sw->closing && sw->append_sent);
}

/* Rule 5, and a bound on what waits for its deletion. */
static bool is_room_to_read(const struct est_switch *sw)
{
    if (sw->at_head && (sw->flying > 0 || sw->undeleted > 0))
        return false;
    return sw->allowance > 0 && sw->flying < sw->window && sw->undeleted < sw->opt.window_max;
}

static bool may_read(const struct est_switch *sw, est_us now)
{
    return sw->asked == 0 && (sw->state != EST_BUFFERING || now >= sw->due) &&
           is_something_to_read(sw) && is_room_to_read(sw);
}

static struct est_switch_step read(struct est_switch *sw)
{
    struct est_switch_step step = {.act = EST_ACT_READ, .from_head = sw->at_head};

    step.n = smaller(smaller(sw->window - sw->flying, sw->allowance), EST_SWITCH_READ_MAX);
    sw->asked = step.n;
    sw->at_head = false;
    if (sw->state == EST_BUFFERING)
        enter(sw, EST_DRAINING);
    return step;
}

struct est_switch_step est_switch_next(struct est_switch *sw, est_us now)
{
    if (may_release(sw, now))
        return release(sw);
    if (sw->store && sw->undeleted > 0 && !sw->delete_sent)
        return erase(sw);
    if (sw->store && may_append(sw))
        return append(sw);
    if (sw->store && may_read(sw, now))
        return read(sw);
    return (struct est_switch_step){.act = EST_ACT_NONE};
}

est_us est_switch_due(const struct est_switch *sw)
{
    if (sw->state != EST_BUFFERING)
        return 0;
    if (sw->older == 0 && sw->own == 0)
        return sw->evidence ? sw->due : 0;
    return sw->store && sw->asked == 0 && is_something_to_read(sw) && is_room_to_read(sw) ? sw->due
                                                                                          : 0;
}

/* ---------- outcomes ---------- */

void est_switch_appended(struct est_switch *sw, bool ok, size_t refused)
{
    size_t ended = ok ? sw->appending : refused;

    EST_ASSERT(sw->append_sent && ended <= sw->appending);
    sw->queue -= ended;
    sw->appending = 0;
    sw->append_sent = false;
    sw->tail = false;
}

bool est_switch_takes_read(const struct est_switch *sw)
{
    return sw->asked > 0 && !sw->at_head;
}

/* The own stream was read to its end: nothing but what is flying or undeleted is in it, and an
 * append that is under way. */
static void reached_tail(struct est_switch *sw)
{
    sw->tail = true;
    sw->closing = sw->appending > 0 && sw->evidence && sw->state == EST_DRAINING;
    if (sw->state == EST_DIRECT || sw->flying + sw->undeleted == 0)
        sw->own = sw->flying + sw->undeleted + sw->appending;
    settle(sw);
}

void est_switch_read(struct est_switch *sw, size_t n, bool end, bool own)
{
    bool wanted = est_switch_takes_read(sw);

    EST_ASSERT(n <= sw->asked);
    EST_ASSERT(wanted ? own == (sw->older == 0) : n == 0 && !end);
    sw->asked = 0;
    if (!wanted)
        return;
    sw->flying += n;
    if (end && own)
        reached_tail(sw);
    else if (end)
        sw->older_end = true;
}

bool est_switch_acked(struct est_switch *sw)
{
    bool deletable = !sw->stale;

    EST_ASSERT(sw->flying > 0);
    sw->flying--;
    if (deletable)
        sw->undeleted++;
    else
        sw->stale = sw->flying > 0;
    sw->window = sw->window > sw->opt.window_max / 2 ? sw->opt.window_max : sw->window * 2;
    arrived(sw);
    return deletable;
}

/* While the stream is not known to be read to its end `own` stays: what came twice (an append that
 * was sent again) may have been counted once. */
void est_switch_deleted(struct est_switch *sw)
{
    EST_ASSERT(sw->delete_sent);
    if (sw->state == EST_DIRECT && sw->tail)
        sw->own -= smaller(sw->own, sw->deleting);
    sw->undeleted -= sw->deleting;
    sw->deleting = 0;
    sw->delete_sent = false;
}

void est_switch_dropped(struct est_switch *sw, size_t n)
{
    EST_ASSERT(n <= sw->queue && !sw->append_sent);
    sw->queue -= n;
    sw->appending = smaller(sw->appending, sw->queue);
    sw->append_unknown = sw->appending > 0;
}

void est_switch_older_done(struct est_switch *sw)
{
    EST_ASSERT(sw->older > 0 && sw->older_end && sw->flying == 0 && sw->undeleted == 0);
    sw->older--;
    to_head(sw);
    settle(sw);
}

/* While nothing shows that Kafka takes records, a read is a question, and no drain. */
enum est_switch_state est_switch_shown(const struct est_switch *sw)
{
    return sw->state == EST_DRAINING && !sw->evidence ? EST_BUFFERING : sw->state;
}

const char *est_switch_state_name(enum est_switch_state state)
{
    static const char *const names[] = {
        [EST_DIRECT] = "direct", [EST_BUFFERING] = "buffering", [EST_DRAINING] = "draining"};

    return names[state];
}
