#include "config/rules.h"

#include "config/check.h"
#include "config/field.h"
#include "config/line.h"
#include "config/slot.h"
#include "config/unit.h"

#include <string.h>

/* A problem stands where the value was set. */
static void complain(const struct est_config *cfg, struct est_config_report *rp,
                     const struct est_slot *slot, struct est_fault fault)
{
    const struct est_origin *o = slot->origin;
    const char *place = o->from == EST_FROM_ENV && o->env != NULL ? o->env : cfg->path;

    est_report_add(rp, place, o->line, o->column, slot->path, &fault);
}

/* --- one value must not be above another --- */

struct order_rule {
    const char *low, *high; /* low * times <= high */
    unsigned times;
    const char *why[EST_LANGS];
};

/* '*' stands for the name of each destination. */
static const struct order_rule order_rules[] = {
    {"consumer.heartbeat",
     "consumer.session_timeout",
     3,
     {"a third of the session timeout is the most, or one lost heartbeat costs the partitions",
      "o máximo é um terço do session_timeout, senão um sinal perdido custa as partições"}},
    {"kafka.linger",
     "producer.ack_timeout",
     1,
     {"every event would count as late", "todo evento contaria como atrasado"}},
    {"producer.ack_timeout",
     "kafka.message_timeout",
     1,
     {"the record would have failed before it counts as late",
      "o registro já teria falhado antes de contar como atrasado"}},
    {"kafka.message_timeout",
     "producer.drain_timeout",
     1,
     {"a stop would give up on records that Kafka may still take",
      "a parada desistiria de registros que o Kafka ainda pode aceitar"}},
    {"kafka.message_timeout",
     "redis.lease",
     2,
     {"a record must have failed before another shim may take its lease over",
      "um registro precisa ter falhado antes que outro shim possa assumir a posse"}},
    {"redis.timeout",
     "redis.lease",
     3,
     {"one answer that comes late would cost the lease", "uma resposta atrasada custaria a posse"}},
    {"redis.wait_timeout",
     "redis.timeout",
     2,
     {"waiting for replicas would look like a Redis that does not answer",
      "a espera por réplicas pareceria um Redis que não responde"}},
    {"producer.event_max",
     "producer.body_max",
     1,
     {"no request could carry such an event", "nenhuma requisição poderia levar um evento assim"}},
    {"producer.event_max",
     "producer.queue_bytes",
     1,
     {"such an event could never be queued", "um evento assim nunca caberia na fila"}},
    {"producer.event_max",
     "consumer.lanes_bytes",
     1,
     {"such an event could never wait for delivery",
      "um evento assim nunca poderia esperar pela entrega"}},
    {"producer.body_max",
     "producer.queue_bytes",
     1,
     {"a full request could never be queued", "uma requisição cheia nunca caberia na fila"}},
    {"producer.batch_max",
     "producer.queue_records",
     1,
     {"a full request could never be queued", "uma requisição cheia nunca caberia na fila"}},
    {"destinations.*.retry_initial",
     "destinations.*.retry_max",
     1,
     {"the first pause is the shortest", "a primeira pausa é a mais curta"}},
    {"destinations.*.timeout",
     "consumer.drain_timeout",
     1,
     {"a stop would cut off deliveries that may still succeed",
      "a parada cortaria entregas que ainda podem dar certo"}},
    {"destinations.*.batch_count",
     "consumer.lanes_records",
     1,
     {"no batch could fill", "nenhum lote poderia encher"}},
    {"destinations.*.batch_bytes",
     "consumer.lanes_bytes",
     1,
     {"no batch could fill", "nenhum lote poderia encher"}},
};

static void expand(const char *path, const char *name, char out[EST_SLOT_PATH])
{
    const char *star = strchr(path, '*');

    if (star == NULL)
        est_line_printf(out, EST_SLOT_PATH, "%s", path);
    else
        est_line_printf(out, EST_SLOT_PATH, "%.*s%s%s", (int)(star - path), path, name, star + 1);
}

/* "3s", "consumer.heartbeat = 3s" or "3s × 3". */
static void show(const struct est_slot *slot, bool with_path, unsigned times,
                 char out[EST_MESSAGE_ARG_LEN])
{
    struct est_buf b;

    est_buf_init(&b, EST_MESSAGE_ARG_LEN - 1);
    if (with_path)
        est_buf_printf(&b, "%s = ", slot->path);
    est_field_show(slot->key, slot->base, &b);
    if (times > 1)
        est_buf_printf(&b, " × %u", times);
    memcpy(out, est_buf_view(&b).data, b.len);
    out[b.len] = '\0';
    est_buf_fini(&b);
}

/* At the value that was set; when both were, at the low one. */
static void order_fault(const struct est_config *cfg, struct est_config_report *rp,
                        const struct order_rule *rule, const struct est_slot *low,
                        const struct est_slot *high)
{
    bool at_low = low->origin->from != EST_FROM_DEFAULT || high->origin->from == EST_FROM_DEFAULT;
    char first[EST_MESSAGE_ARG_LEN], second[EST_MESSAGE_ARG_LEN];
    struct est_fault f;

    show(low, !at_low, rule->times, first);
    show(high, false, 1, second);
    f = est_message_fault(EST_MESSAGE_ABOVE, first, high->path);
    est_message_arg(&f, 3, second, second);
    est_message_arg(&f, 4, rule->why[EST_LANG_EN], rule->why[EST_LANG_PT]);
    complain(cfg, rp, at_low ? low : high, f);
}

static void check_order(struct est_config *cfg, struct est_config_report *rp,
                        const struct order_rule *rule, const char *destination)
{
    char low_path[EST_SLOT_PATH], high_path[EST_SLOT_PATH];
    struct est_slot low, high;

    expand(rule->low, destination, low_path);
    expand(rule->high, destination, high_path);
    if (est_report_has(rp, low_path) || est_report_has(rp, high_path) ||
        !est_slot_find(cfg, low_path, &low) || !est_slot_find(cfg, high_path, &high))
        return;
    if (est_field_number(low.key, low.base) > est_field_number(high.key, high.base) / rule->times)
        order_fault(cfg, rp, rule, &low, &high);
}

static void check_orders(struct est_config *cfg, struct est_config_report *rp)
{
    for (size_t i = 0; i < sizeof(order_rules) / sizeof(order_rules[0]); i++) {
        if (strchr(order_rules[i].low, '*') == NULL) {
            check_order(cfg, rp, &order_rules[i], "");
            continue;
        }
        for (size_t d = 0; d < cfg->n_destinations; d++)
            check_order(cfg, rp, &order_rules[i], cfg->destinations[d].name);
    }
}

/* --- addresses --- */

static void check_open(struct est_config *cfg, struct est_config_report *rp, const char *path,
                       const char *address, const char *needs)
{
    struct est_slot slot;

    if (!est_check_is_local(est_view_str(address)) && est_slot_find(cfg, path, &slot))
        complain(cfg, rp, &slot, est_message_fault(EST_MESSAGE_OPEN, address, needs));
}

static void check_guarded(struct est_config *cfg, struct est_config_report *rp)
{
    bool dashboard_open = cfg->dashboard_token[0] == '\0' && cfg->dashboard_token_file[0] == '\0';

    for (size_t i = 0; cfg->producer_tokens_file[0] == '\0' && i < cfg->producer_listen.n; i++)
        check_open(cfg, rp, "producer.listen", cfg->producer_listen.items[i],
                   "producer.tokens_file");
    if (dashboard_open)
        check_open(cfg, rp, "dashboard.listen", cfg->dashboard_listen, "dashboard.token_file");
}

struct address {
    const char *path, *text;
};

static bool is_any_port(const char *address)
{
    size_t n = strlen(address);

    return n >= 2 && strcmp(address + n - 2, ":0") == 0;
}

static void check_addresses(struct est_config *cfg, struct est_config_report *rp)
{
    struct address all[16] = {{"producer.ops_listen", cfg->producer_ops_listen},
                              {"consumer.ops_listen", cfg->consumer_ops_listen},
                              {"dashboard.listen", cfg->dashboard_listen}};
    size_t n = 3;
    struct est_slot slot;

    for (size_t i = 0; i < cfg->producer_listen.n && n < 16; i++)
        all[n++] = (struct address){"producer.listen", cfg->producer_listen.items[i]};
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(all[i].text, all[j].text) == 0 && !is_any_port(all[i].text) &&
                est_slot_find(cfg, all[i].path, &slot))
                complain(cfg, rp, &slot,
                         est_message_fault(EST_MESSAGE_SAME_ADDRESS, all[i].text, all[j].path));
}

/* --- types and topics --- */

static const struct est_type_config *owner_of(const struct est_config *cfg, const char *event,
                                              size_t type, size_t item)
{
    for (size_t t = 0; t <= type; t++) {
        const struct est_strings *events = &cfg->types[t].events;
        size_t end = t == type ? item : events->n;
        for (size_t i = 0; i < end; i++)
            if (strcmp(events->items[i], event) == 0)
                return &cfg->types[t];
    }
    return NULL;
}

/* The problem stands at the list that the file wrote, also when a built-in type has the name too.
 * */
static void same_event(struct est_config *cfg, struct est_config_report *rp, const char *event,
                       const char *owner, const char *other)
{
    const char *names[] = {other, owner};
    struct est_slot slot;
    char path[EST_SLOT_PATH];

    for (size_t i = 0; i < 2; i++) {
        est_line_printf(path, sizeof(path), "types.%s.events", names[i]);
        if (est_slot_find(cfg, path, &slot) && (slot.origin->from != EST_FROM_DEFAULT || i == 1)) {
            complain(cfg, rp, &slot,
                     est_message_fault(EST_MESSAGE_SAME_EVENT, event, names[1 - i]));
            return;
        }
    }
}

/* Streams stand beside these keys: lib/io/buffer.h. */
static void check_type_names(struct est_config *cfg, struct est_config_report *rp)
{
    static const char *const taken[] = {"lease", "types", "bytes", "adopt"};
    struct est_slot slot;
    char path[EST_SLOT_PATH];

    for (size_t t = 0; t < cfg->n_types; t++) {
        for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
            est_line_printf(path, sizeof(path), "types.%s.events", cfg->types[t].name);
            if (strcmp(cfg->types[t].name, taken[i]) == 0 && est_slot_find(cfg, path, &slot))
                complain(cfg, rp, &slot, est_message_fault(EST_MESSAGE_TYPE_NAME, taken[i], NULL));
        }
    }
}

static void check_events(struct est_config *cfg, struct est_config_report *rp)
{
    for (size_t t = 0; t < cfg->n_types; t++) {
        for (size_t i = 0; i < cfg->types[t].events.n; i++) {
            const char *event = cfg->types[t].events.items[i];
            const struct est_type_config *owner = owner_of(cfg, event, t, i);
            if (owner != NULL)
                same_event(cfg, rp, event, owner->name, cfg->types[t].name);
        }
    }
}

enum { TOPIC_MAX = 249 }; /* Kafka's Topic.java */

/* A topic of dead letters cannot be equal to a type's: it has one dot more, and names have none.
 * But with the same prefix whoever subscribes by pattern would read both. */
static void check_dead_letters(struct est_config *cfg, struct est_config_report *rp,
                               const struct est_destination_config *d)
{
    char topic[EST_MESSAGE_ARG_LEN], path[EST_SLOT_PATH];
    struct est_slot slot;
    size_t longest = 0;

    est_line_printf(path, sizeof(path), "destinations.%s.dead_letter_prefix", d->name);
    if (!est_slot_find(cfg, path, &slot))
        return;
    if (strcmp(d->dead_letter_prefix, cfg->kafka_topic_prefix) == 0)
        complain(cfg, rp, &slot, est_message_fault(EST_MESSAGE_PREFIXES, NULL, NULL));
    for (size_t t = 1; t < cfg->n_types; t++)
        if (strlen(cfg->types[t].topic) > strlen(cfg->types[longest].topic))
            longest = t;
    est_line_printf(topic, sizeof(topic), "%s%s.%s", d->dead_letter_prefix, d->name,
                    cfg->types[longest].topic);
    if (strlen(d->dead_letter_prefix) + strlen(d->name) + 1 + strlen(cfg->types[longest].topic) >
        TOPIC_MAX)
        complain(cfg, rp, &slot, est_message_fault(EST_MESSAGE_TOPIC_LONG, topic, NULL));
}

void est_rules_check(struct est_config *cfg, struct est_config_report *rp)
{
    check_orders(cfg, rp);
    check_guarded(cfg, rp);
    check_addresses(cfg, rp);
    check_events(cfg, rp);
    check_type_names(cfg, rp);
    for (size_t i = 0; i < cfg->n_destinations; i++)
        check_dead_letters(cfg, rp, &cfg->destinations[i]);
}
