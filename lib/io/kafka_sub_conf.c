#include "kafka_sub_conf.h"

#include <stdio.h>

enum { PARTITION_FETCH = 256 * 1024, RESPONSE_MIN = 1000000 };

struct setting {
    const char *name, *value;
};

static est_err set(rd_kafka_conf_t *conf, const char *name, const char *value, struct est_why *reterr)
{
    char text[EST_WHY_TEXT / 2];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
        return est_why_set(reterr, EST_ERR_INVALID, "kafka option %s: %s", name, text);
    return EST_OK;
}

static est_err set_all(rd_kafka_conf_t *conf, const struct setting *all, size_t n, struct est_why *reterr)
{
    est_err err = EST_OK;

    for (size_t i = 0; err == EST_OK && i < n; i++)
        err = set(conf, all[i].name, all[i].value, reterr);
    return err;
}

static est_err set_number(rd_kafka_conf_t *conf, const char *name, int64_t n, struct est_why *reterr)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)n);
    return set(conf, name, text, reterr);
}

/* Fetch sizes: librdkafka stops fetching when fetch_max_bytes lie in its queue, but every request that
 * is under way still lands, so one response is kept to a quarter of it. A record larger than either is
 * still delivered, alone (KIP-74). */
static est_err set_sizes(rd_kafka_conf_t *conf, const struct est_kafka_sub_options *opt,
                         struct est_why *reterr)
{
    int64_t kib = (int64_t)(opt->fetch_max_bytes / 1024), response = (int64_t)opt->fetch_max_bytes / 4;
    const struct {
        const char *name;
        int64_t n;
    } all[] = {
        {"queued.max.messages.kbytes", kib > 1 ? kib : 1},
        {"queued.min.messages", 10000},
        {"fetch.message.max.bytes", PARTITION_FETCH},
        {"fetch.max.bytes", response > RESPONSE_MIN ? response : RESPONSE_MIN}, /* not below message.max.bytes */
        {"session.timeout.ms", opt->session_timeout / EST_MS},
        {"heartbeat.interval.ms", opt->heartbeat / EST_MS},
    };
    est_err err = EST_OK;

    for (size_t i = 0; err == EST_OK && i < sizeof(all) / sizeof(all[0]); i++)
        err = set_number(conf, all[i].name, all[i].n, reterr);
    return err;
}

est_err est_kafka_sub_conf_fill(rd_kafka_conf_t *conf, const struct est_kafka_sub_options *opt,
                                struct est_why *reterr)
{
    const struct setting fixed[] = {
        {"bootstrap.servers", opt->brokers},
        {"client.id", opt->client_id},
        {"group.id", opt->group},
        {"auto.offset.reset", opt->from_earliest ? "earliest" : "latest"},
        {"partition.assignment.strategy", "range"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"log.queue", "true"},
        {"reconnect.backoff.max.ms", "1000"},
        {"topic.metadata.refresh.interval.ms", "10000"}, /* a topic made later is seen soon */
        {"group.instance.id", opt->member_id},           /* last: left out when there is none */
    };
    bool is_static = opt->member_id != NULL && opt->member_id[0] != '\0';
    est_err err = set_all(conf, fixed, sizeof(fixed) / sizeof(fixed[0]) - (is_static ? 0 : 1), reterr);

    if (err == EST_OK)
        err = set_sizes(conf, opt, reterr);
    for (size_t i = 0; err == EST_OK && i < opt->n_extra; i++)
        err = set(conf, opt->extra[i].name, opt->extra[i].value, reterr);
    return err;
}
