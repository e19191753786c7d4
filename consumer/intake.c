#include "intake.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/avro_read.h"
#include "codec/registry_json.h"
#include "codec/schemas.h"
#include "codec/wire.h"
#include "config/config.h"
#include "core/lanes.h"
#include "core/verdict.h"
#include "deadletter.h"
#include "io/http_out.h"
#include "io/kafka_msg.h"
#include "io/registry.h"
#include "metrics/metrics.h"
#include "parcel.h"
#include "worker.h"

#include <stdio.h>

enum { JSON_MAX = 32 * 1024 * 1024, SCHEMAS_MAX = 4096, LANE_NAME_MAX = 4096 };
static const est_us ASK_TIMEOUT = 5 * EST_SECOND, ASK_AGAIN = 2 * EST_SECOND;

/* A record behind a schema that is being asked for. */
struct held {
    struct est_node node;
    struct est_kafka_msg *msg;
};

struct intake {
    struct worker *w;
    struct est_schemas *schemas;
    struct est_buf json, name;
    struct est_series **records; /* by type */
    struct est_http_client *http;
    struct est_registry *registry; /* NULL = none configured */
    bool asking;
    uint32_t asked_id;
    uint32_t refused_id; /* the registry has no such schema, or it is none for us; 0 = none */
    struct est_timer ask_again;
};

/* --- decoding --- */

static est_err decode(struct intake *in, const struct part *p, const struct est_kafka_msg *msg,
                      struct est_event *ev, uint32_t *ret_unknown_id, struct est_why *why)
{
    const struct est_schema *sc;
    struct est_wire wire;
    est_err err =
        est_wire_parse(est_kafka_msg_value(msg), est_kafka_msg_header(msg, EST_WIRE_HEADER), &wire);

    if (err != EST_OK)
        return est_why_set(why, err, "%s", est_err_text(err));
    sc = est_schemas_of(in->schemas, &wire);
    if (sc == NULL) {
        *ret_unknown_id = wire.kind == EST_WIRE_ID ? wire.id : 0;
        return est_why_set(why, EST_ERR_SCHEMA_UNKNOWN, "%s", est_err_text(EST_ERR_SCHEMA_UNKNOWN));
    }
    est_buf_clear(&in->json);
    return est_avro_read_event(sc, est_view_str(p->type->name), wire.body, &in->json, ev, why);
}

/* Order per key: a lane for each type and key. Without a key, order per partition. */
static struct est_view lane_name(struct intake *in, const struct part *p,
                                 const struct est_kafka_msg *msg)
{
    struct est_view key = est_kafka_msg_key(msg);

    est_buf_clear(&in->name);
    est_buf_puts(&in->name, p->type->name);
    est_buf_putc(&in->name, key.data ? 'k' : 'p');
    if (key.data != NULL)
        est_buf_put_view(&in->name, key);
    else
        est_buf_put_i64(&in->name, p->partition);
    return est_buf_view(&in->name);
}

static void condemn(struct intake *in, struct part *p, struct est_kafka_msg *msg,
                    const struct est_why *why)
{
    struct parcel *pc = parcel_new(p, msg, EST_VIEW_LIT(""), EST_VIEW_LIT(""));

    if (pc == NULL) { /* not settled, so its partition cannot be committed past it: read again after
                         a restart */
        EST_LOG(EST_ERROR, "no_memory", EST_S("topic", p->type->topic),
                EST_I("partition", p->partition));
        est_kafka_msg_free(msg);
        return;
    }
    deadletter_put(in->w->deadletter, pc, est_verdict_class_of(why->code), 0, why->text);
}

static void push(struct intake *in, struct part *p, struct est_kafka_msg *msg,
                 const struct est_event *ev)
{
    struct est_view id = est_kafka_msg_header(msg, "ce_id");
    struct parcel *pc = parcel_new(p, msg, id.len > 0 ? id : ev->id, est_buf_view(&in->json));
    est_err err = pc == NULL ? EST_ERR_NOMEM
                             : est_lanes_push(in->w->lanes, lane_name(in, p, msg), &pc->item,
                                              parcel_bytes(pc), est_loop_now(in->w->loop));
    if (err == EST_OK)
        return;
    /* The lanes have twice the room that pausing leaves them: this is memory running out. Nothing
     * is lost: the offset stays unsettled, and the record is read again by whoever gets the
     * partition. */
    EST_LOG(EST_ERROR, "not_taken", EST_S("code", est_err_code(err)),
            EST_S("topic", p->type->topic), EST_I("partition", p->partition),
            EST_I("offset", est_kafka_msg_offset(msg)));
    if (pc != NULL)
        parcel_free(pc);
    else
        est_kafka_msg_free(msg);
}

/* --- room --- */

static void set_paused(struct intake *in, struct part *p, bool paused)
{
    if (p->paused == paused ||
        est_kafka_sub_pause(in->w->sub, p->type->topic, p->partition, paused) != EST_OK)
        return;
    p->paused = paused;
}

/* What a partition may hold: its fair share, or half of what is free, so that one busy partition
 * uses what the others leave. */
static size_t share(size_t limit, size_t used, size_t parts)
{
    size_t fair = limit / (parts ? parts : 1), half = used < limit ? (limit - used) / 2 : 0;

    return fair > half ? fair : half;
}

static bool is_full(const struct intake *in, const struct part *p, unsigned divisor)
{
    const struct est_config *cfg = in->w->cfg;
    struct est_lanes_stats st = est_lanes_stats(in->w->lanes);

    return deadletter_is_full(in->w->deadletter) ||
           p->waiting >=
               share(cfg->consumer_lanes_records, st.records, in->w->parts.n) / divisor + 1 ||
           p->waiting_bytes >=
               share(cfg->consumer_lanes_bytes, st.bytes, in->w->parts.n) / divisor + 1;
}

void intake_resume(struct intake *in)
{
    for (size_t i = 0; i < in->w->parts.n; i++) {
        struct part *p = &in->w->parts.items[i];
        if (p->paused && est_list_empty(&p->held) && !is_full(in, p, 2))
            set_paused(in, p, false);
    }
}

/* --- schemas that we have not met --- */

static void ask(void *arg);

static void hold(struct intake *in, struct part *p, struct est_kafka_msg *msg, uint32_t id)
{
    struct held *h = est_alloc(sizeof(*h));

    if (h == NULL) {
        EST_LOG(EST_ERROR, "no_memory", EST_S("topic", p->type->topic),
                EST_I("partition", p->partition));
        est_kafka_msg_free(msg);
        return;
    }
    h->msg = msg;
    est_list_append(&p->held, &h->node);
    set_paused(in, p, true);
    if (in->asking || id == 0)
        return;
    in->asking = true;
    in->asked_id = id;
    ask(in);
}

static void take(struct intake *in, struct part *p, struct est_kafka_msg *msg);

static void release_held(struct intake *in)
{
    for (size_t i = 0; i < in->w->parts.n; i++) {
        struct part *p = &in->w->parts.items[i];
        struct est_node again;
        est_list_init(&again);
        EST_LIST_EACH(n, &p->held) {
            est_list_remove(n);
            est_list_append(&again, n);
        }
        EST_LIST_EACH(n, &again) {
            struct held *h = EST_CONTAINER(n, struct held, node);
            est_list_remove(n);
            take(in, p, h->msg);
            est_free(h);
        }
    }
    intake_resume(in);
}

static void on_schema(void *arg, const struct est_registry_answer *answer)
{
    struct intake *in = arg;
    const struct est_schema *sc;
    struct est_why why = {0};
    struct est_buf text;
    est_err err = answer->err;

    est_buf_init(&text, EST_SCHEMA_TEXT_MAX);
    if (err == EST_OK)
        err = est_registry_json_schema(answer->body, &text);
    if (err == EST_OK)
        err = est_schemas_add(in->schemas, est_buf_view(&text), &sc, &why);
    if (err == EST_OK)
        err = est_schemas_bind_id(in->schemas, in->asked_id, sc);
    est_buf_fini(&text);
    if (err == EST_ERR_NOTFOUND || err == EST_ERR_UNSUPPORTED || err == EST_ERR_SCHEMA) {
        /* Final, for an id means one schema for ever: its records go to the DLQ. */
        EST_LOG(EST_ERROR, "schema_unusable", EST_I("id", in->asked_id),
                EST_S("code", est_err_code(err)));
        in->refused_id = in->asked_id;
        err = EST_OK;
    }
    if (err != EST_OK) {
        (void)est_health_add(&in->w->health, "schema_registry",
                             "a writer's schema is not known yet", est_loop_now(in->w->loop));
        EST_LOG(EST_WARN, "schema_not_found", EST_I("id", in->asked_id),
                EST_S("code", est_err_code(err)));
        est_loop_timer_at(in->w->loop, &in->ask_again, est_loop_now(in->w->loop) + ASK_AGAIN);
        return;
    }
    (void)est_health_remove(&in->w->health, "schema_registry");
    in->asking = false;
    release_held(in);
}

static void ask(void *arg)
{
    struct intake *in = arg;

    if (est_registry_get_id(in->registry, in->asked_id, on_schema, in, NULL, NULL) != EST_OK)
        est_loop_timer_at(in->w->loop, &in->ask_again, est_loop_now(in->w->loop) + ASK_AGAIN);
}

/* --- taking --- */

static void take(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    struct est_event ev = {0};
    struct est_why why = {0};
    uint32_t unknown_id = 0;
    est_err err = decode(in, p, msg, &ev, &unknown_id, &why);

    if (err == EST_OK) {
        push(in, p, msg, &ev);
    } else if (err == EST_ERR_SCHEMA_UNKNOWN && unknown_id != 0 && in->registry != NULL &&
               unknown_id != in->refused_id) {
        hold(in, p, msg, unknown_id);
    } else {
        why.code = err;
        condemn(in, p, msg, &why);
    }
}

void intake_take(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    est_err err = part_track(p, est_kafka_msg_offset(msg));

    est_series_add(in->records[p->type - in->w->cfg->types], 1);
    if (err != EST_OK) {
        /* Below what was read: a repeat of this very read, settled or on its way already. */
        if (err != EST_ERR_RANGE)
            EST_LOG(EST_ERROR, "not_tracked", EST_S("code", est_err_code(err)),
                    EST_S("topic", p->type->topic), EST_I("partition", p->partition),
                    EST_I("offset", est_kafka_msg_offset(msg)));
        est_kafka_msg_free(msg);
        return;
    }
    if (!est_list_empty(&p->held))
        hold(in, p, msg, 0); /* order: behind what waits for its schema */
    else
        take(in, p, msg);
    if (!p->paused && is_full(in, p, 1))
        set_paused(in, p, true);
}

void intake_drop(struct intake *in, struct part *p)
{
    (void)in;
    EST_LIST_EACH(n, &p->held) {
        struct held *h = EST_CONTAINER(n, struct held, node);
        est_list_remove(n);
        est_kafka_msg_free(h->msg);
        est_free(h);
    }
}

/* --- life --- */

static est_err open_registry(struct intake *in, struct est_why *reterr)
{
    const struct est_config *cfg = in->w->cfg;
    const struct est_http_client_options ho = {.conns_max = 2,
                                               .connect_timeout = ASK_TIMEOUT,
                                               .ca_file = cfg->schema_registry_ca_file,
                                               .user_agent = "esteira-consumer/" ESTEIRA_VERSION};
    const struct est_registry_options ro = {.url = cfg->schema_registry_url,
                                            .timeout = ASK_TIMEOUT};
    est_err err;

    if (cfg->schema_registry_url[0] == '\0')
        return EST_OK;
    err = est_http_client_new(in->w->loop, &ho, &in->http, reterr);
    return err ? err : est_registry_new(in->http, &ro, &in->registry, reterr);
}

static est_err load_types(struct intake *in, struct est_why *reterr)
{
    const struct est_config *cfg = in->w->cfg;

    in->records = est_calloc(cfg->n_types, sizeof(struct est_series *));
    if (in->records == NULL || est_schemas_new(SCHEMAS_MAX, &in->schemas) != EST_OK)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the schemas");
    for (size_t i = 0; i < cfg->n_types; i++) {
        const struct est_schema *sc;
        est_err err = est_schemas_load(in->schemas, cfg->types[i].schema_path, &sc, reterr);
        if (err != EST_OK)
            return err;
        in->records[i] =
            est_metrics_series(in->w->metrics, EST_METRIC_RECORDS, cfg->types[i].name, NULL);
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
    in->ask_again = (struct est_timer){.fn = ask, .arg = in};
    est_buf_init(&in->json, JSON_MAX);
    est_buf_init(&in->name, LANE_NAME_MAX);
    err = load_types(in, reterr);
    if (err == EST_OK)
        err = open_registry(in, reterr);
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
    est_loop_timer_off(in->w->loop, &in->ask_again);
    est_registry_free(in->registry);
    est_http_client_free(in->http);
    est_schemas_free(in->schemas);
    est_buf_fini(&in->json);
    est_buf_fini(&in->name);
    est_free(in->records);
    est_free(in);
}
