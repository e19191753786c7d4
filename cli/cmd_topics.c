#include "cli.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "io/kafka_admin.h"

#include <stdio.h>
#include <string.h>

/* Room for the record's headers and framing beside the event itself; Kafka's own default where that
 * is more (max.message.bytes of a topic). */
enum { RECORD_OVERHEAD = 64 * 1024, KAFKA_DEFAULT_MAX = 1048588 };
/* Refused events wait longer than fresh ones: someone has to look at them first. */
#define DEAD_LETTER_DAYS 30
#define DAY (86400 * EST_SECOND)

enum { OPTIONS_OF_A_TOPIC = 4, SEGMENTS = 6 };
static const est_us SEGMENT_LEAST = 600 * EST_SECOND;

struct wish {
    char topic[300], retention[24], max_bytes[24], segment[24], total[24];
    struct est_kafka_option configs[OPTIONS_OF_A_TOPIC];
    size_t n_configs;
    int32_t partitions;
    int32_t found; /* partitions that were there; 0 = no such topic */
    bool grown;
};

struct plan {
    struct cli *cli;
    struct wish *wishes;
    size_t n;
    int code;
    size_t made, there;
};

static void add_wish(struct plan *p, const struct est_config *cfg, const char *topic,
                     unsigned partitions, est_us retention)
{
    struct wish *w = &p->wishes[p->n++];
    size_t max = cfg->producer_event_max + RECORD_OVERHEAD;

    (void)snprintf(w->topic, sizeof(w->topic), "%s", topic);
    (void)snprintf(w->retention, sizeof(w->retention), "%lld", (long long)(retention / EST_MS));
    (void)snprintf(w->max_bytes, sizeof(w->max_bytes), "%zu",
                   max > KAFKA_DEFAULT_MAX ? max : KAFKA_DEFAULT_MAX);
    w->configs[0] = (struct est_kafka_option){"retention.ms", w->retention};
    w->configs[1] = (struct est_kafka_option){"max.message.bytes", w->max_bytes};
    w->n_configs = 2;
    w->partitions = (int32_t)partitions;
}

/* What each request was and what came of it: one partition, so it reads in order. Kafka deletes
 * whole segments only, so these are short against the retention; and it never grows beyond its
 * share of the disk. */
static void add_attempts(struct plan *p, const struct est_config *cfg,
                         const struct est_destination_config *dest)
{
    est_us segment = dest->attempts_retention / SEGMENTS;
    char topic[300];
    struct wish *w;

    if (dest->attempts == EST_ATTEMPTS_OFF)
        return;
    (void)snprintf(topic, sizeof(topic), "attempts.%s", dest->name);
    add_wish(p, cfg, topic, 1, dest->attempts_retention);
    w = &p->wishes[p->n - 1];
    segment = segment > SEGMENT_LEAST ? segment : SEGMENT_LEAST;
    (void)snprintf(w->segment, sizeof(w->segment), "%lld", (long long)(segment / EST_MS));
    (void)snprintf(w->total, sizeof(w->total), "%zu", dest->attempts_bytes);
    w->configs[w->n_configs++] = (struct est_kafka_option){"segment.ms", w->segment};
    w->configs[w->n_configs++] = (struct est_kafka_option){"retention.bytes", w->total};
}

/* The topic of each type, and for each destination the topics of what it refused and of the
 * requests to it. */
static bool make_plan(struct plan *p, const struct est_config *cfg)
{
    char topic[300];

    p->wishes =
        est_calloc(cfg->n_types + (cfg->n_types + 1) * cfg->n_destinations, sizeof(*p->wishes));
    if (p->wishes == NULL)
        return false;
    for (size_t i = 0; i < cfg->n_types; i++)
        add_wish(p, cfg, cfg->types[i].topic, cfg->types[i].partitions, cfg->types[i].retention);
    for (size_t d = 0; d < cfg->n_destinations; d++) {
        const struct est_destination_config *dest = &cfg->destinations[d];
        for (size_t i = 0; i < cfg->n_types; i++) {
            (void)snprintf(topic, sizeof(topic), "%s%s.%s", dest->dead_letter_prefix, dest->name,
                           cfg->types[i].topic);
            add_wish(p, cfg, topic, 1, DEAD_LETTER_DAYS * DAY);
        }
        add_attempts(p, cfg, dest);
    }
    return true;
}

/* Kafka can make partitions more, never fewer. */
static bool grows(const struct plan *p, const struct wish *w)
{
    return p->cli->args.grow && w->found > 0 && w->found < w->partitions;
}

/* --- telling --- */

static void tell(struct plan *p, const struct wish *w, const char *state, enum mark m, enum text id)
{
    struct out *o = &p->cli->out;
    char want[16], found[16];

    (void)snprintf(want, sizeof(want), "%d", (int)w->partitions);
    (void)snprintf(found, sizeof(found), "%d", (int)w->found);
    if (!o->json) {
        out_mark(o, m, id, OUT_ARGS(w->topic, want, found));
        return;
    }
    struct est_buf *b = out_json_begin(o, "topic");
    est_json_put_name(b, "topic");
    est_json_put_str(b, w->topic);
    est_json_put_name(b, "state");
    est_json_put_str(b, state);
    est_buf_printf(b, ",\"partitions\":%d",
                   (int)(w->found > 0 && !w->grown ? w->found : w->partitions));
    out_json_end(o);
}

static void tell_found(struct plan *p, const struct wish *w)
{
    p->there++;
    if (w->found == w->partitions) {
        tell(p, w, "exists", MARK_OK, TEXT_TOPIC_THERE);
    } else if (grows(p, w)) {
        tell(p, w, p->cli->args.dry_run ? "differs" : "grown", MARK_OK,
             p->cli->args.dry_run ? TEXT_TOPIC_WOULD_GROW : TEXT_TOPIC_GROWN);
    } else {
        tell(p, w, "differs", MARK_WARN, TEXT_TOPIC_DIFFERS);
        p->code = EXIT_NO;
    }
}

static void on_created(void *arg, const char *topic, est_err err, const char *text)
{
    struct plan *p = arg;

    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->wishes[i].topic, topic) != 0)
            continue;
        if (err == EST_OK || err == EST_ERR_AGAIN) {
            p->made += err == EST_OK;
            tell(p, &p->wishes[i], "created", MARK_OK, TEXT_TOPIC_MADE);
            return;
        }
    }
    out_error_text(&p->cli->out, TEXT_TOPIC_REFUSED, OUT_ARGS(topic, text), est_err_code(err),
                   EXIT_PROTOCOL);
}

/* --- doing --- */

static int kafka_exit(est_err err)
{
    return err == EST_ERR_KAFKA_REFUSED ? EXIT_PROTOCOL : cli_exit_at_open(err);
}

static est_err look(struct plan *p, struct est_kafka_admin *ka, struct est_why *why)
{
    for (size_t i = 0; i < p->n; i++) {
        est_err err = est_kafka_admin_partitions(ka, p->wishes[i].topic, p->cli->args.timeout,
                                                 &p->wishes[i].found, why);
        if (err != EST_OK && err != EST_ERR_NOTFOUND)
            return err;
    }
    return EST_OK;
}

static est_err create(struct plan *p, struct est_kafka_admin *ka, const struct est_config *cfg,
                      struct est_why *why)
{
    struct est_kafka_topic_wish *missing = est_calloc(p->n, sizeof(*missing));
    size_t n = 0;
    est_err err = EST_OK;

    if (missing == NULL)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < p->n; i++) {
        const struct wish *w = &p->wishes[i];
        if (w->found == 0)
            missing[n++] = (struct est_kafka_topic_wish){
                w->topic, w->partitions, (int32_t)cfg->kafka_replication, w->configs, w->n_configs};
    }
    if (n > 0)
        err = est_kafka_admin_create(ka, missing, n, p->cli->args.timeout, on_created, p, why);
    est_free(missing);
    return err;
}

static est_err grow(struct plan *p, struct est_kafka_admin *ka, struct wish *w, struct est_why *why)
{
    est_err err = est_kafka_admin_grow(ka, w->topic, w->partitions, p->cli->args.timeout, why);

    w->grown = err == EST_OK;
    return err;
}

static est_err apply(struct plan *p, struct est_kafka_admin *ka, const struct est_config *cfg,
                     struct est_why *why)
{
    est_err err = look(p, ka, why);

    for (size_t i = 0; err == EST_OK && i < p->n; i++) {
        struct wish *w = &p->wishes[i];
        if (grows(p, w) && !p->cli->args.dry_run)
            err = grow(p, ka, w, why);
        if (err == EST_OK && w->found > 0)
            tell_found(p, w);
        else if (err == EST_OK && p->cli->args.dry_run)
            tell(p, w, "missing", MARK_WARN, TEXT_TOPIC_WOULD);
    }
    if (err == EST_OK && !p->cli->args.dry_run)
        err = create(p, ka, cfg, why);
    return err;
}

static void sum_up(const struct plan *p)
{
    char made[24], there[24];

    (void)snprintf(made, sizeof(made), "%zu", p->cli->args.dry_run ? p->n - p->there : p->made);
    (void)snprintf(there, sizeof(there), "%zu", p->there);
    out_talk(&p->cli->out, p->cli->args.dry_run ? TEXT_TOPICS_DRY : TEXT_TOPICS_DONE,
             OUT_ARGS(made, there));
}

static int run(struct cli *cli, const struct est_config *cfg)
{
    struct plan p = {.cli = cli, .code = EXIT_FINE};
    struct est_kafka_option *extra = cli_kafka_options(cfg);
    struct est_kafka_admin *ka = NULL;
    struct est_why why = {.code = EST_OK};
    est_err err = make_plan(&p, cfg) ? EST_OK : EST_ERR_NOMEM;

    if (err == EST_OK)
        err = est_kafka_admin_new(cfg->kafka_brokers, "esteira-topics", extra,
                                  extra ? cfg->kafka_options.n : 0, &ka, &why);
    if (err == EST_OK)
        err = apply(&p, ka, cfg, &why);
    if (err != EST_OK) {
        p.code = kafka_exit(err);
        out_failure(&cli->out, err, &why, p.code);
    } else {
        sum_up(&p);
    }
    est_kafka_admin_free(ka);
    est_free(extra);
    est_free(p.wishes);
    return p.code;
}

int cmd_topics_apply(struct cli *cli)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    code = run(cli, cfg);
    est_config_free(cfg);
    return code;
}
