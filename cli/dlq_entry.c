#include "dlq.h"

#include "base/jsonw.h"
#include "config/line.h"

#include <stdio.h>
#include <string.h>

static const char *const states[DLQ_STATES] = {
    [DLQ_OPEN] = "open", [DLQ_PARKED] = "parked", [DLQ_REPLAYED] = "replayed"};

const char *dlq_state_name(enum dlq_state state)
{
    return states[state];
}

enum text dlq_state_text(enum dlq_state state)
{
    static const enum text texts[DLQ_STATES] = {[DLQ_OPEN] = TEXT_DLQ_OPEN,
                                                [DLQ_PARKED] = TEXT_DLQ_PARKED,
                                                [DLQ_REPLAYED] = TEXT_DLQ_REPLAYED};

    return texts[state];
}

void dlq_text(struct est_view v, char *out, size_t size)
{
    est_line_copy(out, size, v);
    for (; *out != '\0'; out++)
        if ((unsigned char)*out < 0x20 || *out == 0x7f)
            *out = '?';
}

void dlq_number(const struct out *o, uint64_t n, char out[DLQ_NUMBER])
{
    struct est_buf b;

    est_buf_init(&b, DLQ_NUMBER);
    lang_put_number(&b, o->lang, n);
    est_line_copy(out, DLQ_NUMBER, est_buf_view(&b));
    est_buf_fini(&b);
}

bool dlq_states_of(const char *text, unsigned *ret)
{
    for (unsigned i = 0; i < DLQ_STATES; i++) {
        if (strcmp(text, states[i]) != 0)
            continue;
        *ret = 1U << i;
        return true;
    }
    *ret = (1U << DLQ_STATES) - 1;
    return strcmp(text, "all") == 0;
}

est_us dlq_time(const struct dlq_entry *e)
{
    return e->letter.failed_at != 0 ? e->letter.failed_at
                                    : est_kafka_msg_timestamp_ms(e->msg) * EST_MS;
}

/* --- filters --- */

static bool is_in_time(const struct args *a, const struct dlq_entry *e)
{
    est_us age = est_clock_wall() - dlq_time(e);

    if ((a->given & ARGS_BIT(SINCE)) && age > a->since)
        return false;
    return !(a->given & ARGS_BIT(UNTIL)) || age >= a->until;
}

bool dlq_fits(const struct dlq *d, const struct dlq_entry *e)
{
    const struct args *a = &d->cli->args;

    if ((d->states >> e->state & 1) == 0)
        return false;
    if (a->type != NULL && strcmp(a->type, e->type) != 0)
        return false;
    if (a->class != NULL && !est_view_is(e->letter.class, a->class))
        return false;
    if ((a->given & ARGS_BIT(STATUS)) && a->status != e->letter.status)
        return false;
    if (a->key != NULL &&
        (est_kafka_msg_key(e->msg).data == NULL || !est_view_is(est_kafka_msg_key(e->msg), a->key)))
        return false;
    return is_in_time(a, e) && (a->id == NULL || dlq_is_named(e, a->id));
}

/* --- names --- */

static void place_in(const char *whole, const struct dlq_entry *e, char *out, size_t size)
{
    (void)snprintf(out, size, "%s#%d:%lld", whole, (int)est_kafka_msg_partition(e->msg),
                   (long long)est_kafka_msg_offset(e->msg));
}

void dlq_place(const struct dlq_entry *e, char *out, size_t size)
{
    place_in(e->source->type != NULL ? e->type : e->source->topic, e, out, size);
}

bool dlq_is_named(const struct dlq_entry *e, const char *name)
{
    char place[DLQ_TOPIC_MAX + 40];

    if (e->letter.id.data != NULL && est_view_is(e->letter.id, name))
        return true;
    dlq_place(e, place, sizeof(place));
    if (strcmp(place, name) == 0)
        return true;
    place_in(e->source->topic, e, place, sizeof(place));
    return strcmp(place, name) == 0;
}

/* --- JSON --- */

static void put_view(struct est_buf *b, const char *name, struct est_view v)
{
    est_json_put_name(b, name);
    est_json_put_string(b, v.data != NULL ? v : EST_VIEW_LIT(""));
}

static void put_number(struct est_buf *b, const char *name, long long n)
{
    est_json_put_name(b, name);
    est_buf_put_i64(b, n);
}

static void put_time(struct est_buf *b, const char *name, est_us at)
{
    char text[EST_RFC3339_LEN + 1];

    if (at == 0)
        return;
    est_rfc3339_format(at, text);
    est_json_put_name(b, name);
    est_json_put_str(b, text);
}

void dlq_put_json(struct est_buf *b, const struct dlq_entry *e)
{
    const struct est_deadletter *dl = &e->letter;

    put_view(b, "id", dl->id);
    put_view(b, "type", est_view_str(e->type));
    put_view(b, "destination", est_view_str(e->source->dest->name));
    put_view(b, "state", est_view_str(dlq_state_name(e->state)));
    put_view(b, "topic", dl->topic);
    put_number(b, "partition", dl->partition);
    put_number(b, "offset", dl->offset);
    put_view(b, "error_class", dl->class);
    put_number(b, "http_status", dl->status);
    put_number(b, "attempts", (long long)dl->attempts);
    put_time(b, "first_failed_at", dl->first_failed_at);
    put_time(b, "failed_at", dlq_time(e));
    put_number(b, "replay_count", (long long)dl->replays);
    put_view(b, "writer", est_view_str(est_deadletter_writer_name(dl->writer)));
    put_view(b, "group", dl->group);
    put_view(b, "dlq_topic", est_view_str(e->source->topic));
    put_number(b, "dlq_partition", est_kafka_msg_partition(e->msg));
    put_number(b, "dlq_offset", est_kafka_msg_offset(e->msg));
    put_number(b, "key_bytes", (long long)est_kafka_msg_key(e->msg).len);
    put_number(b, "value_bytes", (long long)est_kafka_msg_value(e->msg).len);
}
