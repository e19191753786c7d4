#include "metrics.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Upper bounds of the histogram's buckets in µs: from a loopback answer to a minute. */
static const est_us bounds[] = {500,     1000,     2500,     5000,    10000,   25000,
                                50000,   100000,   250000,   500000,  1000000, 2500000,
                                5000000, 10000000, 30000000, 60000000};
enum { BUCKETS = sizeof(bounds) / sizeof(bounds[0]) };

struct est_series {
    struct est_series *next;
    char values[EST_METRIC_LABELS_MAX][EST_METRIC_VALUE_MAX + 1];
    uint64_t count;
    double gauge;
    est_us sum;
    uint64_t buckets[BUCKETS]; /* not cumulative here */
    bool used;
};

struct family {
    struct est_series *first, **end;
    size_t n;
    struct est_series overflow;
};

struct est_metrics {
    unsigned program;
    double started;
    struct family families[EST_METRIC__COUNT];
    struct est_map index; /* "id\0value1\0value2" → series */
};

static const struct est_metric_info infos[EST_METRIC__COUNT] = {
#define EST_METRIC(name, kind, text, labels, programs, help) \
    [EST_METRIC_##name] = {text, #kind, labels, help, programs},
#include "metrics.def"
#undef EST_METRIC
};

const struct est_metric_info *est_metric_info(enum est_metric id)
{
    EST_ASSERT((unsigned)id < EST_METRIC__COUNT);
    return &infos[id];
}

est_err est_metrics_new(unsigned program, struct est_metrics **ret)
{
    struct est_metrics *m = est_calloc(1, sizeof(*m));

    if (m == NULL)
        return EST_ERR_NOMEM;
    m->program = program;
    m->started = (double)est_clock_wall() / 1e6;
    est_map_init(&m->index, 0, 0, 0);
    for (size_t i = 0; i < EST_METRIC__COUNT; i++) {
        m->families[i].end = &m->families[i].first;
        for (size_t l = 0; l < EST_METRIC_LABELS_MAX; l++)
            (void)snprintf(m->families[i].overflow.values[l], EST_METRIC_VALUE_MAX, "other");
    }
    *ret = m;
    return EST_OK;
}

void est_metrics_free(struct est_metrics *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < EST_METRIC__COUNT; i++)
        for (struct est_series *s = m->families[i].first, *next; s != NULL; s = next) {
            next = s->next;
            est_free(s);
        }
    est_map_fini(&m->index);
    est_free(m);
}

/* --- series --- */

static struct est_series *make(struct est_metrics *m, enum est_metric id, struct est_view key,
                               const char *value1, const char *value2)
{
    struct family *f = &m->families[id];
    struct est_series *s = f->n < EST_METRIC_SERIES_MAX ? est_calloc(1, sizeof(*s)) : NULL;

    if (s == NULL)
        return &f->overflow;
    (void)snprintf(s->values[0], sizeof(s->values[0]), "%s", value1 ? value1 : "");
    (void)snprintf(s->values[1], sizeof(s->values[1]), "%s", value2 ? value2 : "");
    if (est_map_put(&m->index, key, s) != EST_OK) {
        est_free(s);
        return &f->overflow;
    }
    s->used = true;
    *f->end = s;
    f->end = &s->next;
    f->n++;
    return s;
}

struct est_series *est_metrics_series(struct est_metrics *m, enum est_metric id, const char *value1,
                                      const char *value2)
{
    char key[2 * EST_METRIC_VALUE_MAX + 16];
    struct est_series *s;
    int n = snprintf(key, sizeof(key), "%d%c%.*s%c%.*s", (int)id, '\0', EST_METRIC_VALUE_MAX,
                     value1 ? value1 : "", '\0', EST_METRIC_VALUE_MAX, value2 ? value2 : "");
    struct est_view view = est_view(key, (size_t)n);

    s = est_map_get(&m->index, view);
    return s ? s : make(m, id, view, value1, value2);
}

void est_series_add(struct est_series *s, uint64_t n)
{
    s->count += n;
    s->used = true;
}

void est_series_set(struct est_series *s, double value)
{
    s->gauge = value;
    s->used = true;
}

void est_series_observe(struct est_series *s, est_us time)
{
    size_t b = 0;

    while (b < BUCKETS && time > bounds[b])
        b++;
    if (b < BUCKETS)
        s->buckets[b]++;
    s->count++;
    s->sum += time;
    s->used = true;
}

uint64_t est_series_count(const struct est_series *s)
{
    return s->count;
}

void est_metrics_count(struct est_metrics *m, enum est_metric id, const char *value1,
                       const char *value2, uint64_t n)
{
    est_series_add(est_metrics_series(m, id, value1, value2), n);
}

void est_metrics_gauge(struct est_metrics *m, enum est_metric id, const char *value1,
                       const char *value2, double value)
{
    est_series_set(est_metrics_series(m, id, value1, value2), value);
}

void est_metrics_forget(struct est_metrics *m, enum est_metric id)
{
    struct family *f = &m->families[id];

    for (struct est_series *s = f->first; s != NULL; s = s->next)
        s->used = false;
    f->overflow.used = false;
}

/* --- Prometheus text --- */

static void put_value(struct est_buf *out, const char *v)
{
    for (; *v != '\0'; v++) {
        if (*v == '\n')
            est_buf_puts(out, "\\n");
        else {
            if (*v == '"' || *v == '\\')
                est_buf_putc(out, '\\');
            est_buf_putc(out, *v);
        }
    }
}

/* {label="value",…,le="…"}; nothing at all when there is neither label nor le. */
static void put_labels(struct est_buf *out, const struct est_metric_info *info,
                       const struct est_series *s, const char *le)
{
    const char *label = info->labels;
    size_t i = 0;

    if (*label == '\0' && le == NULL)
        return;
    est_buf_putc(out, '{');
    while (*label != '\0') {
        size_t n = strcspn(label, ",");
        est_buf_put(out, label, n);
        est_buf_puts(out, "=\"");
        put_value(out, s->values[i++]);
        est_buf_putc(out, '"');
        label += n + (label[n] == ',');
        if (*label != '\0' || le != NULL)
            est_buf_putc(out, ',');
    }
    if (le != NULL)
        est_buf_printf(out, "le=\"%s\"", le);
    est_buf_putc(out, '}');
}

static void put_seconds(struct est_buf *out, const struct est_metric_info *info,
                        const struct est_series *s)
{
    uint64_t below = 0;
    char le[32];

    for (size_t b = 0; b < BUCKETS; b++) {
        below += s->buckets[b];
        (void)snprintf(le, sizeof(le), "%g", (double)bounds[b] / 1e6);
        est_buf_printf(out, "%s_bucket", info->name);
        put_labels(out, info, s, le);
        est_buf_printf(out, " %llu\n", (unsigned long long)below);
    }
    est_buf_printf(out, "%s_bucket", info->name);
    put_labels(out, info, s, "+Inf");
    est_buf_printf(out, " %llu\n%s_sum", (unsigned long long)s->count, info->name);
    put_labels(out, info, s, NULL);
    est_buf_printf(out, " %.6f\n%s_count", (double)s->sum / 1e6, info->name);
    put_labels(out, info, s, NULL);
    est_buf_printf(out, " %llu\n", (unsigned long long)s->count);
}

static void put_series(struct est_buf *out, const struct est_metric_info *info,
                       const struct est_series *s)
{
    if (strcmp(info->kind, "seconds") == 0) {
        put_seconds(out, info, s);
        return;
    }
    est_buf_puts(out, info->name);
    put_labels(out, info, s, NULL);
    if (strcmp(info->kind, "counter") == 0)
        est_buf_printf(out, " %llu\n", (unsigned long long)s->count);
    else
        est_buf_printf(out, " %.15g\n", s->gauge);
}

static void put_family(struct est_buf *out, const struct est_metric_info *info,
                       const struct family *f)
{
    const char *kind = strcmp(info->kind, "seconds") == 0 ? "histogram" : info->kind;

    est_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", info->name, info->help, info->name, kind);
    for (const struct est_series *s = f->first; s != NULL; s = s->next)
        if (s->used)
            put_series(out, info, s);
    if (f->overflow.used)
        put_series(out, info, &f->overflow);
}

void est_metrics_render(const struct est_metrics *m, struct est_buf *out)
{
    for (size_t i = 0; i < EST_METRIC__COUNT; i++)
        if (infos[i].programs & m->program)
            put_family(out, &infos[i], &m->families[i]);
}

static double resident_bytes(void)
{
    unsigned long resident = 0;
    char line[128], *end;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL)
        return 0;
    if (fgets(line, sizeof(line), f) != NULL) {
        (void)strtoul(line, &end, 10); /* total size comes first */
        resident = strtoul(end, NULL, 10);
    }
    (void)fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

void est_metrics_process(struct est_metrics *m, est_us loop_lag)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};

    est_metrics_gauge(m, EST_METRIC_RSS, NULL, NULL, resident_bytes());
    est_metrics_gauge(m, EST_METRIC_START, NULL, NULL, m->started);
    est_metrics_gauge(m, EST_METRIC_LOOP_LAG, NULL, NULL, (double)loop_lag / 1e6);
    for (unsigned i = 0; i <= EST_ERROR; i++)
        est_metrics_gauge(m, EST_METRIC_LOG_LINES, levels[i], NULL,
                          (double)est_log_count((enum est_level)i));
}
