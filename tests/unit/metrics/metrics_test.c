#include "metrics/metrics.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct est_metrics *m;
static struct est_buf out;

static int open_metrics(void **state)
{
    (void)state;
    est_buf_init(&out, 16 * 1024 * 1024);
    return est_metrics_new(EST_IN_ALL, &m) == EST_OK ? 0 : -1;
}

static int close_metrics(void **state)
{
    (void)state;
    est_metrics_free(m);
    est_buf_fini(&out);
    return 0;
}

static const char *rendered(void)
{
    est_buf_clear(&out);
    est_metrics_render(m, &out);
    est_buf_putc(&out, '\0');
    assert_int_equal(est_buf_err(&out), EST_OK);
    return out.data;
}

static bool is_name(const char *s, size_t n, bool colon)
{
    for (size_t i = 0; i < n; i++)
        if (!isalpha((unsigned char)s[i]) && s[i] != '_' && !(colon && s[i] == ':') &&
            !(i > 0 && isdigit((unsigned char)s[i])))
            return false;
    return n > 0;
}

/* The data model's grammar, and the conventions on units and suffixes. */
static void every_row_is_as_prometheus_wants_it(void **state)
{
    (void)state;
    for (int i = 0; i < EST_METRIC__COUNT; i++) {
        const struct est_metric_info *info = est_metric_info((enum est_metric)i);
        size_t len = strlen(info->name), labels = 0;
        bool total = len > 6 && strcmp(info->name + len - 6, "_total") == 0;
        bool seconds = len > 8 && strcmp(info->name + len - 8, "_seconds") == 0;
        assert_true(is_name(info->name, len, true));
        assert_true(strcmp(info->kind, "counter") == 0 || strcmp(info->kind, "gauge") == 0 ||
                    strcmp(info->kind, "seconds") == 0);
        if (total != (strcmp(info->kind, "counter") == 0))
            fail_msg("%s is a %s", info->name, info->kind);
        if (strcmp(info->kind, "seconds") == 0 && !seconds)
            fail_msg("%s measures seconds", info->name);
        assert_true(strlen(info->help) > 5 && strpbrk(info->help, "\n\\") == NULL);
        assert_true(info->programs != 0 && (info->programs & ~(unsigned)EST_IN_ALL) == 0);
        for (const char *l = info->labels; *l != '\0'; labels++) {
            size_t n = strcspn(l, ",");
            assert_true(is_name(l, n, false));
            assert_false(n == 2 && memcmp(l, "le", 2) == 0);
            l += n + (l[n] == ',');
        }
        assert_true(labels <= EST_METRIC_LABELS_MAX);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(info->name, est_metric_info((enum est_metric)k)->name);
    }
}

static void the_old_names_are_there(void **state)
{
    (void)state;
    assert_non_null(strstr(rendered(), "# TYPE dashboard_event_send_duration_seconds histogram\n"));
    assert_non_null(strstr(out.data, "# TYPE dashboard_event_failure_total counter\n"));
    assert_non_null(strstr(out.data, "# TYPE dashboard_redis_queue_length gauge\n"));
}

static void counts_and_sets(void **state)
{
    struct est_series *s = est_metrics_series(m, EST_METRIC_ACCEPTED, "order", NULL);

    (void)state;
    est_series_add(s, 2);
    est_series_add(s, 3);
    assert_ptr_equal(est_metrics_series(m, EST_METRIC_ACCEPTED, "order", NULL), s);
    assert_int_equal(est_series_count(s), 5);
    est_metrics_count(m, EST_METRIC_SEND_FAILURES, "dashboard", "timeout", 1);
    est_metrics_gauge(m, EST_METRIC_KAFKA_UP, NULL, NULL, 1);
    est_metrics_gauge(m, EST_METRIC_RSS, NULL, NULL, 123456789012);
    (void)rendered();
    assert_non_null(strstr(out.data, "\nesteira_events_accepted_total{type=\"order\"} 5\n"));
    assert_non_null(
        strstr(out.data,
               "\ndashboard_event_failure_total{destination=\"dashboard\",class=\"timeout\"} 1\n"));
    assert_non_null(strstr(out.data, "\nesteira_kafka_up 1\n"));
    assert_non_null(strstr(out.data, "\nprocess_resident_memory_bytes 123456789012\n"));
}

/* Each bucket counts what is at most its bound; the last equals _count; the sum is the sum. */
static void histograms_are_cumulative(void **state)
{
    static const est_us times[] = {0,     1,      500,      501,      2500,
                                   99000, 100000, 60000000, 60000001, 3600000000};
    struct est_series *s = est_metrics_series(m, EST_METRIC_ACK_SECONDS, NULL, NULL);
    const char *at;
    double last_bound = -1, sum = 0;
    unsigned long long last = 0, count;
    size_t buckets = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        est_series_observe(s, times[i]);
        sum += (double)times[i] / 1e6;
    }
    at = strstr(rendered(), "esteira_ingest_duration_seconds_bucket");
    while (at != NULL) {
        char *rest;
        double bound = strtod(strstr(at, "le=\"") + 4, &rest);
        size_t want = 0;
        count = strtoull(strstr(rest, "} ") + 2, NULL, 10);
        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
            want += (double)times[i] / 1e6 <= bound;
        assert_int_equal(count, want);
        assert_true(bound > last_bound && count >= last);
        last_bound = bound;
        last = count;
        buckets++;
        at = strstr(rest, "esteira_ingest_duration_seconds_bucket");
    }
    assert_true(buckets > 10);
    assert_true(last_bound > 1e300); /* +Inf */
    assert_int_equal(last, sizeof(times) / sizeof(times[0]));
    at = strstr(out.data, "esteira_ingest_duration_seconds_count ");
    assert_int_equal(strtoull(at + 38, NULL, 10), last);
    at = strstr(out.data, "esteira_ingest_duration_seconds_sum ");
    assert_true(strtod(at + 36, NULL) > sum - 1e-5 && strtod(at + 36, NULL) < sum + 1e-5);
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    est_metrics_count(m, EST_METRIC_COMMITS, "a\"b\\c\nd", NULL, 1);
    assert_non_null(strstr(rendered(), "esteira_commits_total{outcome=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

static void different_values_are_different_series(void **state)
{
    (void)state;
    assert_ptr_not_equal(est_metrics_series(m, EST_METRIC_SEND_FAILURES, "a|b", "c"),
                         est_metrics_series(m, EST_METRIC_SEND_FAILURES, "a", "b|c"));
    assert_ptr_not_equal(est_metrics_series(m, EST_METRIC_SEND_FAILURES, "", "a"),
                         est_metrics_series(m, EST_METRIC_SEND_FAILURES, "a", ""));
    assert_ptr_equal(est_metrics_series(m, EST_METRIC_SEND_FAILURES, NULL, NULL),
                     est_metrics_series(m, EST_METRIC_SEND_FAILURES, "", ""));
}

static void beyond_the_maximum_all_is_other(void **state)
{
    struct est_series *other = NULL;

    (void)state;
    for (int i = 0; i < EST_METRIC_SERIES_MAX + 10; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "%d", i);
        other = est_metrics_series(m, EST_METRIC_REFUSED, value, NULL);
        est_series_add(other, 1);
    }
    assert_int_equal(est_series_count(other), 10);
    assert_non_null(strstr(rendered(), "esteira_events_refused_total{code=\"4095\"} 1\n"));
    assert_non_null(strstr(out.data, "esteira_events_refused_total{code=\"other\"} 10\n"));
    assert_null(strstr(out.data, "code=\"4096\""));
}

static void long_values_are_cut(void **state)
{
    char value[200];

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    est_metrics_count(m, EST_METRIC_COMMITS, value, NULL, 1);
    value[sizeof(value) - 2] = 'w'; /* differs behind the cut: the same series */
    est_metrics_count(m, EST_METRIC_COMMITS, value, NULL, 1);
    value[EST_METRIC_VALUE_MAX] = '\0';
    assert_int_equal(est_series_count(est_metrics_series(m, EST_METRIC_COMMITS, value, NULL)), 2);
}

static void without_memory_it_goes_on(void **state)
{
    (void)state;
    for (long after = 0; after < 4; after++) {
        est_mem_fail_after(after);
        est_metrics_count(m, EST_METRIC_RECORDS, "a", NULL, 1);
        est_metrics_count(m, EST_METRIC_RECORDS, "b", NULL, 1);
        est_mem_fail_after(-1);
        (void)rendered();
    }
}

static void a_program_shows_its_own(void **state)
{
    struct est_metrics *one;

    (void)state;
    assert_int_equal(est_metrics_new(EST_IN_CONSUMER, &one), EST_OK);
    est_metrics_process(one, 1500);
    est_buf_clear(&out);
    est_metrics_render(one, &out);
    est_buf_putc(&out, '\0');
    assert_null(strstr(out.data, "esteira_ingest_"));
    assert_null(strstr(out.data, "esteira_dashboard_"));
    assert_non_null(strstr(out.data, "# TYPE esteira_records_total counter\n"));
    assert_non_null(strstr(out.data, "esteira_loop_lag_seconds 0.0015\n"));
    assert_non_null(strstr(out.data, "esteira_log_lines{level=\"warn\"} "));
    est_metrics_free(one);
    est_metrics_free(NULL);
}

static void what_is_forgotten_is_shown_when_it_is_set_again(void **state)
{
    (void)state;
    est_metrics_gauge(m, EST_METRIC_LAG, "esteira.order", "0", 7);
    est_metrics_gauge(m, EST_METRIC_LAG, "esteira.order", "1", 8);
    est_metrics_forget(m, EST_METRIC_LAG);
    assert_null(strstr(rendered(), "esteira_lag_records{"));
    est_metrics_gauge(m, EST_METRIC_LAG, "esteira.order", "1", 9);
    assert_non_null(
        strstr(rendered(), "esteira_lag_records{topic=\"esteira.order\",partition=\"1\"} 9\n"));
    assert_null(strstr(out.data, "partition=\"0\""));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_metrics, close_metrics)
    const struct CMUnitTest tests[] = {
        T(every_row_is_as_prometheus_wants_it),
        T(the_old_names_are_there),
        T(counts_and_sets),
        T(histograms_are_cumulative),
        T(label_values_are_escaped),
        T(different_values_are_different_series),
        T(beyond_the_maximum_all_is_other),
        T(long_values_are_cut),
        T(without_memory_it_goes_on),
        T(a_program_shows_its_own),
        T(what_is_forgotten_is_shown_when_it_is_set_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
