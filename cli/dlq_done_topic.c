/* What was replayed, out of the topic replays.<destination>. */
#include "dlq.h"

#include "io/kafka_read.h"

#include <stdio.h>

void dlq_replays_topic(const struct est_destination_config *dest, char out[DLQ_TOPIC_MAX])
{
    (void)snprintf(out, DLQ_TOPIC_MAX, "replays.%s", dest->name);
}

static est_err load_record(struct dlq *d, const struct est_destination_config *dest,
                           const struct est_kafka_msg *m)
{
    est_err err = EST_OK;

    for (size_t i = 0; i < d->n && err == EST_OK; i++)
        if (d->sources[i].dest == dest)
            err = est_dlq_done_load(d->sources[i].done, d->sources[i].topic, est_kafka_msg_key(m),
                                    est_kafka_msg_value(m));
    return err;
}

static est_err read_all(struct dlq *d, const struct est_destination_config *dest,
                        struct est_kafka_read *reader, struct est_why *why)
{
    est_us until = est_clock_mono() + d->cli->args.timeout;
    struct est_kafka_msg *m = NULL;
    est_err err = EST_OK;

    while (err == EST_OK || err == EST_ERR_AGAIN) {
        err = est_kafka_read_next(reader, 100 * EST_MS, &m, why);
        if (err == EST_OK) {
            err = load_record(d, dest, m);
            est_kafka_msg_free(m);
            until = est_clock_mono() + d->cli->args.timeout;
        } else if (err == EST_ERR_AGAIN && est_clock_mono() > until) {
            return est_why_set(why, EST_ERR_KAFKA_DOWN, "%s", est_err_text(EST_ERR_KAFKA_DOWN));
        }
    }
    if (err == EST_ERR_NOMEM)
        return est_why_set(why, err, "%s", est_err_text(err));
    return err == EST_ERR_CLOSED ? EST_OK : err;
}

static est_err load_of(struct dlq *d, const struct est_destination_config *dest,
                       struct est_why *why)
{
    char topic[DLQ_TOPIC_MAX];
    const struct est_kafka_read_options opt = {
        .brokers = d->cfg->kafka_brokers,
        .client_id = dlq_client_id(),
        .topic = topic,
        .until_now = true,
        .timeout = d->cli->args.timeout,
        .extra = d->extra,
        .n_extra = d->extra != NULL ? d->cfg->kafka_options.n : 0,
    };
    struct est_kafka_read *reader = NULL;
    est_err err;

    dlq_replays_topic(dest, topic);
    err = est_kafka_read_new(&opt, &reader, why);
    if (err == EST_ERR_NOTFOUND) /* nothing was ever replayed */
        return EST_OK;
    if (err == EST_OK && est_kafka_read_total(reader) > 0)
        err = read_all(d, dest, reader, why);
    est_kafka_read_free(reader);
    return err;
}

/* Sources of one destination lie side by side. */
est_err dlq_load_done(struct dlq *d, struct est_why *why)
{
    est_err err = EST_OK;

    for (size_t i = 0; i < d->n && err == EST_OK; i++)
        if (i == 0 || d->sources[i].dest != d->sources[i - 1].dest)
            err = load_of(d, d->sources[i].dest, why);
    return err;
}
