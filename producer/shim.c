#include "shim.h"

#include "admit.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog.h"
#include "config/config.h"
#include "core/health.h"
#include "enroll.h"
#include "ingest.h"
#include "io/loop.h"
#include "io/ops.h"
#include "metrics/metrics.h"
#include "proxy.h"
#include "publish.h"
#include "tokens.h"

#include <signal.h>
#include <string.h>

static const est_us TOKENS_EVERY = 2 * EST_SECOND, DRAIN_CHECK = 10 * EST_MS;

struct shim {
    const struct est_config *cfg;
    struct est_loop *loop;
    struct est_metrics *metrics;
    struct est_health health;   /* why no event can be taken */
    struct est_health warnings; /* what is wrong though events are taken */
    struct est_ops *ops;
    struct catalog *catalog;
    struct tokens *tokens;
    struct admit admit;
    bool has_admit;
    struct enroll *enroll;
    struct publish *publish;
    struct proxy *proxy;
    struct ingest *ingest;
    struct est_timer tokens_timer, drain_timer;
    est_us drain_until; /* 0 = not draining */
};

/* --- operations --- */

static void render_metrics(void *arg, struct est_buf *out)
{
    struct shim *sh = arg;

    est_metrics_process(sh->metrics, est_loop_take_lag(sh->loop));
    est_metrics_gauge(sh->metrics, EST_METRIC_READY, NULL, NULL, est_health_is_ready(&sh->health));
    publish_metrics(sh->publish);
    ingest_metrics(sh->ingest);
    est_metrics_render(sh->metrics, out);
}

static void put_reasons(const struct est_health *h, struct est_buf *out)
{
    for (size_t i = 0; i < h->n; i++) {
        est_buf_puts(out, i ? ",{\"code\":" : "{\"code\":");
        est_json_put_str(out, h->reasons[i].code);
        est_json_put_name(out, "detail");
        est_json_put_str(out, h->reasons[i].text);
        est_buf_putc(out, '}');
    }
}

static bool ready(void *arg, struct est_buf *reasons)
{
    const struct shim *sh = arg;
    bool is;

    publish_check_health(sh->publish);
    is = est_health_is_ready(&sh->health);
    put_reasons(is ? &sh->warnings : &sh->health, reasons);
    return is;
}

/* --- tokens --- */

static void check_tokens(void *arg)
{
    struct shim *sh = arg;
    struct est_why why = {0};
    est_err err = tokens_reload(sh->tokens, est_loop_now(sh->loop), &why);

    if (err == EST_OK)
        EST_LOG(EST_INFO, "tokens_reloaded");
    else if (err != EST_ERR_AGAIN)
        EST_LOG(EST_ERROR, "tokens_not_reloaded", EST_S("code", est_err_code(err)),
                EST_S("detail", why.text));
    est_loop_timer_at(sh->loop, &sh->tokens_timer, est_loop_now(sh->loop) + TOKENS_EVERY);
}

/* --- stopping --- */

static void check_drained(void *arg)
{
    struct shim *sh = arg;

    if (ingest_idle(sh->ingest) && publish_pending(sh->publish) == 0 &&
        publish_leave(sh->publish)) {
        EST_LOG(EST_INFO, "drained");
        est_loop_stop(sh->loop);
    } else if (est_loop_now(sh->loop) >= sh->drain_until) {
        EST_LOG(EST_WARN, "drain_timeout", EST_I("unacknowledged", publish_pending(sh->publish)));
        est_loop_stop(sh->loop);
    } else {
        est_loop_timer_at(sh->loop, &sh->drain_timer, est_loop_now(sh->loop) + DRAIN_CHECK);
    }
}

static void on_signal(void *arg, int signo)
{
    struct shim *sh = arg;

    if (signo == SIGHUP) {
        check_tokens(sh);
        return;
    }
    if (sh->drain_until != 0)
        return;
    EST_LOG(EST_INFO, "draining", EST_I("signal", signo),
            EST_I("unacknowledged", publish_pending(sh->publish)));
    (void)est_health_add(&sh->health, "draining", "the shim is stopping", est_loop_now(sh->loop));
    sh->drain_until = est_loop_now(sh->loop) + sh->cfg->producer_drain_timeout;
    ingest_drain(sh->ingest);
    check_drained(sh);
}

/* --- life --- */

static est_err open_parts(struct shim *sh, struct est_why *reterr)
{
    est_err err = catalog_new(sh->cfg, &sh->catalog, reterr);

    if (err == EST_OK)
        err = tokens_new(sh->cfg->producer_tokens_file, sh->cfg->producer_rate_limit,
                         est_loop_now(sh->loop), &sh->tokens, reterr);
    if (err == EST_OK) {
        sh->has_admit = true;
        if (admit_init(&sh->admit, sh->cfg, sh->catalog) != EST_OK)
            err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for requests");
    }
    if (err == EST_OK)
        err = proxy_new(sh->loop, sh->cfg, &sh->proxy, reterr);
    if (err == EST_OK)
        err = enroll_new(sh->loop, sh->cfg, sh->catalog, &sh->health, &sh->enroll, reterr);
    return err;
}

static est_err open_ways(struct shim *sh, struct est_why *reterr)
{
    struct publish_options po = {sh->loop,    sh->cfg,       sh->catalog, sh->metrics,
                                 &sh->health, &sh->warnings, NULL,        NULL};
    struct ingest_options io = {sh->loop,   sh->cfg,    sh->metrics, sh->tokens,
                                &sh->admit, sh->enroll, NULL,        sh->proxy};
    const struct est_ops_handlers oh = {render_metrics, ready, sh};
    est_err err = ingest_new(&io, &sh->ingest, reterr);

    po.settled = ingest_settled;
    po.arg = sh->ingest;
    if (err == EST_OK)
        err = publish_new(&po, &sh->publish, reterr);
    if (err == EST_OK) {
        ingest_set_publish(sh->ingest, sh->publish);
        err = est_ops_new(sh->loop, sh->cfg->producer_ops_listen, &oh, &sh->ops, reterr);
    }
    return err;
}

est_err shim_new(const struct est_config *cfg, struct shim **ret, struct est_why *reterr)
{
    struct shim *sh = est_calloc(1, sizeof(*sh));
    est_err err;

    if (sh == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the shim");
    sh->cfg = cfg;
    sh->tokens_timer = (struct est_timer){.fn = check_tokens, .arg = sh};
    sh->drain_timer = (struct est_timer){.fn = check_drained, .arg = sh};
    est_health_init(&sh->health);
    est_health_init(&sh->warnings);
    err = est_loop_new(&sh->loop, reterr);
    if (err == EST_OK && est_loop_on_signal(sh->loop, on_signal, sh) != EST_OK)
        err = est_why_set(reterr, EST_ERR_IO, "cannot watch for signals");
    if (err == EST_OK && est_metrics_new(EST_IN_PRODUCER, &sh->metrics) != EST_OK)
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for metrics");
    if (err == EST_OK)
        err = open_parts(sh, reterr);
    if (err == EST_OK)
        err = open_ways(sh, reterr);
    if (err != EST_OK) {
        shim_free(sh);
        return err;
    }
    est_metrics_gauge(sh->metrics, EST_METRIC_BUILD_INFO, "esteira-producer", ESTEIRA_VERSION, 1);
    *ret = sh;
    return EST_OK;
}

est_err shim_run(struct shim *sh, struct est_why *reterr)
{
    est_err err = ingest_listen(sh->ingest, reterr);

    if (err != EST_OK)
        return err;
    if (tokens_required(sh->tokens))
        check_tokens(sh);
    EST_LOG(EST_INFO, "started", EST_S("version", ESTEIRA_VERSION), EST_S("config", sh->cfg->path));
    est_loop_run(sh->loop);
    EST_LOG(EST_INFO, "stopped");
    return EST_OK;
}

void shim_free(struct shim *sh)
{
    if (sh == NULL)
        return;
    est_ops_free(sh->ops);
    publish_free(sh->publish); /* answers what is parked, so it goes before the server */
    ingest_free(sh->ingest);
    proxy_free(sh->proxy);
    enroll_free(sh->enroll);
    if (sh->has_admit)
        admit_fini(&sh->admit);
    tokens_free(sh->tokens);
    catalog_free(sh->catalog);
    est_metrics_free(sh->metrics);
    if (sh->loop != NULL) {
        est_loop_timer_off(sh->loop, &sh->tokens_timer);
        est_loop_timer_off(sh->loop, &sh->drain_timer);
    }
    est_loop_free(sh->loop);
    est_free(sh);
}
