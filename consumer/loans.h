/* Parcels whose records still lie in what librdkafka has fetched, oldest first. Such a record keeps
 * the whole response that brought it in memory; so one that so many bytes have been read behind,
 * and that still waits, is copied. What goes out at once never is. */
#pragma once

#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

struct est_lanes;
struct parcel;

struct loans {
    struct est_lanes *lanes;
    struct est_node list; /* parcel.loan */
    uint64_t read;        /* bytes so far */
    size_t window;
};

void loans_init(struct loans *l, struct est_lanes *lanes, size_t window);
/* A parcel has come. Whatever is too old by now gets memory of its own, and is counted anew;
 * without memory it stays as it is until the next comes. */
void loans_add(struct loans *l, struct parcel *pc);
