/* Why a program is not ready: a small set of named reasons, shown by /readyz. Empty = ready. */
#pragma once

#include "base/clock.h"
#include "base/err.h"

enum { EST_HEALTH_REASONS = 16, EST_HEALTH_CODE = 32, EST_HEALTH_TEXT = 160 };

struct est_health_reason {
    char code[EST_HEALTH_CODE]; /* "kafka_down": stable, for alerts */
    char text[EST_HEALTH_TEXT]; /* one sentence for a person; no secret, no personal datum */
    est_us since;               /* when the code was added; a new text keeps it */
};

struct est_health {
    struct est_health_reason reasons[EST_HEALTH_REASONS]; /* in order of `since` */
    size_t n;
};

void est_health_init(struct est_health *h);
/* Add a reason, or give the one of that code a new text. Code and text are copied, and cut at their
 * lengths. EST_ERR_FULL: too many; add it again later. */
est_err est_health_add(struct est_health *h, const char *code, const char *text, est_us now);
/* False when there was no such reason. */
bool est_health_remove(struct est_health *h, const char *code);
bool est_health_is_ready(const struct est_health *h);
