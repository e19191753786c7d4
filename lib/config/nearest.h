/* "Did you mean …?": the known name that a misspelt one is nearest to. */
#pragma once

#include "base/view.h"

#include <stddef.h>

/* Insertions, deletions, substitutions and swaps of neighbours that lead from a to b, letters
 * compared without case, - and _ as equal (optimal string alignment). Texts longer than 64 bytes
 * are SIZE_MAX apart. */
size_t est_nearest_distance(struct est_view a, struct est_view b);

struct est_nearest {
    struct est_view name;
    struct est_view best; /* borrowed from what was offered; absent while nothing is near enough */
    size_t distance;
};

/* Offer the known names one by one; then `best` is the answer. Near enough means: at most a third
 * of the letters wrong, or the one begins with the other. */
void est_nearest_init(struct est_nearest *near, struct est_view name);
void est_nearest_offer(struct est_nearest *near, struct est_view known);
