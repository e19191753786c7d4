#include "service.h"

#include "api.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/json.h"
#include "config/config.h"
#include "io/http_in.h"
#include "metrics/metrics.h"
#include "zone.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

static const est_us DRAIN_BOUND = 5 * EST_SECOND;
static const est_us TIDY_EVERY = 30 * EST_SECOND;
enum { CONNECTIONS_MAX = 1024 };

struct service {
    const struct est_config *cfg;
    struct est_loop *lp;
    struct est_http_server *server;
    struct api api;
    struct est_timer drain_timer, tidy_timer;
};

static int failed(const struct est_why *why, int exit_code)
{
    EST_LOG(EST_ERROR, "cannot_start", EST_S("code", est_err_code(why->code)),
            EST_S("reason", why->text));
    return exit_code;
}

/* --- stopping --- */

static void look_whether_idle(void *arg)
{
    struct service *sv = arg;

    if (sv->api.draining && est_http_server_idle(sv->server))
        est_loop_stop(sv->lp);
}

static void stop_waiting(void *arg)
{
    struct service *sv = arg;

    est_loop_stop(sv->lp);
}

static void on_signal(void *arg, int signo)
{
    struct service *sv = arg;

    if (signo == SIGHUP || sv->api.draining)
        return;
    EST_LOG(EST_INFO, "draining", EST_I("signal", signo));
    sv->api.draining = true;
    live_end(sv->api.lv);
    est_http_server_drain(sv->server);
    est_loop_timer_at(sv->lp, &sv->drain_timer, est_loop_now(sv->lp) + DRAIN_BOUND);
}

static void tidy(void *arg)
{
    struct service *sv = arg;

    store_tidy(sv->api.st);
    est_loop_timer_at(sv->lp, &sv->tidy_timer, est_loop_now(sv->lp) + TIDY_EVERY);
}

/* --- starting --- */

static int open_store(const struct est_config *cfg, struct store **ret)
{
    struct est_why why = {0};

    if (zone_init(cfg->dashboard_timezone, &why) != EST_OK)
        return failed(&why, EX_CONFIG);
    if (store_open(cfg->dashboard_database, ret, &why) != EST_OK)
        return failed(&why, EX_IOERR);
    return EX_OK;
}

static int listen_on(struct service *sv)
{
    struct est_http_limits limits = est_http_limits_default;
    struct est_http_handlers handlers = api_handlers(&sv->api);
    struct est_why why = {0};

    limits.body_max = API_BODY_MAX;
    limits.conns_max = CONNECTIONS_MAX;
    if (est_http_server_new(sv->lp, &limits, &handlers, &sv->server, &why) != EST_OK)
        return failed(&why, EX_OSERR);
    if (est_http_server_listen(sv->server, sv->cfg->dashboard_listen, &why) != EST_OK)
        return failed(&why, est_err_exit(why.code));
    return EX_OK;
}

/* What fails here fails for want of memory or of descriptors. */
static int make_parts(struct service *sv)
{
    struct api *api = &sv->api;
    struct est_json_limits json = {.depth_max = est_json_limits_default.depth_max + API_BATCH_DEPTH,
                                   .memory_max = 8 * (size_t)API_BODY_MAX};
    struct est_why why = {0};
    est_err err = est_loop_new(&sv->lp, &why);

    if (!err)
        err = est_loop_on_signal(sv->lp, on_signal, sv);
    if (!err)
        err = est_json_new(&json, &api->js);
    if (!err)
        err = est_metrics_new(EST_IN_DASHBOARD, &api->metrics);
    if (!err)
        err = live_new(sv->lp, api->st, sv->cfg->dashboard_currency, &api->lv);
    if (err) {
        (void)est_why_set(&why, err, "%s", est_err_text(err));
        return failed(&why, EX_OSERR);
    }
    return EX_OK;
}

static int start(struct service *sv)
{
    struct api *api = &sv->api;
    const struct est_config *cfg = sv->cfg;
    struct est_why why = {0};
    int code = open_store(cfg, &api->st);

    if (code != EX_OK)
        return code;
    if (auth_new(cfg->dashboard_token, cfg->dashboard_token_file, &api->au, &why) != EST_OK)
        return failed(&why, est_err_exit(why.code));
    if (signature_new(cfg->dashboard_signing_secret, cfg->dashboard_signing_secret_file, &api->sg,
                      &why) != EST_OK)
        return failed(&why, est_err_exit(why.code));
    code = make_parts(sv);
    if (code != EX_OK)
        return code;
    api->lp = sv->lp;
    api->currency = cfg->dashboard_currency;
    api->timezone = cfg->dashboard_timezone;
    api->started_at = est_loop_now(sv->lp);
    est_metrics_gauge(api->metrics, EST_METRIC_BUILD_INFO, "esteira-dashboard", ESTEIRA_VERSION, 1);
    sv->drain_timer = (struct est_timer){.fn = stop_waiting, .arg = sv};
    sv->tidy_timer = (struct est_timer){.fn = tidy, .arg = sv};
    return listen_on(sv);
}

int service_start(const struct est_config *cfg, struct service **ret)
{
    struct service *sv = est_calloc(1, sizeof(*sv));
    int code;

    if (sv == NULL)
        return EX_OSERR;
    sv->cfg = cfg;
    api_init(&sv->api);
    code = start(sv);
    if (code != EX_OK) {
        service_free(sv);
        return code;
    }
    *ret = sv;
    return EX_OK;
}

void service_run(struct service *sv)
{
    const char *access = auth_has_token(sv->api.au) ? "token" : "this machine only, no token asked";

    EST_LOG(EST_INFO, "listening", EST_S("address", sv->cfg->dashboard_listen),
            EST_I("port", est_http_server_port(sv->server)), EST_S("access", access));
    est_loop_on_turn(sv->lp, look_whether_idle, sv);
    tidy(sv);
    est_loop_run(sv->lp);
    est_loop_timer_off(sv->lp, &sv->tidy_timer);
    est_loop_timer_off(sv->lp, &sv->drain_timer);
    EST_LOG(EST_INFO, "stopped", EST_I("events", store_newest(sv->api.st)));
}

void service_free(struct service *sv)
{
    if (sv == NULL)
        return;
    live_free(sv->api.lv);
    est_http_server_free(sv->server);
    est_loop_free(sv->lp);
    est_metrics_free(sv->api.metrics);
    est_json_free(sv->api.js);
    auth_free(sv->api.au);
    signature_free(sv->api.sg);
    store_close(sv->api.st);
    api_fini(&sv->api);
    est_free(sv);
}

int service_audit(const struct est_config *cfg)
{
    struct store *st = NULL;
    bool holds = false;
    int code = open_store(cfg, &st);

    if (code != EX_OK)
        return code;
    if (store_audit(st, &holds) != EST_OK) {
        EST_LOG(EST_ERROR, "audit_failed", EST_S("reason", store_error(st)));
        code = EX_IOERR;
    } else {
        (void)puts(holds ? "The numbers hold." : "The numbers do not add up to what is stored.");
        code = holds ? EX_OK : 1;
    }
    store_close(st);
    return code;
}
