/* What happened to the event: dead letters and the attempt log. */
#include "trace.h"

#include "codec/attempt.h"
#include "config/line.h"
#include "io/kafka_read.h"

#include <stdio.h>
#include <string.h>

static const est_us POLL = 100 * EST_MS;
/* How far the log is read on behind the end of the event: a consumer that is killed there sends it
 * once more when another has taken over. */
enum { READ_ON_MS = 60 * 1000, SLACK_MS = 2000 };

static size_t copy_at(const struct trace *t, struct est_view topic, int32_t partition,
                      int64_t offset)
{
    size_t i = 0;

    while (i < t->n_copies &&
           (t->copies[i].partition != partition || t->copies[i].offset != offset ||
            !est_view_is(topic, t->copies[i].type->topic)))
        i++;
    return i;
}

static int64_t first_ms(const struct trace *t)
{
    int64_t ms = t->n_copies > 0 ? t->copies[0].at_ms - SLACK_MS : t->since_ms;

    return ms > 0 ? ms : 1;
}

/* --- dead letters --- */

static void add_letter(struct trace *t, const struct dlq_entry *e)
{
    struct trace_destination *d = NULL;
    struct trace_letter *l;

    for (size_t i = 0; i < t->n_dests; i++)
        if (t->dests[i].dest == e->source->dest)
            d = &t->dests[i];
    if (d == NULL || d->n_letters == TRACE_LETTERS_MAX)
        return;
    l = &d->letters[d->n_letters++];
    *l = (struct trace_letter){
        .copy = copy_at(t, e->letter.topic, e->letter.partition, e->letter.offset),
        .partition = est_kafka_msg_partition(e->msg),
        .offset = est_kafka_msg_offset(e->msg),
        .failed_at = dlq_time(e),
        .status = e->letter.status,
        .attempts = e->letter.attempts,
        .replays = e->letter.replays,
        .state = e->state};
    est_line_copy(l->topic, sizeof(l->topic), est_view_str(e->source->topic));
    dlq_text(e->letter.class.data != NULL ? e->letter.class : EST_VIEW_LIT(""), l->class,
             sizeof(l->class));
    if (t->n_copies == 0 && t->name[0] == '\0')
        dlq_text(est_kafka_msg_header(e->msg, "ce_type"), t->name, sizeof(t->name));
}

est_err trace_find_letters(struct trace *t, int *ret_code)
{
    const char *type = t->cli->args.type;
    struct dlq_entry e;
    struct dlq dlq;
    est_err err = EST_ERR_KAFKA_DOWN;

    if (t->n_copies > 0) /* a dead letter lies in the DLQ of its type */
        t->cli->args.type = t->copies[0].type->name;
    if (dlq_open(&dlq, t->cli, t->cfg, (1U << DLQ_STATES) - 1, ret_code)) {
        dlq.since_ms = first_ms(t); /* it has the time of its record */
        while ((err = dlq_await(&dlq, &e, ret_code)) == EST_OK) {
            if (est_view_is(e.letter.id, t->id))
                add_letter(t, &e);
            est_kafka_msg_free(e.msg);
        }
        dlq_close(&dlq);
    }
    t->cli->args.type = type;
    return err == EST_ERR_CLOSED ? EST_OK : err;
}

/* --- the attempt log --- */

struct reading {
    struct trace *t;
    struct trace_destination *d;
    struct est_json *json;
    int64_t until_ms; /* no record behind this time is of use; INT64_MAX = all are */
};

static void add_attempt(struct reading *r, size_t copy, const struct est_attempt_hit *hit)
{
    struct trace_destination *d = r->d;
    size_t at = d->n_attempts;

    if (at == TRACE_ATTEMPTS_MAX) { /* of very many the first half and the last ones are kept */
        at = TRACE_ATTEMPTS_MAX / 2;
        memmove(&d->attempts[at], &d->attempts[at + 1],
                (TRACE_ATTEMPTS_MAX - at - 1) * sizeof(d->attempts[0]));
        at = TRACE_ATTEMPTS_MAX - 1;
    }
    while (at > 0 && d->attempts[at - 1].at_ms > hit->at_ms) { /* several replicas write */
        if (at < TRACE_ATTEMPTS_MAX)
            d->attempts[at] = d->attempts[at - 1];
        at--;
    }
    d->attempts[at] = (struct trace_attempt){.copy = copy,
                                             .at_ms = hit->at_ms,
                                             .us = hit->us,
                                             .events = hit->events,
                                             .status = hit->status,
                                             .is_own = hit->is_own};
    dlq_text(hit->verdict, d->attempts[at].verdict, TRACE_WORD);
    dlq_text(hit->class.data != NULL ? hit->class : EST_VIEW_LIT(""), d->attempts[at].class,
             TRACE_WORD);
    if (d->n_attempts < TRACE_ATTEMPTS_MAX)
        d->n_attempts++;
}

/* Most records do not even name the topic: that is seen without taking them apart. */
static void read_record(struct reading *r, struct est_view text)
{
    const struct est_value *record;
    struct est_attempt_hit hit;

    for (size_t i = 0; i < r->t->n_copies; i++) {
        const struct trace_copy *c = &r->t->copies[i];
        if (text.len == 0 ||
            memmem(text.data, text.len, c->type->topic, strlen(c->type->topic)) == NULL)
            continue;
        est_json_clear(r->json);
        if (est_json_parse(r->json, text, &record, NULL) == EST_OK &&
            est_attempt_find(record, est_view_str(c->type->topic), c->partition, c->offset, &hit))
            add_attempt(r, i, &hit);
    }
}

/* Once every copy that this destination gets has ended, what comes much later is of no use. */
static void look_for_end(struct reading *r)
{
    const struct trace *t = r->t;
    int64_t end = 0;

    for (size_t i = 0; i < t->n_copies; i++) {
        bool ended = t->copies[i].put_back_for[0] != '\0' &&
                     strcmp(t->copies[i].put_back_for, r->d->dest->name) != 0;
        for (size_t a = 0; a < r->d->n_attempts; a++) {
            const struct trace_attempt *at = &r->d->attempts[a];
            if (at->copy != i || !(trace_attempt_delivered(at) || trace_attempt_refused(at)))
                continue;
            ended = true;
            end = at->at_ms > end ? at->at_ms : end;
        }
        if (!ended)
            return;
    }
    r->until_ms = end + READ_ON_MS;
}

static est_err read_log(struct reading *r, struct est_kafka_read *reader, struct est_why *why)
{
    est_us until = est_clock_mono() + r->t->cli->args.timeout;
    est_err err = EST_OK;

    while (err == EST_OK || err == EST_ERR_AGAIN) {
        struct est_kafka_msg *m = NULL;
        err = est_kafka_read_next(reader, POLL, &m, why);
        if (err == EST_OK) {
            size_t before = r->d->n_attempts;
            bool late = est_kafka_msg_timestamp_ms(m) > r->until_ms;
            read_record(r, est_kafka_msg_value(m));
            if (r->d->n_attempts != before)
                look_for_end(r);
            est_kafka_msg_free(m);
            if (late)
                return EST_OK;
            until = est_clock_mono() + r->t->cli->args.timeout;
        } else if (err == EST_ERR_AGAIN && est_clock_mono() > until) {
            return est_why_set(why, EST_ERR_KAFKA_DOWN, "%s", est_err_text(EST_ERR_KAFKA_DOWN));
        }
    }
    return err == EST_ERR_CLOSED ? EST_OK : err;
}

static est_err find_in_log(struct reading *r, struct est_why *why)
{
    const struct est_config *cfg = r->t->cfg;
    char topic[DLQ_TOPIC_MAX];
    const struct est_kafka_read_options opt = {.brokers = cfg->kafka_brokers,
                                               .client_id = "esteira-trace",
                                               .topic = topic,
                                               .since_ms = first_ms(r->t),
                                               .until_now = true,
                                               .timeout = r->t->cli->args.timeout,
                                               .extra = r->t->extra,
                                               .n_extra = r->t->extra ? cfg->kafka_options.n : 0};
    struct est_kafka_read *reader = NULL;
    est_err err;

    (void)snprintf(topic, sizeof(topic), "attempts.%s", r->d->dest->name);
    err = est_kafka_read_new(&opt, &reader, why);
    if (err == EST_ERR_NOTFOUND) /* it is off, or the topic was never made */
        return EST_OK;
    if (err == EST_OK && est_kafka_read_total(reader) > 0)
        err = read_log(r, reader, why);
    r->d->has_log = err == EST_OK;
    est_kafka_read_free(reader);
    return err;
}

est_err trace_find_attempts(struct trace *t, struct est_why *why)
{
    struct est_json *json = NULL;
    est_err err = EST_OK;

    if (t->n_copies == 0)
        return EST_OK;
    if (est_json_new(NULL, &json) != EST_OK)
        return est_why_set(why, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    for (size_t i = 0; i < t->n_dests && err == EST_OK; i++) {
        struct reading r = {t, &t->dests[i], json, INT64_MAX};
        err = find_in_log(&r, why);
    }
    est_json_free(json);
    return err;
}
