#include "cli.h"
#include "decode.h"
#include "filter.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "codec/wire.h"
#include "io/kafka_read.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLL (100 * EST_MS)

struct tail {
    struct cli *cli;
    const struct est_config *cfg;
    const struct est_type_config *type;
    struct decoder decoder;
    struct est_kafka_read *reader;
    struct est_json *json;
    uint64_t shown, broken;
};

static volatile sig_atomic_t stop_asked;

static void on_signal(int signo)
{
    (void)signo;
    stop_asked = 1;
}

static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};

    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
}

/* --- showing --- */

static void local_time(int64_t ms, char out[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    size_t n;

    (void)localtime_r(&seconds, &tm);
    n = strftime(out, 32, "%H:%M:%S", &tm);
    (void)snprintf(out + n, 32 - n, ".%03d", (int)(ms % 1000));
}

/* A person gets time, place and name before the payload; a pipe and --json get the event itself. */
static void show_event(struct tail *t, const struct est_kafka_msg *m, const struct est_value *event)
{
    struct out *o = &t->cli->out;
    struct est_view name = est_json_string(est_json_get(event, "event"));
    char at[32];

    est_buf_clear(&o->line);
    if (o->json || !o->tty_out) {
        est_buf_put_view(&o->line, est_buf_view(&t->decoder.event));
    } else {
        local_time(est_kafka_msg_timestamp_ms(m), at);
        est_buf_printf(&o->line, "%s  %d@%lld  %.*s  ", at, (int)est_kafka_msg_partition(m),
                       (long long)est_kafka_msg_offset(m), (int)name.len,
                       name.data ? name.data : "?");
        est_json_put_value(&o->line, est_json_get(event, "payload"));
    }
    est_buf_putc(&o->line, '\n');
    out_put(o, est_buf_view(&o->line));
    est_buf_clear(&o->line);
    (void)fflush(stdout);
    t->shown++;
}

static void show_broken(struct tail *t, const struct est_kafka_msg *m, est_err err,
                        const struct est_why *why)
{
    char place[64];

    (void)snprintf(place, sizeof(place), "%d@%lld", (int)est_kafka_msg_partition(m),
                   (long long)est_kafka_msg_offset(m));
    out_talk(&t->cli->out, TEXT_TAIL_BROKEN, OUT_ARGS(place, why->text, est_err_code(err)));
    t->broken++;
}

static void show(struct tail *t, const struct est_kafka_msg *m)
{
    const struct est_value *event;
    struct est_why why = {.code = EST_OK};
    est_err err;

    if (est_kafka_msg_value(m).data == NULL && est_kafka_msg_header(m, "esteira-mark").data != NULL)
        return;
    err = decoder_read(&t->decoder, t->type->name, est_kafka_msg_value(m),
                       est_kafka_msg_header(m, EST_WIRE_HEADER), &why);
    est_json_clear(t->json);
    if (err == EST_OK)
        err = est_json_parse(t->json, est_buf_view(&t->decoder.event), &event, NULL);
    if (err != EST_OK)
        show_broken(t, m, err, &why);
    else if (filter_fits(&t->cli->args.filter, event))
        show_event(t, m, event);
}

/* --- reading --- */

static int failed(struct tail *t, est_err err, const struct est_why *why)
{
    int code = err == EST_ERR_NOTFOUND ? EXIT_NO : cli_exit_at_open(err);

    out_failure(&t->cli->out, err, why, code);
    return code;
}

static bool is_enough(const struct tail *t)
{
    return t->cli->args.count > 0 && t->shown >= t->cli->args.count;
}

static int follow(struct tail *t)
{
    struct est_why why = {.code = EST_OK};

    while (!stop_asked && !is_enough(t) && !ferror(stdout)) {
        struct est_kafka_msg *m = NULL;
        est_err err = est_kafka_read_next(t->reader, POLL, &m, &why);
        if (err == EST_OK)
            show(t, m);
        else if (err == EST_ERR_CLOSED && t->cli->args.no_follow)
            return t->shown > 0 ? EXIT_FINE : EXIT_NO;
        else if (err != EST_ERR_AGAIN && err != EST_ERR_CLOSED)
            return failed(t, err, &why);
        est_kafka_msg_free(m);
    }
    return stop_asked ? EXIT_INTERRUPTED : EXIT_FINE;
}

static int open_and_follow(struct tail *t)
{
    struct est_kafka_option *extra = cli_kafka_options(t->cfg);
    const struct args *a = &t->cli->args;
    const struct est_kafka_read_options opt = {
        .brokers = t->cfg->kafka_brokers,
        .client_id = "esteira-tail",
        .topic = t->type->topic,
        .since_ms = (a->given & ARGS_BIT(SINCE)) ? (est_clock_wall() - a->since) / EST_MS
                                                 : EST_KAFKA_READ_END,
        .timeout = a->timeout,
        .extra = extra,
        .n_extra = extra != NULL ? t->cfg->kafka_options.n : 0,
    };
    struct est_why why = {.code = EST_OK};
    est_err err = est_kafka_read_new(&opt, &t->reader, &why);
    int code;

    if (err == EST_OK) {
        out_talk(&t->cli->out, TEXT_TAIL_BEGIN, OUT_ARGS(t->type->topic));
        code = follow(t);
    } else {
        code = failed(t, err, &why);
    }
    est_kafka_read_free(t->reader);
    est_free(extra);
    return code;
}

static int run(struct tail *t)
{
    int code = EXIT_IO;
    est_err err = decoder_open(&t->decoder, t->cfg, t->cli->args.timeout);

    t->decoder.after_fetch = catch_signals; /* its loop had them */
    if (err == EST_OK && est_json_new(NULL, &t->json) == EST_OK)
        code = open_and_follow(t);
    else
        out_failure(&t->cli->out, EST_ERR_NOMEM, NULL, EXIT_IO);
    est_json_free(t->json);
    decoder_close(&t->decoder);
    return code;
}

int cmd_tail(struct cli *cli)
{
    struct tail t = {.cli = cli};
    int code = EXIT_FINE;
    struct est_config *cfg;
    const char *wrong = filter_wrong(&cli->args.filter);

    if (wrong != NULL) {
        out_error_text(&cli->out, TEXT_BAD_FILTER, OUT_ARGS(wrong), NULL, EXIT_USAGE);
        return EXIT_USAGE;
    }
    cfg = cli_config(cli, &code);
    if (cfg == NULL)
        return code;
    t.cfg = cfg;
    t.type = est_config_type(cfg, cli->words[0]);
    catch_signals();
    code = t.type != NULL ? run(&t) : cli_unknown_type(cli, cfg, cli->words[0]);
    est_config_free(cfg);
    return code;
}
