#include "intake.h"

#include "base/log.h"
#include "base/mem.h"
#include "codec/chain_field.h"
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
#include "intake_state.h"
#include "metrics/metrics.h"
#include "parcel.h"

enum { LANE_NAME_MAX = 4096 };

/* --- framing --- */

/* Which schema wrote it, and the Avro body. */
struct framed {
    const struct est_schema *schema; /* NULL = the value alone did not tell */
    struct est_wire wire;
};

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
 * do not agree by chance. Any other: no schema. */
static struct framed look(const struct intake *in, struct part *p, const struct est_kafka_msg *msg)
{
    struct framed f = {0};
    est_err err = est_wire_parse(est_kafka_msg_value(msg), EST_VIEW_NONE, &f.wire);

    if (err == EST_OK && f.wire.kind == EST_WIRE_SINGLE)
        f.schema = schema_of(in, p, &f.wire);
    return f;
}

/* Headers, which cost more to look at, are asked only where the value did not say it. */
static est_err look_further(const struct intake *in, struct part *p,
                            const struct est_kafka_msg *msg, struct framed *f)
{
    struct est_view value = est_kafka_msg_value(msg);
    est_err err;

    if (value.data == NULL)
        return EST_ERR_TOMBSTONE;
    err = est_wire_parse(value, est_kafka_msg_header(msg, EST_WIRE_HEADER), &f->wire);
    if (err != EST_OK)
        return err;
    return (f->schema = schema_of(in, p, &f->wire)) != NULL ? EST_OK : EST_ERR_SCHEMA_UNKNOWN;
}

/* A lane for each type and key; for each partition, also where a record has no key; or, where no
 * order is asked for, for each record. */
static struct est_view lane_name(struct intake *in, const struct part *p,
                                 const struct est_kafka_msg *msg)
{
    struct est_view key = est_kafka_msg_key(msg);
    bool by_key = p->type->order == EST_ORDER_KEY && key.data != NULL;

    est_buf_clear(&in->name);
    est_buf_putc(&in->name, (char)intake_type(in, p)); /* at most EST_CONFIG_TYPES_MAX */
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

void intake_no_memory(struct intake *in, const struct part *p, const struct est_kafka_msg *msg,
                      est_err err)
{
    EST_LOG(EST_ERROR, "not_taken", EST_S("code", est_err_code(err)),
            EST_S("topic", p->type->topic), EST_I("partition", p->partition),
            EST_I("offset", est_kafka_msg_offset(msg)));
    worker_give_up(in->w, "no memory for a record");
}

/* A record that finds no memory is not lost: its offset stays unsettled, so its partition is not
 * committed past it, and it is read again by whoever gets the partition. Going on would send what
 * follows it of its key before it. */
static struct parcel *new_parcel(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    struct parcel *pc = parcel_new(&in->w->parcels, p, msg);

    if (pc == NULL) {
        intake_no_memory(in, p, msg, EST_ERR_NOMEM);
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
                 const struct framed *f)
{
    /* Before the parcel is made: a value larger than the loans' window moves with it. */
    size_t framing = (size_t)(f->wire.body.data - est_kafka_msg_value(msg).data);
    struct parcel *pc = new_parcel(in, p, msg);
    est_err err;

    if (pc == NULL)
        return;
    pc->schema = f->schema;
    pc->item.group = (uint16_t)intake_type(in, p);
    pc->framing = framing;
    err = est_lanes_push(in->w->lanes, lane_name(in, p, msg), &pc->item, pc->bytes,
                         est_loop_now(in->w->loop));
    if (err == EST_OK)
        return;
    intake_no_memory(in, p, msg, err); /* the lanes have twice the room that room.h leaves them */
    parcel_free(&in->w->parcels, pc);
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

static void take(struct intake *in, struct part *p, struct est_kafka_msg *msg, struct framed *f)
{
    est_err err = f->schema != NULL ? EST_OK : look_further(in, p, msg, f);

    if (err == EST_OK)
        push(in, p, msg, f);
    else if (err == EST_ERR_SCHEMA_UNKNOWN && inquiry_can_ask(in->inquiry, &f->wire))
        held_put(in, p, msg, &f->wire);
    else
        condemn(in, p, msg, err);
}

static void take_in_order(struct intake *in, struct part *p, struct est_kafka_msg *msg,
                          struct framed *f)
{
    if (est_list_empty(&p->held))
        take(in, p, msg, f);
    else
        held_put(in, p, msg, NULL);
}

void intake_take_in_order(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    struct framed f = look(in, p, msg);

    take_in_order(in, p, msg, &f);
}

/* What the account settles at once. */
static void count(struct intake *in, const struct part *p, struct est_account_answer answer)
{
    size_t type = intake_type(in, p);

    if (answer.class == EST_ACCOUNT_UNCHAINED)
        est_series_add(in->unchained[type], 1);
    else if (answer.class == EST_ACCOUNT_REPEAT)
        est_series_add(in->repeats[type], 1);
    else if (answer.end == EST_END_DELIVERED || answer.end == EST_END_DEAD)
        est_series_add(in->completed[type], 1);
}

static struct est_view chain_in_header(struct est_kafka_msg *msg, char text[EST_CHAIN_TEXT_MAX])
{
    return est_view(text,
                    est_kafka_msg_copy_header(msg, EST_CHAIN_HEADER, text, EST_CHAIN_TEXT_MAX));
}

/* The chain that the value says to be the record's; only the shim writes one, and only into a
 * record that has no trace context. Absent when it says none. */
static struct est_view chain_in_value(struct est_kafka_msg *msg, const struct framed *f)
{
    struct est_view chain;

    if (f->schema == NULL || can_be_put_back(msg))
        return EST_VIEW_NONE;
    chain = est_chain_field_get(f->schema, f->wire.body, est_kafka_msg_timestamp_ms(msg));
    if (chain.data != NULL)
        est_kafka_msg_set_untraced(msg);
    return chain;
}

/* Ask the account; the headers only where the value says nothing, or would end the record here. */
static est_err account_for(const struct intake *in, struct part *p, struct est_kafka_msg *msg,
                           const struct framed *f, struct est_account_answer *ret)
{
    int64_t offset = est_kafka_msg_offset(msg);
    struct est_view chain = chain_in_value(msg, f);
    char text[EST_CHAIN_TEXT_MAX];
    est_err err;

    if (chain.data == NULL)
        return part_read(p, offset, chain_in_header(msg, text), kind_of(in, msg), ret);
    err = part_read(p, offset, chain, EST_ACCOUNT_CLAIMED, ret);
    if (err != EST_ERR_AGAIN)
        return err;
    part_confirm(p, offset, chain_in_header(msg, text), ret);
    return EST_OK;
}

/* Below what was read: a repeat of this very read, settled or on its way already. Or the log was
 * cut (a broker that lost its tail became leader) and written anew, and we read on from its start.
 */
static void look_for_cut(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    char text[EST_CHAIN_TEXT_MAX];

    if (part_is_cut(p, est_kafka_msg_offset(msg), chain_in_header(msg, text)))
        worker_start_over(in->w, "the log of a partition was cut");
}

void intake_read(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    struct framed f = look(in, p, msg);
    struct est_account_answer answer;
    est_err err = p->full ? EST_ERR_FULL : account_for(in, p, msg, &f, &answer);

    if (err == EST_ERR_RANGE) {
        look_for_cut(in, p, msg);
        est_kafka_msg_free(msg);
    } else if (err != EST_OK) {
        held_put_unread(in, p, msg);
    } else {
        count(in, p, answer);
        if (answer.end == EST_END_OPEN) {
            take_in_order(in, p, msg, &f);
            return;
        }
        est_kafka_msg_free(msg);
        worker_settled(in->w);
    }
}

void intake_take(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    est_series_add(in->records[p->type - in->w->cfg->types], 1);
    intake_read(in, p, msg);
    intake_hold_back(in, p);
}

/* --- life --- */

static est_err load_types(struct intake *in, struct est_why *reterr)
{
    const struct est_config *cfg = in->w->cfg;

    if (est_schemas_new(EST_SCHEMAS_MAX, &in->schemas) != EST_OK)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the schemas");
    for (size_t i = 0; i < cfg->n_types; i++) {
        const struct est_schema *sc;
        est_err err = est_schemas_load(in->schemas, cfg->types[i].schema_path, &sc, reterr);
        if (err != EST_OK)
            return err;
    }
    for (size_t i = 0; i < cfg->n_types; i++) {
        est_err err = est_schemas_load_older(in->schemas, cfg->types[i].schema_path, reterr);
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
    in->watch = (struct est_timer){.fn = intake_on_watch, .arg = in};
    est_buf_init(&in->name, LANE_NAME_MAX);
    err = load_types(in, reterr);
    if (err == EST_OK)
        err = find_series(in, reterr);
    if (err == EST_OK)
        err = inquiry_new(w, in->schemas, held_release_all, in, &in->inquiry, reterr);
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
    est_loop_timer_off(in->w->loop, &in->watch);
    inquiry_free(in->inquiry);
    est_schemas_free(in->schemas);
    est_buf_fini(&in->name);
    est_free(in->records);
    est_free(in->repeats);
    est_free(in->completed);
    est_free(in->unchained);
    est_free(in);
}
