#include "dlq.h"

#include "base/mem.h"
#include "io/kafka_read.h"

#include <stdio.h>
#include <string.h>

const char *dlq_client_id(void)
{
    return "esteira-dlq";
}

/* --- which topics --- */

static bool add_source(struct dlq *d, const struct est_destination_config *dest,
                       const struct est_type_config *type, const char *topic)
{
    struct dlq_source *s = &d->sources[d->n];

    *s = (struct dlq_source){.dest = dest, .type = type};
    if (topic != NULL)
        (void)snprintf(s->topic, sizeof(s->topic), "%s", topic);
    else
        (void)snprintf(s->topic, sizeof(s->topic), "%s%s.%s", dest->dead_letter_prefix, dest->name,
                       type->topic);
    if (est_dlq_done_new(&s->done) != EST_OK)
        return false;
    d->n++;
    return true;
}

/* The topics of every destination and type that the options leave. */
static bool add_configured(struct dlq *d)
{
    const struct args *a = &d->cli->args;
    bool good = true;

    for (size_t i = 0; i < d->cfg->n_destinations; i++) {
        const struct est_destination_config *dest = &d->cfg->destinations[i];
        if (a->destination != NULL && strcmp(dest->name, a->destination) != 0)
            continue;
        for (size_t t = 0; good && t < d->cfg->n_types; t++)
            if (a->type == NULL || strcmp(d->cfg->types[t].name, a->type) == 0)
                good = add_source(d, dest, &d->cfg->types[t], NULL);
    }
    return good;
}

static int add_sources(struct dlq *d)
{
    const struct args *a = &d->cli->args;
    const struct est_destination_config *dest = a->destination != NULL
                                                    ? est_config_destination(d->cfg, a->destination)
                                                    : &d->cfg->destinations[0];
    bool good;

    if (dest == NULL)
        return cli_unknown_destination(d->cli, d->cfg, a->destination);
    if (a->type != NULL && est_config_type(d->cfg, a->type) == NULL)
        return cli_unknown_type(d->cli, d->cfg, a->type);
    if (a->topic != NULL && a->destination == NULL && d->cfg->n_destinations > 1) {
        out_error_text(&d->cli->out, TEXT_DLQ_WHICH_DESTINATION, OUT_ARGS(a->topic), NULL,
                       EXIT_USAGE);
        return EXIT_USAGE;
    }
    d->sources = est_calloc(d->cfg->n_destinations * d->cfg->n_types + 1, sizeof(*d->sources));
    good = d->sources != NULL &&
           (a->topic != NULL ? add_source(d, dest, NULL, a->topic) : add_configured(d));
    if (good)
        return EXIT_FINE;
    out_failure(&d->cli->out, EST_ERR_NOMEM, NULL, EXIT_IO);
    return EXIT_IO;
}

/* --- life --- */

static int prepare(struct dlq *d, unsigned states)
{
    const struct args *a = &d->cli->args;
    struct est_why why = {.code = EST_OK};
    int code;

    d->max_replays = (a->given & ARGS_BIT(MAX_REPLAYS)) ? a->max_replays : DLQ_MAX_REPLAYS;
    d->states = states;
    if (a->state != NULL && !dlq_states_of(a->state, &d->states)) {
        out_error_text(&d->cli->out, TEXT_BAD_VALUE,
                       OUT_ARGS("--state", "open|parked|replayed|all"), NULL, EXIT_USAGE);
        return EXIT_USAGE;
    }
    code = add_sources(d);
    if (code != EXIT_FINE || dlq_load_done(d, &why) == EST_OK)
        return code;
    code = cli_exit_at_open(why.code);
    out_failure(&d->cli->out, why.code, &why, code);
    return code;
}

bool dlq_open(struct dlq *d, struct cli *cli, const struct est_config *cfg, unsigned states,
              int *ret_code)
{
    *d = (struct dlq){
        .cli = cli, .cfg = cfg, .extra = cli_kafka_options(cfg), .exit_down = EXIT_UNAVAILABLE};
    *ret_code = prepare(d, states);
    if (*ret_code == EXIT_FINE)
        return true;
    dlq_close(d);
    return false;
}

void dlq_close(struct dlq *d)
{
    est_kafka_read_free(d->reader);
    for (size_t i = 0; i < d->n; i++)
        est_dlq_done_free(d->sources[i].done);
    est_free(d->sources);
    est_free(d->extra);
    d->reader = NULL;
    d->sources = NULL;
    d->extra = NULL;
}

/* --- reading --- */

static est_err open_reader(struct dlq *d, const struct dlq_source *s, struct est_kafka_read **ret,
                           struct est_why *why)
{
    const struct est_kafka_read_options opt = {
        .brokers = d->cfg->kafka_brokers,
        .client_id = dlq_client_id(),
        .topic = s->topic,
        .since_ms = d->since_ms,
        .until_now = true,
        .timeout = d->cli->args.timeout,
        .extra = d->extra,
        .n_extra = d->extra != NULL ? d->cfg->kafka_options.n : 0,
    };

    return est_kafka_read_new(&opt, ret, why);
}

/* The next topic that holds something. A DLQ that nobody has made yet is empty; one that was named
 * must be there. */
static est_err open_next(struct dlq *d, struct est_why *why)
{
    est_err err;

    for (; d->at < d->n; d->at++) {
        err = open_reader(d, &d->sources[d->at], &d->reader, why);
        if (err == EST_ERR_NOTFOUND && d->sources[d->at].type != NULL)
            continue;
        if (err != EST_OK || est_kafka_read_total(d->reader) > 0)
            return err;
        est_kafka_read_free(d->reader);
        d->reader = NULL;
    }
    return EST_ERR_CLOSED;
}

static void describe(struct dlq *d, struct est_kafka_msg *m, struct dlq_entry *e)
{
    size_t n = 0;
    const struct est_record_header *h = est_kafka_msg_headers(m, &n);

    *e = (struct dlq_entry){.source = &d->sources[d->at], .msg = m, .type = ""};
    est_deadletter_init(&e->letter);
    for (size_t i = 0; i < n; i++)
        est_deadletter_read(&e->letter, h[i].name, h[i].value);
    if (e->source->type != NULL)
        e->type = e->source->type->name;
    for (size_t i = 0; e->source->type == NULL && i < d->cfg->n_types; i++)
        if (est_view_is(e->letter.topic, d->cfg->types[i].topic))
            e->type = d->cfg->types[i].name;
    e->state = e->letter.replays >= d->max_replays ? DLQ_PARKED : DLQ_OPEN;
    if (est_dlq_done_has(e->source->done, est_kafka_msg_partition(m), est_kafka_msg_offset(m)))
        e->state = DLQ_REPLAYED;
    e->fits = dlq_fits(d, e);
}

static est_err read_one(struct dlq *d, est_us wait, struct dlq_entry *ret, struct est_why *why)
{
    struct est_kafka_msg *m = NULL;
    est_err err = d->reader != NULL ? EST_OK : open_next(d, why);

    if (err == EST_OK)
        err = est_kafka_read_next(d->reader, wait, &m, why);
    else if (err == EST_ERR_CLOSED)
        return err;
    if (err == EST_OK) {
        d->read++;
        describe(d, m, ret);
    } else if (err == EST_ERR_CLOSED) {
        est_kafka_read_free(d->reader);
        d->reader = NULL;
        d->at++;
        err = EST_ERR_AGAIN;
    }
    return err;
}

est_err dlq_next(struct dlq *d, est_us wait, struct dlq_entry *ret, int *ret_code)
{
    struct est_why why = {.code = EST_OK};
    est_err err = read_one(d, wait, ret, &why);

    if (err == EST_OK || err == EST_ERR_AGAIN || err == EST_ERR_CLOSED)
        return err;
    *ret_code = err == EST_ERR_NOTFOUND     ? EXIT_NO
                : err == EST_ERR_KAFKA_DOWN ? d->exit_down
                                            : cli_exit_at_open(err);
    out_failure(&d->cli->out, err, &why, *ret_code);
    return err;
}

est_err dlq_await(struct dlq *d, struct dlq_entry *ret, int *ret_code)
{
    est_us until = est_clock_mono() + d->cli->args.timeout;
    est_err err;

    do {
        size_t at = d->at;
        err = dlq_next(d, 100 * EST_MS, ret, ret_code);
        if (d->at != at) /* another topic, another patience */
            until = est_clock_mono() + d->cli->args.timeout;
    } while (err == EST_ERR_AGAIN && est_clock_mono() < until);
    if (err != EST_ERR_AGAIN)
        return err;
    *ret_code = EXIT_UNAVAILABLE;
    out_failure(&d->cli->out, EST_ERR_KAFKA_DOWN, NULL, *ret_code);
    return EST_ERR_KAFKA_DOWN;
}

uint64_t dlq_count(struct dlq *d)
{
    uint64_t total = 0;

    for (size_t i = 0; i < d->n; i++) {
        struct est_kafka_read *reader = NULL;
        if (open_reader(d, &d->sources[i], &reader, NULL) == EST_OK)
            total += est_kafka_read_total(reader);
        est_kafka_read_free(reader);
    }
    return total;
}
