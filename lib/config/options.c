#include "config/options.h"

#include <stddef.h>

#define DURABLE "accepted means durable", "aceito quer dizer durável"
#define ORDER "order per key rests on it", "a ordem por chave depende disso"
#define SETTLED "only settled offsets are committed", "só o que foi entregue é confirmado"
#define OWN_LOOP \
    "the programs' event loop rests on it", "o laço de eventos dos programas depende disso"

static const struct est_option options[] = {
    {"bootstrap.servers", "kafka.brokers", {NULL, NULL}},
    {"metadata.broker.list", "kafka.brokers", {NULL, NULL}},
    {"linger.ms", "kafka.linger", {NULL, NULL}},
    {"queue.buffering.max.ms", "kafka.linger", {NULL, NULL}},
    {"message.timeout.ms", "kafka.message_timeout", {NULL, NULL}},
    {"delivery.timeout.ms", "kafka.message_timeout", {NULL, NULL}},
    {"message.max.bytes", "producer.event_max", {NULL, NULL}},
    {"queue.buffering.max.messages", "producer.queue_records", {NULL, NULL}},
    {"queue.buffering.max.kbytes", "producer.queue_bytes", {NULL, NULL}},
    {"session.timeout.ms", "consumer.session_timeout", {NULL, NULL}},
    {"heartbeat.interval.ms", "consumer.heartbeat", {NULL, NULL}},
    {"group.instance.id", "consumer.member_id", {NULL, NULL}},
    {"queued.max.messages.kbytes", "consumer.fetch_bytes", {NULL, NULL}},
    {"acks", NULL, {DURABLE}},
    {"request.required.acks", NULL, {DURABLE}},
    {"enable.idempotence", NULL, {ORDER}},
    {"max.in.flight", NULL, {ORDER}},
    {"max.in.flight.requests.per.connection", NULL, {ORDER}},
    {"partitioner", NULL, {ORDER}},
    {"partition.assignment.strategy", NULL, {ORDER}},
    {"group.id", NULL, {SETTLED}},
    {"enable.auto.commit", NULL, {SETTLED}},
    {"enable.auto.offset.store", NULL, {SETTLED}},
    {"auto.offset.reset", NULL, {SETTLED}},
    {"transactional.id", NULL, {OWN_LOOP}},
    {"log.queue", NULL, {OWN_LOOP}},
    {"enable.sasl.oauthbearer.unsecure.jwt",
     NULL,
     {"it accepts forged tokens", "aceita tokens forjados"}},
};

const struct est_option *est_options_find(struct est_view name)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (est_view_ieq(name, est_view_str(options[i].name)))
            return &options[i];
    return NULL;
}

static bool ends(struct est_view text, const char *with)
{
    struct est_view w = est_view_str(with);

    return text.len >= w.len && est_view_ieq(est_view(text.data + text.len - w.len, w.len), w);
}

bool est_options_is_secret(struct est_view name)
{
    return ends(name, "password") || ends(name, "secret") || ends(name, ".pem") ||
           est_view_ieq(name, EST_VIEW_LIT("sasl.oauthbearer.config")) ||
           est_view_ieq(name, EST_VIEW_LIT("sasl.jaas.config"));
}
