#include "parcel.h"

#include "part.h"

static size_t size_of(const struct parcel *pc)
{
    return sizeof(*pc) + est_kafka_msg_size(pc->msg);
}

struct parcel *parcel_new(struct est_pool *pool, struct part *part, struct est_kafka_msg *msg)
{
    struct parcel *pc = est_pool_take(pool);

    if (pc == NULL)
        return NULL;
    *pc = (struct parcel){.part = part, .msg = msg};
    pc->bytes = size_of(pc);
    est_list_init(&pc->loan);
    est_list_append(&part->parcels, &pc->node);
    part->waiting++;
    part->waiting_bytes += pc->bytes;
    return pc;
}

void parcel_free(struct est_pool *pool, struct parcel *pc)
{
    est_list_remove(&pc->node);
    est_list_remove(&pc->loan);
    pc->part->waiting--;
    pc->part->gone++;
    pc->part->waiting_bytes -= pc->bytes;
    est_kafka_msg_free(pc->msg);
    est_pool_give(pool, pc);
}

struct est_view parcel_body(const struct parcel *pc)
{
    struct est_view value = est_kafka_msg_value(pc->msg);

    return est_view(value.data + pc->framing, value.len - pc->framing);
}

struct est_view parcel_id(const struct parcel *pc)
{
    if (pc->id_len == 0)
        return EST_VIEW_LIT("");
    return est_view(est_kafka_msg_value(pc->msg).data + pc->id_at, pc->id_len);
}

void parcel_set_id(struct parcel *pc, struct est_view id)
{
    pc->id_at = id.len > 0 ? (size_t)(id.data - est_kafka_msg_value(pc->msg).data) : 0;
    pc->id_len = id.len;
}

est_err parcel_own(struct parcel *pc)
{
    est_err err = est_kafka_msg_own(pc->msg);

    if (err != EST_OK)
        return err;
    pc->part->waiting_bytes -= pc->bytes;
    pc->bytes = size_of(pc);
    pc->part->waiting_bytes += pc->bytes;
    return EST_OK;
}
