/* What one transaction changes in the table of days. Each change goes to the summary at once and is
 * kept here by day, until the store writes it. */
#pragma once

#include "summary.h"

#include <stdbool.h>

enum {
    TALLY_DAYS = 24,
    TALLY_DAYS_PER_EVENT =
        9 /* event; contact, message, order and its payment, each before and after */
};

struct tally_day {
    int64_t day;
    struct counts counts;
};

struct tally {
    struct summary *su;
    struct tally_day days[TALLY_DAYS];
    size_t n;
};

void tally_init(struct tally *t, struct summary *su);
/* Add n for something that happened at `ms`. */
void tally_add(struct tally *t, int64_t ms, size_t which, int64_t n);
/* True when the next event may not find room: the store writes and clears first. */
bool tally_is_full(const struct tally *t);
void tally_clear(struct tally *t);
