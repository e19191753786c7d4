#include "admit.h"

#include "base/id.h"
#include "base/mem.h"
#include "catalog.h"
#include "codec/avro_write.h"
#include "codec/text.h"
#include "codec/wire.h"
#include "config/config.h"
#include "core/murmur2.h"

enum { KEEP_ITEMS = 1024, KEEP_BYTES = 1024 * 1024, VALUES_PER_BODY = 4 };
enum {
    ID_MAX = 256,
    TRACEPARENT_MAX = 128,
    TRACESTATE_MAX = 1024
}; /* as in an event's own members */

est_err admit_init(struct admit *ad, const struct est_config *cfg, struct catalog *cat)
{
    struct est_inbound_limits limits = est_inbound_limits_default;

    *ad = (struct admit){.catalog = cat, .items_max = cfg->producer_batch_max};
    limits.items_max = cfg->producer_batch_max;
    limits.event_max = cfg->producer_event_max;
    if (limits.memory_max < cfg->producer_body_max * VALUES_PER_BODY)
        limits.memory_max = cfg->producer_body_max * VALUES_PER_BODY;
    ad->source = est_view_str(cfg->producer_source[0] ? cfg->producer_source : "esteira");
    est_buf_init(&ad->values, cfg->producer_body_max * VALUES_PER_BODY);
    ad->rejects = est_calloc(ADMIT_REJECTS_MAX, sizeof(*ad->rejects));
    if (ad->rejects == NULL)
        return EST_ERR_NOMEM;
    return est_inbound_new(&limits, &ad->inbound);
}

void admit_fini(struct admit *ad)
{
    est_inbound_free(ad->inbound);
    est_buf_fini(&ad->values);
    est_free(ad->items);
    est_free(ad->rejects);
}

void admit_clear(struct admit *ad)
{
    est_inbound_clear(ad->inbound);
    ad->n = ad->n_rejects = ad->n_rejected = 0;
    if (ad->values.cap > KEEP_BYTES)
        est_buf_fini(&ad->values);
    est_buf_clear(&ad->values);
    if (ad->cap > KEEP_ITEMS) {
        est_free(ad->items);
        ad->items = NULL;
        ad->cap = 0;
    }
}

static est_err make_room(struct admit *ad, size_t n)
{
    struct admit_item *items;

    if (n <= ad->cap)
        return EST_OK;
    items = est_realloc(ad->items, n * sizeof(*items));
    if (items == NULL)
        return EST_ERR_NOMEM;
    ad->items = items;
    ad->cap = n;
    return EST_OK;
}

/* A header field goes where an event's member goes, so the same is asked of it. */
static bool is_text(struct est_view v, size_t max)
{
    return v.len > 0 && v.len <= max && est_text_is_utf8(v) && est_text_is_printable(v);
}

/* W3C Trace Context §3.2: what does not hold is as good as not sent. */
static struct est_view trace_of(struct est_view v, size_t max)
{
    return is_text(v, max) ? v : EST_VIEW_NONE;
}

/* What the sender's values are laid over. */
static void set_defaults(const struct admit *ad, const struct admit_context *ctx,
                         struct admit_item *it)
{
    it->ev = (struct est_event){
        .source = ad->source,
        .tenant = EST_VIEW_LIT(""),
        .received_at = ctx->now,
        .occurred_at = ctx->now,
        .traceparent = trace_of(ctx->traceparent, TRACEPARENT_MAX),
        .tracestate = trace_of(ctx->tracestate, TRACESTATE_MAX),
    };
    if (!est_inbound_is_batch(ad->inbound))
        it->ev.id = ctx->idempotency_key;
}

static void complete(struct admit_item *it, est_us now)
{
    if (it->ev.id.data == NULL) {
        est_uuid7(now, it->made_id);
        it->ev.id = est_view(it->made_id, EST_UUID_LEN);
    }
    if (it->ev.dedup_id.data == NULL)
        it->ev.dedup_id = it->ev.id;
}

/* The ordering key: what the sender says; else the first place of the type's rule that has a value;
 * else the CloudEvents subject; else the sender's own source, so that one bot stays in order; else
 * the id, for nothing is known that it would have to stay in order with. */
static struct est_view key_of(const struct admit *ad, const struct admit_item *it)
{
    const struct est_event *ev = &it->ev;

    if (ev->key.len > 0)
        return ev->key;
    for (size_t i = 0; i < it->type->n_keys; i++) {
        struct est_view v = est_inbound_pointer(ad->inbound, it->index, it->type->keys[i]);
        if (v.len > 0)
            return v;
    }
    if (ev->subject.len > 0)
        return ev->subject;
    return ev->source.data != ad->source.data && ev->source.len > 0 ? ev->source : ev->id;
}

static est_err encode(struct admit *ad, struct admit_item *it, struct est_reject *rj)
{
    est_err err;

    it->value_at = ad->values.len;
    if (it->type->has_schema_id)
        est_wire_put_id(&ad->values, it->type->schema_id);
    else
        est_wire_put_single(&ad->values, est_schema_fingerprint(it->type->schema));
    if (ad->values.failed) {
        est_buf_truncate(&ad->values, it->value_at);
        return est_reject_set(rj, EST_ERR_FULL, "no room for this request");
    }
    err = est_avro_write_event(it->type->schema, ad->inbound, it->index, &it->ev, &ad->values, rj);
    if (err != EST_OK)
        est_buf_truncate(&ad->values, it->value_at);
    it->value_len = ad->values.len - it->value_at;
    return err;
}

static est_err admit_one(struct admit *ad, size_t i, const struct admit_context *ctx,
                         struct est_reject *rj)
{
    struct admit_item *it = &ad->items[ad->n];
    est_err err;

    it->index = i;
    set_defaults(ad, ctx, it);
    err = est_inbound_event(ad->inbound, i, &it->ev, rj);
    if (err != EST_OK)
        return err;
    complete(it, ctx->now);
    it->type = catalog_of(ad->catalog, it->ev.event);
    if (it->type == NULL)
        return est_reject_set(rj, EST_ERR_EVENT_UNKNOWN, "no type declares this event name");
    it->key = key_of(ad, it);
    if (it->type->partitions > 0)
        it->partition = (int32_t)est_murmur2_partition(it->key, (uint32_t)it->type->partitions);
    err = encode(ad, it, rj);
    ad->n += err == EST_OK;
    return err;
}

static void reject(struct admit *ad, const struct est_reject *rj)
{
    if (ad->n_rejects < ADMIT_REJECTS_MAX)
        ad->rejects[ad->n_rejects++] = *rj;
    ad->n_rejected++;
}

est_err admit_parse(struct admit *ad, enum est_inbound_kind kind, struct est_view body,
                    const struct admit_context *ctx)
{
    struct est_reject rj = {0};
    size_t n;
    est_err err;

    admit_clear(ad);
    err = est_inbound_parse(ad->inbound, kind, body, ctx->fields, ctx->n_fields, &rj);
    n = err == EST_OK ? est_inbound_count(ad->inbound) : 0;
    if (err == EST_OK && !est_inbound_is_batch(ad->inbound) && ctx->idempotency_key.data != NULL &&
        !is_text(ctx->idempotency_key, ID_MAX))
        err = est_reject_set(&rj, EST_ERR_EVENT_SHAPE, "Idempotency-Key: 1 to %d bytes of UTF-8",
                             ID_MAX);
    if (err == EST_OK && make_room(ad, n) != EST_OK)
        err = est_reject_set(&rj, EST_ERR_NOMEM, "no memory for this request right now");
    if (err != EST_OK) {
        reject(ad, &rj);
        return err;
    }
    for (size_t i = 0; i < n; i++) {
        err = admit_one(ad, i, ctx, &rj);
        if (err == EST_OK)
            continue;
        rj.code = err;
        rj.index = i;
        reject(ad, &rj);
    }
    return EST_OK;
}

bool admit_is_batch(const struct admit *ad)
{
    return est_inbound_is_batch(ad->inbound);
}

struct est_view admit_value(const struct admit *ad, const struct admit_item *it)
{
    return est_view(ad->values.data + it->value_at, it->value_len);
}
