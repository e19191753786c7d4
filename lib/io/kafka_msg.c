#include "kafka_msg.h"

#include "kafka_msg_borrow.h"

#include "base/assert.h"
#include "base/mem.h"

enum {
    OP_SIZE = 400, /* of librdkafka's own node around a message, about */
    CACHE_LINE = 64,
    EXPECTED_VALUE = 1024 /* of a usual value, about */
};

static const char ours[] = "esteira-";

struct est_kafka_msg {
    const char *topic;
    int64_t offset, timestamp_ms;
    struct est_view key, value;
    struct est_pool *home;             /* where the block goes back to; NULL = to the allocator */
    rd_kafka_event_t *event;           /* what is borrowed; NULL = all is in `own` */
    const rd_kafka_message_t *fetched; /* the message in it */
    struct est_record_header *own;     /* headers, then the bytes that all of it points to */
    size_t n_headers, own_size;
    int32_t partition;
    bool named;     /* its headers were taken apart once */
    uint64_t names; /* a bit for each name; one that is not there, no such header */
    bool untraced;  /* there is no traceparent */
    bool by_broker; /* the time is when the broker took it */
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

static est_err copy(struct est_kafka_msg *m, const struct est_record *rec)
{
    size_t fixed = rec->n_headers * sizeof(rec->headers[0]);
    size_t size = fixed + bytes_of(rec);
    struct est_record_header *own = est_alloc(size);
    char *at = (char *)own + fixed;

    if (own == NULL)
        return EST_ERR_NOMEM;
    m->own = own;
    m->own_size = size;
    m->n_headers = rec->n_headers;
    m->key = put(&at, rec->key);
    m->value = put(&at, rec->value);
    for (size_t i = 0; i < rec->n_headers; i++) {
        const char *name = rec->headers[i].name;
        own[i].name = put(&at, est_view(name, strlen(name) + 1)).data;
        own[i].value = put(&at, rec->headers[i].value);
    }
    return EST_OK;
}

est_err est_kafka_msg_new(const struct est_record *rec, int64_t offset, struct est_kafka_msg **ret)
{
    struct est_kafka_msg *m = est_alloc(sizeof(*m));

    if (m == NULL)
        return EST_ERR_NOMEM;
    *m = (struct est_kafka_msg){.topic = rec->topic,
                                .offset = offset,
                                .timestamp_ms = rec->timestamp_ms,
                                .partition = rec->partition};
    if (copy(m, rec) != EST_OK) {
        est_free(m);
        return EST_ERR_NOMEM;
    }
    *ret = m;
    return EST_OK;
}

/* --- borrowed --- */

static struct est_view view_of(const void *data, size_t len)
{
    return est_view(data, data ? len : 0);
}

static void expect_lines(uintptr_t from, size_t n)
{
    for (uintptr_t at = from; at < from + n; at += CACHE_LINE)
        __builtin_prefetch((const void *)at);
}

/* Another processor has written what was fetched: a usual value is asked of memory as a whole,
 * before its first byte is waited for. A hint that reads nothing. */
static void expect(const rd_kafka_message_t *msg)
{
    expect_lines((uintptr_t)msg->payload, msg->len < EXPECTED_VALUE ? msg->len : EXPECTED_VALUE);
}

size_t est_kafka_msg_block(void)
{
    return sizeof(struct est_kafka_msg);
}

est_err est_kafka_msg_borrow(rd_kafka_event_t *ev, const rd_kafka_message_t *msg, const char *topic,
                             struct est_pool *pool, struct est_kafka_msg **ret)
{
    struct est_kafka_msg *m = est_pool_take(pool);
    rd_kafka_timestamp_type_t kind;
    int64_t at = rd_kafka_message_timestamp(msg, &kind);

    if (m == NULL)
        return EST_ERR_NOMEM;
    expect(msg);
    *m = (struct est_kafka_msg){.topic = topic,
                                .offset = msg->offset,
                                .timestamp_ms = kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : at,
                                .key = view_of(msg->key, msg->key_len),
                                .value = view_of(msg->payload, msg->len),
                                .home = pool,
                                .event = ev,
                                .fetched = msg,
                                .partition = msg->partition,
                                .by_broker = kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME};
    *ret = m;
    return EST_OK;
}

/* librdkafka takes the headers apart when first asked for them, and keeps them with the message. */
static const rd_kafka_headers_t *fetched_headers(const struct est_kafka_msg *m)
{
    rd_kafka_headers_t *list;

    return rd_kafka_message_headers(m->fetched, &list) == RD_KAFKA_RESP_ERR_NO_ERROR ? list : NULL;
}

static size_t list_headers(const rd_kafka_headers_t *list, struct est_record_header *ret)
{
    const char *name;
    const void *value;
    size_t n = 0, size;

    while (rd_kafka_header_get_all(list, n, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR)
        ret[n++] = (struct est_record_header){name, est_view(value, size)};
    return n;
}

est_err est_kafka_msg_own(struct est_kafka_msg *m)
{
    const rd_kafka_headers_t *list;
    struct est_record_header *headers;
    struct est_record rec = {.key = m->key, .value = m->value};
    est_err err;

    if (m->event == NULL)
        return EST_OK;
    list = fetched_headers(m);
    headers = est_calloc(list ? rd_kafka_header_cnt(list) : 0, sizeof(*headers));
    if (headers == NULL)
        return EST_ERR_NOMEM;
    rec.headers = headers;
    rec.n_headers = list ? list_headers(list, headers) : 0;
    err = copy(m, &rec);
    est_free(headers);
    if (err != EST_OK)
        return err;
    rd_kafka_event_destroy(m->event);
    m->home = NULL; /* it may outlive the client */
    m->event = NULL;
    m->fetched = NULL;
    return EST_OK;
}

bool est_kafka_msg_is_own(const struct est_kafka_msg *m)
{
    return m->event == NULL;
}

void est_kafka_msg_free(struct est_kafka_msg *m)
{
    if (m == NULL)
        return;
    if (m->event != NULL)
        rd_kafka_event_destroy(m->event);
    est_free(m->own);
    if (m->home != NULL)
        est_pool_give(m->home, m);
    else
        est_free(m);
}

/* --- asking one --- */

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

bool est_kafka_msg_is_timed_by_broker(const struct est_kafka_msg *m)
{
    return m->by_broker;
}

static size_t copy_value(struct est_view value, char *out, size_t max)
{
    if (value.data == NULL || value.len > max)
        return 0;
    memcpy(out, value.data, value.len);
    return value.len;
}

/* Of one letter, which tells the names that are asked for from the usual ones: the first, or in
 * ours the first behind what all of them begin with. */
static uint64_t bit_of(const char *name)
{
    bool is_ours = name[0] == ours[0] && strncmp(name, ours, sizeof(ours) - 1) == 0;

    return (uint64_t)1 << ((unsigned char)name[is_ours ? sizeof(ours) - 1 : 0] & 63);
}

static void note_names(struct est_kafka_msg *m, const rd_kafka_headers_t *list)
{
    const char *name;
    const void *value;
    size_t size;

    m->names = 0;
    for (size_t i = 0;
         rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        m->names |= bit_of(name);
    m->named = true;
}

void est_kafka_msg_set_untraced(struct est_kafka_msg *m)
{
    m->untraced = true;
}

static bool lacks(const struct est_kafka_msg *m, const char *name)
{
    return (m->named && (m->names & bit_of(name)) == 0) ||
           (m->untraced && strcmp(name, "traceparent") == 0);
}

/* Memory that was taken and goes at once is the allocator's cheapest; librdkafka takes the headers
 * apart again when they are asked for once more. */
size_t est_kafka_msg_copy_header(struct est_kafka_msg *m, const char *name, char *out, size_t max)
{
    rd_kafka_message_t *fetched = (rd_kafka_message_t *)(uintptr_t)m->fetched;
    rd_kafka_headers_t *list;
    const void *value;
    size_t len, n = 0;

    if (fetched == NULL)
        return copy_value(est_kafka_msg_header(m, name), out, max);
    if (lacks(m, name) ||
        rd_kafka_message_detach_headers(fetched, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    if (!m->named)
        note_names(m, list);
    if (rd_kafka_header_get_last(list, name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR)
        n = copy_value(est_view(value, len), out, max);
    rd_kafka_headers_destroy(list);
    return n;
}

struct est_view est_kafka_msg_header(const struct est_kafka_msg *m, const char *name)
{
    const rd_kafka_headers_t *list = m->event && !lacks(m, name) ? fetched_headers(m) : NULL;
    const void *value;
    size_t size;

    if (list != NULL &&
        rd_kafka_header_get_last(list, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return est_view(value, size);
    for (size_t i = m->n_headers; i > 0; i--)
        if (strcmp(m->own[i - 1].name, name) == 0)
            return m->own[i - 1].value;
    return EST_VIEW_NONE;
}

const struct est_record_header *est_kafka_msg_headers(const struct est_kafka_msg *m, size_t *ret_n)
{
    EST_ASSERT(m->event == NULL);
    *ret_n = m->n_headers;
    return m->own;
}

size_t est_kafka_msg_size(const struct est_kafka_msg *m)
{
    return sizeof(*m) + (m->event ? OP_SIZE + m->key.len + m->value.len : m->own_size);
}
