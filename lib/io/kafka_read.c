#include "io/kafka_read.h"

#include "base/mem.h"
#include "io/kafka_client.h"

#include <stdlib.h>

struct est_kafka_read {
    rd_kafka_t *rk;
    char *topic;
    int32_t partitions;
    bool *ended; /* per partition: its end has been seen */
    int32_t n_ended;
    bool told_end;
    int64_t
        *ends; /* per partition, with until_now: the first offset that is not wanted; else NULL */
    uint64_t total;
    struct est_record_header *headers; /* room for those of the record at hand */
    size_t headers_cap;
};

enum { RETRY_MS = 100 };

static est_err open_client(struct est_kafka_read *kr, const struct est_kafka_read_options *opt,
                           struct est_why *reterr)
{
    const struct est_kafka_setting own[] = {
        {"bootstrap.servers", opt->brokers, 0},
        {"client.id", opt->client_id, 0},
        {"group.id", opt->client_id,
         0}, /* asked for by the library; never joined, nothing committed */
        {"enable.auto.commit", "false", 0},
        {"enable.auto.offset.store", "false", 0},
        {"enable.partition.eof", "true", 0},
        {"allow.auto.create.topics", "false", 0},
        /* A fetch that finds some partitions at their ends must not hold up those that it lacks. */
        {"fetch.wait.max.ms", NULL, opt->until_now ? 20 : 500},
        {"log_level", "2", 0},
    };

    return est_kafka_open(RD_KAFKA_CONSUMER, own, sizeof(own) / sizeof(own[0]), opt->extra,
                          opt->n_extra, &kr->rk, reterr);
}

static est_err count_partitions(struct est_kafka_read *kr, const struct est_kafka_read_options *opt,
                                struct est_why *reterr)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kr->rk, opt->topic, NULL);
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_resp_err_t code =
        topic != NULL ? rd_kafka_metadata(kr->rk, 0, topic, &md, (int)(opt->timeout / EST_MS))
                      : rd_kafka_last_error();
    est_err err = EST_OK;

    if (topic != NULL)
        rd_kafka_topic_destroy(topic);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return est_why_set(reterr, EST_ERR_KAFKA_DOWN, "%s: %s", opt->brokers,
                           rd_kafka_err2str(code));
    if (md->topic_cnt != 1 || md->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR ||
        md->topics[0].partition_cnt == 0)
        err = est_why_set(reterr, EST_ERR_NOTFOUND, "there is no topic %s", opt->topic);
    else
        kr->partitions = md->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(md);
    return err;
}

/* The first trouble of a look-up, that of single partitions included. */
static rd_kafka_resp_err_t look_up(struct est_kafka_read *kr,
                                   rd_kafka_topic_partition_list_t *parts, int64_t since_ms,
                                   est_us timeout)
{
    rd_kafka_resp_err_t code;

    for (int i = 0; i < parts->cnt; i++)
        parts->elems[i].offset = since_ms;
    code = rd_kafka_offsets_for_times(kr->rk, parts, (int)(timeout / EST_MS));
    for (int i = 0; i < parts->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        code = parts->elems[i].err;
    return code;
}

/* A partition that was made, or whose broker was started, a moment ago has no leader yet. */
static rd_kafka_resp_err_t look_up_patiently(struct est_kafka_read *kr,
                                             rd_kafka_topic_partition_list_t *parts,
                                             int64_t since_ms, est_us timeout)
{
    est_us now = est_clock_mono(), until = now + timeout;
    rd_kafka_resp_err_t code;

    do {
        code = look_up(kr, parts, since_ms, until - now);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return code;
        (void)rd_kafka_poll(kr->rk, RETRY_MS); /* the pause; there is nothing to poll */
        now = est_clock_mono();
    } while (now < until);
    return code;
}

/* As above, a partition may have no leader yet. */
static rd_kafka_resp_err_t find_end_patiently(struct est_kafka_read *kr, int32_t partition,
                                              est_us timeout, int64_t *low, int64_t *high)
{
    est_us now = est_clock_mono(), until = now + timeout;
    rd_kafka_resp_err_t code;

    do {
        code = rd_kafka_query_watermark_offsets(kr->rk, kr->topic, partition, low, high,
                                                (int)((until - now) / EST_MS));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return code;
        (void)rd_kafka_poll(kr->rk, RETRY_MS);
        now = est_clock_mono();
    } while (now < until);
    return code;
}

static void end_partition(struct est_kafka_read *kr, int32_t partition)
{
    if (partition >= 0 && partition < kr->partitions && !kr->ended[partition]) {
        kr->ended[partition] = true;
        kr->n_ended++;
    }
}

/* What lies between the offsets where reading begins and the ends of now. A partition with nothing
 * has come to its end. */
static rd_kafka_resp_err_t note_ends(struct est_kafka_read *kr,
                                     const rd_kafka_topic_partition_list_t *parts, est_us timeout)
{
    for (int i = 0; i < parts->cnt; i++) {
        int64_t low = 0, high = 0, begin = parts->elems[i].offset;
        rd_kafka_resp_err_t code =
            find_end_patiently(kr, parts->elems[i].partition, timeout, &low, &high);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return code;
        kr->ends[i] = high;
        if (begin == RD_KAFKA_OFFSET_END)
            begin = high;
        else if (begin < low)
            begin = low;
        kr->total += (uint64_t)(high - begin);
        if (begin >= high)
            end_partition(kr, parts->elems[i].partition);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Where to begin in each partition: the end, or the first record of that time or later. */
static est_err assign(struct est_kafka_read *kr, const struct est_kafka_read_options *opt,
                      struct est_why *reterr)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(kr->partitions);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (int32_t p = 0; p < kr->partitions; p++)
        rd_kafka_topic_partition_list_add(parts, kr->topic, p)->offset =
            opt->since_ms == 0 ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
    if (opt->since_ms > 0)
        code = look_up_patiently(kr, parts, opt->since_ms, opt->timeout);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && kr->ends != NULL)
        code = note_ends(kr, parts, opt->timeout);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_assign(kr->rk, parts);
    rd_kafka_topic_partition_list_destroy(parts);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return EST_OK;
    return est_why_set(reterr, EST_ERR_KAFKA_DOWN, "%s: %s", opt->topic, rd_kafka_err2str(code));
}

est_err est_kafka_read_new(const struct est_kafka_read_options *opt, struct est_kafka_read **ret,
                           struct est_why *reterr)
{
    struct est_kafka_read *kr = est_calloc(1, sizeof(*kr));
    est_err err;

    if (kr == NULL || (kr->topic = est_strdup(opt->topic)) == NULL) {
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for the Kafka client");
        goto fail;
    }
    if ((err = open_client(kr, opt, reterr)) || (err = count_partitions(kr, opt, reterr)))
        goto fail;
    kr->ended = est_calloc((size_t)kr->partitions, sizeof(*kr->ended));
    if (opt->until_now)
        kr->ends = est_calloc((size_t)kr->partitions, sizeof(*kr->ends));
    if (kr->ended == NULL || (opt->until_now && kr->ends == NULL)) {
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for the Kafka client");
        goto fail;
    }
    (void)rd_kafka_poll_set_consumer(kr->rk);
    if ((err = assign(kr, opt, reterr)))
        goto fail;
    *ret = kr;
    return EST_OK;
fail:
    est_kafka_read_free(kr);
    return err;
}

void est_kafka_read_free(struct est_kafka_read *kr)
{
    if (kr == NULL)
        return;
    if (kr->rk != NULL)
        rd_kafka_destroy(kr->rk);
    est_free(kr->ended);
    est_free(kr->ends);
    est_free(kr->headers);
    est_free(kr->topic);
    est_free(kr);
}

uint64_t est_kafka_read_total(const struct est_kafka_read *kr)
{
    return kr->total;
}

/* All of them: what is put back into Kafka must be what was there. */
static est_err copy_headers(struct est_kafka_read *kr, const rd_kafka_message_t *m, size_t *ret_n)
{
    rd_kafka_headers_t *list;
    const char *name;
    const void *value;
    size_t n, len;

    *ret_n = 0;
    if (rd_kafka_message_headers(m, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return EST_OK;
    n = rd_kafka_header_cnt(list);
    if (n > kr->headers_cap) {
        struct est_record_header *more = est_realloc(kr->headers, n * sizeof(*more));
        if (more == NULL)
            return EST_ERR_NOMEM;
        kr->headers = more;
        kr->headers_cap = n;
    }
    while (*ret_n < n &&
           rd_kafka_header_get_all(list, *ret_n, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR)
        kr->headers[(*ret_n)++] = (struct est_record_header){name, est_view(value, len)};
    return EST_OK;
}

static est_err to_message(struct est_kafka_read *kr, const rd_kafka_message_t *m,
                          struct est_kafka_msg **ret)
{
    rd_kafka_timestamp_type_t kind;
    int64_t ms = rd_kafka_message_timestamp(m, &kind);
    size_t n_headers;
    est_err err = copy_headers(kr, m, &n_headers);
    struct est_record rec = {
        .topic = kr->topic,
        .partition = m->partition,
        .key = est_view(m->key, m->key_len),
        .value = est_view(m->payload, m->len),
        .headers = kr->headers,
        .n_headers = n_headers,
        .timestamp_ms = ms > 0 ? ms : 0,
    };

    return err == EST_OK ? est_kafka_msg_new(&rec, m->offset, ret) : err;
}

static est_err note_end(struct est_kafka_read *kr, int32_t partition)
{
    end_partition(kr, partition);
    if (kr->told_end || kr->n_ended < kr->partitions)
        return EST_ERR_AGAIN;
    kr->told_end = true;
    return EST_ERR_CLOSED;
}

/* False: it came after the topic was opened, and nobody wants it. The last one that is wanted ends
 * its partition; so does the end itself where offsets are missing. */
static bool is_wanted(struct est_kafka_read *kr, const rd_kafka_message_t *m)
{
    if (kr->ends == NULL || m->partition >= kr->partitions)
        return true;
    if (m->offset + 1 >= kr->ends[m->partition])
        end_partition(kr, m->partition);
    return m->offset < kr->ends[m->partition];
}

est_err est_kafka_read_next(struct est_kafka_read *kr, est_us wait, struct est_kafka_msg **ret,
                            struct est_why *reterr)
{
    rd_kafka_message_t *m;
    est_err err;

    if (kr->ends != NULL && kr->n_ended == kr->partitions)
        return EST_ERR_CLOSED;
    m = rd_kafka_consumer_poll(kr->rk, (int)(wait / EST_MS));
    if (m == NULL)
        return EST_ERR_AGAIN;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        err = is_wanted(kr, m) ? to_message(kr, m, ret) : EST_ERR_AGAIN;
    else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        err = note_end(kr, m->partition);
    else if (m->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
             m->err == RD_KAFKA_RESP_ERR__TRANSPORT)
        err = est_why_set(reterr, EST_ERR_KAFKA_DOWN, "%s", rd_kafka_err2str(m->err));
    else
        err = est_why_set(reterr, EST_ERR_IO, "%s", rd_kafka_err2str(m->err));
    rd_kafka_message_destroy(m);
    return err;
}
