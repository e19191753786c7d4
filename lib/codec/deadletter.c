#include "deadletter.h"

#include <stddef.h>
#include <string.h>

enum kind {
    TEXT,
    DECIMAL_32, /* digits */
    DECIMAL_64,
    UNSIGNED, /* digits into a uint64_t */
    STATUS,
    BINARY_32, /* big-endian, as Java's DataOutput writes them */
    BINARY_64,
    TIME /* RFC 3339 */
};

static const unsigned long long COUNT_MAX = 1000000000;

#define AT(member) offsetof(struct est_deadletter, member)
static const struct rule {
    const char *name;
    enum est_deadletter_writer writer; /* UNKNOWN: says nothing about it */
    enum kind kind;
    size_t at;
} rules[] = {
    {"__dlq.errors.topic", EST_DEADLETTER_ESTEIRA, TEXT, AT(topic)},
    {"__dlq.errors.partition", EST_DEADLETTER_ESTEIRA, DECIMAL_32, AT(partition)},
    {"__dlq.errors.offset", EST_DEADLETTER_ESTEIRA, DECIMAL_64, AT(offset)},
    {"__dlq.errors.group", EST_DEADLETTER_ESTEIRA, TEXT, AT(group)},
    {"__dlq.errors.delivery.count", EST_DEADLETTER_ESTEIRA, UNSIGNED, AT(attempts)},
    {"__dlq.errors.message", EST_DEADLETTER_ESTEIRA, TEXT, AT(message)},
    {"esteira-error-class", EST_DEADLETTER_UNKNOWN, TEXT, AT(class)},
    {"esteira-http-status", EST_DEADLETTER_UNKNOWN, STATUS, AT(status)},
    {"esteira-attempts", EST_DEADLETTER_UNKNOWN, UNSIGNED, AT(attempts)},
    {"esteira-first-failed-at", EST_DEADLETTER_UNKNOWN, TIME, AT(first_failed_at)},
    {"esteira-failed-at", EST_DEADLETTER_UNKNOWN, TIME, AT(failed_at)},
    {EST_REPLAY_COUNT_HEADER, EST_DEADLETTER_UNKNOWN, UNSIGNED, AT(replays)},
    {"ce_id", EST_DEADLETTER_UNKNOWN, TEXT, AT(id)},
    {"__connect.errors.topic", EST_DEADLETTER_CONNECT, TEXT, AT(topic)},
    {"__connect.errors.partition", EST_DEADLETTER_CONNECT, DECIMAL_32, AT(partition)},
    {"__connect.errors.offset", EST_DEADLETTER_CONNECT, DECIMAL_64, AT(offset)},
    {"__connect.errors.connector.name", EST_DEADLETTER_CONNECT, TEXT, AT(group)},
    {"__connect.errors.exception.class.name", EST_DEADLETTER_CONNECT, TEXT, AT(class)},
    {"__connect.errors.exception.message", EST_DEADLETTER_CONNECT, TEXT, AT(message)},
    {"__streams.errors.topic", EST_DEADLETTER_STREAMS, TEXT, AT(topic)},
    {"__streams.errors.partition", EST_DEADLETTER_STREAMS, DECIMAL_32, AT(partition)},
    {"__streams.errors.offset", EST_DEADLETTER_STREAMS, DECIMAL_64, AT(offset)},
    {"__streams.errors.exception", EST_DEADLETTER_STREAMS, TEXT, AT(class)},
    {"__streams.errors.message", EST_DEADLETTER_STREAMS, TEXT, AT(message)},
    {"kafka_dlt-original-topic", EST_DEADLETTER_SPRING, TEXT, AT(topic)},
    {"kafka_dlt-original-partition", EST_DEADLETTER_SPRING, BINARY_32, AT(partition)},
    {"kafka_dlt-original-offset", EST_DEADLETTER_SPRING, BINARY_64, AT(offset)},
    {"kafka_dlt-original-consumer-group", EST_DEADLETTER_SPRING, TEXT, AT(group)},
    {"kafka_dlt-exception-fqcn", EST_DEADLETTER_SPRING, TEXT, AT(class)},
    {"kafka_dlt-exception-message", EST_DEADLETTER_SPRING, TEXT, AT(message)},
};

/* Families of which every header was added; the others are in the rules. */
static const char *const families[] = {
    "__dlq.errors.", "__connect.errors.", "__streams.errors.", "kafka_dlt-", "retry_topic-",
};

static const char *const writers[] = {
    [EST_DEADLETTER_UNKNOWN] = "unknown", [EST_DEADLETTER_ESTEIRA] = "esteira",
    [EST_DEADLETTER_CONNECT] = "connect", [EST_DEADLETTER_STREAMS] = "streams",
    [EST_DEADLETTER_SPRING] = "spring",
};

void est_deadletter_init(struct est_deadletter *dl)
{
    *dl = (struct est_deadletter){.partition = -1, .offset = -1};
}

/* Exactly `bytes` of them, and not negative. */
static bool read_binary(struct est_view v, size_t bytes, unsigned long long *ret)
{
    unsigned long long n = 0;

    if (v.len != bytes || ((unsigned char)v.data[0] & 0x80) != 0)
        return false;
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | (unsigned char)v.data[i];
    *ret = n;
    return true;
}

static bool read_number(enum kind kind, struct est_view v, unsigned long long *ret)
{
    switch (kind) {
    case DECIMAL_32: return est_view_u64(v, INT32_MAX, ret);
    case DECIMAL_64: return est_view_u64(v, INT64_MAX, ret);
    case UNSIGNED: return est_view_u64(v, COUNT_MAX, ret);
    case STATUS: return est_view_u64(v, 999, ret);
    case BINARY_32: return read_binary(v, 4, ret);
    case BINARY_64: return read_binary(v, 8, ret);
    case TEXT:
    case TIME: break;
    }
    return false;
}

static void store(struct est_deadletter *dl, const struct rule *r, struct est_view v)
{
    void *at = (char *)dl + r->at;
    unsigned long long n = 0;

    if (r->kind == TEXT)
        *(struct est_view *)at = v;
    else if (r->kind == TIME)
        (void)est_rfc3339_parse(v, at);
    else if (!read_number(r->kind, v, &n))
        return;
    else if (r->kind == DECIMAL_32 || r->kind == BINARY_32)
        *(int32_t *)at = (int32_t)n;
    else if (r->kind == DECIMAL_64 || r->kind == BINARY_64)
        *(int64_t *)at = (int64_t)n;
    else if (r->kind == STATUS)
        *(unsigned *)at = (unsigned)n;
    else
        *(uint64_t *)at = n;
}

void est_deadletter_read(struct est_deadletter *dl, const char *name, struct est_view value)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(rules[i].name, name) != 0)
            continue;
        if (rules[i].writer != EST_DEADLETTER_UNKNOWN && value.data != NULL)
            dl->writer = rules[i].writer;
        if (value.data != NULL)
            store(dl, &rules[i], value);
        return;
    }
}

bool est_deadletter_is_added(const char *name)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (strncmp(name, families[i], strlen(families[i])) == 0)
            return true;
    if (strcmp(name, EST_REPLAY_FOR_HEADER) == 0)
        return true;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strncmp(rules[i].name, "esteira-", 8) == 0 && strcmp(rules[i].name, name) == 0)
            return true;
    return false;
}

const char *est_deadletter_writer_name(enum est_deadletter_writer writer)
{
    return writers[writer];
}
