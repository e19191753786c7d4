#include "kafka_sub_state.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

enum {
    COMMITTED_WAIT_MS =
        2000 /* the one call here that blocks: what the group committed, at assign */
};
static const est_us COMMITTED_AGAIN = 500 * EST_MS;

/* --- partitions come and go --- */

static struct est_view view_of(const void *data, size_t len)
{
    return est_view(data, data ? len : 0);
}

/* The views point into the list. NULL when memory is out. */
static struct est_kafka_position *positions_of(const struct est_kafka_sub *ks,
                                               const rd_kafka_topic_partition_list_t *list)
{
    size_t n = (size_t)list->cnt;
    struct est_kafka_position *parts = est_calloc(n ? n : 1, sizeof(*parts));

    for (size_t i = 0; parts != NULL && i < n; i++) {
        const rd_kafka_topic_partition_t *tp = &list->elems[i];
        parts[i] =
            (struct est_kafka_position){.topic = est_kafka_sub_own_name(ks, tp->topic),
                                        .partition = tp->partition,
                                        .offset = tp->offset >= 0 ? tp->offset : -1,
                                        .metadata = view_of(tp->metadata, tp->metadata_size)};
    }
    return parts;
}

/* False without an answer for every partition in time. */
static bool read_committed(struct est_kafka_sub *ks, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(ks->rk, list, COMMITTED_WAIT_MS);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
        code = list->elems[i].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        est_kafka_sub_tell_log(ks, 4, "COMMITTED", rd_kafka_err2str(code));
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* librdkafka keeps the mark of a pause with the partition, past the assignment that it was made in:
 * a partition that went and came back would never be read again. */
static void resume_all(struct est_kafka_sub *ks)
{
    rd_kafka_topic_partition_list_t *held = NULL;

    if (rd_kafka_assignment(ks->rk, &held) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    (void)rd_kafka_resume_partitions(ks->rk, held);
    rd_kafka_topic_partition_list_destroy(held);
}

/* list NULL = nothing is assigned any longer. */
static void assign(struct est_kafka_sub *ks, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code;

    if (list == NULL)
        resume_all(ks);
    code = rd_kafka_assign(ks->rk, list);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        est_kafka_sub_tell_log(ks, 3, "ASSIGN", rd_kafka_err2str(code));
}

/* The records of a partition go to a queue of their own. Asked for before fetching begins, and
 * again at each assignment, for the partition's queue may be another one by then. */
static void forward_records(struct est_kafka_sub *ks, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_queue_t *of_partition =
            rd_kafka_queue_get_partition(ks->rk, list->elems[i].topic, list->elems[i].partition);
        if (of_partition == NULL)
            continue; /* its records come through the member's queue */
        rd_kafka_queue_forward(of_partition, ks->records);
        rd_kafka_queue_destroy(of_partition);
    }
}

/* Memory that is out here leaves no way on that keeps the promise: the client counts as dead. */
static void hand_over(struct est_kafka_sub *ks, const rd_kafka_topic_partition_list_t *list)
{
    struct est_kafka_position *parts = positions_of(ks, list);

    if (parts == NULL) {
        ks->on.fatal(ks->on.arg, "no memory for an assignment");
        return;
    }
    ks->on.assigned(ks->on.arg, parts, (size_t)list->cnt);
    est_free(parts);
    forward_records(ks, list);
    assign(ks, list);
}

/* Without what was committed nothing is read: librdkafka would find the offsets by itself, but not
 * the metadata, and the next commit would replace what it says. */
static void take_assignment(struct est_kafka_sub *ks, rd_kafka_topic_partition_list_t *list)
{
    est_kafka_sub_set_up(ks, true, "the group coordinator answers");
    if (list->cnt == 0 || read_committed(ks, list)) {
        hand_over(ks, list);
        return;
    }
    ks->unread = rd_kafka_topic_partition_list_copy(list);
    est_loop_timer_at(ks->loop, &ks->assign_timer, est_clock_mono() + COMMITTED_AGAIN);
}

void est_kafka_sub_on_assign_timer(void *arg)
{
    struct est_kafka_sub *ks = arg;
    rd_kafka_topic_partition_list_t *list = ks->unread;

    if (!read_committed(ks, list)) {
        est_loop_timer_at(ks->loop, &ks->assign_timer, est_clock_mono() + COMMITTED_AGAIN);
        return;
    }
    ks->unread = NULL;
    hand_over(ks, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void est_kafka_sub_drop_unread(struct est_kafka_sub *ks)
{
    if (ks->unread == NULL)
        return;
    est_loop_timer_off(ks->loop, &ks->assign_timer);
    rd_kafka_topic_partition_list_destroy(ks->unread);
    ks->unread = NULL;
    assign(ks, NULL);
}

static void give_back(struct est_kafka_sub *ks)
{
    est_loop_timer_off(ks->loop, &ks->give_timer);
    rd_kafka_topic_partition_list_destroy(ks->revoked);
    ks->revoked = NULL;
    ks->giving = EST_KAFKA_SUB_KEEPS;
    assign(ks, NULL);
}

void est_kafka_sub_on_give_timer(void *arg)
{
    struct est_kafka_sub *ks = arg;

    if (ks->on.committed != NULL)
        ks->on.committed(ks->on.arg, EST_ERR_TIMEOUT, "the last commit of a revoked partition");
    give_back(ks);
}

static void take_revocation(struct est_kafka_sub *ks, const rd_kafka_topic_partition_list_t *list)
{
    struct est_kafka_position *parts;

    EST_ASSERT(ks->giving == EST_KAFKA_SUB_KEEPS);
    if (ks->unread != NULL) {
        est_kafka_sub_drop_unread(ks);
        return;
    }
    ks->revoked = rd_kafka_topic_partition_list_copy(list);
    ks->lost = rd_kafka_assignment_lost(ks->rk) != 0;
    ks->giving = EST_KAFKA_SUB_ASKED;
    parts = positions_of(ks, list);
    if (parts == NULL) {
        ks->on.fatal(ks->on.arg, "no memory for a revocation");
        return;
    }
    ks->on.revoked(ks->on.arg, parts, (size_t)list->cnt, ks->lost);
    est_free(parts);
}

void est_kafka_sub_take_rebalance(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);

    switch ((int)rd_kafka_event_error(ev)) {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS: take_assignment(ks, list); break;
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS: take_revocation(ks, list); break;
    default:
        est_kafka_sub_tell_log(ks, 3, "REBALANCE", rd_kafka_event_error_string(ev));
        assign(ks, NULL);
    }
}

/* --- commits --- */

static bool add_position(rd_kafka_topic_partition_list_t *list, const struct est_kafka_position *at)
{
    rd_kafka_topic_partition_t *tp =
        rd_kafka_topic_partition_list_add(list, at->topic, at->partition);

    tp->offset = at->offset;
    if (at->metadata.len == 0)
        return true;
    tp->metadata = rd_kafka_mem_malloc(NULL, at->metadata.len); /* freed with the list */
    if (tp->metadata == NULL)
        return false;
    memcpy(tp->metadata, at->metadata.data, at->metadata.len);
    tp->metadata_size = at->metadata.len;
    return true;
}

/* rd_kafka_commit_queue, since rd_kafka_commit(async) without a callback never reports. */
static est_err commit(struct est_kafka_sub *ks, const struct est_kafka_position *parts, size_t n,
                      void *tag, struct est_why *reterr)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    bool complete = true;

    for (size_t i = 0; complete && i < n; i++)
        complete = add_position(list, &parts[i]);
    if (complete)
        code = rd_kafka_commit_queue(ks->rk, list, ks->results, NULL, tag);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return est_why_set(reterr, EST_ERR_AGAIN, "commit: %s", rd_kafka_err2str(code));
    return EST_OK;
}

est_err est_kafka_sub_commit(struct est_kafka_sub *ks, const struct est_kafka_position *parts,
                             size_t n, struct est_why *reterr)
{
    est_err err;

    if (ks->committing || ks->giving != EST_KAFKA_SUB_KEEPS)
        return est_why_set(reterr, EST_ERR_AGAIN, "a commit is under way");
    if ((err = commit(ks, parts, n, NULL, reterr)) == EST_OK)
        ks->committing = true;
    return err;
}

void est_kafka_sub_revoke_done(struct est_kafka_sub *ks, const struct est_kafka_position *parts,
                               size_t n)
{
    EST_ASSERT(ks->giving == EST_KAFKA_SUB_ASKED);
    ks->giving = EST_KAFKA_SUB_COMMITS;
    if (ks->lost || n == 0 || commit(ks, parts, n, &ks->give_tag, NULL) != EST_OK)
        give_back(ks);
    else
        est_loop_timer_at(ks->loop, &ks->give_timer, est_clock_mono() + ks->commit_timeout);
}

/* The result of the whole request, and of each partition of it. */
static rd_kafka_resp_err_t commit_code(rd_kafka_event_t *ev)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);
    rd_kafka_resp_err_t code = rd_kafka_event_error(ev);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && i < list->cnt; i++)
        code = list->elems[i].err;
    return code;
}

void est_kafka_sub_take_commit(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t code = commit_code(ev);
    bool is_last = rd_kafka_event_opaque(ev) == &ks->give_tag;
    est_err err = code == RD_KAFKA_RESP_ERR_NO_ERROR                    ? EST_OK
                  : code < 0                                            ? EST_ERR_KAFKA_DOWN
                  : code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE ? EST_ERR_TOO_LARGE
                                                                        : EST_ERR_KAFKA_REFUSED;

    if (!is_last)
        ks->committing = false;
    if (err == EST_OK)
        est_kafka_sub_set_up(ks, true, "a commit was acknowledged");
    if (ks->on.committed != NULL)
        ks->on.committed(ks->on.arg, err, err == EST_OK ? "" : rd_kafka_err2str(code));
    if (is_last && ks->giving == EST_KAFKA_SUB_COMMITS)
        give_back(ks);
}
