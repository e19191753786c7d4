#include "kafka_sub_conf.h"

#include "kafka_client.h"

/* librdkafka has one fetch out for each broker, and takes partitions into it one by one while its
 * queue is not full; where that has just changed, it may ask for empty ones alone, and until the
 * broker has waited for them a backlog stands still. */
enum { PARTITION_FETCH = 256 * 1024, RESPONSE_MIN = 1000000, FETCH_WAIT_MS = 100 };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Fetch sizes: librdkafka stops fetching when fetch_max_bytes lie in its queue, but a request that
 * is under way still lands, so one response is kept to a quarter of it (and not below
 * message.max.bytes). A record larger than either is still delivered, alone (KIP-74). */
static est_err set_sizes(rd_kafka_conf_t *conf, const struct est_kafka_sub_options *opt,
                         struct est_why *reterr)
{
    int64_t kib = (int64_t)(opt->fetch_max_bytes / 1024),
            response = (int64_t)opt->fetch_max_bytes / 4;
    const struct est_kafka_setting own[] = {
        {"queued.max.messages.kbytes", NULL, kib > 1 ? kib : 1},
        {"queued.min.messages", NULL, EST_KAFKA_SUB_QUEUE},
        {"fetch.message.max.bytes", NULL, PARTITION_FETCH},
#if RD_KAFKA_VERSION >= 0x020200ff
        {"fetch.queue.backoff.ms", NULL,
         10}, /* how soon a queue that was full is looked at again */
#endif
        {"fetch.max.bytes", NULL, response > RESPONSE_MIN ? response : RESPONSE_MIN},
        {"session.timeout.ms", NULL, opt->session_timeout / EST_MS},
        {"heartbeat.interval.ms", NULL, opt->heartbeat / EST_MS},
    };

    return est_kafka_configure(conf, own, COUNT(own), reterr);
}

est_err est_kafka_sub_conf_fill(rd_kafka_conf_t *conf, const struct est_kafka_sub_options *opt,
                                struct est_why *reterr)
{
    const struct est_kafka_setting own[] = {
        {"bootstrap.servers", opt->brokers, 0},
        {"client.id", opt->client_id, 0},
        {"group.id", opt->group, 0},
        {"auto.offset.reset", opt->from_earliest ? "earliest" : "latest", 0},
        {"partition.assignment.strategy", "range", 0},
        {"enable.auto.commit", "false", 0},
        {"enable.auto.offset.store", "false", 0},
        {"log.queue", "true", 0},
        {"reconnect.backoff.max.ms", NULL, 1000},
        {"fetch.wait.max.ms", NULL, FETCH_WAIT_MS},
        {"topic.metadata.refresh.interval.ms", NULL, 10000}, /* a topic made later is seen soon */
        {"group.instance.id", opt->member_id, 0},            /* last: left out when there is none */
    };
    bool is_static = opt->member_id != NULL && opt->member_id[0] != '\0';
    est_err err = est_kafka_configure(conf, own, COUNT(own) - (is_static ? 0 : 1), reterr);

    if (err == EST_OK)
        err = set_sizes(conf, opt, reterr);
    return err == EST_OK ? est_kafka_configure_extra(conf, opt->extra, opt->n_extra, reterr) : err;
}
