/* How much is read: everything is held back while enough is ready, and a partition is paused that
 * would hold up the others. */
#include "base/log.h"
#include "core/lanes.h"
#include "deadletter.h"
#include "deliver.h"
#include "intake_state.h"
#include "room.h"

/* Over so long a time it is judged who holds up the others. */
static const est_us WATCH = 100 * EST_MS;

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
static bool is_plenty(const struct intake *in, const struct room *room, const struct part *p)
{
    if (in->is_slow[intake_type(in, p)])
        return room_is_plenty_of_slow(room, ready_of(in, p), deliver_round(in->w->deliver));
    return room_is_plenty(ready_of(in, p), deliver_request(in->w->deliver), in->held);
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

/* From now on it is counted what goes. */
static void look(struct intake *in)
{
    in->was_held = in->held;
    for (size_t i = 0; i < in->w->parts.n; i++)
        in->w->parts.items[i].gone = 0;
    est_loop_timer_at(in->w->loop, &in->watch, est_loop_now(in->w->loop) + WATCH);
}

/* A hold that ends and begins again is watched on: it may end for one record at a time. */
static void set_held(struct intake *in, bool held)
{
    if (in->held == held)
        return;
    in->held = held;
    in->was_held |= held;
    est_kafka_sub_hold(in->w->sub, held);
    if (held && !est_loop_timer_armed(&in->watch))
        look(in);
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

/* --- holds that last --- */

static size_t gone_of_type(const struct intake *in, const struct est_type_config *type)
{
    size_t sum = 0;

    for (size_t i = 0; i < in->w->parts.n; i++)
        if (in->w->parts.items[i].type == type)
            sum += in->w->parts.items[i].gone;
    return sum;
}

static void be_slow(struct intake *in, const struct part *p)
{
    in->is_slow[intake_type(in, p)] = true;
    EST_LOG(EST_DEBUG, "type_slow", EST_S("type", p->type->name), EST_I("ready", ready_of(in, p)),
            EST_I("gone", gone_of_type(in, p->type)));
}

/* What to do about a partition for which everything was held back. Has it more than its share, it
 * is paused. Is there plenty of its type, others may miss something: first more is let in of it
 * than is needed, and when that is there too, it is paused. Of what as much went meanwhile as all
 * requests carry, nobody waits for long: it is let be, for a pause throws away what was fetched. */
static void relieve(struct intake *in, const struct room *room, struct part *p)
{
    size_t round = deliver_round(in->w->deliver);

    if (!is_plenty(in, room, p)) {
        if (is_above(room, p, ROOM_STUCK) && p->gone < round)
            intake_pause(in, p, true);
    } else if (is_alone(in, p) || gone_of_type(in, p->type) >= round)
        return;
    else if (in->is_slow[intake_type(in, p)])
        intake_pause(in, p, true);
    else
        be_slow(in, p);
}

/* Records were held back meanwhile. Where every type is paused nobody is held up by another. Where
 * the endpoint is down he may be: the event that it would take may be among what is not read. */
void intake_on_watch(void *arg)
{
    struct intake *in = arg;
    struct room room = room_of(in);
    bool may_help = !deadletter_is_full(in->w->deadletter) && !deliver_is_paused(in->w->deliver);

    for (size_t i = 0; may_help && i < in->w->parts.n; i++)
        if (!in->w->parts.items[i].paused)
            relieve(in, &room, &in->w->parts.items[i]);
    intake_resume(in);
    if (in->was_held)
        look(in);
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
