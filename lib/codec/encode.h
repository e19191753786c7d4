/* A JSON value to Avro by a plan: the walk under avro_write.h, and under the check of defaults. */
#pragma once

#include "base/buf.h"
#include "json_tree.h"
#include "plan.h"
#include "reject.h"

/* The state of one walk. `extra` collects unnamed members as JSON text; NULL refuses them. */
struct est_encode {
    struct est_buf *out;
    struct est_buf *extra;
    struct est_buf *scratch;
    yyjson_val **slots; /* EST_PLAN_SLOTS_MAX of them */
    size_t slots_used;
    bool is_default; /* Avro's rules for defaults: no logical types, a union's first branch */
    struct est_reject *reject;
};

/* EST_ERR_EVENT_PAYLOAD with the place. Whether `out` has failed is the caller's to look at. */
est_err est_encode_value(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                         const struct est_path *at);

/* The error for a value of another JSON type than the plan takes. */
est_err est_encode_mismatch(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                            const struct est_path *at);

/* Members of `obj` that are to be kept: begin once per object, then one call a member, then end. */
struct est_encode_extra {
    struct est_encode *e;
    const struct est_path *at;
    bool open;
};
est_err est_encode_extra_add(struct est_encode_extra *x, struct est_view name, yyjson_val *v);
void est_encode_extra_end(struct est_encode_extra *x);

/* Avro primitives. Most numbers are lengths, counts and branches below 64: one byte. */
void est_encode_long_many(struct est_buf *b, int64_t n);
static inline void est_encode_long(struct est_buf *b, int64_t n)
{
    if (n >= 0 && n < 64 && b->len < b->cap && !b->failed)
        b->data[b->len++] = (char)(n << 1);
    else
        est_encode_long_many(b, n);
}
void est_encode_string(struct est_buf *b, struct est_view v);
