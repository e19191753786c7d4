#include "intake.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/deadletter.h"
#include "codec/schemas.h"
#include "codec/wire.h"
#include "config/config.h"
#include "core/chain.h"
#include "core/lanes.h"
#include "core/verdict.h"
#include "deadletter.h"
#include "deliver.h"
#include "inquiry.h"
#include "io/kafka_msg.h"
#include "metrics/metrics.h"
#include "parcel.h"
#include "room.h"
#include "worker.h"

enum { SCHEMAS_MAX = 4096, LANE_NAME_MAX = 4096 };
static const est_us HOLD_MAX = 100 * EST_MS;

/* A record behind a schema that is being asked for, or one that the account has no room for. */
struct held {
    struct est_node node;
    struct est_kafka_msg *msg;
    bool is_read; /* the account has it */
};

struct intake {
    struct worker *w;
    struct est_schemas *schemas;
    struct est_buf name;
    struct est_series **records, **repeats, **completed, **unchained; /* by type */
    struct inquiry *inquiry;
    bool held;                          /* all records are held back for a moment */
    bool is_slow[EST_CONFIG_TYPES_MAX]; /* was held back for it for long: see relieve() */
    struct est_timer stuck;
};

/* --- framing --- */

/* Partitions mostly hold records of one writer's schema. */
static const struct est_schema *schema_of(const struct intake *in, struct part *p,
                                          const struct est_wire *wire)
{
    const struct est_schema *sc = p->schema;

    if (sc != NULL && wire->kind == EST_WIRE_SINGLE &&
        wire->fingerprint == est_schema_fingerprint(sc))
        return sc;
    sc = est_schemas_of(in->schemas, wire);
    if (sc != NULL)
        p->schema = sc;
    return sc;
}

/* A value that begins with the fingerprint of a schema that we have is framed by it, for ten bytes
 * do not agree by chance; headers, which cost more to look at, are asked only where it does not. */
static est_err find_schema(struct intake *in, struct part *p, const struct est_kafka_msg *msg,
                           struct est_wire *wire, const struct est_schema **ret)
{
    struct est_view value = est_kafka_msg_value(msg);
    est_err err = est_wire_parse(value, EST_VIEW_NONE, wire);

    if (err == EST_ERR_TOMBSTONE)
        return err;
    if (err == EST_OK && wire->kind == EST_WIRE_SINGLE && (*ret = schema_of(in, p, wire)) != NULL)
        return EST_OK;
    err = est_wire_parse(value, est_kafka_msg_header(msg, EST_WIRE_HEADER), wire);
    if (err != EST_OK)
        return err;
    return (*ret = schema_of(in, p, wire)) != NULL ? EST_OK : EST_ERR_SCHEMA_UNKNOWN;
}

static size_t type_of(const struct intake *in, const struct part *p)
{
    return (size_t)(p->type - in->w->cfg->types);
}

/* A lane for each type and key; for each partition, also where a record has no key; or, where no
 * order is asked for, for each record. */
static struct est_view lane_name(struct intake *in, const struct part *p,
                                 const struct est_kafka_msg *msg)
{
    struct est_view key = est_kafka_msg_key(msg);
    bool by_key = p->type->order == EST_ORDER_KEY && key.data != NULL;

    est_buf_clear(&in->name);
    est_buf_putc(&in->name, (char)type_of(in, p)); /* at most EST_CONFIG_TYPES_MAX */
    est_buf_putc(&in->name, by_key ? 'k' : 'p');
    if (by_key)
        est_buf_put_view(&in->name, key);
    else
        est_buf_put_i64(&in->name, p->partition);
    if (p->type->order == EST_ORDER_NONE) {
        est_buf_putc(&in->name, '/');
        est_buf_put_i64(&in->name, est_kafka_msg_offset(msg));
    }
    return est_buf_view(&in->name);
}

static void tell_no_memory(const struct part *p, const struct est_kafka_msg *msg, est_err err)
{
    EST_LOG(EST_ERROR, "not_taken", EST_S("code", est_err_code(err)),
            EST_S("topic", p->type->topic), EST_I("partition", p->partition),
            EST_I("offset", est_kafka_msg_offset(msg)));
}

/* A record that finds no memory is not lost: its offset stays unsettled, so its partition is not
 * committed past it, and it is read again by whoever gets the partition. */
static struct parcel *new_parcel(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    struct parcel *pc = parcel_new(&in->w->parcels, p, msg);

    if (pc == NULL) {
        tell_no_memory(p, msg, EST_ERR_NOMEM);
        est_kafka_msg_free(msg);
        return NULL;
    }
    loans_add(&in->w->loans, pc);
    return pc;
}

static void condemn(struct intake *in, struct part *p, struct est_kafka_msg *msg, est_err err)
{
    struct parcel *pc = new_parcel(in, p, msg);

    if (pc != NULL)
        deadletter_put(in->w->deadletter, pc, est_verdict_class_of(err), 0, est_err_text(err));
}

static void push(struct intake *in, struct part *p, struct est_kafka_msg *msg,
                 const struct est_schema *sc, const struct est_wire *wire)
{
    struct parcel *pc = new_parcel(in, p, msg);
    est_err err;

    if (pc == NULL)
        return;
    pc->schema = sc;
    pc->item.group = (uint16_t)type_of(in, p);
    pc->framing = (size_t)(wire->body.data - est_kafka_msg_value(msg).data);
    err = est_lanes_push(in->w->lanes, lane_name(in, p, msg), &pc->item, pc->bytes,
                         est_loop_now(in->w->loop));
    if (err == EST_OK)
        return;
    tell_no_memory(p, msg, err); /* the lanes have twice the room that room.h leaves them */
    parcel_free(&in->w->parcels, pc);
}

/* --- room in the lanes --- */

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
    size_t ready = est_lanes_group(in->w->lanes, type_of(in, p)).ready_records;
    size_t round = deliver_round(in->w->deliver);

    if (in->is_slow[type_of(in, p)])
        return room_is_plenty_of_slow(room, ready, round);
    return room_is_plenty(ready, round, in->held);
}

static void set_paused(struct intake *in, struct part *p, bool paused)
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

static void release(struct intake *in, struct part *p);

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
            set_paused(in, p, true);
    } else if (is_alone(in, p))
        return;
    else if (in->is_slow[type_of(in, p)])
        set_paused(in, p, true);
    else
        in->is_slow[type_of(in, p)] = true;
}

/* Everything has been held back for long. Whoever has not drained meanwhile must not hold up the
 * others: a pause throws away what was fetched of the partition, which here is the smaller evil. */
static void on_stuck(void *arg)
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
    size_t ready = est_lanes_group(in->w->lanes, type_of(in, p)).ready_records;

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
            release(in, p);
        if (p->paused && can_resume(in, &room, p))
            set_paused(in, p, false);
    }
    if (in->held && !deadletter_is_full(in->w->deadletter) && !is_any_full(in, &room))
        set_held(in, false);
}

/* Look at it after each record: one turn of the loop may bring a thousand. */
static void hold_back(struct intake *in, const struct part *p)
{
    struct room room = room_of(in);

    if (deadletter_is_full(in->w->deadletter) || is_plenty(in, &room, p) ||
        is_above(&room, p, ROOM_HOLD))
        set_held(in, true);
}

/* --- what waits for its schema, or for room in the account --- */

/* Kept with its partition paused. False without memory for it. */
static bool keep(struct intake *in, struct part *p, struct est_kafka_msg *msg, bool is_read)
{
    struct held *h = est_alloc(sizeof(*h));

    if (h == NULL || est_kafka_msg_own(msg) != EST_OK) {
        est_free(h);
        return false;
    }
    *h = (struct held){.msg = msg, .is_read = is_read};
    est_list_append(&p->held, &h->node);
    set_paused(in, p, true);
    return true;
}

/* wire NULL: it waits behind another for the sake of order. */
static void hold(struct intake *in, struct part *p, struct est_kafka_msg *msg,
                 const struct est_wire *wire)
{
    if (!keep(in, p, msg, true)) {
        tell_no_memory(p, msg, EST_ERR_NOMEM);
        est_kafka_msg_free(msg);
    } else if (wire != NULL) {
        inquiry_ask(in->inquiry, wire);
    }
}

/* Too much lies read behind a record that is not settled: this one waits, and everything behind it,
 * until the commit point rises. If it could not even be kept, the commit would pass it unread. */
static void hold_unread(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    if (!p->full)
        EST_LOG(EST_WARN, "partition_full", EST_S("topic", p->type->topic),
                EST_I("partition", p->partition), EST_I("offset", est_kafka_msg_offset(msg)),
                EST_I("committed", p->committed));
    p->full = true;
    if (keep(in, p, msg, false))
        return;
    tell_no_memory(p, msg, EST_ERR_NOMEM);
    est_kafka_msg_free(msg);
    worker_give_up(in->w, "no memory for a record");
}

static void take_in_order(struct intake *in, struct part *p, struct est_kafka_msg *msg);
static void read_record(struct intake *in, struct part *p, struct est_kafka_msg *msg);

/* Everything is taken again; what has to go on waiting comes back into the list. */
static void release(struct intake *in, struct part *p)
{
    struct est_node again;

    est_list_init(&again);
    p->full = false;
    EST_LIST_EACH(n, &p->held) {
        est_list_remove(n);
        est_list_append(&again, n);
    }
    EST_LIST_EACH(n, &again) {
        struct held *h = EST_CONTAINER(n, struct held, node);
        est_list_remove(n);
        if (h->is_read)
            take_in_order(in, p, h->msg);
        else
            read_record(in, p, h->msg);
        est_free(h);
    }
}

static void release_all(void *arg)
{
    struct intake *in = arg;

    for (size_t i = 0; i < in->w->parts.n; i++)
        release(in, &in->w->parts.items[i]);
    intake_resume(in);
}

/* --- taking --- */

/* Headers are asked only of a record that can have the one in question: to look for one that is not
 * there costs as much as to decode a small event. */
static bool can_be_put_back(const struct est_kafka_msg *msg)
{
    return est_kafka_msg_timestamp_ms(msg) % EST_REPLAY_TIME_STEP_MS == 0 ||
           est_kafka_msg_is_timed_by_broker(msg);
}

static enum est_account_kind kind_of(const struct intake *in, const struct est_kafka_msg *msg)
{
    struct est_view name;

    if (est_kafka_msg_value(msg).data == NULL &&
        est_kafka_msg_header(msg, EST_MARK_HEADER).data != NULL)
        return EST_ACCOUNT_MARK;
    if (!can_be_put_back(msg))
        return EST_ACCOUNT_EVENT;
    name = est_kafka_msg_header(msg, EST_REPLAY_FOR_HEADER);
    if (name.data == NULL)
        return EST_ACCOUNT_EVENT;
    return est_view_is(name, in->w->dest->name) ? EST_ACCOUNT_PUT_BACK : EST_ACCOUNT_FOREIGN;
}

static void take(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    const struct est_schema *sc = NULL;
    struct est_wire wire = {0};
    est_err err = find_schema(in, p, msg, &wire, &sc);

    if (err == EST_OK)
        push(in, p, msg, sc, &wire);
    else if (err == EST_ERR_SCHEMA_UNKNOWN && inquiry_can_ask(in->inquiry, &wire))
        hold(in, p, msg, &wire);
    else
        condemn(in, p, msg, err);
}

/* Behind what waits for its schema, if anything does. */
static void take_in_order(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    if (est_list_empty(&p->held))
        take(in, p, msg);
    else
        hold(in, p, msg, NULL);
}

/* What the account settles at once. */
static void count(struct intake *in, const struct part *p, struct est_account_answer answer)
{
    size_t type = (size_t)(p->type - in->w->cfg->types);

    if (answer.class == EST_ACCOUNT_UNCHAINED)
        est_series_add(in->unchained[type], 1);
    else if (answer.class == EST_ACCOUNT_REPEAT)
        est_series_add(in->repeats[type], 1);
    else if (answer.end == EST_END_DELIVERED || answer.end == EST_END_DEAD)
        est_series_add(in->completed[type], 1);
}

/* Below what was read: a repeat of this very read, settled or on its way already. */
static void read_record(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    struct est_account_answer answer;
    char chain[EST_CHAIN_TEXT_MAX];
    size_t len = est_kafka_msg_copy_header(msg, EST_CHAIN_HEADER, chain, sizeof(chain));
    est_err err = EST_ERR_FULL;

    if (!p->full)
        err = part_read(p, est_kafka_msg_offset(msg), est_view(chain, len), kind_of(in, msg),
                        &answer);
    if (err == EST_ERR_RANGE) {
        est_kafka_msg_free(msg);
    } else if (err != EST_OK) {
        hold_unread(in, p, msg);
    } else {
        count(in, p, answer);
        if (answer.end == EST_END_OPEN) {
            take_in_order(in, p, msg);
            return;
        }
        est_kafka_msg_free(msg);
        worker_settled(in->w);
    }
}

void intake_take(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    est_series_add(in->records[p->type - in->w->cfg->types], 1);
    read_record(in, p, msg);
    hold_back(in, p);
}

void intake_drop(struct intake *in, struct part *p)
{
    (void)in;
    p->full = false;
    EST_LIST_EACH(n, &p->held) {
        struct held *h = EST_CONTAINER(n, struct held, node);
        est_list_remove(n);
        est_kafka_msg_free(h->msg);
        est_free(h);
    }
}

/* --- life --- */

static est_err load_types(struct intake *in, struct est_why *reterr)
{
    const struct est_config *cfg = in->w->cfg;

    if (est_schemas_new(SCHEMAS_MAX, &in->schemas) != EST_OK)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the schemas");
    for (size_t i = 0; i < cfg->n_types; i++) {
        const struct est_schema *sc;
        est_err err = est_schemas_load(in->schemas, cfg->types[i].schema_path, &sc, reterr);
        if (err != EST_OK)
            return err;
    }
    return EST_OK;
}

static est_err find_series(struct intake *in, struct est_why *reterr)
{
    const struct {
        struct est_series ***by_type;
        enum est_metric metric;
        const char *destination;
    } table[] = {
        {&in->records, EST_METRIC_RECORDS, NULL},
        {&in->repeats, EST_METRIC_REPEATS, in->w->dest->name},
        {&in->completed, EST_METRIC_COMPLETED, in->w->dest->name},
        {&in->unchained, EST_METRIC_UNCHAINED, in->w->dest->name},
    };
    const struct est_config *cfg = in->w->cfg;

    for (size_t m = 0; m < sizeof(table) / sizeof(table[0]); m++) {
        const char *name = table[m].destination;
        *table[m].by_type = est_calloc(cfg->n_types, sizeof(struct est_series *));
        if (*table[m].by_type == NULL)
            return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the intake's counts");
        for (size_t i = 0; i < cfg->n_types; i++) {
            const char *type = cfg->types[i].name;
            (*table[m].by_type)[i] = est_metrics_series(in->w->metrics, table[m].metric,
                                                        name ? name : type, name ? type : NULL);
        }
    }
    return EST_OK;
}

est_err intake_new(struct worker *w, struct intake **ret, struct est_why *reterr)
{
    struct intake *in = est_calloc(1, sizeof(*in));
    est_err err;

    if (in == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the intake");
    in->w = w;
    in->stuck = (struct est_timer){.fn = on_stuck, .arg = in};
    est_buf_init(&in->name, LANE_NAME_MAX);
    err = load_types(in, reterr);
    if (err == EST_OK)
        err = find_series(in, reterr);
    if (err == EST_OK)
        err = inquiry_new(w, in->schemas, release_all, in, &in->inquiry, reterr);
    if (err != EST_OK) {
        intake_free(in);
        return err;
    }
    *ret = in;
    return EST_OK;
}

void intake_free(struct intake *in)
{
    if (in == NULL)
        return;
    est_loop_timer_off(in->w->loop, &in->stuck);
    inquiry_free(in->inquiry);
    est_schemas_free(in->schemas);
    est_buf_fini(&in->name);
    est_free(in->records);
    est_free(in->repeats);
    est_free(in->completed);
    est_free(in->unchained);
    est_free(in);
}
