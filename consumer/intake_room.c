/* How much is read: everything is held back while enough is ready, and a partition is paused that
 * would hold up the others. */
#include "core/lanes.h"
#include "deadletter.h"
#include "deliver.h"
#include "intake_state.h"
#include "room.h"

static const est_us HOLD_MAX = 100 * EST_MS;

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

/* Of one type: so that one which is sent slowly does not keep the others from being read. */
static bool is_plenty(const struct intake *in, const struct room *room, const struct part *p)
{
    size_t ready = est_lanes_group(in->w->lanes, intake_type(in, p)).ready_records;
    size_t round = deliver_round(in->w->deliver);

    if (in->is_slow[intake_type(in, p)])
        return room_is_plenty_of_slow(room, ready, round);
    return room_is_plenty(ready, round, in->held);
}

void intake_pause(struct intake *in, struct part *p, bool paused)
{
    if (p->paused == paused ||
        est_kafka_sub_pause(in->w->sub, p->type->topic, p->partition, paused) != EST_OK)
        return;
    p->paused = paused;
}

static void set_held(struct intake *in, bool held)
{
    if (in->held == held)
        return;
    in->held = held;
    est_kafka_sub_hold(in->w->sub, held);
    if (held)
        est_loop_timer_at(in->w->loop, &in->stuck, est_loop_now(in->w->loop) + HOLD_MAX);
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

/* What to do about a partition for which everything is held back. Has it more than its share, it is
 * paused. Is there plenty of its type, others may miss something: first more is let in of it than
 * is needed, and when that is there too, it is paused. */
static void relieve(struct intake *in, const struct room *room, struct part *p)
{
    if (!is_plenty(in, room, p)) {
        if (is_above(room, p, ROOM_STUCK))
            intake_pause(in, p, true);
    } else if (is_alone(in, p))
        return;
    else if (in->is_slow[intake_type(in, p)])
        intake_pause(in, p, true);
    else
        in->is_slow[intake_type(in, p)] = true;
}

/* Everything has been held back for long. Whoever has not drained meanwhile must not hold up the
 * others: a pause throws away what was fetched of the partition, which here is the smaller evil. */
void intake_on_stuck(void *arg)
{
    struct intake *in = arg;
    struct room room = room_of(in);

    for (size_t i = 0; i < in->w->parts.n && !deadletter_is_full(in->w->deadletter); i++)
        if (!in->w->parts.items[i].paused)
            relieve(in, &room, &in->w->parts.items[i]);
    intake_resume(in);
    if (in->held)
        est_loop_timer_at(in->w->loop, &in->stuck, est_loop_now(in->w->loop) + HOLD_MAX);
}

/* A slow type is read again when less than a round of it is left. */
static bool can_resume(const struct intake *in, const struct room *room, const struct part *p)
{
    size_t ready = est_lanes_group(in->w->lanes, intake_type(in, p)).ready_records;

    return est_list_empty(&p->held) && !is_above(room, p, ROOM_RESUME) &&
           ready < deliver_round(in->w->deliver);
}

static void forget_slow(struct intake *in)
{
    size_t round = deliver_round(in->w->deliver);

    for (size_t i = 0; i < in->w->cfg->n_types; i++)
        if (in->is_slow[i] && est_lanes_group(in->w->lanes, i).ready_records < round / 2)
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
