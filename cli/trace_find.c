/* Where the event lies: its topics, the groups' commits, the buffer. */
#include "buffer_view.h"
#include "progress.h"
#include "trace.h"

#include "base/mem.h"
#include "config/line.h"
#include "core/note.h"
#include "io/kafka_look.h"
#include "io/kafka_read.h"

#include <string.h>

static const est_us POLL = 100 * EST_MS;
/* The buffer is the last place to look at; without it the answer says so. */
static const est_us REDIS_PATIENCE = 3 * EST_SECOND;

/* --- topics --- */

static void take_view(char *out, size_t size, struct est_view v)
{
    dlq_text(v.data != NULL ? v : EST_VIEW_LIT(""), out, size);
}

static void add_copy(struct trace *t, const struct est_type_config *type,
                     const struct est_kafka_msg *m)
{
    struct trace_copy *c = &t->copies[t->n_copies];

    if (t->n_copies == TRACE_COPIES_MAX)
        return;
    *c = (struct trace_copy){.type = type,
                             .partition = est_kafka_msg_partition(m),
                             .offset = est_kafka_msg_offset(m),
                             .at_ms = est_kafka_msg_timestamp_ms(m)};
    est_line_copy(c->chain, sizeof(c->chain), est_kafka_msg_header(m, EST_CHAIN_HEADER));
    take_view(c->put_back_for, sizeof(c->put_back_for),
              est_kafka_msg_header(m, EST_REPLAY_FOR_HEADER));
    if (t->n_copies++ > 0)
        return;
    take_view(t->name, sizeof(t->name), est_kafka_msg_header(m, "ce_type"));
    take_view(t->source, sizeof(t->source), est_kafka_msg_header(m, "ce_source"));
}

static est_err read_topic(struct trace *t, const struct est_type_config *type,
                          struct est_kafka_read *reader, struct progress *p, struct est_why *why)
{
    struct est_view id = est_view_str(t->id);
    est_us until = est_clock_mono() + t->cli->args.timeout;
    est_err err = EST_OK;

    while (err == EST_OK || err == EST_ERR_AGAIN) {
        struct est_kafka_msg *m = NULL;
        err = est_kafka_read_next(reader, POLL, &m, why);
        if (err == EST_OK) {
            if (est_view_eq(est_kafka_msg_header(m, "ce_id"), id))
                add_copy(t, type, m);
            est_kafka_msg_free(m);
            t->read++;
            until = est_clock_mono() + t->cli->args.timeout;
            progress_show(p, &t->cli->out, est_clock_mono(), t->read, t->read);
        } else if (err == EST_ERR_AGAIN && est_clock_mono() > until) {
            return est_why_set(why, EST_ERR_KAFKA_DOWN, "%s", est_err_text(EST_ERR_KAFKA_DOWN));
        }
    }
    return err == EST_ERR_CLOSED ? EST_OK : err;
}

static est_err search_topic(struct trace *t, const struct est_type_config *type, struct progress *p,
                            struct est_why *why)
{
    const struct est_kafka_read_options opt = {.brokers = t->cfg->kafka_brokers,
                                               .client_id = "esteira-trace",
                                               .topic = type->topic,
                                               .since_ms = t->since_ms,
                                               .until_now = true,
                                               .timeout = t->cli->args.timeout,
                                               .extra = t->extra,
                                               .n_extra = t->extra ? t->cfg->kafka_options.n : 0};
    struct est_kafka_read *reader = NULL;
    est_err err = est_kafka_read_new(&opt, &reader, why);

    if (err == EST_ERR_NOTFOUND) /* no event of this type has ever been accepted */
        return EST_OK;
    if (err == EST_OK && est_kafka_read_total(reader) > 0) {
        p->total += est_kafka_read_total(reader);
        err = read_topic(t, type, reader, p, why);
    }
    est_kafka_read_free(reader);
    return err;
}

est_err trace_find_copies(struct trace *t, struct est_why *why)
{
    struct progress p = {.started = est_clock_mono(), .what = TEXT_SEARCHING};
    est_err err = EST_OK;

    for (size_t i = 0; i < t->cfg->n_types && err == EST_OK; i++) {
        const struct est_type_config *type = &t->cfg->types[i];
        if (t->cli->args.type == NULL || strcmp(t->cli->args.type, type->name) == 0)
            err = search_topic(t, type, &p, why);
    }
    out_wipe(&t->cli->out);
    return err;
}

/* --- what the groups have committed --- */

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* How a record beyond the commit has ended, if its note says so. */
static enum trace_mark mark_ahead(const struct trace_copy *c, const struct est_note *note)
{
    static const enum trace_mark marks[] = {[EST_END_OPEN] = TRACE_MARK_OPEN,
                                            [EST_END_DELIVERED] = TRACE_MARK_DELIVERED,
                                            [EST_END_DEAD] = TRACE_MARK_DEAD,
                                            [EST_END_PASSED] = TRACE_MARK_SETTLED};
    struct est_ledger_key key;
    struct est_chain chain;

    if (c->offset >= note->ahead.until || c->put_back_for[0] != '\0' ||
        est_chain_parse(est_view_str(c->chain), &chain) != EST_OK)
        return TRACE_MARK_OPEN;
    key.epoch = chain.epoch;
    for (size_t i = 0; i < EST_LEDGER_BOOT; i++)
        key.boot[i] =
            (unsigned char)(hex_value(chain.boot[2 * i]) << 4 | hex_value(chain.boot[2 * i + 1]));
    return marks[est_ahead_find(&note->ahead, &key, chain.n)];
}

static void mark_copy(struct trace_destination *d, size_t i, const struct trace_copy *c,
                      const struct est_kafka_look_part *part)
{
    const struct est_note_place place = {est_view_str(c->type->name), (uint32_t)c->partition,
                                         part->committed};
    int64_t from = part->committed >= 0 ? part->committed : part->low;
    struct est_note note;

    if (c->offset < from) {
        d->marks[i] = part->committed >= 0 ? TRACE_MARK_SETTLED : TRACE_MARK_UNKNOWN;
        return;
    }
    d->behind[i] = c->offset - from;
    d->marks[i] = TRACE_MARK_OPEN;
    if (part->committed < 0)
        return;
    est_note_init(&note);
    if (est_note_read(&note, place, part->metadata) == EST_OK)
        d->marks[i] = mark_ahead(c, &note);
    est_note_fini(&note);
}

static est_err look_at(struct trace *t, struct trace_destination *d, const char *const *topics,
                       struct est_why *why)
{
    const struct est_kafka_look_options opt = {.brokers = t->cfg->kafka_brokers,
                                               .client_id = "esteira-trace",
                                               .group = d->dest->group,
                                               .topics = topics,
                                               .n_topics = t->n_copies,
                                               .timeout = t->cli->args.timeout,
                                               .extra = t->extra,
                                               .n_extra = t->extra ? t->cfg->kafka_options.n : 0};
    struct est_kafka_look *look = NULL;
    const struct est_kafka_look_part *parts;
    size_t n;
    est_err err;

    err = est_kafka_look_new(&opt, &look, why);
    if (err != EST_OK)
        return err;
    parts = est_kafka_look_parts(look, &n);
    for (size_t p = 0; p < n; p++)
        for (size_t i = 0; i < t->n_copies; i++)
            if (parts[p].partition == t->copies[i].partition &&
                strcmp(topics[parts[p].topic], t->copies[i].type->topic) == 0)
                mark_copy(d, i, &t->copies[i], &parts[p]);
    est_kafka_look_free(look);
    return EST_OK;
}

est_err trace_find_marks(struct trace *t, struct est_why *why)
{
    const char *topics[TRACE_COPIES_MAX];
    est_err err = EST_OK;

    for (size_t i = 0; i < t->n_copies; i++)
        topics[i] = t->copies[i].type->topic;
    for (size_t i = 0; i < t->n_dests && err == EST_OK && t->n_copies > 0; i++)
        err = look_at(t, &t->dests[i], topics, why);
    return err;
}

/* --- the buffer --- */

struct search {
    struct trace *t;
    struct buffer_view view;
    const struct buffer_row *row;
    char after[64]; /* stream id */
    bool end;
};

static void on_entries(void *arg, est_err err, const struct est_buffer_entry *entries, size_t n,
                       bool end)
{
    struct search *s = arg;
    struct trace *t = s->t;

    for (size_t i = 0; i < n && t->n_waiting < TRACE_WAITING_MAX; i++) {
        struct trace_waiting *w = &t->waiting[t->n_waiting];
        unsigned long long ms = 0;
        const char *dash = strchr(entries[i].stream_id, '-');
        if (!est_view_eq(entries[i].id, est_view_str(t->id)))
            continue;
        *w = (struct trace_waiting){.type = est_config_type(t->cfg, s->row->type)};
        est_line_copy(w->boot, sizeof(w->boot), est_view_str(s->row->boot));
        est_line_copy(w->instance, sizeof(w->instance), est_view_str(s->row->instance));
        if (dash != NULL &&
            est_view_u64(est_view(entries[i].stream_id, (size_t)(dash - entries[i].stream_id)),
                         INT64_MAX, &ms))
            w->at_ms = (int64_t)ms;
        t->n_waiting++;
    }
    s->end = err != EST_OK || end || n == 0;
    if (n > 0)
        est_line_printf(s->after, sizeof(s->after), "%s", entries[n - 1].stream_id);
    buffer_view_on_done(&s->view, err);
}

static est_err search_stream(struct search *s)
{
    struct est_buffer_stream stream = {.type = s->row->type};
    est_err err = EST_OK;

    memcpy(stream.boot, s->row->boot, sizeof(stream.boot));
    s->after[0] = '\0';
    s->end = false;
    while (err == EST_OK && !s->end)
        err = buffer_view_await(&s->view, est_buffer_peek(s->view.buffer, &stream, false,
                                                          s->after[0] != '\0' ? s->after : NULL,
                                                          EST_BUFFER_ENTRIES_MAX, on_entries, s));
    return err;
}

void trace_find_waiting(struct trace *t)
{
    est_us timeout = t->cli->args.timeout;
    struct search s = {.t = t};
    struct est_why why = {.code = EST_OK};
    est_err err = EST_ERR_NOTFOUND;

    if (timeout > REDIS_PATIENCE)
        t->cli->args.timeout = REDIS_PATIENCE;
    if (t->cfg->redis_url[0] != '\0')
        err = buffer_view_try(&s.view, t->cli, t->cfg, &why);
    t->cli->args.timeout = timeout;
    if (err != EST_OK)
        return;
    for (size_t i = 0; i < s.view.n && err == EST_OK; i++) {
        s.row = &s.view.rows[i];
        if (s.row->entries > 0)
            err = search_stream(&s);
    }
    t->has_buffer = err == EST_OK;
    buffer_view_close(&s.view);
}
