#include "avro_write.h"

#include "base/assert.h"
#include "encode.h"
#include "item.h"
#include "schema_plan.h"

#include <stdio.h>
#include <string.h>

static est_err put_payload(struct est_encode *e, const struct est_plan *p,
                           const struct est_inbound *in, const struct est_item *item)
{
    struct est_path step = {NULL, EST_VIEW_LIT("payload"), 0};
    est_err err = est_encode_value(e, p, item->payload, &step);

    /* Extras are filed under the plain shape's name; a sender must see the name it used. */
    if (err && e->reject != NULL && est_item_is_ce(in)) {
        char rest[EST_REJECT_POINTER];
        memcpy(rest, e->reject->pointer, sizeof(rest));
        (void)snprintf(e->reject->pointer, sizeof(e->reject->pointer), "/data%s",
                       rest + sizeof("/payload") - 1);
    }
    return err;
}

static est_err put_unnamed(struct est_encode *e, bool is_ce, const struct est_item *item)
{
    struct est_encode_extra x = {e, NULL, false};
    size_t idx, max, left = item->unnamed;
    yyjson_val *key, *val;

    if (left == 0)
        return EST_OK;
    yyjson_obj_foreach(item->envelope, idx, max, key, val) {
        est_err err = EST_OK;
        if (est_item_keeps(is_ce, est_json_tree_text(key)))
            err = est_encode_extra_add(&x, est_json_tree_text(key), val);
        if (err)
            return err;
    }
    est_encode_extra_end(&x);
    return EST_OK;
}

static void put_nullable(struct est_buf *out, const struct est_plan *p, bool has_value)
{
    est_encode_long(out, (int64_t)(has_value ? 1 - p->null_branch : p->null_branch));
}

static void put_extra(struct est_encode *e, const struct est_plan *p)
{
    bool has_extra = e->extra->len > 0;

    put_nullable(e->out, p, has_extra);
    if (!has_extra)
        return;
    est_buf_putc(e->extra, '}');
    est_encode_string(e->out, est_buf_view(e->extra));
}

static est_err put_fields(struct est_encode *e, const struct est_schema *sc,
                          const struct est_inbound *in, const struct est_item *item,
                          const struct est_event *ev)
{
    const struct est_view texts[EST_PLAN_ROLE__COUNT] = {
        [EST_PLAN_ROLE_ID] = ev->id,
        [EST_PLAN_ROLE_EVENT] = ev->event,
        [EST_PLAN_ROLE_SOURCE] = ev->source,
        [EST_PLAN_ROLE_TENANT] = ev->tenant,
        [EST_PLAN_ROLE_DEDUP_ID] = ev->dedup_id,
    };
    est_err err = EST_OK;

    for (size_t i = 0; i < sc->plan->n && err == EST_OK; i++) {
        const struct est_plan *p = sc->plan->fields[i].plan;
        enum est_plan_role role = sc->role_of[i];
        if (role == EST_PLAN_ROLE_PAYLOAD) {
            err = put_payload(e, p, in, item);
        } else if (role == EST_PLAN_ROLE_EXTRA) {
            put_extra(e, p);
        } else if (role == EST_PLAN_ROLE_CHAIN) {
            put_nullable(e->out, p, false); /* whoever publishes it fills it in */
        } else if (role == EST_PLAN_ROLE_SEQUENCE) {
            put_nullable(e->out, p, ev->has_sequence);
            if (ev->has_sequence)
                est_encode_long(e->out, ev->sequence);
        } else if (role == EST_PLAN_ROLE_OCCURRED_AT || role == EST_PLAN_ROLE_RECEIVED_AT) {
            est_us at = role == EST_PLAN_ROLE_OCCURRED_AT ? ev->occurred_at : ev->received_at;
            est_encode_long(e->out, at / 1000 - (at % 1000 < 0));
        } else {
            est_encode_string(e->out, texts[role]);
        }
    }
    return err;
}

static est_err settle(const struct est_inbound *in, const struct est_buf *out, size_t start,
                      struct est_reject *reject)
{
    if (in->extra.failed || in->scratch.failed)
        return est_reject_set(reject, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    if (out->failed)
        return est_reject_set(reject, EST_ERR_FULL, "%s", est_err_text(EST_ERR_FULL));
    if (out->len - start > in->limits.event_max)
        return est_reject_set(reject, EST_ERR_TOO_LARGE,
                              "the event has more than %zu bytes as Avro", in->limits.event_max);
    return EST_OK;
}

est_err est_avro_write_event(const struct est_schema *sc, struct est_inbound *in, size_t i,
                             const struct est_event *ev, struct est_buf *out,
                             struct est_reject *reject)
{
    yyjson_val *slots[EST_PLAN_SLOTS_MAX];
    struct est_encode e = {out, &in->extra, &in->scratch, slots, 0, false, reject};
    size_t start = out->len;
    est_err err;

    EST_ASSERT(sc->is_event && i < in->n && in->items[i].payload != NULL);
    est_buf_clear(&in->extra);
    est_buf_clear(&in->scratch);
    err = put_unnamed(&e, est_item_is_ce(in), &in->items[i]);
    if (err == EST_OK)
        err = put_fields(&e, sc, in, &in->items[i], ev);
    if (err != EST_ERR_EVENT_PAYLOAD) /* memory that was out has failed a buffer, too */
        err = settle(in, out, start, reject);
    if (err == EST_OK)
        return EST_OK;
    est_buf_truncate(out, start);
    if (reject != NULL)
        reject->index = i;
    return err;
}
