#include "parcel.h"

#include "base/mem.h"
#include "part.h"

struct parcel *parcel_new(struct part *part, struct est_kafka_msg *msg, struct est_view id,
                          struct est_view json)
{
    struct parcel *pc = est_alloc(sizeof(*pc) + json.len + id.len);

    if (pc == NULL)
        return NULL;
    *pc = (struct parcel){.part = part, .msg = msg, .json_len = json.len};
    memcpy(pc->json, json.data, json.len);
    memcpy(pc->json + json.len, id.data, id.len);
    pc->id = est_view(pc->json + json.len, id.len);
    est_list_append(&part->parcels, &pc->node);
    part->waiting++;
    part->waiting_bytes += parcel_bytes(pc);
    return pc;
}

void parcel_free(struct parcel *pc)
{
    est_list_remove(&pc->node);
    pc->part->waiting--;
    pc->part->waiting_bytes -= parcel_bytes(pc);
    est_kafka_msg_free(pc->msg);
    est_free(pc);
}

size_t parcel_bytes(const struct parcel *pc)
{
    return sizeof(*pc) + pc->json_len + pc->id.len + est_kafka_msg_size(pc->msg);
}
