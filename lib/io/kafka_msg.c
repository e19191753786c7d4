#include "kafka_msg.h"

#include "base/mem.h"

struct est_kafka_msg {
    const char *topic;
    int64_t offset, timestamp_ms;
    size_t size;
    struct est_view key, value;
    int32_t partition;
    size_t n_headers;
    struct est_record_header headers[]; /* then the bytes that all of it points to */
};

static size_t bytes_of(const struct est_record *rec)
{
    size_t n = rec->key.len + rec->value.len;

    for (size_t i = 0; i < rec->n_headers; i++)
        n += strlen(rec->headers[i].name) + 1 + rec->headers[i].value.len;
    return n;
}

/* An absent view stays absent: for Kafka null and empty are two things. */
static struct est_view put(char **at, struct est_view v)
{
    struct est_view copy = {v.data ? *at : NULL, v.len};

    if (v.len > 0)
        memcpy(*at, v.data, v.len);
    *at += v.len;
    return copy;
}

est_err est_kafka_msg_new(const struct est_record *rec, int64_t offset, struct est_kafka_msg **ret)
{
    size_t fixed = sizeof(struct est_kafka_msg) + rec->n_headers * sizeof(rec->headers[0]);
    size_t size = fixed + bytes_of(rec);
    struct est_kafka_msg *m = est_alloc(size);
    char *at = (char *)m + fixed;

    if (m == NULL)
        return EST_ERR_NOMEM;
    *m = (struct est_kafka_msg){.topic = rec->topic,
                                .offset = offset,
                                .size = size,
                                .timestamp_ms = rec->timestamp_ms,
                                .partition = rec->partition,
                                .n_headers = rec->n_headers};
    m->key = put(&at, rec->key);
    m->value = put(&at, rec->value);
    for (size_t i = 0; i < rec->n_headers; i++) {
        const char *name = rec->headers[i].name;
        m->headers[i].name = put(&at, est_view(name, strlen(name) + 1)).data;
        m->headers[i].value = put(&at, rec->headers[i].value);
    }
    *ret = m;
    return EST_OK;
}

void est_kafka_msg_free(struct est_kafka_msg *m)
{
    est_free(m);
}

struct est_view est_kafka_msg_key(const struct est_kafka_msg *m)
{
    return m->key;
}

struct est_view est_kafka_msg_value(const struct est_kafka_msg *m)
{
    return m->value;
}

const char *est_kafka_msg_topic(const struct est_kafka_msg *m)
{
    return m->topic;
}

int32_t est_kafka_msg_partition(const struct est_kafka_msg *m)
{
    return m->partition;
}

int64_t est_kafka_msg_offset(const struct est_kafka_msg *m)
{
    return m->offset;
}

int64_t est_kafka_msg_timestamp_ms(const struct est_kafka_msg *m)
{
    return m->timestamp_ms;
}

struct est_view est_kafka_msg_header(const struct est_kafka_msg *m, const char *name)
{
    for (size_t i = m->n_headers; i > 0; i--)
        if (strcmp(m->headers[i - 1].name, name) == 0)
            return m->headers[i - 1].value;
    return EST_VIEW_NONE;
}

const struct est_record_header *est_kafka_msg_headers(const struct est_kafka_msg *m, size_t *ret_n)
{
    *ret_n = m->n_headers;
    return m->headers;
}

size_t est_kafka_msg_size(const struct est_kafka_msg *m)
{
    return m->size;
}
