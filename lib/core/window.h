/* How many requests may be in flight to one endpoint: additive increase, multiplicative decrease,
 * with hysteresis. The window grows by one after as many good answers as it is wide, and halves at
 * the first sign of overload; what was in flight at that moment belongs to the same event and does
 * not halve it again. */
#pragma once

#include <stdbool.h>

enum est_window_outcome {
    EST_WINDOW_GOOD,
    EST_WINDOW_OVERLOAD, /* timeout, 429, 503: the endpoint asks for less */
    EST_WINDOW_NEUTRAL   /* says nothing about its load */
};

struct est_window {
    unsigned max;
    unsigned size;      /* in [1, max] */
    unsigned in_flight; /* may exceed size after a decrease, and then nothing starts */
    unsigned good;      /* since the last change of size */
    unsigned stale;     /* still in flight from before the last decrease */
};

/* initial and max are at least 1. */
void est_window_init(struct est_window *w, unsigned initial, unsigned max);
/* May a request start? True counts it as in flight. */
bool est_window_allow(struct est_window *w);
/* One request that was allowed has ended. */
void est_window_observe(struct est_window *w, enum est_window_outcome outcome);
