#include "io/kafka_look.h"

#include "base/mem.h"
#include "io/kafka_client.h"

enum { RETRY_MS = 100, ASK_MS = 50 };
/* ListOffsets takes these in the place of a time. */
enum { AT_END = -1, AT_BEGINNING = -2 };

struct est_kafka_look {
    rd_kafka_t *rk;
    const char *group;
    const char *const *topics;
    size_t n_topics;
    int timeout_ms;
    struct est_kafka_look_part *parts;
    size_t n;
    rd_kafka_topic_partition_list_t *committed; /* holds the metadata that parts borrow */
};

static est_err down(struct est_why *reterr, const char *what, rd_kafka_resp_err_t code)
{
    return est_why_set(reterr, EST_ERR_KAFKA_DOWN, "%s: %s", what, rd_kafka_err2str(code));
}

static est_err open_client(struct est_kafka_look *k, const struct est_kafka_look_options *opt,
                           struct est_why *reterr)
{
    const struct est_kafka_setting own[] = {
        {"bootstrap.servers", opt->brokers, 0},
        {"client.id", opt->client_id, 0},
        {"group.id", opt->group, 0}, /* never joined: only its offsets are asked for */
        {"enable.auto.commit", "false", 0},
        {"enable.auto.offset.store", "false", 0},
        {"allow.auto.create.topics", "false", 0},
        {"max.partition.fetch.bytes", NULL, 1024}, /* one batch of records is enough */
        {"queued.min.messages", NULL, 1},
        {"log_level", "2", 0},
    };
    est_err err = est_kafka_open(RD_KAFKA_CONSUMER, own, sizeof(own) / sizeof(own[0]), opt->extra,
                                 opt->n_extra, &k->rk, reterr);

    if (err == EST_OK)
        (void)rd_kafka_poll_set_consumer(k->rk);
    return err;
}

/* --- partitions --- */

static est_err add_parts(struct est_kafka_look *k, size_t topic, int32_t count)
{
    size_t total = k->n + (size_t)count;
    struct est_kafka_look_part *parts = est_realloc(k->parts, (total + 1) * sizeof(*parts));

    if (parts == NULL)
        return EST_ERR_NOMEM;
    k->parts = parts;
    for (int32_t p = 0; p < count; p++)
        k->parts[k->n++] = (struct est_kafka_look_part){
            .topic = topic, .partition = p, .committed = -1, .waits_since_ms = -1};
    return EST_OK;
}

static est_err find_parts(struct est_kafka_look *k, struct est_why *reterr)
{
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(k->rk, 1, NULL, &md, k->timeout_ms);
    est_err err = EST_OK;

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return down(reterr, "metadata", code);
    k->n = 0;
    for (size_t t = 0; t < k->n_topics && err == EST_OK; t++)
        for (int i = 0; i < md->topic_cnt && err == EST_OK; i++)
            if (strcmp(md->topics[i].topic, k->topics[t]) == 0)
                err = add_parts(k, t, md->topics[i].partition_cnt);
    rd_kafka_metadata_destroy(md);
    return err == EST_OK ? EST_OK : est_why_set(reterr, err, "no memory for the partitions");
}

static rd_kafka_topic_partition_list_t *list_of(const struct est_kafka_look *k, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->n);

    for (size_t i = 0; i < k->n; i++)
        rd_kafka_topic_partition_list_add(list, k->topics[k->parts[i].topic], k->parts[i].partition)
            ->offset = offset;
    return list;
}

/* --- offsets --- */

/* What a moment later is answered: no leader yet, or the coordinator is being found. */
static rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

typedef rd_kafka_resp_err_t ask_fn(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                   int timeout_ms);

/* Asks for all partitions, again and again, until each has answered or the time is over. */
static rd_kafka_resp_err_t ask(struct est_kafka_look *k, ask_fn *fn, int64_t offset,
                               rd_kafka_topic_partition_list_t **ret)
{
    est_us now = est_clock_mono(), until = now + k->timeout_ms * EST_MS;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_topic_partition_list_t *list = NULL;

    while (now < until) {
        list = list_of(k, offset);
        code = fn(k->rk, list, (int)((until - now) / EST_MS));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = first_error(list);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        rd_kafka_topic_partition_list_destroy(list);
        list = NULL;
        (void)rd_kafka_poll(k->rk, RETRY_MS);
        now = est_clock_mono();
    }
    *ret = list;
    return code;
}

static est_err ask_ends(struct est_kafka_look *k, int64_t which, struct est_why *reterr)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code = ask(k, rd_kafka_offsets_for_times, which, &list);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return down(reterr, "offsets", code);
    for (size_t i = 0; i < k->n; i++)
        *(which == AT_END ? &k->parts[i].high : &k->parts[i].low) = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return EST_OK;
}

static est_err ask_committed(struct est_kafka_look *k, struct est_why *reterr)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code = ask(k, rd_kafka_committed, RD_KAFKA_OFFSET_INVALID, &list);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return down(reterr, "committed offsets", code);
    for (size_t i = 0; i < k->n; i++) {
        const rd_kafka_topic_partition_t *tp = &list->elems[i];
        k->parts[i].committed = tp->offset >= 0 ? tp->offset : -1;
        if (tp->offset >= 0 && tp->metadata != NULL)
            k->parts[i].metadata = est_view(tp->metadata, tp->metadata_size);
    }
    if (k->committed != NULL)
        rd_kafka_topic_partition_list_destroy(k->committed);
    k->committed = list;
    return EST_OK;
}

est_err est_kafka_look_refresh(struct est_kafka_look *k, struct est_why *reterr)
{
    est_err err = find_parts(k, reterr);

    if (err != EST_OK || k->n == 0)
        return err;
    err = ask_committed(k, reterr);
    if (err == EST_OK)
        err = ask_ends(k, AT_BEGINNING, reterr);
    return err == EST_OK ? ask_ends(k, AT_END, reterr) : err;
}

const struct est_kafka_look_part *est_kafka_look_parts(const struct est_kafka_look *k,
                                                       size_t *ret_n)
{
    *ret_n = k->n;
    return k->parts;
}

/* --- the group, what waits for it --- */

/* Again until it is answered or the time is over: a coordinator that is loading, or a connection
 * that is just being made, is no answer. */
static rd_kafka_resp_err_t ask_group(struct est_kafka_look *k,
                                     const struct rd_kafka_group_list **ret)
{
    est_us now = est_clock_mono(), until = now + k->timeout_ms * EST_MS;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

    for (; now < until; now = est_clock_mono()) {
        code = rd_kafka_list_groups(k->rk, k->group, ret, (int)((until - now) / EST_MS));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && (*ret)->group_cnt > 0)
            code = (*ret)->groups[0].err;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        if (*ret != NULL) /* some brokers have answered */
            rd_kafka_group_list_destroy(*ret);
        *ret = NULL;
        (void)rd_kafka_poll(k->rk, RETRY_MS);
    }
    return code;
}

est_err est_kafka_look_members(struct est_kafka_look *k, size_t *ret, struct est_why *reterr)
{
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t code = ask_group(k, &list);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return down(reterr, k->group, code);
    *ret = list->group_cnt > 0 ? (size_t)list->groups[0].member_cnt : 0;
    rd_kafka_group_list_destroy(list);
    return EST_OK;
}

/* Where the group goes on; -1 = there is nothing for it. */
static int64_t next_of(const struct est_kafka_look_part *p)
{
    int64_t at = p->committed > p->low ? p->committed : p->low;

    return at < p->high ? at : -1;
}

static size_t assign_waiting(struct est_kafka_look *k, rd_kafka_resp_err_t *ret_code)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->n);
    size_t n = 0;

    for (size_t i = 0; i < k->n; i++) {
        int64_t at = next_of(&k->parts[i]);
        k->parts[i].waits_since_ms = -1;
        if (at < 0)
            continue;
        rd_kafka_topic_partition_list_add(list, k->topics[k->parts[i].topic], k->parts[i].partition)
            ->offset = at;
        n++;
    }
    *ret_code = n > 0 ? rd_kafka_assign(k->rk, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    return n;
}

/* True for the first record of its partition. */
static bool take_time(struct est_kafka_look *k, const rd_kafka_message_t *m)
{
    const char *topic = rd_kafka_topic_name(m->rkt);

    for (size_t i = 0; i < k->n; i++) {
        struct est_kafka_look_part *p = &k->parts[i];
        if (p->partition != m->partition || strcmp(k->topics[p->topic], topic) != 0)
            continue;
        if (p->waits_since_ms >= 0)
            return false;
        p->waits_since_ms = rd_kafka_message_timestamp(m, NULL);
        return p->waits_since_ms >= 0;
    }
    return false;
}

est_err est_kafka_look_times(struct est_kafka_look *k, est_us bound, struct est_why *reterr)
{
    est_us until = est_clock_mono() + bound;
    rd_kafka_resp_err_t code;
    size_t left = assign_waiting(k, &code);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return down(reterr, "assign", code);
    while (left > 0 && est_clock_mono() < until) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(k->rk, ASK_MS);
        if (m == NULL)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR && take_time(k, m))
            left--;
        rd_kafka_message_destroy(m);
    }
    (void)rd_kafka_assign(k->rk, NULL);
    return EST_OK;
}

/* --- life --- */

est_err est_kafka_look_new(const struct est_kafka_look_options *opt, struct est_kafka_look **ret,
                           struct est_why *reterr)
{
    struct est_kafka_look *k = est_calloc(1, sizeof(*k));
    est_err err;

    if (k == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the Kafka client");
    k->group = opt->group;
    k->topics = opt->topics;
    k->n_topics = opt->n_topics;
    k->timeout_ms = (int)(opt->timeout / EST_MS);
    err = open_client(k, opt, reterr);
    if (err == EST_OK)
        err = est_kafka_look_refresh(k, reterr);
    if (err != EST_OK) {
        est_kafka_look_free(k);
        return err;
    }
    *ret = k;
    return EST_OK;
}

void est_kafka_look_free(struct est_kafka_look *k)
{
    if (k == NULL)
        return;
    if (k->committed != NULL)
        rd_kafka_topic_partition_list_destroy(k->committed);
    if (k->rk != NULL)
        rd_kafka_destroy(k->rk);
    est_free(k->parts);
    est_free(k);
}
