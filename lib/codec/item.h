/* The inside of inbound.h: one item of a request, and how its envelope is read. */
#pragma once

#include "base/buf.h"
#include "inbound.h"
#include "json_tree.h"

struct est_item {
    yyjson_val *envelope;   /* the item's object; NULL when its line was not JSON */
    yyjson_val *payload;    /* found by est_item_read, or, in binary mode, the request's body */
    const char *fault_text; /* why envelope is NULL */
    est_err fault;
    size_t unnamed; /* members of the envelope that are to be kept in `extra` */
};

struct est_inbound {
    struct est_json json; /* owns all documents of the request */
    struct est_inbound_limits limits;
    enum est_inbound_kind kind;
    bool is_batch;
    struct est_item *items;
    size_t n, cap;
    struct est_buf extra, scratch; /* of the encoder, kept for their memory */
};

/* Check the envelope and fill *ev and item->payload. `is_ce`: of the CloudEvents shape. */
est_err est_item_read(struct est_item *item, bool is_ce, struct est_event *ev,
                      struct est_reject *reject);
/* Is this member kept in `extra`, because no field of the event holds it as it is? */
bool est_item_keeps(bool is_ce, struct est_view name);
/* The name under which this shape sends what the plain shape calls `name`. */
struct est_view est_item_alias(bool is_ce, struct est_view name);

static inline bool est_item_is_ce(const struct est_inbound *in)
{
    return in->kind >= EST_INBOUND_CE;
}
