#include "latency.h"

#include <string.h>

enum { FINE = 10000 };
static const est_us FINE_US = 100, COARSE_US = 10 * EST_MS;

void latency_init(struct latency *l, est_us window_length, est_us now)
{
    l->window_length = window_length;
    l->window_end = now + window_length;
}

static size_t bucket_of(est_us us)
{
    size_t at =
        us < EST_SECOND ? (size_t)(us / FINE_US) : FINE + (size_t)((us - EST_SECOND) / COARSE_US);

    return at < LATENCY_BUCKETS ? at : LATENCY_BUCKETS - 1;
}

/* The upper end of a bucket: never better than it was. */
static est_us end_of(size_t bucket)
{
    return bucket < FINE ? (est_us)(bucket + 1) * FINE_US
                         : EST_SECOND + (est_us)(bucket - FINE + 1) * COARSE_US;
}

est_us latency_share(const struct latency_counts *c, double share)
{
    double wanted = share * (double)c->n;
    uint64_t sum = 0;

    for (size_t i = 0; c->n > 0 && i < LATENCY_BUCKETS; i++) {
        sum += c->of[i];
        if ((double)sum >= wanted)
            return end_of(i);
    }
    return 0;
}

est_us latency_worst_p99(const struct latency *l)
{
    est_us now = l->window.n < LATENCY_WINDOW_MIN ? 0 : latency_share(&l->window, 0.99);

    return now > l->worst_p99 ? now : l->worst_p99;
}

/* A window with too few goes on: one of three is no percentile. */
static void turn_window(struct latency *l, est_us now)
{
    if (now < l->window_end)
        return;
    l->window_end = now + l->window_length;
    if (l->window.n < LATENCY_WINDOW_MIN)
        return;
    l->worst_p99 = latency_worst_p99(l);
    memset(&l->window, 0, sizeof(l->window));
}

static void count(struct latency_counts *c, size_t bucket)
{
    c->n++;
    c->of[bucket]++;
}

void latency_note(struct latency *l, est_us duration, est_us now)
{
    size_t bucket = bucket_of(duration < 0 ? 0 : duration);

    turn_window(l, now);
    count(&l->all, bucket);
    count(&l->window, bucket);
    if (duration > l->max)
        l->max = duration;
}
