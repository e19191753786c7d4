/* How much is read: everything is held back while enough is ready, and a partition is paused that
 * would hold up the others. */
#include "base/log.h"
#include "core/lanes.h"
#include "deadletter.h"
#include "deliver.h"
#include "intake_state.h"
#include "room.h"

/* How often a hold is looked at: at first, to see what waits; then, who has drained since. */
static const est_us HOLD_LOOK = 50 * EST_MS;

static struct room room_of(const struct intake *in)
{
    const struct est_config *cfg = in->w->cfg;
    struct room room = {.records_max = cfg->consumer_lanes_records,
                        .bytes_max = cfg->consumer_lanes_bytes,
                        .parts = in->w->parts.n};

    est_lanes_sum(in->w->lanes, &room.records, &room.bytes);
    return room;
}

static bool is_above(const struct room *room, const struct part *p, unsigned quarters)
{
    return room_is_above(room, p->waiting, p->waiting_bytes, quarters);
}

static size_t ready_of(const struct intake *in, const struct part *p)
{
    return deliver_ready(in->w->deliver, intake_type(in, p));
}

/* Of one type: so that one which is sent slowly does not keep the others from being read. */
static bool is_plenty_of(const struct intake *in, const struct room *room, const struct part *p,
                         size_t ready)
{
    if (in->is_slow[intake_type(in, p)])
        return room_is_plenty_of_slow(room, ready, deliver_round(in->w->deliver));
    return room_is_plenty(ready, deliver_request(in->w->deliver), in->held);
}

static bool is_plenty(const struct intake *in, const struct room *room, const struct part *p)
{
    return is_plenty_of(in, room, p, ready_of(in, p));
}

void intake_pause(struct intake *in, struct part *p, bool paused)
{
    if (p->paused == paused ||
        est_kafka_sub_pause(in->w->sub, p->type->topic, p->partition, paused) != EST_OK)
        return;
    p->paused = paused;
    EST_LOG(EST_DEBUG, paused ? "partition_paused" : "partition_resumed",
            EST_S("topic", p->type->topic), EST_I("partition", p->partition),
            EST_I("waiting", p->waiting), EST_I("ready", ready_of(in, p)));
}

static void set_held(struct intake *in, bool held)
{
    if (in->held == held)
        return;
    in->held = held;
    est_kafka_sub_hold(in->w->sub, held);
    in->looked = false;
    if (held)
        est_loop_timer_at(in->w->loop, &in->stuck, est_loop_now(in->w->loop) + HOLD_LOOK);
    else
        est_loop_timer_off(in->w->loop, &in->stuck);
}

/* A partition that is read, though there is too much of it, or of its type. */
static bool is_any_full(const struct intake *in, const struct room *room)
{
    for (size_t i = 0; i < in->w->parts.n; i++) {
        const struct part *p = &in->w->parts.items[i];
        if (!p->paused && (is_above(room, p, ROOM_GO_ON) || is_plenty(in, room, p)))
            return true;
    }
    return false;
}

static bool is_alone(const struct intake *in, const struct part *p)
{
    for (size_t i = 0; i < in->w->parts.n; i++)
        if (in->w->parts.items[i].type != p->type)
            return false;
    return true;
}

/* --- a hold that lasts --- */

static void look(struct intake *in)
{
    for (size_t i = 0; i < in->w->parts.n; i++) {
        struct part *p = &in->w->parts.items[i];
        p->seen = p->waiting;
        p->seen_bytes = p->waiting_bytes;
    }
}

/* Is it more than its share, and will it be? */
static bool stays_above(const struct room *room, const struct part *p)
{
    return room_is_above(room, room_soon(p->waiting, p->seen, p->waiting),
                         room_soon(p->waiting_bytes, p->seen_bytes, p->waiting_bytes), ROOM_STUCK);
}

/* Will there be plenty of its type? */
static bool stays_plenty(const struct intake *in, const struct room *room, const struct part *p)
{
    size_t waiting = 0, seen = 0;

    for (size_t i = 0; i < in->w->parts.n; i++) {
        const struct part *q = &in->w->parts.items[i];
        waiting += q->type == p->type ? q->waiting : 0;
        seen += q->type == p->type ? q->seen : 0;
    }
    return is_plenty_of(in, room, p, room_soon(ready_of(in, p), seen, waiting));
}

/* What to do about a partition for which everything is held back. Has it more than its share, it is
 * paused. Is there plenty of its type, others may miss something: first more is let in of it than
 * is needed, and when that is there too, it is paused. What drains fast enough is left alone: a
 * pause throws away what was fetched of the partition. */
static void relieve(struct intake *in, const struct room *room, struct part *p)
{
    if (!is_plenty(in, room, p)) {
        if (stays_above(room, p))
            intake_pause(in, p, true);
    } else if (is_alone(in, p) || !stays_plenty(in, room, p))
        return;
    else if (in->is_slow[intake_type(in, p)])
        intake_pause(in, p, true);
    else {
        in->is_slow[intake_type(in, p)] = true;
        EST_LOG(EST_DEBUG, "type_slow", EST_S("type", p->type->name), EST_I("waiting", p->waiting),
                EST_I("seen", p->seen), EST_I("ready", ready_of(in, p)));
    }
}

/* Everything has been held back for long. Where nothing can go out nobody is held up by anybody. */
void intake_on_stuck(void *arg)
{
    struct intake *in = arg;
    struct room room = room_of(in);
    bool may_help =
        in->looked && !deadletter_is_full(in->w->deadletter) && !deliver_is_shut(in->w->deliver);

    for (size_t i = 0; may_help && i < in->w->parts.n; i++)
        if (!in->w->parts.items[i].paused)
            relieve(in, &room, &in->w->parts.items[i]);
    look(in);
    in->looked = !deliver_is_shut(in->w->deliver);
    intake_resume(in);
    if (in->held)
        est_loop_timer_at(in->w->loop, &in->stuck, est_loop_now(in->w->loop) + HOLD_LOOK);
}

/* A slow type is read again when less than a round of it is left. */
static bool can_resume(const struct intake *in, const struct room *room, const struct part *p)
{
    return est_list_empty(&p->held) && !is_above(room, p, ROOM_RESUME) &&
           deliver_ready(in->w->deliver, intake_type(in, p)) < deliver_round(in->w->deliver);
}

static void forget_slow(struct intake *in)
{
    size_t request = deliver_request(in->w->deliver);

    for (size_t i = 0; i < in->w->cfg->n_types; i++)
        if (in->is_slow[i] && room_is_little(deliver_ready(in->w->deliver, i), request))
            in->is_slow[i] = false;
}

void intake_resume(struct intake *in)
{
    struct room room = room_of(in);

    forget_slow(in);
    for (size_t i = 0; i < in->w->parts.n; i++) {
        struct part *p = &in->w->parts.items[i];
        if (p->full && est_account_room(p->account) >= PART_ROOM_AGAIN)
            held_release(in, p);
        if (p->paused && can_resume(in, &room, p))
            intake_pause(in, p, false);
    }
    if (in->held && !deadletter_is_full(in->w->deadletter) && !is_any_full(in, &room))
        set_held(in, false);
}

/* Look at it after each record: one turn of the loop may bring a thousand. */
void intake_hold_back(struct intake *in, const struct part *p)
{
    struct room room = room_of(in);

    if (deadletter_is_full(in->w->deadletter) || is_plenty(in, &room, p) ||
        is_above(&room, p, ROOM_HOLD))
        set_held(in, true);
}
