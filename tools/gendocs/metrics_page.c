#include "pages.h"

#include "metrics/metrics.h"

static const struct {
    unsigned bit;
    const char *name;
} programs[] = {
    {EST_IN_PRODUCER, "producer"},
    {EST_IN_CONSUMER, "consumer"},
    {EST_IN_DASHBOARD, "dashboard"},
};

static void put_programs(struct est_buf *out, unsigned set)
{
    const char *comma = "";

    if (set == EST_IN_ALL) {
        est_buf_puts(out, "all");
        return;
    }
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if ((set & programs[i].bit) == 0)
            continue;
        est_buf_printf(out, "%s%s", comma, programs[i].name);
        comma = ", ";
    }
}

void page_metrics(struct est_buf *out)
{
    est_buf_puts(
        out, "# Metrics\n\n<!-- Made from lib/metrics/metrics.def by tools/gendocs. -->\n\n"
             "`GET /metrics` of each daemon, Prometheus text format 0.0.4. Label values are types, "
             "codes "
             "and states, never ids, contacts or texts. *seconds* is a histogram.\n\n"
             "| name | kind | labels | daemons | meaning |\n|---|---|---|---|---|\n");
    for (int id = 0; id < EST_METRIC__COUNT; id++) {
        const struct est_metric_info *info = est_metric_info((enum est_metric)id);
        est_buf_printf(out, "| `%s` | %s | %s | ", info->name, info->kind, info->labels);
        put_programs(out, info->programs);
        est_buf_printf(out, " | %s |\n", info->help);
    }
}
