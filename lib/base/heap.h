/* Binary heap of timers, earliest first. Nodes are embedded in their owners; a node that is in no
 * heap has slot 0. Set, move and remove cost O(log n). */
#pragma once

#include "clock.h"
#include "err.h"

#include <stddef.h>

struct est_heap_node {
    est_us at;
    size_t slot; /* 1-based place in the heap; 0 = not in it */
};

/* The key stands beside the node, so that comparing does not touch the owners' memory. */
struct est_heap_slot {
    est_us at;
    struct est_heap_node *node;
};

struct est_heap {
    struct est_heap_slot *slots; /* slots[0] unused */
    size_t n, cap;
};

void est_heap_init(struct est_heap *h);
void est_heap_fini(struct est_heap *h); /* nodes are not touched */
/* Room for n nodes in all: until there are more, est_heap_set() cannot fail. EST_ERR_NOMEM. */
est_err est_heap_reserve(struct est_heap *h, size_t n);
/* Insert, or move when already in. EST_ERR_NOMEM leaves the heap as it was. */
est_err est_heap_set(struct est_heap *h, struct est_heap_node *n, est_us at);
void est_heap_remove(struct est_heap *h, struct est_heap_node *n); /* not in it: no-op */
struct est_heap_node *est_heap_first(const struct est_heap *h);    /* NULL when empty */
