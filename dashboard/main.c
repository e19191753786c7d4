/* esteira-dashboard: what the bots did, kept and shown. */
#include "api.h"
#include "base/log.h"
#include "codec/json.h"
#include "config/config.h"
#include "io/http_in.h"
#include "metrics/metrics.h"
#include "zone.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char help[] =
    "Keeps the events that the pipeline delivers and shows them on a page, live.\n"
    "\n"
    "Usage:     esteira-dashboard [-c FILE]\n"
    "Examples:  esteira-dashboard                      # http://127.0.0.1:3001/\n"
    "           DASHBOARD_TOKEN=... esteira-dashboard -c /etc/esteira/pipeline.yaml\n"
    "\n"
    "Options:   -c, --config FILE   configuration (default: $ESTEIRA_CONFIG, ./pipeline.yaml,\n"
    "                               /etc/esteira/pipeline.yaml, else the defaults)\n"
    "           --audit             recount everything stored, say whether the numbers hold, exit\n"
    "           --version, --help\n"
    "\n"
    "Without a token (DASHBOARD_TOKEN or dashboard.token_file) it listens on loopback only.\n"
    "Exit:      0 stopped as asked, 1 the audit found a difference, 64 usage, 69 the address is\n"
    "           taken, 74 database, 77 no token in the file, 78 configuration\n";

static const est_us DRAIN_BOUND = 5 * EST_SECOND;
static const est_us TIDY_EVERY = 30 * EST_SECOND;

struct dashboard {
    struct est_config *cfg;
    struct est_loop *lp;
    struct est_http_server *server;
    struct api api;
    struct est_timer drain_timer, tidy_timer;
};

struct options {
    const char *config;
    bool audit;
};

/* 0 to go on, else the exit code + 1. */
static int read_options(int argc, char **argv, struct options *ret)
{
    for (int i = 1; i < argc; i++) {
        if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc) {
            ret->config = argv[++i];
        } else if (strcmp(argv[i], "--audit") == 0) {
            ret->audit = true;
        } else if (strcmp(argv[i], "--version") == 0) {
            (void)puts("esteira-dashboard " ESTEIRA_VERSION);
            return EX_OK + 1;
        } else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            (void)fputs(help, stdout);
            return EX_OK + 1;
        } else {
            (void)fprintf(stderr, "esteira-dashboard: unknown or incomplete option %s\n%s", argv[i],
                          "Try: esteira-dashboard --help\n");
            return EX_USAGE + 1;
        }
    }
    return 0;
}

static int failed(const struct est_why *why, int exit_code)
{
    EST_LOG(EST_ERROR, "cannot_start", EST_S("code", est_err_code(why->code)),
            EST_S("reason", why->text));
    return exit_code;
}

/* --- stopping --- */

static void look_whether_idle(void *arg)
{
    struct dashboard *d = arg;

    if (d->api.draining && est_http_server_idle(d->server))
        est_loop_stop(d->lp);
}

static void stop_waiting(void *arg)
{
    struct dashboard *d = arg;

    est_loop_stop(d->lp);
}

static void on_signal(void *arg, int signo)
{
    struct dashboard *d = arg;

    if (signo == SIGHUP || d->api.draining)
        return;
    EST_LOG(EST_INFO, "draining", EST_I("signal", signo));
    d->api.draining = true;
    live_end(d->api.lv);
    est_http_server_drain(d->server);
    est_loop_timer_at(d->lp, &d->drain_timer, est_loop_now(d->lp) + DRAIN_BOUND);
}

static void tidy(void *arg)
{
    struct dashboard *d = arg;

    store_tidy(d->api.st);
    est_loop_timer_at(d->lp, &d->tidy_timer, est_loop_now(d->lp) + TIDY_EVERY);
}

/* --- starting --- */

static int open_store(struct dashboard *d, struct est_why *why)
{
    if (zone_init(d->cfg->dashboard_timezone, why) != EST_OK)
        return failed(why, EX_CONFIG);
    if (store_open(d->cfg->dashboard_database, &d->api.st, why) != EST_OK)
        return failed(why, EX_IOERR);
    return EX_OK;
}

static int audit(struct dashboard *d)
{
    bool holds = false;
    est_err err = store_audit(d->api.st, &holds);

    if (err) {
        (void)fprintf(stderr, "cannot read the database: %s\n", store_error(d->api.st));
        return EX_IOERR;
    }
    (void)puts(holds ? "The numbers hold." : "The numbers do not add up to what is stored.");
    return holds ? EX_OK : 1;
}

static int listen_on(struct dashboard *d, struct est_why *why)
{
    struct est_http_limits limits = est_http_limits_default;
    struct est_http_handlers handlers = api_handlers(&d->api);

    limits.body_max = API_BODY_MAX;
    limits.conns_max = 1024;
    if (est_http_server_new(d->lp, &limits, &handlers, &d->server, why) != EST_OK)
        return failed(why, EX_OSERR);
    if (est_http_server_listen(d->server, d->cfg->dashboard_listen, why) != EST_OK)
        return failed(why, EX_UNAVAILABLE);
    return EX_OK;
}

static int start(struct dashboard *d, struct est_why *why)
{
    struct api *api = &d->api;
    struct est_json_limits json = {.depth_max = est_json_limits_default.depth_max + 2, /* {"events":[ */
                                   .memory_max = 8 * (size_t)API_BODY_MAX};
    int code = open_store(d, why);

    if (code != EX_OK)
        return code;
    api->currency = d->cfg->dashboard_currency;
    api->timezone = d->cfg->dashboard_timezone;
    if (auth_new(d->cfg->dashboard_token, d->cfg->dashboard_token_file, &api->au, why) != EST_OK)
        return failed(why, EX_NOPERM);
    if (est_loop_new(&d->lp, why) != EST_OK || est_loop_on_signal(d->lp, on_signal, d) != EST_OK ||
        est_json_new(&json, &api->js) != EST_OK ||
        est_metrics_new(EST_IN_DASHBOARD, &api->metrics) != EST_OK ||
        live_new(d->lp, api->st, api->currency, &api->lv) != EST_OK) {
        (void)est_why_set(why, EST_ERR_NOMEM, "no memory to start");
        return failed(why, EX_OSERR);
    }
    api->lp = d->lp;
    api->started_at = est_loop_now(d->lp);
    est_metrics_gauge(api->metrics, EST_METRIC_BUILD_INFO, "dashboard", ESTEIRA_VERSION, 1);
    d->drain_timer.fn = stop_waiting;
    d->tidy_timer.fn = tidy;
    d->drain_timer.arg = d->tidy_timer.arg = d;
    return listen_on(d, why);
}

static void run(struct dashboard *d)
{
    EST_LOG(EST_INFO, "listening", EST_S("address", d->cfg->dashboard_listen),
            EST_I("port", est_http_server_port(d->server)),
            EST_S("access", auth_has_token(d->api.au) ? "token" : "this machine only, no token asked"));
    est_loop_on_turn(d->lp, look_whether_idle, d);
    tidy(d);
    est_loop_run(d->lp);
    est_loop_timer_off(d->lp, &d->tidy_timer);
    est_loop_timer_off(d->lp, &d->drain_timer);
    EST_LOG(EST_INFO, "stopped", EST_I("events", store_newest(d->api.st)));
}

static void stop(struct dashboard *d)
{
    live_free(d->api.lv);
    est_http_server_free(d->server);
    est_loop_free(d->lp);
    est_metrics_free(d->api.metrics);
    est_json_free(d->api.js);
    auth_free(d->api.au);
    store_close(d->api.st);
    api_fini(&d->api);
    est_config_free(d->cfg);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct dashboard d = {0};
    struct est_config_report report;
    struct est_why why = {0};
    int code = read_options(argc, argv, &options);

    if (code != 0)
        return code - 1;
    est_log_init("dashboard", EST_INFO);
    est_report_init(&report);
    if (est_config_load(options.config, &d.cfg, &report) != EST_OK) {
        est_report_print(&report);
        est_report_fini(&report);
        return EX_CONFIG;
    }
    est_report_fini(&report);
    est_log_init("dashboard", (enum est_level)d.cfg->log_level);
    api_init(&d.api);
    code = options.audit ? open_store(&d, &why) : start(&d, &why);
    if (code == EX_OK && options.audit)
        code = audit(&d);
    else if (code == EX_OK)
        run(&d);
    stop(&d);
    return code;
}
