/* esteira health: asks the daemons on this machine, at the addresses of the configuration, whether
 * they can do their work. Named ones must answer; with none named, those count that do. It is what
 * a container's health check runs, so it asks nothing but loopback and waits shortly. */
#include "cli.h"
#include "fetch.h"
#include "target.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "config/line.h"
#include "io/kafka_admin.h"

#include <stdio.h>
#include <string.h>

enum {
    DAEMONS = 4,
    KAFKA = 3,
    /* its place: it is no daemon of ours, and asked only by name */ URL_MAX = 1200,
    REASON_MAX = 400
};
static const est_us PATIENCE = 2 * EST_SECOND;

struct daemon {
    const char *name, *address;
    bool wanted;
};

static void daemons_of(const struct est_config *cfg, struct daemon ret[DAEMONS])
{
    ret[0] = (struct daemon){"producer", cfg->producer_ops_listen, false};
    ret[1] = (struct daemon){"consumer", cfg->consumer_ops_listen, false};
    ret[2] = (struct daemon){"dashboard", cfg->dashboard_listen, false};
    ret[KAFKA] = (struct daemon){"kafka", cfg->kafka_brokers, false};
}

static bool mark_wanted(struct cli *cli, struct daemon all[DAEMONS])
{
    for (size_t i = 0; i < cli->n_words; i++) {
        size_t d = 0;
        while (d < DAEMONS && strcmp(all[d].name, cli->words[i]) != 0)
            d++;
        if (d == DAEMONS) {
            out_error_text(&cli->out, TEXT_NO_DAEMON, OUT_ARGS(cli->words[i]), NULL, EXIT_USAGE);
            return false;
        }
        all[d].wanted = true;
    }
    return true;
}

static void tell(struct cli *cli, const struct daemon *d, int status, const char *reason)
{
    static const char *const states[] = {"away", "not_ready", "ready"};
    int at = status == 0 ? 0 : status == 200 ? 2 : 1;
    static const enum text texts[] = {TEXT_HEALTH_AWAY, TEXT_HEALTH_NOT, TEXT_HEALTH_READY};
    struct est_buf *b;

    if (!cli->out.json) {
        out_mark(&cli->out, status == 200 ? MARK_OK : MARK_BAD, texts[at],
                 OUT_ARGS(d->name, d->address, reason));
        return;
    }
    b = out_json_begin(&cli->out, "health");
    est_json_put_name(b, "daemon");
    est_json_put_str(b, d->name);
    est_json_put_name(b, "state");
    est_json_put_str(b, states[at]);
    est_json_put_name(b, "detail");
    est_json_put_str(b, reason);
    out_json_end(&cli->out);
}

/* The daemon's exit code; a daemon that nobody asked for by name and that does not answer is
 * EXIT_UNAVAILABLE without a word. */
static int ask(struct cli *cli, struct fetch *f, const struct daemon *d)
{
    char url[URL_MAX], reason[REASON_MAX];
    est_us timeout = cli->args.given & ARGS_BIT(TIMEOUT) ? cli->args.timeout : PATIENCE;
    struct fetch_answer a;
    int code;

    target_reach(d->address, "/readyz", url, sizeof(url));
    fetch_answer_init(&a);
    fetch_get(f, url, "", timeout, &a);
    code = a.status == 200 ? EXIT_FINE : a.status == 0 ? EXIT_UNAVAILABLE : EXIT_NO;
    if (a.status == 0)
        est_line_copy(reason, sizeof(reason), est_view_str(a.detail));
    else
        est_line_copy(reason, sizeof(reason), est_view_trim(est_buf_view(&a.body)));
    if (a.status != 0 || d->wanted)
        tell(cli, d, a.status, reason);
    fetch_answer_fini(&a);
    return code;
}

/* Whether a broker may be stopped: the others have all that it has. */
static int ask_kafka(struct cli *cli, const struct est_config *cfg, const struct daemon *d)
{
    struct est_kafka_option *extra = cli_kafka_options(cfg);
    struct est_kafka_admin *ka = NULL;
    struct est_kafka_copies c = {0};
    struct est_why why = {.code = EST_OK};
    char n[4][12], text[REASON_MAX];
    struct est_buf line;
    est_err err = est_kafka_admin_new(cfg->kafka_brokers, "esteira-health", extra,
                                      extra ? cfg->kafka_options.n : 0, &ka, &why);

    if (err == EST_OK)
        err = est_kafka_admin_copies(ka, cli->args.timeout, &c, &why);
    est_kafka_admin_free(ka);
    est_free(extra);
    if (err != EST_OK) {
        tell(cli, d, 0, why.text);
        return cli_exit_at_open(err);
    }
    (void)snprintf(n[0], sizeof(n[0]), "%u", c.brokers);
    (void)snprintf(n[1], sizeof(n[1]), "%u", c.partitions);
    (void)snprintf(n[2], sizeof(n[2]), "%u", c.behind);
    (void)snprintf(n[3], sizeof(n[3]), "%u", c.leaderless);
    est_buf_init(&line, REASON_MAX);
    lang_put(&line, cli->out.lang, TEXT_HEALTH_COPIES, OUT_ARGS(n[0], n[1], n[2], n[3]));
    est_line_copy(text, sizeof(text), est_buf_view(&line));
    est_buf_fini(&line);
    tell(cli, d, c.behind + c.leaderless == 0 ? 200 : 503, text);
    return c.behind + c.leaderless == 0 ? EXIT_FINE : EXIT_NO;
}

/* The worst of those that count. */
static int ask_all(struct cli *cli, struct fetch *f, const struct daemon all[DAEMONS])
{
    int worst = cli->n_words > 0 ? EXIT_FINE : EXIT_UNAVAILABLE;
    bool named = cli->n_words > 0;

    for (size_t i = 0; i < KAFKA && !f->interrupted; i++) {
        int code = named && !all[i].wanted ? EXIT_FINE : ask(cli, f, &all[i]);
        if (named ? code > worst : code < EXIT_UNAVAILABLE && (worst > EXIT_NO || code > worst))
            worst = code;
    }
    if (!named && worst == EXIT_UNAVAILABLE)
        out_error_text(&cli->out, TEXT_HEALTH_NOBODY, OUT_ARGS(""), NULL, EXIT_UNAVAILABLE);
    return f->interrupted ? EXIT_INTERRUPTED : worst;
}

int cmd_health(struct cli *cli)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);
    struct daemon all[DAEMONS];
    struct est_why why = {.code = EST_OK};
    struct fetch f;
    est_err err;

    if (cfg == NULL)
        return code;
    daemons_of(cfg, all);
    if (!mark_wanted(cli, all)) {
        est_config_free(cfg);
        return EXIT_USAGE;
    }
    err = fetch_open(&f, "", &why);
    if (err != EST_OK) {
        code = cli_exit_at_open(err);
        out_failure(&cli->out, err, &why, code);
    } else {
        code = ask_all(cli, &f, all);
        fetch_close(&f);
    }
    if (all[KAFKA].wanted && code != EXIT_INTERRUPTED) {
        int its = ask_kafka(cli, cfg, &all[KAFKA]);
        code = its > code ? its : code;
    }
    est_config_free(cfg);
    return code;
}
