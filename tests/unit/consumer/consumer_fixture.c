#include "consumer_fixture.h"

#include "base/mem.h"
#include "codec/avro_write.h"
#include "codec/chain_field.h"
#include "codec/deadletter.h"
#include "codec/wire.h"
#include "core/chain.h"
#include "core/lanes.h"
#include "metrics/metrics.h"
#include "parcel.h"

int fixture_messages, fixture_headers_asked;

/* --- the worker --- */

static void hold_parts(struct worker *w, size_t n)
{
    struct est_kafka_position pos[8];
    struct est_why why = {0};

    assert_true(n <= COUNT_OF(pos));
    for (size_t i = 0; i < n; i++)
        pos[i] = (struct est_kafka_position){
            .topic = est_config_type(w->cfg, "order")->topic, .partition = (int32_t)i, .offset = 0};
    if (parts_assign(&w->parts, w->cfg, pos, n, &why) != EST_OK)
        fail_msg("%s", why.text);
}

struct worker *fixture_worker(size_t n_parts)
{
    const struct est_lanes_limits limits = {
        .records = 100000, .bytes = 1 << 30, .groups = EST_CONFIG_TYPES_MAX};
    struct worker *w = est_calloc(1, sizeof(*w));
    struct est_config_report report = {0};
    struct est_config *cfg;

    assert_non_null(w);
    assert_int_equal(est_config_load(ESTEIRA_SOURCE_DIR "/pipeline.yaml", &cfg, &report), EST_OK);
    w->cfg = cfg;
    w->dest = &cfg->destinations[0];
    assert_int_equal(est_metrics_new(EST_IN_CONSUMER, &w->metrics), EST_OK);
    assert_int_equal(est_lanes_new(limits, 1, 2, &w->lanes), EST_OK);
    est_rng_seed(&w->rng, 1);
    est_pool_init(&w->parcels, sizeof(struct parcel), 10);
    loans_init(&w->loans, w->lanes, 1 << 20);
    hold_parts(w, n_parts);
    return w;
}

void fixture_worker_free(struct worker *w)
{
    for (size_t i = 0; i < w->parts.n; i++)
        EST_LIST_EACH(n, &w->parts.items[i].parcels)
            parcel_free(&w->parcels, EST_CONTAINER(n, struct parcel, node));
    parts_clear(&w->parts);
    est_lanes_free(w->lanes);
    est_metrics_free(w->metrics);
    est_pool_fini(&w->parcels);
    est_config_free((struct est_config *)(uintptr_t)w->cfg);
    est_free(w);
    assert_int_equal(fixture_messages, 0);
}

/* --- messages --- */

struct est_kafka_msg {
    int64_t offset;
    char key[32];
    char *value; /* NULL = a tombstone */
    size_t len;
    bool is_own;
    const char *replay_for; /* a header; NULL = none */
    bool is_mark;           /* likewise */
    char chain[80];         /* likewise; empty = none */
    int64_t timestamp_ms;
    bool by_broker;
    bool untraced; /* it was told that there is no header traceparent */
};

struct est_kafka_msg *fixture_msg(int64_t offset, const char *key, const void *value, size_t len)
{
    struct est_kafka_msg *m = est_calloc(1, sizeof(*m));

    assert_non_null(m);
    m->offset = offset;
    m->len = len;
    (void)snprintf(m->key, sizeof(m->key), "%s", key);
    if (value != NULL)
        assert_non_null(m->value = est_strndup(value, len));
    fixture_messages++;
    return m;
}

static void encode(struct est_buf *out, const char *note)
{
    struct est_event ev = {.id = EST_VIEW_LIT("e1"),
                           .source = EST_VIEW_LIT("src"),
                           .tenant = EST_VIEW_LIT(""),
                           .dedup_id = EST_VIEW_LIT("e1")};
    struct est_schema *sc;
    struct est_inbound *in;
    char json[4096];

    (void)snprintf(json, sizeof(json),
                   "{\"event\":\"order_created\",\"payload\":{\"notes\":\"%s\"}}", note);
    assert_int_equal(est_schema_load(ESTEIRA_SOURCE_DIR "/schemas/order.avsc", &sc, NULL), EST_OK);
    assert_int_equal(est_inbound_new(NULL, &in), EST_OK);
    assert_int_equal(est_inbound_parse(in, EST_INBOUND_JSON, est_view_str(json), NULL, 0, NULL),
                     EST_OK);
    assert_int_equal(est_inbound_event(in, 0, &ev, NULL), EST_OK);
    est_wire_put_single(out, est_schema_fingerprint(sc));
    assert_int_equal(est_avro_write_event(sc, in, 0, &ev, out, NULL), EST_OK);
    est_inbound_free(in);
    est_schema_free(sc);
}

struct est_kafka_msg *fixture_order(int64_t offset, const char *key, const char *note)
{
    struct est_kafka_msg *m;
    struct est_buf value;

    est_buf_init(&value, 1 << 16);
    encode(&value, note);
    m = fixture_msg(offset, key, value.data, value.len);
    est_buf_fini(&value);
    return m;
}

void est_kafka_msg_free(struct est_kafka_msg *m)
{
    est_free(m->value);
    est_free(m);
    fixture_messages--;
}

est_err est_kafka_msg_own(struct est_kafka_msg *m)
{
    char *moved;

    if (m->is_own)
        return EST_OK;
    if (m->value != NULL) { /* elsewhere, so that views which were kept are found out */
        if ((moved = est_strndup(m->value, m->len)) == NULL)
            return EST_ERR_NOMEM;
        est_free(m->value);
        m->value = moved;
    }
    m->is_own = true;
    return EST_OK;
}

bool est_kafka_msg_is_own(const struct est_kafka_msg *m)
{
    return m->is_own;
}

struct est_view est_kafka_msg_key(const struct est_kafka_msg *m)
{
    return est_view_str(m->key);
}

struct est_view est_kafka_msg_value(const struct est_kafka_msg *m)
{
    return est_view(m->value, m->value ? m->len : 0);
}

int64_t est_kafka_msg_offset(const struct est_kafka_msg *m)
{
    return m->offset;
}

struct est_view est_kafka_msg_header(const struct est_kafka_msg *m, const char *name)
{
    fixture_headers_asked++;
    if (strcmp(name, EST_CHAIN_HEADER) == 0)
        return est_view_str(m->chain[0] != '\0' ? m->chain : NULL);
    if (strcmp(name, EST_MARK_HEADER) == 0)
        return est_view_str(m->is_mark ? "1" : NULL);
    return strcmp(name, EST_REPLAY_FOR_HEADER) == 0 ? est_view_str(m->replay_for) : EST_VIEW_NONE;
}

size_t est_kafka_msg_copy_header(struct est_kafka_msg *m, const char *name, char *out, size_t max)
{
    struct est_view value = est_kafka_msg_header(m, name);

    assert_true(value.len <= max);
    if (value.len > 0)
        memcpy(out, value.data, value.len);
    return value.len;
}

void est_kafka_msg_set_untraced(struct est_kafka_msg *m)
{
    m->untraced = true;
}

bool fixture_is_untraced(const struct est_kafka_msg *m)
{
    return m->untraced;
}

int64_t est_kafka_msg_timestamp_ms(const struct est_kafka_msg *m)
{
    return m->timestamp_ms;
}

bool est_kafka_msg_is_timed_by_broker(const struct est_kafka_msg *m)
{
    return m->by_broker;
}

struct est_kafka_msg *fixture_timed(struct est_kafka_msg *m, int64_t ms, bool by_broker)
{
    m->timestamp_ms = ms;
    m->by_broker = by_broker;
    return m;
}

struct est_kafka_msg *fixture_replayed_for(struct est_kafka_msg *m, const char *destination)
{
    m->replay_for = destination;
    return m;
}

struct est_kafka_msg *fixture_chained(struct est_kafka_msg *m, unsigned boot, unsigned n)
{
    (void)snprintf(m->chain, sizeof(m->chain), "%032x/0/order/0/%u", boot, n);
    return m;
}

struct est_kafka_msg *fixture_chained_inside(struct est_kafka_msg *m, unsigned boot, unsigned n,
                                             int64_t at)
{
    struct est_schema *sc;
    struct est_buf value;
    char text[80];

    (void)snprintf(text, sizeof(text), "%032x/0/order/0/%u", boot, n);
    assert_int_equal(est_schema_load(ESTEIRA_SOURCE_DIR "/schemas/order.avsc", &sc, NULL), EST_OK);
    est_buf_init(&value, 1 << 16);
    assert_true(
        est_chain_field_put(sc, est_view(m->value, m->len), est_view_str(text), at, &value));
    est_free(m->value);
    assert_non_null(m->value = est_strndup(value.data, value.len));
    m->len = value.len;
    est_buf_fini(&value);
    est_schema_free(sc);
    return m;
}

struct est_kafka_msg *fixture_mark(struct est_kafka_msg *m)
{
    m->is_mark = true;
    return m;
}

size_t est_kafka_msg_size(const struct est_kafka_msg *m)
{
    return m->len + BORROWED_SIZE + (m->is_own ? OWNED_MORE : 0);
}
