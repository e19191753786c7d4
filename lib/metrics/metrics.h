/* Counters, gauges and histograms of one daemon; metrics.def names them all. A series is found
 * once, by its label values, and then costs an addition. Values are of this process and of its
 * life. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#include <stdint.h>

enum { EST_IN_PRODUCER = 1, EST_IN_CONSUMER = 2, EST_IN_DASHBOARD = 4, EST_IN_ALL = 7 };

enum est_metric {
#define EST_METRIC(name, ...) EST_METRIC_##name,
#include "metrics.def"
#undef EST_METRIC
    EST_METRIC__COUNT
};

enum { EST_METRIC_LABELS_MAX = 2, EST_METRIC_SERIES_MAX = 4096, EST_METRIC_VALUE_MAX = 64 };

struct est_metrics;
struct est_series;

/* program: EST_IN_PRODUCER, …: which families /metrics shows. */
est_err est_metrics_new(unsigned program, struct est_metrics **ret);
void est_metrics_free(struct est_metrics *m);

/* The series with these label values, in the order of metrics.def; NULL where a label does not
 * exist. Made at first use. Never NULL: without memory, or beyond EST_METRIC_SERIES_MAX series of a
 * family, the family's overflow series, which /metrics shows with the label values "other". */
struct est_series *est_metrics_series(struct est_metrics *m, enum est_metric id, const char *value1,
                                      const char *value2);

void est_series_add(struct est_series *s, uint64_t n);      /* counter */
void est_series_set(struct est_series *s, double value);    /* gauge */
void est_series_observe(struct est_series *s, est_us time); /* seconds */
uint64_t est_series_count(const struct est_series *s);      /* counter's value, histogram's count */

/* For rare events: find and add in one call. */
void est_metrics_count(struct est_metrics *m, enum est_metric id, const char *value1,
                       const char *value2, uint64_t n);
void est_metrics_gauge(struct est_metrics *m, enum est_metric id, const char *value1,
                       const char *value2, double value);
/* A family's series are not shown again before they are set again: for gauges whose things come and
 * go, or a value that nobody renews would stand there for good. */
void est_metrics_forget(struct est_metrics *m, enum est_metric id);

/* Prometheus text format 0.0.4. */
void est_metrics_render(const struct est_metrics *m, struct est_buf *out);
/* The gauges that every daemon has: memory, start time, log lines, loop lag. Call before
 * rendering. */
void est_metrics_process(struct est_metrics *m, est_us loop_lag);

/* One row of metrics.def, for the generated documentation. */
struct est_metric_info {
    const char *name, *kind, *labels, *help;
    unsigned programs;
};
const struct est_metric_info *est_metric_info(enum est_metric id);
