#include "worker_ops.h"

#include "base/jsonw.h"
#include "config/config.h"
#include "deliver.h"
#include "io/kafka_sub.h"
#include "io/loop.h"
#include "io/ops.h"
#include "metrics/metrics.h"
#include "worker.h"

#include <stdio.h>

/* Below the commit point; what is read beyond it may still come out of order. */
static void put_account(struct worker *w, const struct part *p, const char *number)
{
    struct est_note_sum sum = est_note_sum(est_account_now(p->account));

    est_metrics_gauge(w->metrics, EST_METRIC_MISSING, p->type->topic, number, (double)sum.missing);
    est_metrics_gauge(w->metrics, EST_METRIC_EXPIRED, p->type->topic, number, (double)sum.expired);
}

/* Of the partitions held now only: another member tells of those that it took over. */
static void put_partitions(struct worker *w)
{
    est_metrics_forget(w->metrics, EST_METRIC_LAG);
    est_metrics_forget(w->metrics, EST_METRIC_MISSING);
    est_metrics_forget(w->metrics, EST_METRIC_EXPIRED);
    for (size_t i = 0; i < w->parts.n; i++) {
        const struct part *p = &w->parts.items[i];
        int64_t end = est_kafka_sub_end_offset(w->sub, p->type->topic, p->partition);
        char number[16];
        (void)snprintf(number, sizeof(number), "%d", p->partition);
        if (end >= 0)
            est_metrics_gauge(w->metrics, EST_METRIC_LAG, p->type->topic, number,
                              p->committed >= 0 ? (double)(end - p->committed) : (double)end);
        put_account(w, p, number);
    }
}

static void render_metrics(void *arg, struct est_buf *out)
{
    struct worker *w = arg;

    est_metrics_process(w->metrics, est_loop_take_lag(w->loop));
    est_metrics_gauge(w->metrics, EST_METRIC_READY, NULL, NULL, est_health_is_ready(&w->health));
    est_metrics_gauge(w->metrics, EST_METRIC_KAFKA_UP, NULL, NULL, w->kafka_up);
    deliver_metrics(w->deliver);
    put_partitions(w);
    est_metrics_render(w->metrics, out);
}

static bool ready(void *arg, struct est_buf *reasons)
{
    const struct worker *w = arg;

    for (size_t i = 0; i < w->health.n; i++) {
        est_buf_puts(reasons, i ? ",{\"code\":" : "{\"code\":");
        est_json_put_str(reasons, w->health.reasons[i].code);
        est_json_put_name(reasons, "detail");
        est_json_put_str(reasons, w->health.reasons[i].text);
        est_buf_putc(reasons, '}');
    }
    return est_health_is_ready(&w->health);
}

est_err worker_ops_open(struct worker *w, struct est_ops **ret, struct est_why *reterr)
{
    const struct est_ops_handlers h = {render_metrics, ready, w};

    return est_ops_new(w->loop, w->cfg->consumer_ops_listen, &h, ret, reterr);
}
