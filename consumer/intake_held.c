/* Records that wait, with their partition paused: for a schema that is being asked for, or for room
 * in the account. */
#include "base/log.h"
#include "base/mem.h"
#include "inquiry.h"
#include "intake_state.h"

/* A record behind a schema that is being asked for, or one that the account has no room for. */
struct held {
    struct est_node node;
    struct est_kafka_msg *msg;
    bool is_read; /* the account has it */
};

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
    intake_pause(in, p, true);
    return true;
}

/* wire NULL: it waits behind another for the sake of order. */
void held_put(struct intake *in, struct part *p, struct est_kafka_msg *msg,
              const struct est_wire *wire)
{
    if (!keep(in, p, msg, true)) {
        intake_no_memory(in, p, msg, EST_ERR_NOMEM);
        est_kafka_msg_free(msg);
    } else if (wire != NULL) {
        inquiry_ask(in->inquiry, wire);
    }
}

/* Too much lies read behind a record that is not settled: this one waits, and everything behind it,
 * until the commit point rises. If it could not even be kept, the commit would pass it unread. */
void held_put_unread(struct intake *in, struct part *p, struct est_kafka_msg *msg)
{
    if (!p->full)
        EST_LOG(EST_WARN, "partition_full", EST_S("topic", p->type->topic),
                EST_I("partition", p->partition), EST_I("offset", est_kafka_msg_offset(msg)),
                EST_I("committed", p->committed));
    p->full = true;
    if (keep(in, p, msg, false))
        return;
    intake_no_memory(in, p, msg, EST_ERR_NOMEM);
    est_kafka_msg_free(msg);
}

/* Everything is taken again; what has to go on waiting comes back into the list. */
void held_release(struct intake *in, struct part *p)
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
            intake_take_in_order(in, p, h->msg);
        else
            intake_read(in, p, h->msg);
        est_free(h);
    }
}

void held_release_all(void *arg)
{
    struct intake *in = arg;

    for (size_t i = 0; i < in->w->parts.n; i++)
        held_release(in, &in->w->parts.items[i]);
    intake_resume(in);
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
